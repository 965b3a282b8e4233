package lab

import (
	"math"

	"undertone/engine/recipe"
)

// The distances between pictures.
const (
	DistanceSSIM     = "ssim"
	DistancePixels   = "pixels"
	DistanceFeatures = "features" // of models with an encoder
)

// Distances lists them.
var Distances = []string{DistanceSSIM, DistancePixels, DistanceFeatures}

// distances is the measure of how much of a picture changes.
func distances(to string) func(Setting) []Measure {
	return func(s Setting) []Measure { return []Measure{s.distanceTo(to)} }
}

// distanceTo is the distance that was chosen: 0 for the same picture.
func (s Setting) distanceTo(what string) Measure {
	m := Measure{Label: "distance to " + what}
	switch s.Distance {
	case DistancePixels:
		m.Label += " (root mean square of 255)"
		m.Of = func(_ Trial, made, base Seen) float64 { return rms(made.Image, base.Image) }
	case DistanceFeatures:
		m.Label += " (in the encoder's features, % of their length)"
		m.Encoded = true
		m.Of = func(_ Trial, made, base Seen) float64 { return apart(made.Features, base.Features) }
	default: // about 1 for unrelated pictures, at most 2
		m.Label += " (1 − SSIM)"
		m.Of = func(_ Trial, made, base Seen) float64 { return 1 - SSIM(made.Image, base.Image) }
	}
	return m
}

// rms is the root mean square of the differences between the colours of two pictures of one
// size, 0 to 255. The PSNR is 20·log₁₀(255/rms).
func rms(a, b *recipe.Image) float64 {
	if a.W != b.W || a.H != b.H {
		return math.NaN()
	}
	sum := 0.0
	for i, v := range a.RGBA {
		if i%4 != 3 {
			d := float64(v) - float64(b.RGBA[i])
			sum += d * d
		}
	}
	return math.Sqrt(sum / float64(3*a.W*a.H))
}

// apart is how long the difference of two lists is, in percent of the second; NaN where they
// are none or of two lengths.
func apart(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	difference, length := 0.0, 0.0
	for i, v := range b {
		d := float64(a[i]) - float64(v)
		difference, length = difference+d*d, length+float64(v)*float64(v)
	}
	return 100 * math.Sqrt(difference/length)
}

// costs is how many milliseconds the first picture took beyond the second. What the first
// picture of its size prepares is in neither.
func costs(Setting) []Measure {
	own := func(t recipe.Timings) float64 { return t.TotalMs - t.PrepareMs }
	return []Measure{{Label: "milliseconds more than the picture without guidance", Of: func(_ Trial, made, base Seen) float64 {
		return own(made.Timings) - own(base.Timings)
	}}}
}

// votes names what people say.
func votes(Setting) []Measure {
	return []Measure{{Label: "preference for guidance (100 always, −100 never)"}}
}

// SSIM is the structural similarity of two pictures of one size, −1 to 1, by their luma:
// the mean over windows of 8 × 8 pixels, every 4 pixels (Wang et al. 2004, with K1 = 0.01,
// K2 = 0.03). NaN if the sizes differ or are below 8.
func SSIM(a, b *recipe.Image) float64 {
	const side, stride = 8, 4
	const c1, c2 = (0.01 * 255) * (0.01 * 255), (0.03 * 255) * (0.03 * 255)
	if a.W != b.W || a.H != b.H || a.W < side || a.H < side {
		return math.NaN()
	}
	x, y := luma(a), luma(b)
	sum, n := 0.0, 0
	for top := 0; top+side <= a.H; top += stride {
		for left := 0; left+side <= a.W; left += stride {
			var sx, sy, sxx, syy, sxy float64
			for r := top; r < top+side; r++ {
				for c := left; c < left+side; c++ {
					p, q := x[r*a.W+c], y[r*a.W+c]
					sx, sy = sx+p, sy+q
					sxx, syy, sxy = sxx+p*p, syy+q*q, sxy+p*q
				}
			}
			const count = side * side
			mx, my := sx/count, sy/count
			vx, vy, cov := sxx/count-mx*mx, syy/count-my*my, sxy/count-mx*my
			sum += (2*mx*my + c1) * (2*cov + c2) / ((mx*mx + my*my + c1) * (vx + vy + c2))
			n++
		}
	}
	return sum / float64(n)
}

// luma is the brightness of every pixel, 0 to 255 (ITU-R BT.601).
func luma(p *recipe.Image) []float64 {
	out := make([]float64, p.W*p.H)
	for i := range out {
		c := p.RGBA[4*i : 4*i+3]
		out[i] = 0.299*float64(c[0]) + 0.587*float64(c[1]) + 0.114*float64(c[2])
	}
	return out
}
