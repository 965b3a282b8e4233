package weights

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"undertone/engine/op"
)

// GGUF, as ggml's gguf.md describes it: magic, version, counts, key-value pairs,
// tensor descriptions, then the data from the next multiple of the alignment,
// every tensor padded to the alignment. Dimensions are stored innermost first.
const (
	ggufMagic = "GGUF"
	ggufAlign = 32
	minInfo   = 8 + 4 + 4 + 8 // bytes of the shortest tensor description
	minPair   = 8 + 1 + 4 + 1 // and of the shortest metadata pair
	ggufDims  = 4             // of ggml's tensors
	maxNested = 8             // arrays in arrays
)

// The value types of key-value pairs.
const (
	metaU8 = iota
	metaI8
	metaU16
	metaI16
	metaU32
	metaI32
	metaF32
	metaBool
	metaString
	metaArray
	metaU64
	metaI64
	metaF64
)

func parseGGUF(src op.Source) (*Index, error) {
	c := newCursor(src, 4, src.Size())
	version := c.u32()
	if c.err == nil && version != 2 && version != 3 {
		return nil, refuse(BadVersion, "GGUF version %d (%#08x), supported: 2 and 3, little-endian", version, version)
	}
	x := &Index{Format: fmt.Sprintf("GGUF %d", version)}
	tensors, pairs := c.u64(), c.u64()
	if c.fits("tensors", tensors, minInfo) && c.fits("metadata pairs", pairs, minPair) {
		c.pairs(x, pairs)
	}
	align, err := x.alignment()
	switch {
	case c.err != nil:
		return nil, c.err
	case err != nil:
		return nil, err
	case !c.charge(int64(tensors)*tensorBytes, int64(tensors)*minInfo):
		return nil, c.err
	}
	x.Tensors = make([]Tensor, tensors)
	for i := range x.Tensors {
		if x.Tensors[i], err = c.tensor(align); err != nil {
			return nil, err
		}
	}
	return x, x.place(roundUp(c.off, align), src.Size(), align)
}

func roundUp(n, align int64) int64 { return op.CeilDiv(n, align) * align }

// pairs reads the metadata and sorts it.
func (c *cursor) pairs(x *Index, n uint64) {
	if !c.charge(int64(n)*pairBytes, int64(n)*minPair) {
		return
	}
	x.Meta = make([]Pair, 0, n)
	for range n {
		key := c.text("metadata key")
		value := c.value(key)
		if c.err == nil && key == "" {
			c.fail(refuse(Empty, "a metadata key is empty"))
		}
		if c.err != nil {
			return
		}
		x.Meta = append(x.Meta, Pair{key, value})
	}
	if err := sortPairs(x.Meta); err != nil {
		c.fail(err)
	}
}

// alignment is what the metadata says of it: ggml wants a power of two, its
// description a multiple of 8.
func (x *Index) alignment() (int64, error) {
	v, given := x.Value("general.alignment")
	if !given {
		return ggufAlign, nil
	}
	n, ok := v.(uint32)
	if !ok || n == 0 || n&(n-1) != 0 && n%8 != 0 {
		return 0, refuse(BadAlign, "general.alignment is %.40s (%T), wanted a uint32 power of two or multiple of 8", fmt.Sprint(v), v)
	}
	return int64(n), nil
}

// tensor reads one description. Its Offset is relative to the start of the data.
func (c *cursor) tensor(align int64) (Tensor, error) {
	t := Tensor{Name: c.text("tensor name")}
	dims := c.u32()
	if c.err == nil && dims > ggufDims {
		return t, refuse(BadDims, "tensor %.80q has %d dimensions, GGUF has up to %d", t.Name, dims, ggufDims)
	}
	if c.err != nil || !c.charge(8*int64(dims), 8*int64(dims)) {
		return t, c.err
	}
	t.Shape = make([]int, dims)
	for i := range t.Shape {
		d := c.u64()
		if d > MaxElements {
			return t, refuse(TooLarge, "tensor %.80q has a dimension of %d, at most %d", t.Name, d, int64(MaxElements))
		}
		t.Shape[len(t.Shape)-1-i] = int(d)
	}
	id, offset := c.u32(), c.u64()
	if c.err != nil {
		return t, c.err
	}
	n, err := product(t.Name, t.Shape)
	if err != nil {
		return t, err
	}
	inner := int64(1)
	if dims > 0 {
		inner = int64(t.Shape[dims-1])
	}
	switch row, known := ggmlTypes[id]; {
	case !known:
		if !c.charge(16, 0) {
			return t, c.err
		}
		t.Type, t.DType, t.Bytes = fmt.Sprintf("type %d", id), Unknown, UnknownBytes
	case row.elems == 0:
		t.Type, t.DType, t.Bytes = row.name, Unreadable, UnknownBytes
	case inner%row.elems != 0:
		return t, refuse(BadBlock, "tensor %.80q has rows of %d elements, %s comes in blocks of %d", t.Name, inner, row.name, row.elems)
	default:
		t.Type, t.DType, t.Bytes = row.name, row.dtype, n/row.elems*row.bytes
	}
	if n == 0 {
		t.Bytes = 0
	}
	switch {
	case offset%uint64(align) != 0:
		return t, refuse(BadAlign, "tensor %.80q begins at %d, which is not a multiple of %d", t.Name, offset, align)
	case offset > uint64(c.src.Size()+align):
		return t, refuse(Truncated, "tensor %.80q begins at byte %d of the data, the file has %d bytes", t.Name, offset, c.src.Size())
	}
	t.Offset = int64(offset)
	return t, nil
}

