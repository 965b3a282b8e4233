package quant

import "math"

// e4m3 is the float8_e4m3fn of safetensors and PyTorch: 4 bits of exponent biased by 7,
// 3 of mantissa, no infinities; all ones are NaN.
var e4m3 = float8(3, func(code int) bool { return code == 0x7f })

// e5m2 is its float8_e5m2, the upper byte of a binary16: 5 bits of exponent biased by
// 15, 2 of mantissa, infinities and NaN as there.
var e5m2 = float8(2, func(code int) bool { return code > 0x7c })

// float8 is a format of single bytes: a sign, an exponent, and a mantissa of so many
// bits. nan tells of a code without its sign whether it stands for NaN.
func float8(mantissa int, nan func(code int) bool) format {
	var table [256]float32
	bias := 1<<(6-mantissa) - 1
	for code := range 128 {
		exponent, m := code>>mantissa, code&(1<<mantissa-1)
		x := math.Ldexp(float64(m), 1-bias-mantissa) // subnormal
		if exponent > 0 {
			x = math.Ldexp(float64(m+1<<mantissa), exponent-bias-mantissa)
		}
		switch {
		case nan(code):
			x = math.NaN()
		case mantissa == 2 && code == 0x7c:
			x = math.Inf(1)
		}
		table[code] = float32(x)
		table[code+128] = float32(-x)
	}
	return format{decode: func(dst []float32, raw []byte) {
		for i, code := range raw {
			dst[i] = table[code]
		}
	}}
}
