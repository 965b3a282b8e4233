package op

// LayerNormOp is (x − mean)/√(var + eps) · weight + bias over each row.
type LayerNormOp struct {
	X, Weight, Bias *Tensor // [R, C], [1, C] or nil, [1, C] or nil
	Eps             float32
	OnePlus         bool // the weight is 1 + Weight
	Out             *Tensor
}

func (n *LayerNormOp) Kind() Kind        { return LayerNorm }
func (n *LayerNormOp) Output() *Tensor   { return n.Out }
func (n *LayerNormOp) Inputs() []*Tensor { return []*Tensor{n.X, n.Weight, n.Bias} }

// LayerNorm records (x − mean)/√(var + eps) · weight + bias over each row; with
// onePlus, weight is 1 + scale (AdaLN's modulate, DiT, arXiv 2212.09748). Weight and bias
// are [1, C] or nil. out may be nil (a new temporary) but not x.
func (l *List) LayerNorm(x, weight, bias *Tensor, eps float32, onePlus bool, out *Tensor) *Tensor {
	l.vector(LayerNorm, "weight", weight, x.Cols)
	l.vector(LayerNorm, "bias", bias, x.Cols)
	if x.Same(out) {
		l.fail(LayerNorm, "x must not be the output")
	}
	o := l.out(LayerNorm, out, x.Rows, x.Cols)
	return l.record(&LayerNormOp{X: x, Weight: weight, Bias: bias, Eps: eps, OnePlus: onePlus, Out: o})
}
