package quant

// iq4_xs is ggml's block_iq4_xs, 256 elements in 136 bytes:
//
//	f16 d · u16 of the upper two bits of 8 scales s · 4 bytes of their lower four ·
//	128 bytes of two nibbles    x = d·(s − 32)·iq4Values[nibble]
//
// 32 elements share s and lie as in iq4_nl.
var iq4_xs = blocks(256, 136, parts{
	planar: Planar{Bits: 8, Group: 32}, halves: []int{0},
	quant: func(b []byte, i int) int { return int(iq4Values[lowHigh(b[8+i/32*16:], i%32, 32)]) },
	scales: func(b []byte, g int) (float32, float32) {
		s := int(b[4+g/2]>>(g%2*4)&15) | int(le.Uint16(b[2:])>>(2*g)&3)<<4
		return float32(half(b, 0) * float32(s-32)), 0
	},
})
