package op

import (
	"encoding/binary"
	"fmt"
	"math"
)

// This file is the only place that knows how weights are stored as bytes: IEEE
// binary16, bfloat16 and ggml's blocks of 32 elements, all little-endian.
//
//	Q8_0  f16 d · 32 × int8 q              x[i] = d·q[i]
//	Q4_0  f16 d · 16 bytes of two nibbles  x[i] = d·(low[i]−8), x[16+i] = d·(high[i]−8)
//
// Every product is rounded by an explicit float32 conversion, so that no
// platform fuses it with an addition and all decode to the same bits.

// Float16 widens an IEEE binary16 value. It is exact; NaN keeps its payload.
func Float16(h uint16) float32 {
	sign, exp, man := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | man<<13)
	case exp != 0:
		return math.Float32frombits(sign | (exp+112)<<23 | man<<13)
	}
	x := float32(man) * (1.0 / (1 << 24)) // subnormal: a multiple of 2⁻²⁴
	return math.Float32frombits(sign | math.Float32bits(x))
}

// ToFloat16 rounds to the nearest binary16, ties to even. Values of 65520 and
// more become infinite; NaN stays NaN.
func ToFloat16(f float32) uint16 {
	b := math.Float32bits(f)
	sign, a := uint16(b>>16)&0x8000, b&0x7fffffff
	switch {
	case a > 0x7f800000:
		return sign | 0x7e00
	case a >= 0x477ff000: // 65520, half way between the largest finite value and 2¹⁶
		return sign | 0x7c00
	case a < 0x38800000: // below 2⁻¹⁴: a multiple of 2⁻²⁴, possibly rounding up to 2⁻¹⁴ itself
		x := float64(math.Float32frombits(a)) * (1 << 24) // exact
		return sign | uint16(math.RoundToEven(x))
	}
	a += 0xfff + a>>13&1 // may carry into the exponent, which is what rounding up means
	return sign | uint16(a>>13-112<<10)
}

// BFloat16 widens a bfloat16 value. It is exact.
func BFloat16(h uint16) float32 { return math.Float32frombits(uint32(h) << 16) }

// ToBFloat16 rounds to the nearest bfloat16, ties to even; NaN stays NaN.
func ToBFloat16(f float32) uint16 {
	b := math.Float32bits(f)
	if b&0x7fffffff > 0x7f800000 {
		return uint16(b>>16) | 0x40
	}
	return uint16((b + 0x7fff + b>>16&1) >> 16)
}

// Dequantize decodes len(dst) elements of any type but U32. It panics when
// len(dst) is not a whole number of blocks or blocks has another length than
// these need: that is an error of the calling program.
func Dequantize(dt DType, dst []float32, blocks []byte) {
	checkBlocks(dt, len(dst), len(blocks))
	le := binary.LittleEndian
	switch dt {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(blocks[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = Float16(le.Uint16(blocks[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = BFloat16(le.Uint16(blocks[2*i:]))
		}
	case Q8_0:
		for ; len(dst) > 0; dst, blocks = dst[32:], blocks[34:] {
			d := Float16(le.Uint16(blocks))
			for i, q := range blocks[2:34] {
				dst[i] = float32(d * float32(int8(q)))
			}
		}
	case Q4_0:
		for ; len(dst) > 0; dst, blocks = dst[32:], blocks[18:] {
			d := Float16(le.Uint16(blocks))
			for i, q := range blocks[2:18] {
				dst[i] = float32(d * float32(int(q&15)-8))
				dst[16+i] = float32(d * float32(int(q>>4)-8))
			}
		}
	}
}

// Quantize encodes src, rounding as ggml's reference does (quantize_row_*_ref):
// Q8_0 half away from zero, Q4_0 by truncating x/d + 8.5, and everything else to
// the nearest value, ties to even. It panics like Dequantize. The elements must
// be finite; those (or block scales) beyond a type's range become infinite, which
// the caller must look for.
func Quantize(dt DType, dst []byte, src []float32) {
	checkBlocks(dt, len(src), len(dst))
	le := binary.LittleEndian
	switch dt {
	case F32:
		for i, x := range src {
			le.PutUint32(dst[4*i:], math.Float32bits(x))
		}
	case F16:
		for i, x := range src {
			le.PutUint16(dst[2*i:], ToFloat16(x))
		}
	case BF16:
		for i, x := range src {
			le.PutUint16(dst[2*i:], ToBFloat16(x))
		}
	case Q8_0:
		for ; len(src) > 0; src, dst = src[32:], dst[34:] {
			d, inv := scale(float32(math.Abs(float64(extreme(src[:32])))) / 127)
			le.PutUint16(dst, ToFloat16(d))
			for i, x := range src[:32] {
				dst[2+i] = byte(int8(math.Round(float64(float32(x * inv)))))
			}
		}
	case Q4_0:
		for ; len(src) > 0; src, dst = src[32:], dst[18:] {
			d, inv := scale(extreme(src[:32]) / -8)
			le.PutUint16(dst, ToFloat16(d))
			for i := range 16 {
				low, high := nibble(float32(src[i]*inv)), nibble(float32(src[16+i]*inv))
				dst[2+i] = low | high<<4
			}
		}
	}
}

// extreme is the first element of the largest magnitude, with its sign.
func extreme(block []float32) float32 {
	var most, at float32
	for _, x := range block {
		if a := float32(math.Abs(float64(x))); a > most {
			most, at = a, x
		}
	}
	return at
}

// scale returns d and 1/d, or two zeros for a block of zeros, or of values so
// small that 1/d is infinite (as binary16 such a d is zero anyway).
func scale(d float32) (float32, float32) {
	if inv := 1 / d; d != 0 && !math.IsInf(float64(inv), 0) {
		return d, inv
	}
	return 0, 0
}

func nibble(x float32) byte { return byte(min(15, int8(float32(x+8.5)))) }

func checkBlocks(dt DType, elems, bytes int) {
	if dt == U32 || int(dt) >= len(dtypes) {
		panic(fmt.Sprintf("op: %s does not hold weights", dt))
	}
	e, b := dt.Block()
	if elems%e != 0 || elems/e*b != bytes {
		panic(fmt.Sprintf("op: %d elements of %s in %d bytes", elems, dt, bytes))
	}
}
