package quant

// q3_k is ggml's block_q3_K, 256 elements in 110 bytes:
//
//	32 bytes of third bits · 64 bytes of the lower two bits of four quants, as in q2_k ·
//	12 bytes of 16 scales s of 6 bits · f16 d    x = d·(s − 32)·(q − 4)
//
// 16 elements share s. The third bit of element i is bit i/32 of byte i%32. The lower
// four bits of the scales are the low nibbles of 8 bytes, then the high ones; the upper
// two come from the last four bytes.
var q3_k = blocks(256, 110, parts{
	planar: Planar{Bits: 4, Group: 16}, halves: []int{108},
	quant: func(b []byte, i int) int { return (twoBits(b[32:], i) | bit(b[i%32], i/32)<<2) - 4 },
	scales: func(b []byte, g int) (float32, float32) {
		s := lowHigh(b[96:], g, 16) | int(b[104+g%4]>>(g/4*2)&3)<<4
		return float32(half(b, 108) * float32(s-32)), 0
	},
})
