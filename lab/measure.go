package lab

import (
	"math"

	"undertone/engine/recipe"
)

// distances is the measure of how much of a picture changes.
func distances(to string) func(Setting) []Measure {
	return func(Setting) []Measure { return []Measure{distanceTo(to)} }
}

// distanceTo is 1 − SSIM of two pictures: 0 for the same, about 1 for unrelated ones, at
// most 2.
func distanceTo(what string) Measure {
	return Measure{Label: "distance to " + what + " (1 − SSIM)", Of: func(_ Trial, made, base Seen) float64 {
		return 1 - SSIM(made.Image, base.Image)
	}}
}

// costs is how many milliseconds the first picture took beyond the second. What the first
// picture of its size prepares is in neither.
func costs(Setting) []Measure {
	own := func(t recipe.Timings) float64 { return t.TotalMs - t.PrepareMs }
	return []Measure{{Label: "milliseconds more than the picture without guidance", Of: func(_ Trial, made, base Seen) float64 {
		return own(made.Timings) - own(base.Timings)
	}}}
}

// turns is the angle between a block's vector with and without guidance, the mean over
// blocks and steps. With a schedule that is the same for all blocks, it is of each.
func turns(Setting) []Measure {
	return []Measure{{Label: "angle between the vectors with and without guidance (degrees)", Of: func(_ Trial, made, _ Seen) float64 {
		sum, n := 0.0, 0
		for _, b := range made.Probe.Blocks {
			if b.Kind == "head" {
				continue
			}
			for _, a := range b.AngleDegrees {
				sum, n = sum+a, n+1
			}
		}
		return sum / float64(n)
	}}}
}

// cosines is that of two directions, which follows from their lengths and that of their
// sum: ‖a + b‖² = ‖a‖² + ‖b‖² + 2·a·b.
func cosines(Setting) []Measure {
	return []Measure{{Label: "cosine with the other preset", Of: func(_ Trial, made, _ Seen) float64 {
		a, b, both := made.Geometry[0].NormDelta, made.Geometry[1].NormDelta, made.Probe.Blocks[0].NormShift
		if a == 0 || b == 0 {
			return 0
		}
		return max(-1, min((both*both-a*a-b*b)/(2*a*b), 1))
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
