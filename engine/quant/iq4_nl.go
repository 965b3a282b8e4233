package quant

// iq4_nl is ggml's block_iq4_nl, 32 elements in 18 bytes:
//
//	f16 d · 16 bytes of two nibbles    x = d·iq4Values[nibble]
//
// with the nibbles in the order of q4_0.
var iq4_nl = blocks(32, 18, parts{
	planar: Planar{Bits: 8, Group: 32}, halves: []int{0},
	quant:  func(b []byte, i int) int { return int(iq4Values[lowHigh(b[2:], i, 32)]) },
	scales: func(b []byte, _ int) (float32, float32) { return half(b, 0), 0 },
})

// iq4Values are ggml's kvalues_iq4nl: what the nibbles of iq4_nl and iq4_xs stand for.
var iq4Values = [16]int8{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}