// originalShape is the key under which tools of ComfyUI keep the shape of a tensor that
// they stored with another one, because its rows are not whole blocks.
const originalShape = "comfy.gguf.orig_shape."

// reshape gives the tensors back their original shapes.
func (x *Index) reshape() error {
	for _, p := range x.Meta {
		name, ok := strings.CutPrefix(p.Key, originalShape)
		dims, typed := p.Value.([]int32)
		if !ok || !typed {
			continue
		}
		i, ok := slices.BinarySearchFunc(x.Tensors, name, func(t Tensor, n string) int { return cmp.Compare(t.Name, n) })
		if !ok {
			continue
		}
		t := &x.Tensors[i]
		if len(dims) > maxRank {
			return refuse(BadDims, "tensor %.80q had %d dimensions, at most %d", name, len(dims), maxRank)
		}
		shape := make([]int, len(dims))
		for i, d := range dims {
			if d < 0 {
				return refuse(BadExtent, "tensor %.80q had a dimension of %d", name, d)
			}
			shape[i] = int(d)
		}
		n, err := product(name, shape)
		if err != nil {
			return err
		}
		if n != t.Elems() {
			return refuse(BadExtent, "tensor %.80q had the shape %s, it has %d elements", name, short(shape), t.Elems())
		}
		t.Shape = shape
	}
	return nil
}

// value reads one metadata value with its type.
func (c *cursor) value(key string) any {
	kind := c.u32()
	if c.err != nil {
		return nil
	}
	switch kind {
	case metaU8:
		return uint8(c.word(1))
	case metaI8:
		return int8(c.word(1))
	case metaU16:
		return uint16(c.word(2))
	case metaI16:
		return int16(c.word(2))
	case metaU32:
		return c.u32()
	case metaI32:
		return int32(c.u32())
	case metaF32:
		return c.f32()
	case metaBool:
		return c.flag(key)
	case metaString:
		s := c.text("metadata text")
		if s == "" || !c.charge(16, 0) { // for the interface
			return ""
		}
		return s
	case metaArray:
		return c.array(key, 0)
	case metaU64:
		return c.u64()
	case metaI64:
		return int64(c.u64())
	case metaF64:
		return math.Float64frombits(c.u64())
	}
	c.fail(refuse(UnknownType, "metadata %.80q has the value type %d, known are 0 to %d", key, kind, metaF64))
	return nil
}

func (c *cursor) flag(key string) bool {
	b := c.word(1)
	if b > 1 {
		c.fail(refuse(BadValue, "metadata %.80q is the truth value %d, wanted 0 or 1", key, b))
	}
	return b == 1
}

// array reads an array of one type into a slice of that type. An array of arrays
// becomes a slice of slices.
func (c *cursor) array(key string, depth int) any {
	kind, n := c.u32(), c.u64()
	if c.err != nil {
		return nil
	}
	if depth == maxNested {
		c.fail(refuse(TooMany, "metadata %.80q has arrays nested deeper than %d", key, maxNested))
		return nil
	}
	switch kind {
	case metaU8:
		return items(c, n, 1, func() uint8 { return uint8(c.word(1)) })
	case metaI8:
		return items(c, n, 1, func() int8 { return int8(c.word(1)) })
	case metaU16:
		return items(c, n, 2, func() uint16 { return uint16(c.word(2)) })
	case metaI16:
		return items(c, n, 2, func() int16 { return int16(c.word(2)) })
	case metaU32:
		return items(c, n, 4, c.u32)
	case metaI32:
		return items(c, n, 4, func() int32 { return int32(c.u32()) })
	case metaF32:
		return items(c, n, 4, c.f32)
	case metaBool:
		return items(c, n, 1, func() bool { return c.flag(key) })
	case metaString:
		return items(c, n, 8, func() string { return c.text("metadata text") })
	case metaArray:
		return items(c, n, 12, func() any { return c.array(key, depth+1) })
	case metaU64:
		return items(c, n, 8, c.u64)
	case metaI64:
		return items(c, n, 8, func() int64 { return int64(c.u64()) })
	case metaF64:
		return items(c, n, 8, func() float64 { return math.Float64frombits(c.u64()) })
	}
	c.fail(refuse(UnknownType, "metadata %.80q is an array of value type %d, known are 0 to %d", key, kind, metaF64))
	return nil
}

// items reads n values of at least size bytes each, after making sure that the
// file is long enough to hold them.
func items[T any](c *cursor, n uint64, size int64, read func() T) []T {
	const header = 24 // of the slice, for the interface that holds it
	if !c.fits("an array", n, size) || !c.charge(int64(n)*int64(reflect.TypeFor[T]().Size())+header, int64(n)*size) {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		if out[i] = read(); c.err != nil {
			return nil
		}
	}
	return out
}
