package ops

import (
	"fmt"
	"math/rand/v2"

	"undertone/engine/op"
)

// shapes are the sizes that elementwise operations are tried on.
var shapes = [][2]int{{1, 1}, {1, 256}, {3, 5}, {31, 33}, {96, 256}, {64, 64}, {127, 7}, {1, 1301}, {2, 4096}}

func elementwiseCases() []Case {
	var cases []Case
	add := func(k op.Kind, framed bool, build func(r *rig), name string, args ...any) {
		name = fmt.Sprintf(name, args...)
		if framed {
			name += "_framed"
		}
		cases = append(cases, Case{k, name, framed, build})
	}
	for i, act := range append([]op.Act{op.None}, everyAct...) {
		s := shapes[i%len(shapes)]
		for _, framed := range []bool{false, true} {
			add(op.Activation, framed, func(r *rig) {
				r.list.Activation(r.in(s[0], s[1], normal(2)), act, r.out(s[0], s[1]))
			}, "%s_%dx%d", act, s[0], s[1])
			add(op.Activation, framed, func(r *rig) {
				x := r.inout(33, 37, normal(2))
				r.list.Activation(x, act, x)
			}, "%s_inplace", act)
		}
		// A sweep over where each function bends, then far out, where exp overflows.
		add(op.Activation, false, func(r *rig) {
			x := r.in(1, 2001, func(_ *rand.Rand, _, col int) float32 { return float32(col-1000) / 100 })
			r.list.Activation(x, act, r.out(1, 2001))
		}, "%s_sweep", act)
		add(op.Activation, false, func(r *rig) {
			x := r.in(4, 51, func(_ *rand.Rand, row, col int) float32 {
				return float32(col-25) * []float32{4, 40, 1000, 1e6}[row]
			})
			for row := range 4 { // one row each, so that the largest do not hide the others
				r.list.Activation(x.Slice(row, row+1), act, r.out(1, 51))
			}
		}, "%s_far", act)
	}
	for i, s := range shapes {
		framed := i%2 == 0
		add(op.Add, framed, func(r *rig) {
			r.list.Add(r.in(s[0], s[1], normal(1)), r.in(s[0], s[1], outliers(1)), r.out(s[0], s[1]))
		}, "%dx%d", s[0], s[1])
		add(op.Add, !framed, func(r *rig) {
			x := r.inout(s[0], s[1], outliers(1))
			r.list.Add(x, r.in(s[0], s[1], normal(1)), x)
		}, "%dx%d_inplace", s[0], s[1])
		add(op.CFG, framed, func(r *rig) {
			r.list.CFG(r.in(s[0], s[1], normal(1)), r.in(s[0], s[1], normal(1)), 3.5, r.out(s[0], s[1]))
		}, "%dx%d_scale3.5", s[0], s[1])
		add(op.CFG, !framed, func(r *rig) {
			x := r.inout(s[0], s[1], normal(1))
			r.list.CFG(x, r.in(s[0], s[1], normal(1)), float32(i)-1, x)
		}, "%dx%d_scale%d_inplace", s[0], s[1], i-1)
		add(op.Euler, framed, func(r *rig) {
			x := r.inout(s[0], s[1], normal(1))
			dt := r.in(1, 1, func(*rand.Rand, int, int) float32 { return -0.25 })
			r.list.Euler(x, r.in(s[0], s[1], outliers(1)), dt)
		}, "%dx%d", s[0], s[1])
	}
	// Add reads part of a weight: positions of a shorter text.
	add(op.Add, false, func(r *rig) {
		pos := r.weight(op.UseVector, op.F32, 77, 192, 0, normal(1))
		x := r.inout(32, 192, normal(1))
		r.list.Add(x, pos.Slice(3, 35), x)
	}, "weight_rows")
	return cases
}

