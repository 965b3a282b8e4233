package quant

// q2_k is ggml's block_q2_K, 256 elements in 84 bytes:
//
//	16 bytes of a minimum m (high nibble) and a scale s · 64 bytes of four quants ·
//	f16 d · f16 dmin    x = d·s·q − dmin·m
//
// 16 elements share m and s. Of 128 elements each 32 lie in the same bytes, two bits
// further up.
var q2_k = blocks(256, 84, parts{
	planar: Planar{Bits: 4, Group: 16, Minima: true}, halves: []int{80, 82},
	quant: func(b []byte, i int) int { return twoBits(b[16:], i) },
	scales: func(b []byte, g int) (float32, float32) {
		return pairs(half(b, 80), int(b[g]&15), half(b, 82), int(b[g]>>4))
	},
})

// twoBits is the i-th quant of two bits as q2_k, q3_k and q6_k store them.
func twoBits(b []byte, i int) int { return int(b[i/128*32+i%32]>>(i%128/32*2)) & 3 }
