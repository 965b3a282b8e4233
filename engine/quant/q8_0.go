package quant

import "math"

// q8_0 is ggml's block_q8_0, 32 elements in 34 bytes:
//
//	f16 d · 32 × int8 q    x[i] = d·q[i]
//
// Encoding rounds half away from zero.
var q8_0 = format{
	parts: parts{planar: Planar{Bits: 8, Group: 32}, halves: []int{0}},
	decode: func(dst []float32, blocks []byte) {
		for ; len(dst) > 0; dst, blocks = dst[32:], blocks[34:] {
			d := Float16(le.Uint16(blocks))
			for i, q := range blocks[2:34] {
				dst[i] = float32(d * float32(int8(q)))
			}
		}
	},
	encode: func(blocks []byte, src []float32) {
		for ; len(src) > 0; src, blocks = src[32:], blocks[34:] {
			d, inv := scale(float32(math.Abs(float64(extreme(src[:32])))) / 127)
			le.PutUint16(blocks, ToFloat16(d))
			for i, x := range src[:32] {
				blocks[2+i] = byte(int8(math.Round(float64(float32(x * inv)))))
			}
		}
	},
}
