package weights

import (
	"math"

	"undertone/engine/op"
)

// GGUF, as ggml's gguf.md describes it: magic, version, counts, key-value pairs,
// tensor descriptions, then the data from the next multiple of the alignment,
// every tensor padded to the alignment. Dimensions are stored innermost first.
const (
	ggufMagic  = "GGUF"
	ggufAlign  = 32
	maxPairs   = 4096
	maxKey     = 65535 // bytes, the format's own limit
	maxText    = 16 << 20
	maxArray   = 1 << 20
	minInfo    = 8 + 1 + 4 + 8 + 4 + 8 // bytes of the shortest tensor description
	minPair    = 8 + 1 + 4 + 1
	ggufDims   = 4
	alignLimit = 65536
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

// ggmlType is one row of ggml's table of element types.
type ggmlType struct {
	name         string
	elems, bytes int64
	dtype        op.DType
}

var ggmlTypes = map[uint32]ggmlType{
	0: {"F32", 1, 4, op.F32}, 1: {"F16", 1, 2, op.F16}, 30: {"BF16", 1, 2, op.BF16},
	2: {"Q4_0", 32, 18, op.Q4_0}, 8: {"Q8_0", 32, 34, op.Q8_0},
	// Known, so that inspect can list any file; the engine does not compute with them.
	3: {"Q4_1", 32, 20, Unreadable}, 6: {"Q5_0", 32, 22, Unreadable}, 7: {"Q5_1", 32, 24, Unreadable},
	10: {"Q2_K", 256, 84, Unreadable}, 11: {"Q3_K", 256, 110, Unreadable}, 12: {"Q4_K", 256, 144, Unreadable},
	13: {"Q5_K", 256, 176, Unreadable}, 14: {"Q6_K", 256, 210, Unreadable},
	16: {"IQ2_XXS", 256, 66, Unreadable}, 17: {"IQ2_XS", 256, 74, Unreadable}, 18: {"IQ3_XXS", 256, 98, Unreadable},
	19: {"IQ1_S", 256, 50, Unreadable}, 20: {"IQ4_NL", 32, 18, Unreadable}, 21: {"IQ3_S", 256, 110, Unreadable},
	22: {"IQ2_S", 256, 82, Unreadable}, 23: {"IQ4_XS", 256, 136, Unreadable}, 29: {"IQ1_M", 256, 56, Unreadable},
	24: {"I8", 1, 1, Unreadable}, 25: {"I16", 1, 2, Unreadable}, 26: {"I32", 1, 4, Unreadable},
	27: {"I64", 1, 8, Unreadable}, 28: {"F64", 1, 8, Unreadable},
	34: {"TQ1_0", 256, 54, Unreadable}, 35: {"TQ2_0", 256, 66, Unreadable}, 39: {"MXFP4", 32, 17, Unreadable},
}

func parseGGUF(src op.Source) (*Index, error) {
	c := newCursor(src, 4, src.Size())
	version := c.u32()
	if c.err == nil && version != 2 && version != 3 {
		return nil, refuse(BadVersion, "GGUF version %d (%#08x), supported: 2 and 3, little-endian", version, version)
	}
	tensors, pairs := c.u64(), c.u64()
	switch {
	case c.err != nil:
		return nil, c.err
	case tensors > MaxTensors:
		return nil, refuse(TooMany, "%d tensors, at most %d", tensors, MaxTensors)
	case pairs > maxPairs:
		return nil, refuse(TooMany, "%d metadata pairs, at most %d", pairs, maxPairs)
	case int64(tensors*minInfo+pairs*minPair) > c.left():
		return nil, refuse(Truncated, "%d tensors and %d metadata pairs in %d bytes", tensors, pairs, c.left())
	}
	x := &Index{Format: "GGUF " + string('0'+byte(version)), Meta: make(map[string]any, pairs), Tensors: make([]Tensor, tensors)}
	for range pairs {
		key := c.text("metadata key", maxKey)
		value := c.value(key)
		if c.err != nil {
			return nil, c.err
		}
		if key == "" {
			return nil, refuse(Empty, "a metadata key is empty")
		}
		if _, twice := x.Meta[key]; twice {
			return nil, refuse(Duplicate, "metadata key %q is there twice", key)
		}
		x.Meta[key] = value
	}
	align, err := alignment(x.Meta)
	if err != nil {
		return nil, err
	}
	next := int64(0) // offset of the next tensor from the start of the data
	for i := range x.Tensors {
		if x.Tensors[i], err = c.tensor(next, align); err != nil {
			return nil, err
		}
		next = roundUp(x.Tensors[i].Offset+x.Tensors[i].Bytes, align)
	}
	start := roundUp(c.off, align)
	end := c.off // of the last tensor, unpadded
	for i := range x.Tensors {
		x.Tensors[i].Offset += start
		end = x.Tensors[i].Offset + x.Tensors[i].Bytes
	}
	// A writer may or may not pad the last tensor.
	if size := src.Size(); size < end {
		return nil, refuse(Truncated, "the file has %d bytes, its tensors need %d", size, end)
	} else if size != end && size != roundUp(end, align) {
		return nil, refuse(Trailing, "the file has %d bytes, its tensors end at %d", size, end)
	}
	return x, nil
}

func roundUp(n, align int64) int64 { return (n + align - 1) / align * align }

func alignment(meta map[string]any) (int64, error) {
	v, given := meta["general.alignment"]
	if !given {
		return ggufAlign, nil
	}
	n, ok := v.(uint32)
	if !ok || n < 8 || n > alignLimit || n&(n-1) != 0 {
		return 0, refuse(BadAlign, "general.alignment is %v (%T), wanted a uint32 power of two from 8 to %d", v, v, alignLimit)
	}
	return int64(n), nil
}

// tensor reads one description. Its Offset is relative to the start of the data
// and must be next.
func (c *cursor) tensor(next, align int64) (Tensor, error) {
	t := Tensor{Name: c.text("tensor name", MaxName)}
	dims := c.u32()
	if c.err == nil && (dims < 1 || dims > ggufDims) {
		return t, refuse(BadDims, "tensor %q has %d dimensions, wanted 1 to %d", t.Name, dims, ggufDims)
	}
	if c.err != nil {
		return t, c.err
	}
	t.Shape = make([]int, dims)
	for i := range t.Shape {
		d := c.u64()
		if d > MaxElements {
			return t, refuse(TooLarge, "tensor %q has a dimension of %d, at most %d", t.Name, d, int64(MaxElements))
		}
		t.Shape[len(t.Shape)-1-i] = int(d)
	}
	id, offset := c.u32(), c.u64()
	if c.err != nil {
		return t, c.err
	}
	if t.Name == "" {
		return t, refuse(Empty, "a tensor has no name")
	}
	row, known := ggmlTypes[id]
	if !known {
		return t, refuse(UnknownType, "tensor %q has the element type %d, which is not known", t.Name, id)
	}
	n, err := product(t.Name, t.Shape)
	if err != nil {
		return t, err
	}
	if inner := t.Shape[len(t.Shape)-1]; int64(inner)%row.elems != 0 {
		return t, refuse(BadBlock, "tensor %q has rows of %d elements, %s comes in blocks of %d", t.Name, inner, row.name, row.elems)
	}
	t.Type, t.DType, t.Bytes = row.name, row.dtype, n/row.elems*row.bytes
	switch {
	case offset%uint64(align) != 0:
		return t, refuse(BadAlign, "tensor %q begins at %d, which is not a multiple of %d", t.Name, offset, align)
	case offset > uint64(next):
		return t, refuse(Hole, "tensor %q begins at %d, the one before it ends at %d", t.Name, offset, next)
	case offset < uint64(next):
		return t, refuse(Overlap, "tensor %q begins at %d, the one before it ends at %d", t.Name, offset, next)
	case next+t.Bytes > c.src.Size():
		return t, refuse(Truncated, "tensor %q ends at %d of the data, the file has %d bytes", t.Name, next+t.Bytes, c.src.Size())
	}
	t.Offset = next
	return t, nil
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
		return c.text("metadata "+key, maxText)
	case metaArray:
		return c.array(key)
	case metaU64:
		return c.u64()
	case metaI64:
		return int64(c.u64())
	case metaF64:
		return math.Float64frombits(c.u64())
	}
	c.fail(refuse(BadValue, "metadata %q has the value type %d, known are 0 to %d", key, kind, metaF64))
	return nil
}

