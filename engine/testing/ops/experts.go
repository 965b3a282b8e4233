package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"

	"undertone/engine/op"
)

// expertCases are the operations of a mixture of experts, and products of as many rows as
// a list has entries: none, some and all of them.
func expertCases() []Case {
	var cases []Case
	add := func(k op.Kind, framed bool, build func(r *rig), name string, args ...any) {
		name = fmt.Sprintf(name, args...)
		if framed {
			name += "_framed"
		}
		cases = append(cases, Case{k, name, framed, build})
	}
	// Few different numbers, so that experts are equal.
	ties := func(rng *rand.Rand, _, _ int) float32 { return float32(rng.IntN(3)) }
	for i, c := range []struct {
		n, experts, active int
		g                  gen
		note               string
	}{
		{1, 1, 1, normal(1), ""}, {1, 4, 2, normal(1), ""}, {5, 3, 1, ties, "ties"}, {63, 4, 2, normal(3), ""}, {64, 4, 2, ties, "ties"},
		{65, 5, 5, normal(1), ""}, {200, 8, 3, outliers(2), "outliers"}, {517, 4, 2, normal(1), ""},
	} {
		add(op.Route, i%2 == 1, func(r *rig) {
			r.list.Route(r.in(c.n, c.experts, c.g), c.active, r.out(2*c.experts, op.ListHead+c.n))
		}, "%dof%d_n%d%s", c.active, c.experts, c.n, c.note)
	}
	// Lists of some rows, of all and of none.
	for i, c := range []struct {
		n, cols int
		listed  float64 // of the rows
	}{{1, 4, 1}, {33, 20, 0.5}, {65, 7, 1}, {40, 129, 0}, {130, 64, 0.4}} {
		listed := func(r *rig) (rows op.Counted, share *op.Tensor) {
			entries := make([]float32, op.ListHead, op.ListHead+c.n)
			for row := range c.n {
				if r.rng.Float64() < c.listed {
					entries = append(entries, float32(row))
					entries[0]++
				}
			}
			entries = entries[:op.ListHead+c.n]
			list := r.in(1, len(entries), func(_ *rand.Rand, _, col int) float32 { return entries[col] })
			return op.Counted{List: list, Share: 0.5}, r.in(1, len(entries), func(rng *rand.Rand, _, col int) float32 { return rng.Float32() })
		}
		add(op.Gather, i%2 == 1, func(r *rig) {
			rows, _ := listed(r)
			r.list.Gather(r.in(c.n, c.cols, normal(1)), rows, r.inout(c.n, c.cols, normal(1)))
		}, "%dx%d_%g", c.n, c.cols, c.listed)
		for _, gated := range []bool{false, true} {
			add(op.ScatterAdd, i%2 == 0, func(r *rig) {
				rows, share := listed(r)
				var gate *op.Tensor
				if gated {
					gate = r.in(1, c.cols, normal(1))
				}
				r.list.ScatterAdd(r.in(c.n, c.cols, normal(1)), rows, share, gate, r.inout(c.n, c.cols, normal(1)))
			}, "%dx%d_%g_gate_%t", c.n, c.cols, c.listed, gated)
		}
		for _, inPlace := range []bool{false, true} {
			add(op.Gated, i%2 == 1, func(r *rig) {
				rows, _ := listed(r)
				out := r.inout(c.n, c.cols, normal(1))
				a := out
				if !inPlace {
					a = r.in(c.n, c.cols, normal(1))
				}
				r.list.Gated(a, r.in(c.n, c.cols, normal(1)), op.SiLU, rows, out)
			}, "counted_%dx%d_%g_inplace_%t", c.n, c.cols, c.listed, inPlace)
		}
		for _, dt := range []op.DType{op.F16, op.Q8_0} {
			add(op.MatMul, i%2 == 1, func(r *rig) {
				rows, _ := listed(r)
				out := r.inout(c.n, c.cols, normal(1))
				r.list.MatMul(r.in(c.n, 64, normal(1)), r.weight(op.UseMatrix, dt, c.cols, 64, 0, normal(1)),
					op.Epilogue{Act: op.SiLU, Out: out, Counted: rows})
			}, "counted_%dx%d_%g_%v", c.n, c.cols, c.listed, dt)
		}
	}
	return cases
}

// routerNaN gives a router a logit that is no number: as many experts as ever are chosen,
// that one among them, and the shares of its row are NaN; those of other rows are not.
func (c contract) routerNaN() {
	const rows, experts, active = 3, 4, 2
	nan := float32(math.NaN())
	logits := c.tensor(rows, experts, 1, 2, 0, -1, 5, nan, 7, 6, 0, -3, 4, float32(math.Copysign(0, -1)))
	out := c.tensor(2*experts, op.ListHead+rows)
	l := op.NewList("route")
	l.Route(logits, active, out)
	run, err := c.be.Compile(c.ctx, l)
	c.ok("compile", err)
	defer run.Close()
	c.ok("run", run.Run(c.ctx))
	got, err := c.be.Read(c.ctx, out)
	c.ok("read", err)
	chosen := map[int][]int{}
	for e := range experts {
		list := got[2*e*out.Cols:]
		shares := list[out.Cols:]
		for i := range int(list[0]) {
			row := int(list[op.ListHead+i])
			chosen[row] = append(chosen[row], e)
			if share := shares[op.ListHead+i]; math.IsNaN(float64(share)) != (row == 1) {
				c.Errorf("row %d has the share %g of expert %d", row, share, e)
			}
		}
	}
	if want := map[int][]int{0: {0, 1}, 1: {1, 2}, 2: {0, 2}}; !reflect.DeepEqual(chosen, want) {
		c.Errorf("chosen are %v, want %v", chosen, want)
	}
}
