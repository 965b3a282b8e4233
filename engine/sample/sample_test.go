package sample

import (
	"math"
	"testing"
)

// The published test vectors of Random123.
func TestPhilox(t *testing.T) {
	const ones = 0xffffffff
	for _, c := range []struct {
		counter, want [4]uint32
		key           [2]uint32
	}{
		{[4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}, [2]uint32{}},
		{[4]uint32{ones, ones, ones, ones}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}, [2]uint32{ones, ones}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}, [2]uint32{0xa4093822, 0x299f31d0}},
	} {
		if got := philox(c.counter, c.key); got != c.want {
			t.Errorf("counter %x key %x: %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// Our own logarithm and sine must be good to float64 before they are rounded.
func TestFunctions(t *testing.T) {
	for i := range 200_000 {
		v := uint32(i) * 21_473 // odd steps through the whole range, many times around
		x := (float64(v) + 1) / (1 << 32)
		if got, want := ln(x), math.Log(x); math.Abs(got-want) > 4e-16*math.Max(math.Abs(want), 1) {
			t.Fatalf("ln(%g) = %.17g, want %.17g", x, got, want)
		}
		cos, sin := turn(v)
		wantSin, wantCos := math.Sincos(2 * math.Pi * float64(v) / (1 << 32))
		if math.Abs(cos-wantCos) > 2e-15 || math.Abs(sin-wantSin) > 2e-15 {
			t.Fatalf("turn(%d) = %g, %g, want %g, %g", v, cos, sin, wantCos, wantSin)
		}
	}
}

// A seed is a promise: these bits may never change.
func TestNoiseIsPinned(t *testing.T) {
	want := map[uint32][]uint32{
		0:              {0x3f7dbb33, 0xbf6cb6b0, 0xbf1e1b9f, 0xbef6d1b2, 0xbe1d5357, 0x3e392a6d},
		1:              {0x3ec2c3e3, 0xbe97b1bc, 0xbe7f370c, 0xbf807dbd, 0x3f207fa8, 0xbf224cc3},
		math.MaxUint32: {0x3e8f22be, 0xbd0be9c6, 0xbf354f87, 0x3d259a40, 0x3f35623e, 0xbf60164b},
	}
	for seed, bits := range want {
		got := Normal(seed, 6)
		for i, w := range bits {
			if math.Float32bits(got[i]) != w {
				t.Errorf("seed %d, number %d: %#x (%g), want %#x", seed, i, math.Float32bits(got[i]), got[i], w)
			}
		}
	}
}

func TestNormalMoments(t *testing.T) {
	const n = 400_000
	var s1, s2, s3, s4 float64
	for _, x := range Normal(7, n) {
		v := float64(x)
		s1, s2, s3, s4 = s1+v, s2+v*v, s3+v*v*v, s4+v*v*v*v
	}
	for k, c := range []struct{ got, want, sigma float64 }{
		{s1 / n, 0, 1}, {s2 / n, 1, math.Sqrt(2)}, {s3 / n, 0, math.Sqrt(15)}, {s4 / n, 3, math.Sqrt(96)},
	} {
		if math.Abs(c.got-c.want) > 5*c.sigma/math.Sqrt(n) {
			t.Errorf("moment %d is %g, want %g within five standard errors", k+1, c.got, c.want)
		}
	}
}

// Drawn channel by channel, laid out pixel by pixel.
func TestNoiseLayout(t *testing.T) {
	const c, h, w = 3, 2, 5
	drawn, noise := Normal(9, c*h*w), Noise(9, c, h, w)
	for ch := range c {
		for p := range h * w {
			if noise[p*c+ch] != drawn[ch*h*w+p] {
				t.Fatalf("channel %d pixel %d", ch, p)
			}
		}
	}
	if longer := Normal(9, c*h*w+1); longer[0] != drawn[0] || longer[c*h*w-1] != drawn[c*h*w-1] {
		t.Error("a longer draw starts differently")
	}
}

func TestSigmas(t *testing.T) {
	for _, c := range []struct {
		steps int
		shift float64
		want  []float64
	}{
		{1, 1, []float64{1, 0}},
		{4, 1, []float64{1, 0.75, 0.5, 0.25, 0}},
		{4, 3, []float64{1, 0.9, 0.75, 0.5, 0}},
	} {
		got := Schedule{Kind: "flow", Shift: c.shift}.Sigmas(c.steps, 0)
		for i, w := range c.want {
			if math.Abs(got[i]-w) > 1e-15 {
				t.Errorf("%d steps, shift %g: %v, want %v", c.steps, c.shift, got, c.want)
				break
			}
		}
	}
}
