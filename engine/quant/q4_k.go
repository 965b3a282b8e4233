package quant

// q4_k is ggml's block_q4_K, 256 elements in 144 bytes:
//
//	f16 d · f16 dmin · 12 bytes of 8 pairs of a scale s and a minimum m of 6 bits
//	(see kScales) · 128 bytes of two nibbles    x = d·s·q − dmin·m
//
// 32 elements share s and m. Of 64 elements the first half are the low nibbles.
var q4_k = blocks(256, 144, parts{
	planar: Planar{Bits: 4, Group: 32, Minima: true}, halves: []int{0, 2},
	quant: func(b []byte, i int) int { return lowHigh(b[16+i/64*32:], i%64, 64) },
	scales: func(b []byte, g int) (float32, float32) {
		s, m := kScales(b[4:], g)
		return pairs(half(b, 0), s, half(b, 2), m)
	},
})
