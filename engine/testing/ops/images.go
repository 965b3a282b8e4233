package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
)

func convCases() []Case {
	type conv struct {
		h, w, in, out int
		dt            op.DType
		bias          bool
		act           op.Act
		residual      string
		framed        bool
	}
	cs := []conv{
		// The shipped decoder's stages, the last ones on smaller pictures.
		{16, 16, 16, 128, op.F16, true, op.ReLU, "", false}, {8, 8, 128, 128, op.F16, true, op.ReLU, "", false},
		{16, 16, 64, 64, op.F16, true, op.ReLU, "other", false}, {16, 16, 128, 64, op.F16, false, op.None, "", false},
		{32, 32, 32, 32, op.F16, true, op.ReLU, "inplace", false}, {32, 32, 32, 16, op.F16, false, op.None, "", true},
		{32, 32, 16, 16, op.F32, true, op.ReLU, "other", true}, {32, 32, 8, 8, op.BF16, true, op.ReLU, "", false},
		{32, 32, 8, 3, op.F16, true, op.None, "", false}, {31, 33, 64, 3, op.F32, true, op.None, "", true},
		// Borders, odd sizes, odd channels.
		{1, 1, 4, 4, op.F32, true, op.None, "", true}, {1, 7, 3, 5, op.F32, true, op.ReLU, "", true},
		{9, 1, 5, 7, op.F16, true, op.SiLU, "other", true}, {2, 2, 16, 16, op.BF16, true, op.None, "", true},
		{3, 3, 1, 1, op.F32, false, op.None, "", true}, {17, 13, 7, 11, op.F32, true, op.GELU, "inplace", true},
		{5, 31, 13, 17, op.F16, true, op.Clamp3, "", true}, {15, 33, 33, 31, op.F32, true, op.None, "inplace", true},
		{11, 19, 20, 36, op.F32, false, op.QuickGELU, "other", true}, {6, 6, 96, 65, op.F32, true, op.GELUTanh, "", true},
		{65, 4, 12, 24, op.F32, true, op.None, "", false}, {4, 129, 4, 8, op.F32, true, op.None, "", false},
		// Many channels, odd sizes: Winograd's tiles go beyond the picture.
		{13, 17, 36, 44, op.F32, true, op.GELU, "inplace", true}, {1, 15, 32, 40, op.F16, false, op.SiLU, "other", true},
		// Pictures large enough for a GPU's large tiles.
		{256, 256, 8, 8, op.F16, true, op.ReLU, "inplace", false}, {250, 251, 5, 3, op.F32, true, op.None, "", true},
		{121, 131, 7, 13, op.F32, true, op.ReLU, "other", true}, {63, 65, 12, 61, op.F32, true, op.None, "", true},
	}
	var cases []Case
	for _, c := range cs {
		name := fmt.Sprintf("%dx%d_%dto%d_%s", c.h, c.w, c.in, c.out, c.dt)
		if c.bias {
			name += "_bias"
		}
		if c.act != op.None {
			name += "_" + c.act.String()
		}
		if c.residual != "" {
			name += "_residual_" + c.residual
		}
		if c.framed {
			name += "_framed"
		}
		cases = append(cases, Case{op.Conv3x3, name, c.framed, func(r *rig) {
			x := r.in(c.h*c.w, c.in, outliers(1))
			weight := r.weight(op.UseConv3x3, c.dt, c.out, c.in*9, 0, normal(rsqrt(9*c.in)))
			var bias, residual, out *op.Tensor
			if c.bias {
				bias = r.vector(c.out, normal(1))
			}
			switch c.residual {
			case "inplace":
				out = r.inout(c.h*c.w, c.out, normal(1))
				residual = out
			case "other":
				residual = r.in(c.h*c.w, c.out, normal(1))
			}
			if out == nil {
				out = r.out(c.h*c.w, c.out)
			}
			r.list.Conv3x3(x, c.h, c.w, weight, bias, residual, c.act, out)
		}})
	}
	// After Upsample, whole or without some of the first and last lines, which a device may do in one.
	for _, c := range []struct {
		h, w, in, out, above, below int
		framed                      bool
	}{{8, 8, 16, 16, 0, 0, false}, {5, 7, 3, 5, 0, 0, true}, {4, 9, 20, 12, 1, 0, false}, {3, 5, 8, 8, 1, 1, true}, {6, 33, 7, 9, 2, 3, false}, {1, 1, 4, 4, 0, 0, true}} {
		cases = append(cases, Case{op.Conv3x3, fmt.Sprintf("doubled_%dx%d_%dto%d_without_%d_%d", c.h, c.w, c.in, c.out, c.above, c.below), c.framed, func(r *rig) {
			x := r.in(c.h*c.w, c.in, outliers(1))
			weight := r.weight(op.UseConv3x3, op.F16, c.out, c.in*9, 0, normal(rsqrt(9*c.in)))
			h, w := 2*c.h-c.above-c.below, 2*c.w
			up := r.list.Upsample(x, c.h, c.w, nil)
			up = up.Slice(c.above*w, up.Rows-c.below*w)
			r.list.Conv3x3(up, h, w, weight, r.vector(c.out, normal(1)), nil, op.ReLU, r.out(h*w, c.out))
		}})
	}
	return cases
}

