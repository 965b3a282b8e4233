package dit

import "undertone/engine/op"

// A FLUX may have been made without a path for the pooled vector (vec_in_dim 0). An adapter
// gives it one (pooled_dim):
//
//	ŷ_l = τ(t) + g(guidance) + scales_l ⊙ (ψ(pooled) + modulation guidance)
//
// A block's vector is then [τ + g | ψ], of 2·D; the head's keeps the first half.

// pooledDim is the width of the pooled vector, by whichever path; 0: none.
func (c FluxConfig) pooledDim() int { return max(c.VecDim, c.PooledDim) }

// vectorWidth is that of a block's vector.
func (c FluxConfig) vectorWidth() int {
	if c.PooledDim > 0 {
		return 2 * c.Hidden
	}
	return c.Hidden
}

// loadPooled asks for the weights of either path.
func (f *Flux) loadPooled(weights op.Weights, embed func(name string, in int) embedder) {
	d := f.Hidden
	switch {
	case f.VecDim > 0:
		f.vector = embed("vector_in", f.VecDim)
		return
	case f.PooledDim > 0:
		f.vector = embedder{loadLinear(weights, "text_embedder_clip.linear_1", d, f.PooledDim, true), loadLinear(weights, "text_embedder_clip.linear_2", d, d, true)}
		f.scales = weights.Get("scales", op.UseVector, f.blocks(), d)
	}
	f.zeros = weights.Constant("zeros", op.UseVector, 1, d, make([]float32, d))
}

// leave records zeros, what one half of a vector leaves to the other.
func (f *Flux) leave(l *op.List, out *op.Tensor) {
	rows := *f.zeros
	rows.Rows, rows.Stride = out.Rows, 0
	l.Copy(&rows, out)
}

// blended records what every block and the head read: yhat [n, (L+1)·Vector] → [n, (L+1)·D].
func (f *Flux) blended(l *op.List, yhat *op.Tensor) *op.Tensor {
	if f.scales == nil {
		return yhat
	}
	d, v := f.Hidden, f.vectorWidth()
	out := l.Temp(yhat.Rows, (f.blocks()+1)*d)
	for n := range f.blocks() {
		scale := *f.scales.Slice(n, n+1)
		scale.Rows, scale.Stride = yhat.Rows, 0
		psi := l.Gated(yhat.Columns(n*v+d, (n+1)*v), &scale, op.None, op.Counted{}, nil) // [n, D]
		l.Add(yhat.Columns(n*v, n*v+d), psi, out.Columns(n*d, (n+1)*d))
	}
	at := f.blocks()
	l.Copy(yhat.Columns(at*v, at*v+d), out.Columns(at*d, (at+1)*d))
	return out
}
