package dit

import "undertone/engine/op"

// gatedMLP is down(silu(gate(x)) ⊙ up(x)), without biases (arXiv 2002.05202).
type gatedMLP struct{ gate, up, down *op.Tensor } // [F, D], [F, D], [D, F]

// loadGatedMLP asks for the weights under the names of Llama's first publication.
func loadGatedMLP(weights op.Weights, name string, d, f int) gatedMLP {
	matrix := func(which string, out, in int) *op.Tensor {
		return weights.Get(name+"."+which+".weight", op.UseMatrix, out, in)
	}
	return gatedMLP{gate: matrix("w1", f, d), up: matrix("w3", f, d), down: matrix("w2", d, f)}
}

// hidden records silu(gate(n)) ⊙ up(n): n [S, D] → [S, F].
func (m gatedMLP) hidden(l *op.List, n *op.Tensor, c op.Counted) *op.Tensor {
	gate := l.MatMul(n, m.gate, op.Epilogue{Counted: c}) // [S, F]
	up := l.MatMul(n, m.up, op.Epilogue{Counted: c})     // [S, F]
	return l.Gated(gate, up, op.SiLU, c, gate)           // [S, F]
}

// record records x += gate ⊙ m(n): n and x [S, D], in strips of tokens where the layer
// between them would have more than limit bytes.
func (m gatedMLP) record(l *op.List, n, x, gate *op.Tensor, limit int64) {
	step := evenly(x.Rows, m.gate.Rows, limit)
	for from := 0; from < x.Rows; from += step {
		to := min(from+step, x.Rows)
		out := x.Slice(from, to)
		l.MatMul(m.hidden(l, n.Slice(from, to), op.Counted{}), m.down, op.Epilogue{Gate: gate, Residual: out, Out: out}) // [S, D]
	}
}

// experts is a mixture of MLPs (arXiv 1701.06538): one that every token goes through, and
// of the routed ones those of highest probability, with the probability as their weight,
// which is softmax over all of them and is not divided by the sum of the chosen ones.
type experts struct {
	active int
	router linear // [E, D]
	shared gatedMLP
	routed []gatedMLP
}

// record records x += gate ⊙ (shared(n) + Σ p_e·routed_e(n)): n and x [S, D], in strips of
// tokens where a layer would have more than limit bytes. Which tokens an expert gets is
// known on the machine alone; it computes their rows and no other.
func (m experts) record(l *op.List, n, x, gate *op.Tensor, limit int64) {
	m.shared.record(l, n, x, gate, limit)
	share := float64(m.active) / float64(len(m.routed))
	step := evenly(x.Rows, m.routed[0].gate.Rows, limit)
	for from := 0; from < x.Rows; from += step {
		to := min(from+step, x.Rows)
		in, out := n.Slice(from, to), x.Slice(from, to)
		lists := l.Route(l.MatMul(in, m.router.w, op.Epilogue{}), m.active, nil) // [2E, 4+S]
		for e, routed := range m.routed {
			list := lists.Slice(2*e, 2*e+1)
			c := op.Counted{List: list, Share: share}
			own := l.Gather(in, c, nil)                                                   // [S, D], its tokens first
			y := l.MatMul(routed.hidden(l, own, c), routed.down, op.Epilogue{Counted: c}) // [S, D]
			l.ScatterAdd(y, c, lists.Slice(2*e+1, 2*e+2), gate, out)                      // [S, D]
		}
	}
}