func (c *cursor) flag(key string) bool {
	b := c.word(1)
	if b > 1 {
		c.fail(refuse(BadValue, "metadata %q is the truth value %d, wanted 0 or 1", key, b))
	}
	return b == 1
}

// array reads an array of one type into a slice of that type. Arrays of arrays
// are refused, as ggml refuses them.
func (c *cursor) array(key string) any {
	kind, n := c.u32(), c.u64()
	if c.err != nil {
		return nil
	}
	if n > maxArray {
		c.fail(refuse(TooMany, "metadata %q has %d elements, at most %d", key, n, maxArray))
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
		what := "an element of " + key
		return items(c, n, 8, func() string { return c.text(what, maxText) })
	case metaU64:
		return items(c, n, 8, c.u64)
	case metaI64:
		return items(c, n, 8, func() int64 { return int64(c.u64()) })
	case metaF64:
		return items(c, n, 8, func() float64 { return math.Float64frombits(c.u64()) })
	}
	c.fail(refuse(BadValue, "metadata %q is an array of value type %d", key, kind))
	return nil
}

// items reads n values of at least size bytes each, after making sure that the
// file is long enough to hold them.
func items[T any](c *cursor, n uint64, size int64, read func() T) []T {
	if int64(n)*size > c.left() {
		c.fail(refuse(Truncated, "an array of %d elements, %d bytes are left in the file", n, c.left()))
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
