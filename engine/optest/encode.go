package optest

import (
	"encoding/binary"
	"math"

	"undertone/engine/op"
)

// Encode stores values as dt, in the layout of GGUF and safetensors. The block
// types need a multiple of 32 values. It rounds simply, not as ggml does: tests
// compare machines that read the same bytes.
func Encode(dt op.DType, values []float32) []byte {
	var b []byte
	le := binary.LittleEndian
	switch dt {
	case op.F32:
		for _, v := range values {
			b = le.AppendUint32(b, math.Float32bits(v))
		}
	case op.F16:
		for _, v := range values {
			b = le.AppendUint16(b, halfBits(v))
		}
	case op.BF16:
		for _, v := range values {
			u := math.Float32bits(v)
			b = le.AppendUint16(b, uint16((u+0x7fff+u>>16&1)>>16))
		}
	case op.Q8_0:
		for ; len(values) > 0; values = values[32:] {
			d := halfBits(peak(values[:32]) / 127)
			b = le.AppendUint16(b, d)
			for _, v := range values[:32] {
				b = append(b, byte(int8(level(v, d, 127))))
			}
		}
	case op.Q4_0:
		for ; len(values) > 0; values = values[32:] {
			d := halfBits(peak(values[:32]) / 7)
			b = le.AppendUint16(b, d)
			for i := range 16 {
				b = append(b, byte(level(values[i], d, 7)+8)|byte(level(values[i+16], d, 7)+8)<<4)
			}
		}
	}
	return b
}

// peak is the largest magnitude.
func peak(values []float32) float32 {
	var m float32
	for _, v := range values {
		m = max(m, float32(math.Abs(float64(v))))
	}
	return m
}

// level is the whole number in [-limit, limit] nearest to v in steps of half d.
func level(v float32, d uint16, limit float64) int {
	if d == 0 {
		return 0
	}
	q := math.RoundToEven(float64(v) / halfValue(d))
	return int(min(max(q, -limit), limit))
}

// halfBits rounds to IEEE 754 binary16, subnormals included.
func halfBits(v float32) uint16 {
	x := float64(v)
	var sign uint16
	if math.Signbit(x) {
		sign, x = 0x8000, -x
	}
	switch {
	case x != x:
		return sign | 0x7e00
	case x >= 65520:
		return sign | 0x7c00
	case x < 1.0/(1<<14):
		return sign | uint16(math.RoundToEven(x*(1<<24)))
	}
	f, e := math.Frexp(x) // x = f·2^e, f in [0.5, 1)
	m := math.RoundToEven(f * (1 << 11))
	return sign | uint16((e+13)<<10) + uint16(m) // a mantissa of 2^11 carries into the exponent
}

// halfValue is the value of a non-negative finite binary16.
func halfValue(h uint16) float64 {
	e, m := int(h>>10&31), float64(h&1023)
	if e == 0 {
		return m / (1 << 24)
	}
	return math.Ldexp(1024+m, e-25)
}
