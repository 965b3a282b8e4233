package weights

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// MaxElements is the largest tensor that is read. FLUX.1 has 12 billion parameters
// in 780 tensors.
const MaxElements = 1 << 40

// Types that are listed and cannot be computed with.
const (
	Unreadable op.DType = 255 // one of the format's types
	Unknown    op.DType = 254 // a type that is not in our table of the format's
)

// UnknownBytes stands for the size of a tensor whose type does not tell it.
const UnknownBytes = -1

// Index is what a weight file contains.
type Index struct {
	Format  string   // "GGUF 3", "GGUF 2" or "safetensors"
	Meta    []Pair   // the file's own metadata, by key
	Tensors []Tensor // by name
	// Gaps and Tail count the bytes between and behind the tensors that belong to
	// none of them and are not padding.
	Gaps, Tail int64
	loose      error // what Parse says of the first of these bytes
}

// Pair is one entry of a file's metadata. GGUF values have their natural Go types
// (uint8 … int64, float32, float64, bool, string, or a slice of one of these or of
// slices), safetensors values are strings or nil. Texts of GGUF may not be UTF-8.
type Pair struct {
	Key   string
	Value any
}

// Tensor describes one tensor of a file.
type Tensor struct {
	Name  string
	DType op.DType
	Type  string // the file's own word for the type; in GGUF "type 99" where ggml's number is not known here
	Shape []int  // outermost dimension first, as in PyTorch; no dimensions: a single value
	// Offset is where the tensor begins in the file, Bytes how long it is.
	Offset, Bytes int64
}

// What a Tensor without its shape and a Pair without its value take in memory.
const (
	tensorBytes = 80
	pairBytes   = 32
)

// Value finds a metadata value by key.
func (x *Index) Value(key string) (any, bool) {
	i, ok := slices.BinarySearchFunc(x.Meta, key, func(p Pair, k string) int { return cmp.Compare(p.Key, k) })
	if !ok {
		return nil, false
	}
	return x.Meta[i].Value, true
}

// sortPairs sorts by key and refuses a key that is there twice.
func sortPairs(ps []Pair) error {
	sort.Slice(ps, func(i, j int) bool { return ps[i].Key < ps[j].Key })
	for i := 1; i < len(ps); i++ {
		if ps[i].Key == ps[i-1].Key {
			return refuse(Duplicate, "metadata key %.80q is there twice", ps[i].Key)
		}
	}
	return nil
}

// Elems returns how many elements the tensor has.
func (t Tensor) Elems() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= int64(d)
	}
	return n
}

// Lookup finds a tensor by name.
func (x *Index) Lookup(name string) (Tensor, bool) {
	i, ok := slices.BinarySearchFunc(x.Tensors, name, func(t Tensor, n string) int { return cmp.Compare(t.Name, n) })
	if !ok {
		return Tensor{}, false
	}
	return x.Tensors[i], true
}

// Readable says why the engine cannot compute with the tensor: its type
// (ModelUnsupported, naming it and those that can be read), or that it is empty.
func (t Tensor) Readable() error {
	switch {
	case t.DType == Unknown:
		return refuse(UnknownType, "tensor %.80q is stored as %q; %s", t.Name, t.Type, readableTypes)
	case t.DType == Unreadable || t.DType == op.U32:
		return refuse(BadType, "tensor %.80q is stored as %s; %s", t.Name, t.Type, readableTypes)
	case t.Elems() == 0:
		return refuse(ZeroDim, "tensor %.80q of shape %s has no elements", t.Name, short(t.Shape))
	}
	return nil
}

// readableTypes lists what Readable lets pass.
var readableTypes = func() string {
	var names []string
	for _, dt := range quant.Types() {
		names = append(names, dt.String())
	}
	last := len(names) - 1
	return "the engine computes with " + strings.Join(names[:last], ", ") + " and " + names[last]
}()

// short writes a shape, of which a hostile file may make a long one.
func short(shape []int) string {
	const most = 16
	if len(shape) > most {
		return fmt.Sprintf("%v… (%d dimensions)", shape[:most], len(shape))
	}
	return fmt.Sprint(shape)
}

// Parse is Survey for the file of a model: bytes that belong to no tensor are
// refused too (ModelUnsupported). Whether a tensor can be computed with is a
// question for whoever uses it ([Tensor.Readable]).
//
// A source that knows its index (see [Indexed]) is not read.
func Parse(src op.Source) (*Index, error) {
	if s, ok := src.(*indexed); ok {
		return s.index, nil
	}
	x, err := Survey(src)
	if err == nil {
		err = x.loose
	}
	if err != nil {
		return nil, err
	}
	return x, nil
}

// Survey reads the header of any GGUF or safetensors file, without its data.
// Errors: NotWeights, WeightsFormat and WeightsTruncated (damage), ModelUnsupported
// (another version of the format), WeightsLimit (what it describes takes more
// memory than a header may).
func Survey(src op.Source) (*Index, error) {
	var head [9]byte
	n, err := src.ReadAt(head[:], 0)
	if n < len(head) {
		if err != nil && err != io.EOF {
			return nil, unreadable(err, 0, int64(len(head)))
		}
		return nil, refuse(Truncated, "the file has %d bytes, the shortest header %d", src.Size(), len(head))
	}
	var x *Index
	switch {
	case string(head[:4]) == ggufMagic:
		x, err = parseGGUF(src)
	case looksLikeText(head[:8]):
		return nil, refuse(BadMagic, "the file begins with %q, which is neither GGUF nor safetensors", head[:8])
	default:
		x, err = parseSafetensors(src, binary.LittleEndian.Uint64(head[:8]), head[8])
	}
	if err != nil {
		return nil, err
	}
	sortByName(x.Tensors)
	for i := 1; i < len(x.Tensors); i++ {
		if x.Tensors[i].Name == x.Tensors[i-1].Name {
			return nil, refuse(Duplicate, "tensor %.80q is described twice", x.Tensors[i].Name)
		}
	}
	if err := x.reshape(); err != nil {
		return nil, err
	}
	return x, nil
}

