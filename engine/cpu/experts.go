package cpu

import (
	"math"

	"undertone/engine/op"
)

// entries is how many a list of op.Route has.
func entries(list *op.Tensor) int { return int(f32(list).row(0)[0]) }

// counted are the rows of t that are computed.
func counted(t *op.Tensor, c op.Counted) *op.Tensor {
	if c.List == nil {
		return t
	}
	return t.Slice(0, entries(c.List))
}

// listed calls visit with the number of every entry of a list and its row.
func listed(list *op.Tensor, visit func(i, row int)) {
	all := f32(list).row(0)[op.ListHead:]
	for i := range entries(list) {
		visit(i, int(all[i]))
	}
}

// route: for every expert the rows that it was chosen for, and its probability in each. NaN
// is above all numbers, as it is to PyTorch's topk, and the shares of its row are NaN, so
// that the stream shows it.
func route(j *job, n *op.RouteOp) {
	logits, out := f32(n.Logits), f32(n.Out)
	for e := range logits.Cols {
		list, shares := out.row(2*e), out.row(2*e+1)
		clear(list)
		clear(shares)
		count := 0
		for r := range logits.Rows {
			row := logits.row(r)
			before, highest, sum := 0, math.Inf(-1), 0.0
			for i, v := range row {
				if above(v, row[e]) || i < e && !above(row[e], v) {
					before++
				}
				highest = max(highest, float64(v))
			}
			if before >= n.Active {
				continue
			}
			for _, v := range row {
				sum += math.Exp(float64(v) - highest)
			}
			list[op.ListHead+count] = float32(r)
			shares[op.ListHead+count] = float32(math.Exp(float64(row[e])-highest) / sum)
			count++
		}
		list[0], shares[0] = float32(count), float32(count)
	}
}

// gather: out[i] = x[list[i]].
func gather(j *job, n *op.GatherOp) {
	x, out := f32(n.X), f32(n.Out)
	listed(n.Counted.List, func(i, row int) { copy(out.row(i), x.row(row)) })
}

// scatterAdd: x[list[i]] += gate ⊙ share[i]·y[i].
func scatterAdd(j *job, n *op.ScatterAddOp) {
	y, x, gate, shares := f32(n.Y), f32(n.X), first(n.Gate), f32(n.Share).row(0)[op.ListHead:]
	listed(n.Counted.List, func(i, row int) {
		at := x.row(row)
		for c, v := range y.row(i) {
			add := float64(shares[i]) * float64(v)
			if gate != nil {
				add *= float64(gate[c])
			}
			at[c] = float32(float64(at[c]) + add)
		}
	})
}

// above reports whether a logit comes before another one.
func above(a, b float32) bool { return a > b || a != a && b == b }
