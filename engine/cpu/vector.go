package cpu

import (
	"math"
	"unsafe"

	"undertone/engine/cpu/simd"
	"undertone/engine/op"
)

// vectors runs the SIMD kernels. Everything that they are handed the address of is held
// by it or by a tensor: on the heap, where it stays.
type vectors struct {
	module   *simd.Module
	args     [13]uint32
	gemm     product
	table    []uint32 // addresses of rows
	tile     [48]float32
	wide     []float32 // panels in float32
	rows     []float32 // rows to be made panels of
	scores   []float32
	zeros    []float32
	winograd []float32 // weights, tiles and products
	sums     []float64 // of columns
	means    []float64
	affine   []float32 // means, their remainders and scales of columns
}

// vectorKernels holds the operations that the SIMD module has kernels for. A function
// returns false where it leaves a case to Go.
var vectorKernels = map[op.Kind]func(*job, op.Node) bool{
	op.MatMul: vectorKernel(vectorMatMul), op.Conv3x3: vectorKernel(vectorConv3x3), op.Attention: vectorKernel(vectorAttention),
	op.LayerNorm: vectorKernel(vectorLayerNorm), op.RMSNorm: vectorKernel(vectorRMSNorm),
	op.GroupMoments: vectorKernel(vectorGroupMoments), op.GroupNorm: vectorKernel(vectorGroupNorm),
	op.QKNormRoPE: vectorKernel(vectorQKNormRoPE), op.Rotary: vectorKernel(vectorRotary),
	op.Activation: vectorKernel(vectorActivation), op.Add: vectorKernel(vectorAdd), op.Gated: vectorKernel(vectorGated),
	op.CFG: vectorKernel(vectorCFG), op.Euler: vectorKernel(vectorEuler),
	op.Embedding: vectorKernel(vectorEmbedding), op.Upsample: vectorKernel(vectorUpsample), op.ToRGBA: vectorKernel(vectorToRGBA),
}

func vectorKernel[N op.Node](compute func(*job, N) bool) func(*job, op.Node) bool {
	return func(j *job, n op.Node) bool { return compute(j, n.(N)) }
}

// run runs a kernel with these words as its arguments.
func (v *vectors) run(k simd.Kernel, args ...uint32) {
	copy(v.args[:], args)
	v.module.Run(k, unsafe.Pointer(&v.args))
}

// address is where an element lies in Go's memory, which on wasm has 32-bit addresses.
func address[T any](s []T, i int) uint32 {
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(s)))) + uint32(i)*uint32(unsafe.Sizeof(*new(T)))
}

// at is the address of a row of a view, 0 of none.
func (v view) at(row int) uint32 {
	if v.Tensor == nil {
		return 0
	}
	return address(v.s, v.Offset+row*v.Stride)
}

// apart is how many bytes the rows of a view are apart.
func (v view) apart() uint32 {
	if v.Tensor == nil {
		return 0
	}
	return uint32(4 * v.Stride)
}

// room returns n elements of scratch memory, whose contents are undefined.
func room[T any](s *[]T, n int) []T {
	if len(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}

// vectorWork is about how many elements or sums of products one call of a kernel does, so
// that the event loop has its turn in time on slow machines too.
const (
	elementsInCall = 1 << 19
	sumsInCall     = 1 << 25
)

// stretches calls do for stretches of rows of so many elements or sums each.
func (j *job) stretches(rows, each, inCall int, do func(from, count int)) bool {
	per := max(1, inCall/max(1, each))
	for from := 0; from < rows && j.err == nil; from += per {
		do(from, min(per, rows-from))
		j.err = j.m.tick(j.ctx)
	}
	return true
}

// number is a float32 among the words of a kernel's arguments.
func number(x float32) uint32 { return math.Float32bits(x) }

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
