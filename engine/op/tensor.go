package op

import "fmt"

// DType is how the elements of a tensor are stored.
type DType uint8

// The element types. Activations are always F32; the quantized types are ggml's
// blocks of 32 or 256 elements along a row, as GGUF holds them; the 8-bit floats and
// F64 are those of safetensors. Which types hold weights, package quant knows.
const (
	F32 DType = iota
	F16
	BF16
	U32
	Q8_0
	Q4_0
	Q4_1
	Q5_0
	Q5_1
	Q2_K
	Q3_K
	Q4_K
	Q5_K
	Q6_K
	IQ4_NL
	IQ4_XS
	F8_E4M3
	F8_E5M2
	F64
	dtypeCount
)

var dtypes = [dtypeCount]struct {
	name         string
	elems, bytes int
}{
	F32: {"F32", 1, 4}, F16: {"F16", 1, 2}, BF16: {"BF16", 1, 2}, U32: {"U32", 1, 4},
	Q8_0: {"Q8_0", 32, 34}, Q4_0: {"Q4_0", 32, 18}, Q4_1: {"Q4_1", 32, 20}, Q5_0: {"Q5_0", 32, 22}, Q5_1: {"Q5_1", 32, 24},
	Q2_K: {"Q2_K", 256, 84}, Q3_K: {"Q3_K", 256, 110}, Q4_K: {"Q4_K", 256, 144}, Q5_K: {"Q5_K", 256, 176}, Q6_K: {"Q6_K", 256, 210},
	IQ4_NL: {"IQ4_NL", 32, 18}, IQ4_XS: {"IQ4_XS", 256, 136},
	F8_E4M3: {"F8_E4M3", 1, 1}, F8_E5M2: {"F8_E5M2", 1, 1}, F64: {"F64", 1, 8},
}

// DTypes returns every element type.
func DTypes() []DType {
	all := make([]DType, dtypeCount)
	for i := range all {
		all[i] = DType(i)
	}
	return all
}

func (d DType) String() string {
	if int(d) < len(dtypes) {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Block returns how many elements one block of the type holds and in how many
// bytes it is stored. Unquantized types have blocks of one element.
func (d DType) Block() (elems, bytes int) { return dtypes[d].elems, dtypes[d].bytes }

// Quantized reports whether the type is stored in blocks with a shared scale.
func (d DType) Quantized() bool { return dtypes[d].elems > 1 }

// Class says where a tensor's memory comes from and how long it lives.
type Class uint8

const (
	// Fixed tensors are made by Backend.New and live until they are freed: the
	// latent, the modulation of the current step, what the host writes or reads.
	Fixed Class = iota
	// Weight tensors are made by Backend.Upload and are never written again.
	Weight
	// Temp tensors belong to one List; their contents are undefined before the
	// first and after the last operation that names them, so that a backend may
	// let several share memory.
	Temp
)

// Storage is one piece of backend memory, which any number of tensors view.
type Storage struct {
	Name  string
	Class Class
	DType DType
	// Elems is the capacity in elements, padding included.
	Elems int
	// Handle belongs to the backend that made the storage.
	Handle any
}

// Bytes is the size of the storage, padding included.
func (s *Storage) Bytes() int64 {
	elems, bytes := s.DType.Block()
	return int64(s.Elems) / int64(elems) * int64(bytes)
}

// Tensor is a view of a Storage as Rows × Cols elements in row order, element
// (r, c) lying at Offset + r*Stride + c. Offset and Stride are multiples of 4, so
// that a machine may load four elements at a time; what lies between Cols and
// Stride is undefined. Quantized weights are never viewed by columns.
type Tensor struct {
	Storage    *Storage
	Rows, Cols int
	Offset     int
	Stride     int
}

// Align is the element alignment of offsets and strides.
const Align = 4

// CeilDiv is a/b, rounded up, for a ≥ 0 and b > 0.
func CeilDiv[N int | int64](a, b N) N { return (a + b - 1) / b }

// Pad rounds n up to a multiple of Align.
func Pad(n int) int { return CeilDiv(n, Align) * Align }

// NewStorage describes memory for a rows × cols tensor, rows padded to Align.
func NewStorage(name string, class Class, dt DType, rows, cols int) *Tensor {
	stride := Pad(cols)
	return &Tensor{
		Storage: &Storage{Name: name, Class: class, DType: dt, Elems: rows * stride},
		Rows:    rows, Cols: cols, Stride: stride,
	}
}

// Slice returns rows [from, to) as a view of the same storage. It panics when
// the range is outside the tensor: that is an error of the calling program, as
// with Go's own slices.
func (t *Tensor) Slice(from, to int) *Tensor {
	if from < 0 || to < from || to > t.Rows {
		panic(fmt.Sprintf("op: rows %d:%d of %s", from, to, t))
	}
	v := *t
	v.Offset += from * t.Stride
	v.Rows = to - from
	return &v
}

// Columns returns columns [from, to) as a view of the same storage; from must be
// a multiple of Align. It panics like Slice.
func (t *Tensor) Columns(from, to int) *Tensor {
	if from < 0 || to < from || to > t.Cols || from%Align != 0 || t.Storage.DType.Quantized() {
		panic(fmt.Sprintf("op: columns %d:%d of %s", from, to, t))
	}
	v := *t
	v.Offset += from
	v.Cols = to - from
	return &v
}

// DType is the element type of the storage behind the view.
func (t *Tensor) DType() DType { return t.Storage.DType }

// Same reports whether two tensors are the same view of the same storage.
func (t *Tensor) Same(u *Tensor) bool { return t != nil && u != nil && *t == *u }

func (t *Tensor) String() string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%s[%d×%d %s]", t.Storage.Name, t.Rows, t.Cols, t.Storage.DType)
}
