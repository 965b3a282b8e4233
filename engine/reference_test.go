package engine

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
)

// given makes a reference of w × h pixels.
func given(w, h int, at func(x, y int) [4]byte) *recipe.Reference {
	r := &recipe.Reference{Width: w, Height: h}
	for y := range h {
		for x := range w {
			p := at(x, y)
			r.Pixels = append(r.Pixels, p[:]...)
		}
	}
	return r
}

func grey(v int) [4]byte { return [4]byte{byte(v), byte(v), byte(v), 255} }

// A picture of the wanted size stays as it is; of twice the size, each pixel is what a
// triangle over four gives, 1:3:3:1; of half, what lies between two.
func TestFitResamples(t *testing.T) {
	noise := given(24, 16, func(x, y int) [4]byte { return [4]byte{byte(x * 7), byte(y * 11), byte(x*y + 5), 255} })
	if got, notice := fit(noise, recipe.Size{Width: 24, Height: 16}); !slices.Equal(got.RGBA, noise.Pixels) || notice != nil {
		t.Errorf("a picture of the wanted size is changed, %q", notice)
	}
	row := []int{10, 90, 170, 30, 250, 120, 60, 200, 5, 80, 140, 33, 77, 222, 101, 9}
	striped := given(16, 8, func(x, _ int) [4]byte { return grey(row[x]) })
	got, _ := fit(striped, recipe.Size{Width: 8, Height: 4})
	for x := 1; x < 7; x++ {
		want := float64(row[2*x-1]+3*row[2*x]+3*row[2*x+1]+row[2*x+2]) / 8
		if v := float64(got.RGBA[4*(8+x)]); v-want > 0.5 || want-v > 0.5 {
			t.Errorf("pixel %d of the smaller picture is %g, wanted %g", x, v, want)
		}
	}
	got, _ = fit(striped, recipe.Size{Width: 32, Height: 16})
	for x := 1; x < 31; x++ {
		near, far := row[x/2], row[x/2-1+2*(x%2)]
		want := 0.75*float64(near) + 0.25*float64(far)
		if v := float64(got.RGBA[4*(5*32+x)]); v-want > 0.5 || want-v > 0.5 {
			t.Errorf("pixel %d of the larger picture is %g, wanted %g", x, v, want)
		}
	}
}

// Nothing is distorted: what does not fit is cut from both sides alike, and said.
func TestFitCuts(t *testing.T) {
	for _, c := range []struct {
		w, h   int
		notice string
	}{{64, 32, "16 pixels left and right"}, {32, 40, "4 pixels top and bottom"}, {4096, 1, "2048 pixels left and right"}, {32, 32, ""}, {1, 1, ""}, {333, 333, ""}} {
		// The middle square is white, whatever is around it is black.
		side := min(c.w, c.h)
		r := given(c.w, c.h, func(x, y int) [4]byte {
			inside := 2*x+1 > c.w-side && 2*x+1 < c.w+side && 2*y+1 > c.h-side && 2*y+1 < c.h+side
			if inside {
				return grey(255)
			}
			return grey(0)
		})
		got, notice := fit(r, recipe.Square(16))
		if text := strings.Join(notice, ""); text != c.notice && text != recipe.NoticeCropped+c.notice {
			t.Errorf("%d × %d: %q, wanted %q", c.w, c.h, text, c.notice)
		}
		if got.W != 16 || got.H != 16 || len(got.RGBA) != 4*256 {
			t.Fatalf("%d × %d with %d bytes", got.W, got.H, len(got.RGBA))
		}
		for y := 1; y < 15; y++ { // the outermost pixels see what lies beyond the edge
			for x := 1; x < 15; x++ {
				if v := got.RGBA[4*(16*y+x)]; v != 255 && c.h > 1 {
					t.Fatalf("%d × %d: pixel %d, %d is %d, wanted white", c.w, c.h, x, y, v)
				}
			}
		}
	}
}

// What is transparent is white; mirrored pictures give mirrored ones.
func TestFitTransparentAndMirrored(t *testing.T) {
	clear := given(10, 10, func(x, _ int) [4]byte { return [4]byte{200, 0, 0, byte(255 * (x % 2))} })
	got, _ := fit(clear, recipe.Square(10))
	for x := range 10 {
		want := []byte{255, 255, 255, 255}
		if x%2 == 1 {
			want = []byte{200, 0, 0, 255}
		}
		if p := got.RGBA[4*x:][:4]; !slices.Equal(p, want) {
			t.Errorf("pixel %d is %v, wanted %v", x, p, want)
		}
	}
	at := func(x, y int) [4]byte { return grey((x*x*3 + y*29) % 256) }
	for _, w := range []int{7, 23, 100} {
		one, _ := fit(given(w, 31, at), recipe.Size{Width: 24, Height: 16})
		other, _ := fit(given(w, 31, func(x, y int) [4]byte { return at(w-1-x, y) }), recipe.Size{Width: 24, Height: 16})
		for i := range 24 * 16 {
			a, b := int(one.RGBA[4*i]), int(other.RGBA[4*(i-i%24+23-i%24)])
			if a-b > 1 || b-a > 1 {
				t.Fatalf("%d pixels wide: pixel %d is %d, mirrored %d", w, i, a, b)
			}
		}
	}
}
