package quant

// q5_k is ggml's block_q5_K, 256 elements in 176 bytes:
//
//	f16 d · f16 dmin · 12 bytes of 8 pairs of a scale s and a minimum m of 6 bits
//	(see kScales) · 32 bytes of fifth bits · 128 bytes of two nibbles    x = d·s·q − dmin·m
//
// 32 elements share s and m. The fifth bit of element i is bit i/32 of byte i%32; the
// nibbles lie as in q4_k.
var q5_k = blocks(256, 176, parts{
	planar: Planar{Bits: 8, Group: 32, Minima: true}, halves: []int{0, 2},
	quant: func(b []byte, i int) int { return lowHigh(b[48+i/64*32:], i%64, 64) | bit(b[16+i%32], i/32)<<4 },
	scales: func(b []byte, g int) (float32, float32) {
		s, m := kScales(b[4:], g)
		return pairs(half(b, 0), s, half(b, 2), m)
	},
})
