package cpu

import (
	"math"

	"undertone/engine/op"
)

// upsample doubles both sides by repeating pixels.
func upsample(j *job, n *op.UpsampleOp) {
	x, out, w := f32(n.X), f32(n.Out), n.Width
	for r := range out.Rows {
		py, px := r/(2*w), r%(2*w)
		copy(out.row(r), x.row(py/2*w+px/2))
	}
}

// unfold: row of a position, channel c at the tap's place.
func unfold(j *job, n *op.UnfoldOp) {
	x, out, taps := f32(n.X), f32(n.Out), n.Taps()
	for r := range out.Rows {
		row, place := out.row(r), split(r, n.Window.Out)
		for tap := range taps {
			var from [3]int
			inside := true
			for i, k := range split(tap, n.Kernel) {
				from[i] = place[i]*n.Stride[i] + k - n.Before[i]
				inside = inside && from[i] >= 0 && from[i] < n.Size[i]
			}
			for c := range x.Cols {
				row[c*taps+tap] = 0
				if inside {
					row[c*taps+tap] = x.row((from[0]*n.Size[1]+from[1])*n.Size[2] + from[2])[c]
				}
			}
		}
	}
}

// split turns a number into frame, row and column of a block of this size.
func split(i int, size [3]int) [3]int {
	return [3]int{i / (size[1] * size[2]), i / size[2] % size[1], i % size[2]}
}

// patchify: token channel (c, row in patch, column in patch), or c last.
func patchify(j *job, n *op.PatchifyOp) {
	x, out := f32(n.Pixels), f32(n.Tokens)
	patches(n.Height, n.Width, n.Patch, x.Cols, n.ChannelLast, func(token, channel, pixel, c int) { out.row(token)[channel] = x.row(pixel)[c] })
}

func unpatchify(j *job, n *op.UnpatchifyOp) {
	x, out := f32(n.Tokens), f32(n.Pixels)
	patches(n.Height, n.Width, n.Patch, out.Cols, n.ChannelLast, func(token, channel, pixel, c int) { out.row(pixel)[c] = x.row(token)[channel] })
}

// patches visits every element of an image of so many channels, at its place in
// the tokens and in the picture.
func patches(h, w, p, channels int, last bool, visit func(token, channel, pixel, c int)) {
	for y := range h {
		for x := range w {
			token := y/p*(w/p) + x/p
			for c := range channels {
				channel := (c*p+y%p)*p + x%p
				if last {
					channel = (y%p*p+x%p)*channels + c
				}
				visit(token, channel, y*w+x, c)
			}
		}
	}
}

// toRGBA packs red, green and blue, from the lowest byte up, and an alpha of 255,
// or 0 where one of them is not finite.
func toRGBA(j *job, p *op.ToRGBAOp) {
	x, out := f32(p.X), p.Out
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
