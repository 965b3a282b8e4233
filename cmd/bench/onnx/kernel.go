package onnx

import (
	"fmt"
	"math"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// Kernel is one operator at one shape, in the words of the bench's rows (web/bench.js).
type Kernel struct {
	Op, DType       string
	M, N, K         int
	Rows, Heads, D  int
	H, W, Cin, Cout int
	Accuracy        int  // of MatMulNBits: 0 or 4
	Plain           bool // attention as MatMul, Softmax, MatMul
}

// largest is the most elements that a weight may have: those of the largest shape are 66
// million.
const largest = 1 << 28

// File is the operator as an ONNX file: input x (of attention q, k and v), output y.
func (k Kernel) File() ([]byte, error) {
	g := newGraph(k.Op)
	for _, n := range []int{k.M, k.N, k.K, k.Rows, k.Heads, k.D, k.H, k.W, k.Cin, k.Cout} {
		if n < 0 || n > 1<<16 {
			return nil, fmt.Errorf("%s: a size of %d", k.Op, n)
		}
	}
	switch k.Op {
	case op.MatMul.String():
		if k.N < 1 || k.K < 1 || k.N*k.K > largest {
			return nil, fmt.Errorf("weights of %d × %d", k.N, k.K)
		}
		x := g.input("x", float32s, k.M, k.K)
		w := noise(k.N*k.K, 1/math.Sqrt(float64(k.K)))
		switch k.DType {
		case op.F32.String():
			g.gives(g.op("MatMul", nil, x, g.floats(w, k.K, k.N)), "y", k.M, k.N)
		case op.Q8_0.String(), op.Q4_0.String():
			dt := op.Q8_0
			if k.DType == op.Q4_0.String() {
				dt = op.Q4_0
			}
			elems, bytes := dt.Block()
			if k.K%elems != 0 {
				return nil, fmt.Errorf("rows of %d in blocks of %d", k.K, elems)
			}
			blocks := make([]byte, len(w)/elems*bytes)
			quant.Quantize(dt, blocks, w)
			g.gives(g.matMulNBits(x, dt, blocks, k.N, k.K, k.Accuracy), "y", k.M, k.N)
		default:
			return nil, fmt.Errorf("no product with weights of type %q", k.DType)
		}
	case op.Attention.String():
		shape := []int{1, k.Rows, k.Heads * k.D}
		q, key, v := g.input("q", float32s, shape...), g.input("k", float32s, shape...), g.input("v", float32s, shape...)
		y := ""
		if k.Plain {
			y = g.reshape(g.attend(q, key, v, k.Rows, k.Heads, k.D, ""), shape...)
		} else {
			y = g.fused("MultiHeadAttention", attrs{"num_heads": k.Heads}, q, key, v)
		}
		g.gives(y, "y", shape...)
	case op.Conv3x3.String():
		x := g.input("x", float32s, 1, k.Cin, k.H, k.W)
		w := g.floats(noise(9*k.Cin*k.Cout, 1/math.Sqrt(float64(9*k.Cin))), k.Cout, k.Cin, 3, 3)
		g.gives(g.op("Conv", attrs{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 1, 1}}, x, w), "y", 1, k.Cout, k.H, k.W)
	default:
		return nil, fmt.Errorf("no ONNX file of %q", k.Op)
	}
	return g.file(), nil
}

// noise are n numbers between −scale and scale.
func noise(n int, scale float64) []float32 {
	x := make([]float32, n)
	seed := uint32(7)
	for i := range x {
		seed = seed*1664525 + 1013904223
		x[i] = float32(scale * (float64(seed>>8)/(1<<23) - 1))
	}
	return x
}
