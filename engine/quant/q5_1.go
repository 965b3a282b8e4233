package quant

// q5_1 is ggml's block_q5_1, 32 elements in 24 bytes:
//
//	f16 d · f16 m · u32 h · 16 bytes of two nibbles    x[i] = d·(nibble[i] + 16·(bit i of h)) + m
//
// with the nibbles in the order of q4_0.
var q5_1 = blocks(32, 24, parts{
	planar: Planar{Bits: 8, Group: 32, Minima: true}, halves: []int{0, 2},
	quant:  func(b []byte, i int) int { return lowHigh(b[8:], i, 32) | bit(b[4+i/8], i%8)<<4 },
	scales: func(b []byte, _ int) (float32, float32) { return half(b, 0), half(b, 2) },
})
