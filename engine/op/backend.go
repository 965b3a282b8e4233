package op

import (
	"context"
	"io"
	"time"
)

// Source is where the bytes of weights come from: a file, a download, memory.
type Source interface {
	io.ReaderAt
	Size() int64
}

// PieceSource is a Source that can hand over bytes without copying them into Go
// memory (Quirk: memory-stays). Piece returns an opaque value that
// the backend understands (in the browser a js.Value holding a Uint8Array of
// exactly n bytes).
type PieceSource interface {
	Source
	Piece(off, n int64) (any, error)
}

// JoinedSource is a Source put together from runs of bytes of other sources, as where
// one weight lies in several places. Run says where the bytes from off on lie, off
// being less than Size: at byte at of src, n of them together. A backend that asks
// src gets them as src has them, in pieces where it is a PieceSource.
type JoinedSource interface {
	Source
	Run(off int64) (src Source, at, n int64)
}

// RunAt follows joined sources down to the one that has the bytes from off on. Any
// other source is one run.
func RunAt(src Source, off int64) (at Source, from, n int64) {
	n = src.Size() - off
	for n > 0 {
		j, ok := src.(JoinedSource)
		if !ok {
			break
		}
		var run int64
		src, off, run = j.Run(off)
		n = min(n, run)
	}
	return src, off, n
}

// Use says what a weight is for, which decides how a backend lays it out.
type Use uint8

const (
	// UseMatrix is the right-hand side of a MatMul, [out, in], or the table of an
	// Embedding, [V, C]: any DType that package quant decodes, but F64.
	UseMatrix Use = iota
	// UseVector is a bias, a norm's weight or a table of positions: F32, F16 or BF16,
	// which arrives as F32 [rows, cols].
	UseVector
	// UseConv3x3 is a convolution kernel stored as [out, in*9] in OIHW order: F32, F16
	// or BF16.
	UseConv3x3
	// UseMiddle is the middle [k², C] of a square table [n², C], n ≥ k, both even or
	// both odd. Weights.Get cuts it out of the file; a Backend gets a UseVector.
	UseMiddle
	// UseFrame0, UseFrame1 and UseFrame2 are the parts of a convolution kernel over three
	// frames, stored as [out, in, 3, 3, 3], that fall on the first, the second and the third
	// of them. Weights.Get cuts them out of the file; a Backend gets a UseConv3x3.
	UseFrame0
	UseFrame1
	UseFrame2
)

// WeightSpec describes one tensor of a weight file for Backend.Upload.
type WeightSpec struct {
	Name       string
	Use        Use
	DType      DType
	Rows, Cols int // Cols counts elements; a multiple of the DType's block
	// Scale, of a matrix of F8_E4M3 or F8_E5M2, multiplies every element. 0 stands for 1.
	Scale  float32
	Data   Source
	Offset int64 // of the first byte in Data; rows follow each other unpadded
}

// Info describes a machine to people and to the code that chooses sizes.
type Info struct {
	Backend  string            `json:"backend"` // "webgpu" or "cpu"
	Adapter  string            `json:"adapter"` // the vendor's words for the GPU
	Software bool              `json:"software"`
	Features []string          `json:"features"`
	Limits   map[string]int64  `json:"limits"`
	Plan     string            `json:"plan"` // identifies the chosen kernel variants
	Extra    map[string]string `json:"extra,omitempty"`
}

// What a WebGPU device that was asked for no limit allows: bytes of one binding, and of
// one buffer.
const (
	PortableBinding = 128 << 20
	PortableBuffer  = 256 << 20
)

// WebGPU's names of the limits that a tensor must be within, by which Info has them.
const (
	LimitBinding = "maxStorageBufferBindingSize"
	LimitBuffer  = "maxBufferSize"
)

// PortableLimits are those of a device that was asked for none.
func PortableLimits() map[string]int64 {
	return map[string]int64{LimitBinding: PortableBinding, LimitBuffer: PortableBuffer}
}

// MaxTensor is the most bytes that one tensor may have where the machine keeps it in one
// buffer and binds it whole; 0 where it may have any number.
func (i Info) MaxTensor() (bytes int64) {
	for _, name := range []string{LimitBinding, LimitBuffer} {
		if n := i.Limits[name]; n > 0 && (bytes == 0 || n < bytes) {
			bytes = n
		}
	}
	return bytes
}

// Copy moves the elements of Src to Dst, two contiguous (Cols == Stride or one
// row) F32 tensors of equal size outside any arena.
type Copy struct{ Dst, Src *Tensor }

// Backend is a machine that keeps tensors and executes lists. Its methods are
// called from one goroutine at a time. Errors are *fault.Error.
type Backend interface {
	Info() Info
	// Upload reads a weight and lays it out for its use. It refuses NaN and
	// infinite values and scales (fault.WeightsNotFinite).
	Upload(ctx context.Context, w WeightSpec) (*Tensor, error)
	// New makes a zero-filled Fixed tensor.
	New(name string, dt DType, rows, cols int) (*Tensor, error)
	// Write fills a Fixed F32 tensor; len(data) == Rows*Cols, unpadded row order.
	Write(t *Tensor, data []float32) error
	// WriteU32 is Write for U32 tensors.
	WriteU32(t *Tensor, data []uint32) error
	// Read waits for all work before it and returns the F32 elements, unpadded.
	Read(ctx context.Context, t *Tensor) ([]float32, error)
	// ReadU32 is Read for U32 tensors.
	ReadU32(ctx context.Context, t *Tensor) ([]uint32, error)
	// Compile plans memory and prepares everything that can be done once.
	Compile(ctx context.Context, l *List) (Program, error)
	// Sync waits until all submitted work is done, and reports what went wrong in it.
	Sync(ctx context.Context) error
	// Lost is closed when the device is lost; a backend that cannot be lost returns nil.
	Lost() <-chan struct{}
	// Free gives back Fixed and Weight tensors. Nil tensors are ignored.
	Free(ts ...*Tensor)
	// Close frees everything, also what was not freed one by one.
	Close()
}

// Program is a compiled list.
type Program interface {
	// Run does the copies, then the list. On a GPU it returns when the work is
	// submitted; use Sync or Read to wait. A cancelled ctx submits nothing.
	Run(ctx context.Context, copies ...Copy) error
	// EncodeTime is how long the last Run kept the CPU busy until the work was
	// submitted, without what it may have waited for the device.
	EncodeTime() time.Duration
	Stats() Stats
	Close()
}

// Stats tells what one run of a program costs.
type Stats struct {
	Dispatches int   // kernel launches per run
	TempBytes  int64 // memory of the arena
}
