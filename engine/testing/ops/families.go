package ops

import (
	"fmt"
	"math/rand/v2"

	"undertone/engine/op"
)

// far has a mean far from 0 beside a small deviation, where squares alone lose all digits.
func far(rng *rand.Rand, _, _ int) float32 { return 800 + float32(rng.NormFloat64()) }

// familyCases are the operations that text encoders and full-size decoders need.
func familyCases() []Case {
	var cases []Case
	add := func(k op.Kind, framed bool, build func(r *rig), name string, args ...any) {
		name = fmt.Sprintf(name, args...)
		if framed {
			name += "_framed"
		}
		cases = append(cases, Case{k, name, framed, build})
	}
	for i, s := range [][2]int{{1, 1}, {3, 5}, {31, 64}, {96, 256}, {7, 251}, {2, 3072}, {5, 4096}} {
		framed := i%2 == 1
		add(op.RMSNorm, framed, func(r *rig) {
			r.list.RMSNorm(r.in(s[0], s[1], outliers(1)), r.vector(s[1], normal(1)), 1e-6, false, r.out(s[0], s[1]))
		}, "%dx%d_weight_outliers", s[0], s[1])
		add(op.RMSNorm, !framed, func(r *rig) {
			r.list.RMSNorm(r.in(s[0], s[1], normal(2)), r.in(1, s[1], normal(0.5)), 1e-5, true, r.out(s[0], s[1]))
		}, "%dx%d_oneplus", s[0], s[1])
		add(op.RMSNorm, framed, func(r *rig) {
			r.list.RMSNorm(r.in(s[0], s[1], normal(1e-3)), nil, 1e-6, false, r.out(s[0], s[1]))
		}, "%dx%d_plain_tiny", s[0], s[1])
	}
	for i, c := range []struct {
		pixels, stretches, groups, size int
		act                             op.Act
		g                               gen
		note                            string
	}{
		{1, 1, 1, 1, op.None, normal(1), ""}, {9, 9, 2, 2, op.SiLU, normal(1), ""}, {63, 32, 3, 5, op.None, outliers(1), "outliers"},
		{64, 16, 4, 4, op.SiLU, normal(2), ""}, {65, 3, 32, 4, op.None, normal(1), ""}, {130, 65, 32, 16, op.SiLU, outliers(1), "outliers"},
		{257, 2, 8, 3, op.None, far, "mean800"}, {1024, 64, 2, 8, op.SiLU, far, "mean800"},
	} {
		framed := i%2 == 1
		channels := c.groups * c.size
		add(op.GroupNorm, framed, func(r *rig) {
			x, weight, bias := r.in(c.pixels, channels, c.g), r.vector(channels, normal(1)), r.in(1, channels, normal(1))
			moments := r.list.GroupMoments(x, c.groups, r.out(c.stretches, 4*c.groups))
			r.list.GroupNorm(x, moments, weight, bias, 1e-6, c.act, r.out(c.pixels, channels))
		}, "%d_in%d_groups%dx%d_%s%s", c.pixels, c.stretches, c.groups, c.size, c.act, c.note)
		add(op.GroupMoments, !framed, func(r *rig) {
			r.list.GroupMoments(r.in(c.pixels, channels, c.g), c.groups, r.out(c.stretches, 4*c.groups))
		}, "%d_in%d_groups%dx%d%s", c.pixels, c.stretches, c.groups, c.size, c.note)
		add(op.GroupNorm, !framed, func(r *rig) { // of a picture in two pieces
			above, below := r.in(c.pixels, channels, c.g), r.in(1, channels, c.g)
			moments := r.out(c.stretches+1, 4*c.groups)
			r.list.GroupMoments(above, c.groups, moments.Slice(0, c.stretches))
			r.list.GroupMoments(below, c.groups, moments.Slice(c.stretches, c.stretches+1))
			weight, bias := r.vector(channels, normal(1)), r.in(1, channels, normal(1))
			r.list.GroupNorm(above, moments, weight, bias, 1e-6, c.act, r.out(c.pixels, channels))
			r.list.GroupNorm(below, moments, weight, bias, 1e-6, c.act, r.out(1, channels))
		}, "pieces_%d_in%d_groups%dx%d_%s%s", c.pixels, c.stretches, c.groups, c.size, c.act, c.note)
	}
	for i, c := range []struct{ s, heads, size int }{{1, 1, 4}, {33, 3, 64}, {31, 5, 20}, {7, 2, 128}, {65, 1, 12}} {
		for _, half := range []bool{false, true} {
			add(op.Rotary, i%2 == 1, func(r *rig) {
				r.list.Rotary(r.inout(c.s, c.heads*c.size, normal(1)), r.in(c.s, c.size, rotation()), c.size, half)
			}, "s%d_heads%dx%d_half_%t", c.s, c.heads, c.size, half)
		}
	}
	for i, s := range shapes {
		act := []op.Act{op.GELUTanh, op.SiLU, op.GELU}[i%3]
		add(op.Gated, i%2 == 0, func(r *rig) {
			r.list.Gated(r.in(s[0], s[1], normal(2)), r.in(s[0], s[1], outliers(1)), act, op.Counted{}, r.out(s[0], s[1]))
		}, "%s_%dx%d", act, s[0], s[1])
		add(op.Gated, i%2 == 1, func(r *rig) {
			a := r.inout(s[0], s[1], normal(2))
			r.list.Gated(a, r.in(s[0], s[1], normal(1)), act, op.Counted{}, a)
		}, "%s_%dx%d_inplace", act, s[0], s[1])
	}
	for i, c := range []struct{ s, heads int }{{1, 1}, {2, 3}, {3, 2}, {13, 1}, {64, 5}, {77, 4}, {130, 2}} {
		add(op.RelativeBias, i%2 == 1, func(r *rig) {
			r.list.RelativeBias(r.in(c.heads, 2*c.s-1, normal(3)), r.out(c.heads*c.s, c.s))
		}, "s%d_heads%d", c.s, c.heads)
	}
	return cases
}
