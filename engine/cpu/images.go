package cpu

import "math"

// upsample doubles both sides by repeating pixels.
func upsample(j *job) {
	x, out, w := j.in(0), j.out(), j.n.P.W
	for r := range out.Rows {
		py, px := r/(2*w), r%(2*w)
		copy(out.row(r), x.row(py/2*w+px/2))
	}
}

// patchify: token channel (c, row in patch, column in patch).
func patchify(j *job) {
	x, out := j.in(0), j.out()
	j.patches(func(token, channel, pixel, c int) { out.row(token)[channel] = x.row(pixel)[c] }, x.Cols)
}

func unpatchify(j *job) {
	x, out := j.in(0), j.out()
	j.patches(func(token, channel, pixel, c int) { out.row(pixel)[c] = x.row(token)[channel] }, out.Cols)
}

// patches visits every element of an image of so many channels, at its place in
// the tokens and in the picture.
func (j *job) patches(visit func(token, channel, pixel, c int), channels int) {
	h, w, p := j.n.P.H, j.n.P.W, j.n.P.Patch
	for y := range h {
		for x := range w {
			token := y/p*(w/p) + x/p
			for c := range channels {
				visit(token, (c*p+y%p)*p+x%p, y*w+x, c)
			}
		}
	}
}

// toRGBA packs red, green and blue, from the lowest byte up, and an alpha of 255,
// or 0 where one of them is not finite.
func toRGBA(j *job) {
	x, out, p := j.in(0), j.n.Out, j.n.P
	pixels := out.Storage.Handle.([]uint32)[out.Offset:]
	for r := range x.Rows {
		rgba := uint32(255) << 24
		for c, v := range x.row(r) {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				rgba &= 1<<24 - 1
			}
			level := 255 * (float64(p.Scale)*float64(v) + float64(p.Bias))
			if level > 0 { // not for NaN, which counts as 0
				rgba |= uint32(math.Round(min(level, 255))) << (8 * c)
			}
		}
		pixels[r] = rgba
	}
}
