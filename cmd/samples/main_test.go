package main

import (
	"image"
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

// TestStacked: the second half of the strip lies under the first.
func TestStacked(t *testing.T) {
	strip := image.NewRGBA(image.Rect(0, 0, 4*side, side))
	for i := range strip.Pix {
		strip.Pix[i] = byte(i % 251)
	}
	m := stacked(strip)
	if got := m.Bounds().Size(); got != image.Pt(2*side, 2*side) {
		t.Fatalf("the preview is %v", got)
	}
	for y := range side {
		for x := range 2 * side {
			if m.At(x, y) != strip.At(x, y) || m.At(x, side+y) != strip.At(2*side+x, y) {
				t.Fatalf("the preview differs at %d, %d", x, y)
			}
		}
	}
}