// sortByName is not slices.SortFunc, here and where else structs are sorted: that is 20 KB of
// the engine's program for every type.
func sortByName(ts []Tensor) {
	sort.Slice(ts, func(i, j int) bool { return ts[i].Name < ts[j].Name })
}

// place turns the tensors' offsets in the data, which begins at start, into offsets
// in the file of the given size. It refuses tensors that overlap or end behind the
// file, and counts the bytes that belong to none, beside padding to align.
func (x *Index) place(start, size, align int64) error {
	sort.Slice(x.Tensors, func(i, j int) bool {
		a, b := &x.Tensors[i], &x.Tensors[j]
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Bytes, b.Bytes), cmp.Compare(a.Name, b.Name)) < 0
	})
	have := size - start // negative where a GGUF file ends before its data would begin
	next := int64(0)     // where the tensor before ends
	unsized := false     // only the byte is known at which it cannot have ended
	for i := range x.Tensors {
		t := &x.Tensors[i]
		bytes := t.Bytes
		if bytes == UnknownBytes {
			bytes = 1
		}
		gap := t.Offset - roundUp(next, align)
		switch {
		case bytes == 0 && t.Offset <= roundUp(max(0, have), align):
			t.Offset += start // wherever it lies, it is nothing
			continue
		case t.Offset < next:
			return refuse(Overlap, "tensor %.80q begins at %d, the one before it ends at %d", t.Name, t.Offset, next)
		case bytes > have-t.Offset:
			return refuse(Truncated, "tensor %.80q ends at byte %d of the data, the file has %d", t.Name, t.Offset+bytes, max(0, have))
		case gap > 0 && !unsized:
			x.Gaps += gap
			if x.loose == nil {
				x.loose = refuse(Hole, "tensor %.80q begins at %d, the one before it ends at %d; a model's file holds nothing but its tensors", t.Name, t.Offset, next)
			}
		}
		next, unsized = t.Offset+bytes, t.Bytes == UnknownBytes
		t.Offset += start
	}
	// A writer may or may not pad the last tensor.
	if have > next && have != roundUp(next, align) && !unsized {
		x.Tail = have - next
		if x.loose == nil {
			x.loose = refuse(Trailing, "the tensors end at %d, the file has %d bytes of data; a model's file holds nothing but its tensors", next, have)
		}
	}
	return nil
}

// looksLikeText tells HTML, JSON and Git LFS pointers from a safetensors header
// length, whose upper bytes are zero in any file under 4 GiB of header.
func looksLikeText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return utf8.Valid(b)
}

// product multiplies the dimensions of a tensor and returns its elements.
func product(name string, shape []int) (int64, error) {
	n, empty := int64(1), false
	for _, d := range shape {
		switch {
		case d == 0:
			empty = true
			continue
		case d < 0 || int64(d) > MaxElements || n > MaxElements/int64(d):
			return 0, refuse(TooLarge, "tensor %.80q has the shape %s, more than %d elements", name, short(shape), int64(MaxElements))
		}
		n *= int64(d)
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// Each decodes a tensor piece by piece: f is called with consecutive runs of
// elements (whole blocks, at most 16,384 of them), first being the index of the
// first. The slice is reused. An error of f ends the walk and is returned.
func Each(src op.Source, t Tensor, f func(first int64, x []float32) error) error {
	if err := t.Readable(); err != nil {
		return err
	}
	elems, bytes := t.DType.Block()
	total, chunk := t.Elems(), int64(16384)
	raw, x := make([]byte, min(chunk, total)/int64(elems)*int64(bytes)), make([]float32, min(chunk, total))
	for first := int64(0); first < total; first += chunk {
		n := min(chunk, total-first)
		b := raw[:n/int64(elems)*int64(bytes)]
		at := t.Offset + first/int64(elems)*int64(bytes)
		if err := readFull(src, b, at); err != nil {
			return err
		}
		quant.Dequantize(t.DType, x[:n], b)
		if err := f(first, x[:n]); err != nil {
			return err
		}
	}
	return nil
}

// ReadFloat32 reads a whole tensor in row order, decoded exactly.
func ReadFloat32(src op.Source, t Tensor) ([]float32, error) {
	out := make([]float32, t.Elems())
	err := Each(src, t, func(first int64, x []float32) error {
		copy(out[first:], x)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// CheckFinite looks for NaN and infinite elements, which in quantized types come
// from the blocks' scales (WeightsNotFinite, naming the first and their number).
func CheckFinite(src op.Source, t Tensor) error {
	var count, at int64
	err := Each(src, t, func(first int64, x []float32) error {
		for i, v := range x {
			if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
				if count == 0 {
					at = first + int64(i)
				}
				count++
			}
		}
		return nil
	})
	if err == nil && count > 0 {
		err = fault.New(fault.WeightsNotFinite, "tensor %.80q has %d elements that are NaN or infinite, the first at %d of %d", t.Name, count, at, t.Elems())
	}
	return err
}
