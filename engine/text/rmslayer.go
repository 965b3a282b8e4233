package text

import "undertone/engine/op"

// rmsLayer is a layer of T5 or Llama, pre-norm and without biases: attention, then an MLP
// with a gate or, in T5 1.0, without.
type rmsLayer struct {
	norm1, norm2 *op.Tensor // [1, C]
	q, k, v      *op.Tensor // [A, C], [KV, C], [KV, C]
	out          *op.Tensor // [C, A]
	gate, up     *op.Tensor // [F, C]; gate nil: there is none
	down         *op.Tensor // [C, F]
}

// rmsNames are the names of a layer's weights, in the order of its fields.
type rmsNames struct{ norm1, norm2, q, k, v, out, gate, up, down string }

// loadRMSLayer asks for the weights under at: d is the stream's width, a that of queries, kv
// that of keys and of values, f that of the MLP.
func loadRMSLayer(weights op.Weights, at string, n rmsNames, d, a, kv, f int) rmsLayer {
	norm := func(name string) *op.Tensor { return weights.Get(at+name+".weight", op.UseVector, 1, d) }
	matrix := func(name string, out, in int) *op.Tensor {
		return weights.Get(at+name+".weight", op.UseMatrix, out, in)
	}
	b := rmsLayer{norm1: norm(n.norm1), norm2: norm(n.norm2), q: matrix(n.q, a, d), k: matrix(n.k, kv, d), v: matrix(n.v, kv, d), out: matrix(n.out, d, a)}
	if n.gate != "" {
		b.gate = matrix(n.gate, f, d)
	}
	b.up, b.down = matrix(n.up, f, d), matrix(n.down, d, f)
	return b
}

// behind records what comes behind the layer's attention [T, A], into the stream x [T, C].
func (b rmsLayer) behind(l *op.List, attn, x *op.Tensor, eps float32, act op.Act) {
	l.MatMul(attn, b.out, op.Epilogue{Residual: x, Out: x}) // [T, C]
	h := l.RMSNorm(x, b.norm2, eps, false, nil)             // [T, C]
	if b.gate == nil {
		h = l.MatMul(h, b.up, op.Epilogue{Act: act}) // [T, F]
	} else {
		gate := l.MatMul(h, b.gate, op.Epilogue{})     // [T, F]
		up := l.MatMul(h, b.up, op.Epilogue{})         // [T, F]
		h = l.Gated(gate, up, act, op.Counted{}, gate) // [T, F]
	}
	l.MatMul(h, b.down, op.Epilogue{Residual: x, Out: x}) // [T, C]
}