func imageCases() []Case {
	var cases []Case
	for i, s := range [][3]int{{16, 16, 128}, {8, 8, 64}, {1, 1, 1}, {3, 5, 7}, {31, 1, 4}, {1, 33, 13}, {32, 32, 16}} {
		h, w, c, framed := s[0], s[1], s[2], i%2 == 1
		cases = append(cases, Case{op.Upsample, fmt.Sprintf("%dx%dx%d", h, w, c), framed, func(r *rig) {
			r.list.Upsample(r.in(h*w, c, normal(1)), h, w, r.out(4*h*w, c))
		}})
	}
	for i, s := range [][4]int{{16, 16, 16, 2}, {16, 16, 16, 2}, {2, 2, 1, 2}, {6, 10, 3, 2}, {9, 12, 5, 3}, {4, 7, 3, 1}, {8, 24, 4, 4}, {32, 32, 16, 2}} {
		h, w, c, p, framed := s[0], s[1], s[2], s[3], i%2 == 1
		name := fmt.Sprintf("%dx%dx%d_by%d", h, w, c, p)
		if framed {
			name += "_framed"
		}
		for _, last := range []bool{false, true} {
			name := name
			if last {
				name += "_channel_last"
			}
			cases = append(cases,
				Case{op.Patchify, name, framed, func(r *rig) {
					r.list.Patchify(r.in(h*w, c, normal(1)), h, w, p, last, r.out(h/p*(w/p), c*p*p))
				}},
				Case{op.Unpatchify, name, framed, func(r *rig) {
					r.list.Unpatchify(r.in(h/p*(w/p), c*p*p, normal(1)), h, w, p, last, r.out(h*w, c))
				}})
		}
	}
	cases = append(cases, unfoldCases()...)
	special := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 3e38, -3e38, 1e-40, -1e-40, 0}
	for i, c := range []struct {
		pixels      int
		scale, bias float32
		g           gen
		name        string
	}{
		{1024, 1, 0, func(rng *rand.Rand, _, _ int) float32 { return float32(rng.Float64()*1.4 - 0.2) }, "unit"},
		{1023, 0.5, 0.5, normal(1), "symmetric"},
		{1, 1, 0, normal(1), "one"}, {65, -2, 1, normal(0.3), "negative_scale"},
		{256, 1, 0, func(_ *rand.Rand, row, _ int) float32 { return float32(row) / 255 }, "every_level"},
		{255, 1, 0, func(_ *rand.Rand, row, _ int) float32 { return (float32(row) + 0.5) / 255 }, "ties"},
		{16, 1, 0, func(_ *rand.Rand, row, col int) float32 { return special[(row*3+col)%len(special)] }, "not_finite"},
	} {
		cases = append(cases, Case{op.ToRGBA, c.name, i%2 == 1, func(r *rig) { buildToRGBA(r, c.pixels, c.scale, c.bias, c.g) }})
	}
	return cases
}

