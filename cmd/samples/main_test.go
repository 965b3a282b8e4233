package main

import (
	"testing"

	"undertone/engine"
)

// TestShrink puts pictures of one colour, larger and smaller than a sample, into a strip.
func TestShrink(t *testing.T) {
	for _, n := range []int{1, 16, side, 256, 1000} {
		m := &engine.Image{W: n, H: n, RGBA: make([]byte, 4*n*n)}
		for i := range m.RGBA {
			m.RGBA[i] = byte(10 + i%4)
		}
		const stride = 4 * (side + 3)
		strip := make([]byte, stride*side)
		shrink(strip, stride, m)
		for y := range side {
			for x := range stride {
				want := byte(10 + x%4)
				if x >= 4*side {
					want = 0 // the neighbour's
				}
				if got := strip[y*stride+x]; got != want {
					t.Fatalf("a picture of %d pixels: byte %d of line %d is %d, wanted %d", n, x, y, got, want)
				}
			}
		}
	}
}
