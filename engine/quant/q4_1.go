package quant

// q4_1 is ggml's block_q4_1, 32 elements in 20 bytes:
//
//	f16 d · f16 m · 16 bytes of two nibbles    x[i] = d·low[i] + m, x[16+i] = d·high[i] + m
var q4_1 = blocks(32, 20, parts{
	planar: Planar{Bits: 4, Group: 32, Minima: true}, halves: []int{0, 2},
	quant:  func(b []byte, i int) int { return lowHigh(b[4:], i, 32) },
	scales: func(b []byte, _ int) (float32, float32) { return half(b, 0), half(b, 2) },
})
