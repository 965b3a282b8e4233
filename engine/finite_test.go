package engine

import (
	"math"
	"testing"
)

func TestNotFinite(t *testing.T) {
	inf := float32(math.Inf(1))
	finite := []float32{0, float32(math.Copysign(0, -1)), 1, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32}
	for _, bad := range []float32{float32(math.NaN()), -float32(math.NaN()), inf, -inf, math.Float32frombits(0x7f800001)} {
		for at := range finite {
			x := append([]float32(nil), finite...)
			x[at] = bad
			if n := notFinite(x); n != 1 {
				t.Errorf("%v: %d are not numbers", x, n)
			}
		}
	}
	if n := notFinite(finite); n != 0 {
		t.Errorf("%v: %d are not numbers", finite, n)
	}
}
