package quant

// q5_0 is ggml's block_q5_0, 32 elements in 22 bytes:
//
//	f16 d · u32 h · 16 bytes of two nibbles    x[i] = d·(nibble[i] + 16·(bit i of h) − 16)
//
// with the nibbles in the order of q4_0.
var q5_0 = blocks(32, 22, parts{
	planar: Planar{Bits: 8, Group: 32}, halves: []int{0},
	quant:  func(b []byte, i int) int { return (lowHigh(b[6:], i, 32) | bit(b[2+i/8], i%8)<<4) - 16 },
	scales: func(b []byte, _ int) (float32, float32) { return half(b, 0), 0 },
})
