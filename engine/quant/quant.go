package quant

import (
	"fmt"
	"math"

	"undertone/engine/op"
)

// format decodes and encodes whole blocks.
type format struct {
	decode func(dst []float32, blocks []byte)
	encode func(blocks []byte, src []float32)
}

var formats = map[op.DType]format{
	op.F32: f32, op.F16: f16, op.BF16: b16,
	op.Q8_0: q8_0, op.Q4_0: q4_0,
}

// Dequantize decodes len(dst) elements. It panics when dt does not hold weights, when
// len(dst) is not a whole number of blocks, or when blocks has another length than
// these need: that is an error of the calling program.
func Dequantize(dt op.DType, dst []float32, blocks []byte) {
	find(dt, len(dst), len(blocks)).decode(dst, blocks)
}

// Quantize encodes src, rounding as ggml's reference does (quantize_row_*_ref) where
// the format is a block's, and to the nearest value, ties to even, where it is not.
// It panics like Dequantize. The elements must be finite; those (or block scales)
// beyond a type's range become infinite, which the caller must look for.
func Quantize(dt op.DType, blocks []byte, src []float32) {
	find(dt, len(src), len(blocks)).encode(blocks, src)
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
