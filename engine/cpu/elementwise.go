package cpu

import (
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// activate applies an activation function.
func activate(act op.Act, x float64) float64 {
	switch act {
	case op.ReLU:
		if x < 0 { // NaN stays NaN
			return 0
		}
		return x
	case op.SiLU:
		return x * sigmoid(x)
	case op.GELU:
		return x * 0.5 * math.Erfc(-x/math.Sqrt2)
	case op.GELUTanh:
		return x * 0.5 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case op.QuickGELU:
		return x * sigmoid(1.702*x)
	case op.Clamp3:
		return 3 * math.Tanh(x/3)
	}
	return x
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// each computes every element of out from those of a and b at the same place; an
// absent b counts as zero.
func (j *job) each(a, b, out view, f func(a, b float64) float64) {
	per := max(1, 1<<12/out.Cols) // rows in one part
	j.parallel(op.CeilDiv(out.Rows, per), func(part int) {
		for r := part * per; r < min(out.Rows, (part+1)*per); r++ {
			o := out.row(r)
			for i, v := range a.row(r) {
				y := 0.0
				if b.Tensor != nil {
					y = float64(b.row(r)[i])
				}
				o[i] = float32(f(float64(v), y))
			}
		}
	})
}

func activation(j *job, n *op.ActivationOp) {
	j.each(f32(n.X), view{}, f32(n.Out), func(x, _ float64) float64 { return activate(n.Act, x) })
}

func add(j *job, n *op.AddOp) {
	j.each(f32(n.A), f32(n.B), f32(n.Out), func(a, b float64) float64 { return a + b })
}

// gated: act(a) ⊙ b.
func gated(j *job, n *op.GatedOp) {
	j.each(f32(n.A), f32(n.B), f32(counted(n.Out, n.Counted)), func(a, b float64) float64 { return activate(n.Act, a) * b })
}

// cfg: uncond + scale·(cond − uncond).
func cfg(j *job, n *op.CFGOp) {
	scale := float64(n.Scale)
	j.each(f32(n.Cond), f32(n.Uncond), f32(n.Out), func(cond, uncond float64) float64 { return uncond + scale*(cond-uncond) })
}

// euler: x += dt·v.
func euler(j *job, n *op.EulerOp) {
	v, dt, x := f32(n.V), float64(f32(n.DT).row(0)[0]), f32(n.X)
	for r := range x.Rows {
		row := x.row(r)
		for i, d := range v.row(r) {
			row[i] = float32(float64(row[i]) + dt*float64(d))
		}
	}
}

func embedding(j *job, n *op.EmbeddingOp) {
	table := f32(n.Table)
	embed(j, n, func(dst []float32, id int) { copy(dst, table.row(id)) })
}

// embed has take write the rows that the ids name.
func embed(j *job, n *op.EmbeddingOp, take func(dst []float32, id int)) {
	table, ids, out := n.Table, n.IDs, f32(n.Out)
	words := ids.Storage.Handle.([]uint32)[ids.Offset:]
	for r := range out.Rows {
		id := words[r]
		if uint64(id) >= uint64(table.Rows) {
			j.err = fault.New(fault.Shape, "embedding: id %d at place %d, %s has the rows 0 to %d", id, r, table, table.Rows-1)
			return
		}
		take(out.row(r), int(id))
	}
}

func copied(j *job, n *op.CopyOp) {
	x, out := f32(n.X), f32(n.Out)
	for r := range x.Rows {
		copy(out.row(r), x.row(r))
	}
}
