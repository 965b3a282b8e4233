package quant

import (
	"encoding/binary"
	"math"
)

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

// word stores every element by itself, in so many bytes.
func word(bytes int, get func([]byte) float32, put func([]byte, float32)) format {
	return format{
		decode: func(dst []float32, raw []byte) {
			for i := range dst {
				dst[i] = get(raw[bytes*i:])
			}
		},
		encode: func(raw []byte, src []float32) {
			for i, x := range src {
				put(raw[bytes*i:], x)
			}
		},
	}
}

var le = binary.LittleEndian

// f64 is rounded to the nearest float32; what is beyond its range becomes infinite.
var f64 = format{decode: func(dst []float32, raw []byte) {
	for i := range dst {
		dst[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
	}
}}

var (
	f32 = word(4, func(b []byte) float32 { return math.Float32frombits(le.Uint32(b)) }, func(b []byte, x float32) { le.PutUint32(b, math.Float32bits(x)) })
	f16 = word(2, func(b []byte) float32 { return Float16(le.Uint16(b)) }, func(b []byte, x float32) { le.PutUint16(b, ToFloat16(x)) })
	b16 = word(2, func(b []byte) float32 { return BFloat16(le.Uint16(b)) }, func(b []byte, x float32) { le.PutUint16(b, ToBFloat16(x)) })
)