// unfoldCases are windows over pictures and frames: of one place, with strides, with zeros
// before and behind, wider than the picture, and those of encoders (a stride of 2 with zeros
// behind only).
func unfoldCases() (cases []Case) {
	for i, c := range []struct {
		size [3]int
		c    int
		w    op.Window
	}{
		{[3]int{1, 6, 5}, 3, op.Window2D(1, 1, 0, 6, 5)}, {[3]int{1, 16, 16}, 8, op.Window2D(3, 1, 1, 16, 16)},
		{[3]int{1, 16, 16}, 5, op.Window2D(3, 2, 0, 8, 8)}, {[3]int{1, 7, 9}, 4, op.Window2D(3, 2, 1, 4, 5)},
		{[3]int{1, 2, 2}, 1, op.Window2D(5, 1, 2, 2, 2)}, {[3]int{1, 12, 8}, 7, op.Window2D(4, 4, 0, 3, 2)},
		{[3]int{1, 1, 31}, 2, op.Window{Kernel: [3]int{1, 1, 7}, Stride: [3]int{1, 1, 3}, Before: [3]int{0, 0, 3}, Out: [3]int{1, 1, 11}}},
		{[3]int{5, 4, 3}, 3, op.Window{Kernel: [3]int{3, 3, 3}, Stride: [3]int{1, 1, 1}, Before: [3]int{2, 1, 1}, Out: [3]int{5, 4, 3}}},
		{[3]int{4, 5, 6}, 2, op.Window{Kernel: [3]int{2, 3, 1}, Stride: [3]int{2, 2, 1}, Before: [3]int{0, 1, 0}, Out: [3]int{2, 3, 6}}},
	} {
		name := fmt.Sprintf("%dx%dx%d_of_%d_by%dx%dx%d", c.size[0], c.size[1], c.size[2], c.c, c.w.Kernel[0], c.w.Kernel[1], c.w.Kernel[2])
		cases = append(cases, Case{op.Unfold, name, i%2 == 1, func(r *rig) {
			r.list.Unfold(r.in(c.size[0]*c.size[1]*c.size[2], c.c, normal(1)), c.size, c.w, r.out(c.w.Positions(), c.c*c.w.Taps()))
		}})
	}
	return cases
}

// buildToRGBA judges the bytes itself: a channel may differ by one only where
// the exact value lies within 1e-3 of the middle between two levels, because
// float32 and float64 may then round to different sides.
func buildToRGBA(r *rig, pixels int, scale, bias float32, g gen) {
	x := r.in(pixels, 3, g)
	q := r.parents[len(r.parents)-1]
	out := r.u32(make([]uint32, pixels))
	r.list.ToRGBA(x, scale, bias, out)
	r.results = append(r.results, result{view: out, allow: func(t *testing.T, got, want []uint32) {
		for i, w := range want {
			for ch := range 4 {
				gc, wc := got[i]>>(8*ch)&255, w>>(8*ch)&255
				if gc == wc {
					continue
				}
				if ch < 3 && max(gc, wc)-min(gc, wc) == 1 {
					exact := 255 * (float64(scale)*float64(q.before[x.Offset+i*x.Stride+ch]) + float64(bias))
					if math.Abs(exact-math.Floor(exact)-0.5) < 1e-3 {
						continue
					}
				}
				t.Errorf("pixel %d: got %08x, want %08x (alpha, blue, green, red)", i, got[i], w)
				break
			}
		}
	}})
}
