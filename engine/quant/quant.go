package quant

import (
	"fmt"
	"math"

	"undertone/engine/op"
)

// format decodes and encodes whole blocks.
type format struct {
	decode func(dst []float32, blocks []byte)
	encode func(blocks []byte, src []float32) // nil: weights are read in it, never written
	parts                                     // of quantized formats
}

var formats = map[op.DType]format{
	op.F32: f32, op.F16: f16, op.BF16: b16, op.F64: f64, op.F8_E4M3: e4m3, op.F8_E5M2: e5m2,
	op.Q8_0: q8_0, op.Q4_0: q4_0, op.Q4_1: q4_1, op.Q5_0: q5_0, op.Q5_1: q5_1,
	op.Q2_K: q2_k, op.Q3_K: q3_k, op.Q4_K: q4_k, op.Q5_K: q5_k, op.Q6_K: q6_k,
	op.IQ4_NL: iq4_nl, op.IQ4_XS: iq4_xs,
}

// Types returns the types that hold weights, in the order of op.DTypes.
func Types() (types []op.DType) {
	for _, dt := range op.DTypes() {
		if _, ok := formats[dt]; ok {
			types = append(types, dt)
		}
	}
	return types
}

// Encodes reports whether Quantize encodes dt.
func Encodes(dt op.DType) bool { return formats[dt].encode != nil }

// Dequantize decodes len(dst) elements. It panics when dt does not hold weights, when
// len(dst) is not a whole number of blocks, or when blocks has another length than
// these need: that is an error of the calling program.
func Dequantize(dt op.DType, dst []float32, blocks []byte) {
	find(dt, len(dst), len(blocks)).decode(dst, blocks)
}

// Quantize encodes src, rounding as ggml's reference does (quantize_row_*_ref) where
// the format is a block's, and to the nearest value, ties to even, where it is not.
// It panics like Dequantize, and where Encodes says no. The elements must be finite;
// those (or block scales) beyond a type's range become infinite, which the caller
// must look for.
func Quantize(dt op.DType, blocks []byte, src []float32) {
	f := find(dt, len(src), len(blocks))
	if f.encode == nil {
		panic(fmt.Sprintf("quant: %s is not written", dt))
	}
	f.encode(blocks, src)
}

func find(dt op.DType, elems, bytes int) format {
	f, ok := formats[dt]
	if !ok {
		panic(fmt.Sprintf("quant: %s does not hold weights", dt))
	}
	e, b := dt.Block()
	if elems%e != 0 || elems/e*b != bytes {
		panic(fmt.Sprintf("quant: %d elements of %s in %d bytes", elems, dt, bytes))
	}
	return f
}

// extreme is the first element of the largest magnitude, with its sign.
func extreme(block []float32) float32 {
	var most, at float32
	for _, x := range block {
		if a := float32(math.Abs(float64(x))); a > most {
			most, at = a, x
		}
	}
	return at
}

// scale returns d and 1/d, or two zeros for a block of zeros, or of values so
// small that 1/d is infinite (as binary16 such a d is zero anyway).
func scale(d float32) (float32, float32) {
	if inv := 1 / d; d != 0 && !math.IsInf(float64(inv), 0) {
		return d, inv
	}
	return 0, 0
}
