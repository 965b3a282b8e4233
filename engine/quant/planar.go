package quant

import "undertone/engine/op"

// Planar tells how a quantized format is represented, exactly, by quants of one width
// that lie apart from their scales:
//
//	x = scale·q            where Minima is false
//	x = scale·q + minimum  where it is true
//
// with one scale (and minimum) for every Group neighbours of a row. Scales and minima
// are float32: the products of a block's scale and its groups' whole numbers have at
// most 19 bits, so that float32 holds them without rounding; scale·q too.
type Planar struct {
	Bits   int // 4 or 8; quants are signed where there are no minima, else not negative
	Group  int // elements that share a scale: 16 or 32
	Minima bool
}

// PlanarOf is the planar representation of a quantized type.
func PlanarOf(dt op.DType) (p Planar, ok bool) {
	p = formats[dt].planar
	return p, p.Bits != 0
}

// Halves tells at which bytes of a block of dt binary16 scales begin. Everything else
// in a block is whole numbers, so that these alone decide whether it is finite.
func Halves(dt op.DType) []int { return formats[dt].halves }

// parts take a block apart.
type parts struct {
	planar Planar
	halves []int // the bytes of a block at which binary16 scales begin
	// Of formats that are decoded by them (blocks): the i-th quant of a block, and what
	// the g-th group is multiplied by and what is then added.
	quant  func(block []byte, i int) int
	scales func(block []byte, g int) (scale, minimum float32)
}

// blocks makes a format of elems elements in size bytes from its parts.
func blocks(elems, size int, p parts) format {
	group := p.planar.Group
	return format{parts: p, decode: func(dst []float32, raw []byte) {
		for ; len(dst) > 0; dst, raw = dst[elems:], raw[size:] {
			block := raw[:size]
			for first := 0; first < elems; first += group {
				scale, minimum := p.scales(block, first/group)
				for i := first; i < first+group; i++ {
					x := float32(scale * float32(p.quant(block, i)))
					if p.planar.Minima { // adding 0 would lose the sign of −0
						x = float32(x + minimum)
					}
					dst[i] = x
				}
			}
		}
	}}
}

// half is the binary16 scale at a byte of a block.
func half(block []byte, at int) float32 { return Float16(le.Uint16(block[at:])) }

// lowHigh is the i-th of n nibbles, of which the first half are the low ones of n/2
// bytes and the second half the high ones.
func lowHigh(bytes []byte, i, n int) int {
	if i < n/2 {
		return int(bytes[i] & 15)
	}
	return int(bytes[i-n/2] >> 4)
}

// bit is the n-th bit of a byte.
func bit(b byte, n int) int { return int(b>>n) & 1 }

// kScales is ggml's packing of eight pairs of 6-bit numbers into 12 bytes, for Q4_K
// and Q5_K: of the first four pairs the lower 6 bits of bytes 0 … 3 and 4 … 7, of the
// last four the nibbles of bytes 8 … 11 below the upper 2 bits of the former.
func kScales(s []byte, g int) (scale, minimum int) {
	if g < 4 {
		return int(s[g] & 63), int(s[4+g] & 63)
	}
	return int(s[4+g]&15 | s[g-4]>>6<<4), int(s[4+g]>>4 | s[g]>>6<<4)
}

// pairs returns what scales a group, both being products of a binary16 and a whole
// number.
func pairs(d float32, scale int, dmin float32, minimum int) (float32, float32) {
	return float32(d * float32(scale)), -float32(dmin * float32(minimum))
}
