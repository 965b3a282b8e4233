package dit

import "undertone/engine/op"

// maxWidth bounds every width that a configuration may claim, so that no product
// of two of them overflows on a 32-bit machine; 12B FLUX has 12,288.
const maxWidth = 1 << 14

// linear is x·wᵀ + b; the bias may be absent.
type linear struct{ w, b *op.Tensor }

// embedder is FLUX's MLPEmbedder: out(silu(in(x))).
type embedder struct{ in, out linear }

func (e embedder) record(l *op.List, x, residual, out *op.Tensor) {
	h := l.MatMul(x, e.in.w, op.Epilogue{Bias: e.in.b, Act: op.SiLU})              // [n, D]
	l.MatMul(h, e.out.w, op.Epilogue{Bias: e.out.b, Residual: residual, Out: out}) // [n, D]
}

// mods deals out consecutive vectors of a modulation row.
type mods struct {
	row *op.Tensor
	at  int
}

func (m *mods) next(d int) *op.Tensor {
	m.at += d
	return m.row.Columns(m.at-d, m.at)
}