func embeddingCases() []Case {
	type em struct {
		v, cols, n int
		dt         op.DType
		scale      float32
	}
	cs := []em{
		{163, 192, 32, op.F32, 0}, {163, 192, 32, op.F16, 0}, {163, 192, 77, op.BF16, 0}, {1, 4, 3, op.F32, 0},
		{50, 7, 5, op.F32, 0}, {11, 33, 1, op.F16, 0}, {1009, 20, 97, op.F32, 0},
		{64, 7, 70, op.F8_E4M3, 0}, {61, 33, 70, op.F8_E5M2, 0}, {33, 40, 70, op.F8_E4M3, 0.37}, {35, 40, 70, op.F8_E5M2, 7e-5},
	}
	// Every row of a table of each format of blocks: what the layouts keep of it is exact.
	for _, dt := range weightTypes {
		if dt.Quantized() {
			elems, _ := dt.Block()
			cs = append(cs, em{33, 3 * elems, 37, dt, 0}, em{1, elems, 1, dt, 0})
		}
	}
	var cases []Case
	for i, c := range cs {
		framed := i%2 == 1
		name := fmt.Sprintf("%dx%d_%s_ids%d", c.v, c.cols, c.dt, c.n)
		if c.scale != 0 {
			name += "_scaled"
		}
		cases = append(cases, Case{op.Embedding, name, framed, func(r *rig) {
			table := r.scaledWeight(op.UseMatrix, c.dt, c.v, c.cols, 0, c.scale, normal(1))
			ids := make([]uint32, c.n)
			for i := range ids {
				ids[i] = uint32(i) // each row once …
				if i >= c.v || c.v > c.n {
					ids[i] = uint32(r.rng.IntN(c.v)) // … and any
				}
			}
			ids[0] = uint32(c.v - 1)
			r.list.Embedding(table, r.u32(ids), r.out(c.n, c.cols))
		}})
	}
	return append(cases,
		Case{op.Embedding, "rows_of_a_weight", false, func(r *rig) {
			table := r.weight(op.UseMatrix, op.Q8_0, 21, 32, 0, normal(1))
			r.list.Embedding(table.Slice(6, 17), r.u32([]uint32{10, 0, 5, 1}), r.out(4, 32))
		}},
		Case{op.Embedding, "of_a_tensor", true, func(r *rig) {
			r.list.Embedding(r.in(9, 13, normal(1)), r.u32([]uint32{8, 0, 3}), r.out(3, 13))
		}})
}

func copyCases() []Case {
	var cases []Case
	for i, s := range shapes {
		framed := i%2 == 0
		cases = append(cases, Case{op.Copied, fmt.Sprintf("%dx%d", s[0], s[1]), framed, func(r *rig) {
			r.list.Copy(r.in(s[0], s[1], outliers(1)), r.out(s[0], s[1]))
		}})
	}
	return append(cases,
		Case{op.Copied, "into_rows_and_columns", false, func(r *rig) {
			joined := r.room(97, 64)
			txt, img := joined.Slice(0, 33), joined.Slice(33, 97).Columns(8, 45)
			r.check(txt)
			r.check(img)
			r.list.Copy(r.in(33, 64, normal(1)), txt)
			r.list.Copy(r.in(64, 37, normal(1)), img)
		}},
		Case{op.Copied, "from_rows_and_columns", true, func(r *rig) {
			x := r.in(50, 60, normal(1))
			r.list.Copy(x.Slice(7, 50).Columns(12, 41), r.out(43, 29))
		}},
		Case{op.Copied, "weight", false, func(r *rig) {
			w := r.weight(op.UseVector, op.F32, 5, 19, 0, normal(1))
			r.list.Copy(w.Slice(1, 4), r.out(3, 19))
		}},
		// Many temporaries of different sizes and lifetimes: an arena that gives
		// memory away too early is found out here.
		Case{op.Copied, "through_temporaries", false, func(r *rig) {
			x := r.in(24, 20, normal(1))
			l := r.list
			kept := l.Copy(x, nil)                          // lives to the end
			up := l.Upsample(x, 6, 4, nil)                  // 96×20
			tok := l.Patchify(up, 12, 8, 2, false, nil)     // 24×80
			wide := l.Copy(tok, nil)                        // 24×80
			img := l.Unpatchify(wide, 12, 8, 2, false, nil) // 96×20, up again
			small := l.Copy(img.Slice(0, 24), nil)          // 24×20
			again := l.Copy(kept, nil)
			l.Copy(small, r.out(24, 20))
			l.Copy(again, r.out(24, 20))
			l.Copy(kept, r.out(24, 20))
			l.Copy(img, r.out(96, 20))
		}},
	)
}
