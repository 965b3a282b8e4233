package quant

// q6_k is ggml's block_q6_K, 256 elements in 210 bytes:
//
//	128 bytes of the lower four bits of two quants · 64 bytes of the upper two bits of
//	four, as in q2_k · 16 × int8 scale s · f16 d    x = d·s·(q − 32)
//
// 16 elements share s. Of 128 elements the first half are the low nibbles.
var q6_k = blocks(256, 210, parts{
	planar: Planar{Bits: 8, Group: 16}, halves: []int{208},
	quant: func(b []byte, i int) int {
		return (lowHigh(b[i/128*64:], i%128, 128) | twoBits(b[128:], i)<<4) - 32
	},
	scales: func(b []byte, g int) (float32, float32) {
		return float32(half(b, 208) * float32(int8(b[192+g]))), 0
	},
})
