package sample

import "math"

// Normal returns n independent standard normal numbers of stream 0 of a seed. Number
// 4i+j of a stream depends on the seed, the stream and i alone:
//
//	(x0, x1, x2, x3) = Philox4x32-10(counter (i, stream, 0, 0), key (seed, 0))
//	u = (x0 + 1)/2³², v = x1/2³²: numbers 4i, 4i+1 are √(−2 ln u) · (cos 2πv, sin 2πv)
//	u = (x2 + 1)/2³², v = x3/2³²: the same for numbers 4i+2, 4i+3
//
// (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC 2011; Box and
// Muller, 1958.) Logarithm, sine and cosine are computed here from +, ·, / and √
// alone, every one rounded to float64: IEEE 754 fixes each, so that the numbers
// are the same bits on every machine. Go's own math may differ between machines.
func Normal(seed uint32, n int) []float32 { return normal(seed, 0, n) }

// normal is Normal of any stream.
func normal(seed, stream uint32, n int) []float32 {
	out := make([]float32, 0, n+3)
	for i := uint32(0); len(out) < n; i++ {
		x := philox([4]uint32{i, stream}, [2]uint32{seed})
		for p := 0; p < 4; p += 2 {
			r := math.Sqrt(-2 * ln((float64(x[p])+1)/(1<<32)))
			cos, sin := turn(x[p+1])
			out = append(out, float32(r*cos), float32(r*sin))
		}
	}
	return out[:n]
}

// philox is Philox4x32 with ten rounds.
func philox(c [4]uint32, k [2]uint32) [4]uint32 {
	for range 10 {
		a, b := uint64(c[0])*0xD2511F53, uint64(c[2])*0xCD9E8D57
		c = [4]uint32{uint32(b>>32) ^ c[1] ^ k[0], uint32(b), uint32(a>>32) ^ c[3] ^ k[1], uint32(a)}
		k[0] += 0x9E3779B9
		k[1] += 0xBB67AE85
	}
	return c
}

// ln is the natural logarithm of 0 < x ≤ 1 to about 1e-16: with x = m·2^e and
// √½ ≤ m < √2, it is e·ln 2 + 2·artanh(s), s = (m−1)/(m+1), |s| < 0.172.
// The conversions keep compilers from fusing a product with a sum.
func ln(x float64) float64 {
	m, e := math.Frexp(x) // exact
	if m < math.Sqrt2/2 {
		m, e = m*2, e-1
	}
	s := (m - 1) / (m + 1)
	z := float64(s * s)
	sum := 0.0
	for k := 21; k >= 1; k -= 2 {
		sum = float64(sum*z) + 1/float64(k)
	}
	return float64(float64(e)*math.Ln2) + float64(2*s*sum)
}

// turn gives cos and sin of 2π·v/2³². The quarter turn is taken off v as an
// integer, which is exact; the rest is at most an eighth of a turn either way.
func turn(v uint32) (cos, sin float64) {
	quarter := (v + 1<<29) >> 30
	a := float64(float64(int32(v-quarter<<30)) * (math.Pi / (1 << 31)))
	z := float64(a * a)
	c, s := 1.0, 1.0
	for k := 18.0; k >= 2; k -= 2 { // the Taylor series of both, innermost term first
		c = 1 - float64(float64(z/(k*(k-1)))*c)
		s = 1 - float64(float64(z/(k*(k+1)))*s)
	}
	s = float64(a * s)
	switch quarter & 3 {
	case 1:
		return -s, c
	case 2:
		return -c, -s
	case 3:
		return s, -c
	}
	return c, s
}
