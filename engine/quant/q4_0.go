package quant

// q4_0 is ggml's block_q4_0, 32 elements in 18 bytes:
//
//	f16 d · 16 bytes of two nibbles    x[i] = d·(low[i]−8), x[16+i] = d·(high[i]−8)
//
// Encoding truncates x/d + 8.5.
var q4_0 = format{
	parts: parts{planar: Planar{Bits: 4, Group: 32}, halves: []int{0}},
	decode: func(dst []float32, blocks []byte) {
		for ; len(dst) > 0; dst, blocks = dst[32:], blocks[18:] {
			d := Float16(le.Uint16(blocks))
			for i, q := range blocks[2:18] {
				dst[i] = float32(d * float32(int(q&15)-8))
				dst[16+i] = float32(d * float32(int(q>>4)-8))
			}
		}
	},
	encode: func(blocks []byte, src []float32) {
		for ; len(src) > 0; src, blocks = src[32:], blocks[18:] {
			d, inv := scale(extreme(src[:32]) / -8)
			le.PutUint16(blocks, ToFloat16(d))
			for i := range 16 {
				low, high := nibble(float32(src[i]*inv)), nibble(float32(src[16+i]*inv))
				blocks[2+i] = low | high<<4
			}
		}
	},
}

func nibble(x float32) byte { return byte(min(15, int8(float32(x+8.5)))) }
