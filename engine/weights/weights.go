// Package weights reads and writes model files: GGUF (quantized), safetensors
// (unquantized) and model.json, the manifest that binds them into one model.
//
// Nothing here trusts a byte. A header is refused before memory is set aside for
// what it claims; every count has a cap, every product is checked, tensors must
// lie one behind the other and end where the file ends. A refusal is a
// *fault.Error whose sentence names the value and the limit and whose cause is a
// [Reason]. Reading a header allocates at most twice its size and 1 MiB.
//
//	b, err := weights.LoadBundle(ctx, weights.Dir("models/sprites"), "model.json")
//	src, file, err := b.OpenFile(ctx, "dit")
//	index, err := weights.Parse(src)
//	t, ok := index.Lookup("img_in.weight")
//	x, err := weights.ReadFloat32(src, t)
package weights

import (
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Caps on what a header may claim. FLUX.1 has 780 tensors and 12 billion
// parameters; the largest published vocabularies have 262,144 words.
const (
	MaxTensors  = 16384
	MaxName     = 256     // bytes of a tensor's name
	MaxElements = 1 << 40 // of one tensor
	maxDims     = 8
)

// Unreadable marks a tensor whose type is known but cannot be computed with. Only
// [Survey] gives such tensors.
const Unreadable op.DType = 255

// Index is what a weight file contains.
type Index struct {
	Format string // "GGUF 3", "GGUF 2" or "safetensors"
	// Meta is the file's own metadata. GGUF values have their natural Go types
	// (uint8 … int64, float32, float64, bool, string, or a slice of one of these),
	// safetensors values are strings.
	Meta    map[string]any
	Tensors []Tensor // by name
}

// Tensor describes one tensor of a file.
type Tensor struct {
	Name  string
	DType op.DType
	Type  string // the file's own word for the type
	Shape []int  // outermost dimension first, as in PyTorch; no dimensions: a single value
	// Offset is where the tensor begins in the file, Bytes how long it is.
	Offset, Bytes int64
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

// Parse reads the header of a GGUF or safetensors file and checks that the file
// is exactly as long as its tensors need. Errors: NotWeights, WeightsFormat,
// WeightsTruncated, ModelUnsupported (a type the engine does not compute with).
func Parse(src op.Source) (*Index, error) {
	x, err := Survey(src)
	if err != nil {
		return nil, err
	}
	for _, t := range x.Tensors {
		if t.DType == Unreadable {
			return nil, refuse(BadType, "tensor %q is stored as %s; supported: F32, F16, BF16, Q8_0, Q4_0", t.Name, t.Type)
		}
	}
	return x, nil
}

// Survey is Parse for looking only: tensors of types that the engine cannot
// compute with are listed as [Unreadable] instead of refused.
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
	slices.SortFunc(x.Tensors, func(a, b Tensor) int { return cmp.Compare(a.Name, b.Name) })
	for i := 1; i < len(x.Tensors); i++ {
		if x.Tensors[i].Name == x.Tensors[i-1].Name {
			return nil, refuse(Duplicate, "tensor %q is described twice", x.Tensors[i].Name)
		}
	}
	return x, nil
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
	n := int64(1)
	for _, d := range shape {
		switch {
		case d == 0:
			return 0, refuse(ZeroDim, "tensor %q has a dimension of 0 in %v", name, shape)
		case d < 0 || int64(d) > MaxElements || n > MaxElements/int64(d):
			return 0, refuse(TooLarge, "tensor %q has the shape %v, more than %d elements", name, shape, int64(MaxElements))
		}
		n *= int64(d)
	}
	return n, nil
}

// Each decodes a tensor piece by piece: f is called with consecutive runs of
// elements (whole blocks, at most 16,384 of them), first being the index of the
// first. The slice is reused. An error of f ends the walk and is returned.
func Each(src op.Source, t Tensor, f func(first int64, x []float32) error) error {
	if t.DType == Unreadable || t.DType == op.U32 {
		return refuse(BadType, "tensor %q of type %s cannot be read as numbers", t.Name, t.Type)
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
		op.Dequantize(t.DType, x[:n], b)
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
		err = fault.New(fault.WeightsNotFinite, "tensor %q has %d elements that are NaN or infinite, the first at %d of %d", t.Name, count, at, t.Elems())
	}
	return err
}
