package shrink

import (
	"testing"

	"undertone/engine"
)

// TestInto puts pictures of one colour, larger and smaller than a sample, into a strip.
func TestInto(t *testing.T) {
	const side = 256
	for _, n := range []int{1, 16, side, 1000} {
		m := &engine.Image{W: n, H: n, RGBA: make([]byte, 4*n*n)}
		for i := range m.RGBA {
			m.RGBA[i] = byte(10 + i%4)
		}
		const stride = 4 * (side + 3)
		strip := make([]byte, stride*side)
		Into(strip, stride, side, side, m)
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

// TestWithin keeps the shape, and takes means.
func TestWithin(t *testing.T) {
	m := &engine.Image{W: 8, H: 4, RGBA: make([]byte, 4*8*4)}
	for i := range m.RGBA {
		m.RGBA[i] = byte(i / 4 % 2 * 100) // columns of 0 and 100
	}
	if got := Within(8, m); got != m {
		t.Error("a picture that is small enough was changed")
	}
	got := Within(4, m)
	if got.W != 4 || got.H != 2 || got.RGBA[0] != 50 || got.RGBA[31] != 50 {
		t.Errorf("%d × %d, %v", got.W, got.H, got.RGBA)
	}
}
