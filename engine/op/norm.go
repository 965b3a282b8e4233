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

// RMSNormOp is x/√(mean(x²) + eps) · weight over each row.
type RMSNormOp struct {
	X, Weight *Tensor // [R, C], [1, C] or nil
	Eps       float32
	OnePlus   bool // the weight is 1 + Weight
	Out       *Tensor
}

func (n *RMSNormOp) Kind() Kind        { return RMSNorm }
func (n *RMSNormOp) Output() *Tensor   { return n.Out }
func (n *RMSNormOp) Inputs() []*Tensor { return []*Tensor{n.X, n.Weight} }

// RMSNorm records x/√(mean(x²) + eps) · weight over each row (arXiv 1910.07467); with
// onePlus, weight is 1 + scale. weight is [1, C] or nil. out may be nil but not x.
func (l *List) RMSNorm(x, weight *Tensor, eps float32, onePlus bool, out *Tensor) *Tensor {
	l.vector(RMSNorm, "weight", weight, x.Cols)
	if x.Same(out) {
		l.fail(RMSNorm, "x must not be the output")
	}
	o := l.out(RMSNorm, out, x.Rows, x.Cols)
	return l.record(&RMSNormOp{X: x, Weight: weight, Eps: eps, OnePlus: onePlus, Out: o})
}

// GroupNormOp is act((x − mean)/√(var + eps) · weight + bias), mean and variance over
// all pixels of a group of neighbouring channels.
type GroupNormOp struct {
	X, Weight, Bias *Tensor // [H·W, C], [1, C], [1, C]
	Groups          int
	Eps             float32
	Act             Act
	Out             *Tensor // [H·W, C]
	Moments         *Tensor // [parts, 2·Groups], for backends that take the moments of stretches of pixels first
}

// GroupNormParts is in how many stretches of pixels the moments are taken.
const GroupNormParts = 64

func (n *GroupNormOp) Kind() Kind        { return GroupNorm }
func (n *GroupNormOp) Output() *Tensor   { return n.Out }
func (n *GroupNormOp) Inputs() []*Tensor { return []*Tensor{n.X, n.Weight, n.Bias, n.Moments} }

// GroupNorm records the group norm (arXiv 1803.08494) of an image, channels last. C is
// a multiple of groups. out may be nil but not x.
func (l *List) GroupNorm(x, weight, bias *Tensor, groups int, eps float32, act Act, out *Tensor) *Tensor {
	if groups < 1 || x.Cols%groups != 0 {
		l.fail(GroupNorm, "%d channels in %d groups", x.Cols, groups)
		return x
	}
	if weight == nil || bias == nil || x.Same(out) {
		l.fail(GroupNorm, "weight %s and bias %s must be given, and x must not be the output", weight, bias)
		return x
	}
	l.vector(GroupNorm, "weight", weight, x.Cols)
	l.vector(GroupNorm, "bias", bias, x.Cols)
	o := l.out(GroupNorm, out, x.Rows, x.Cols)
	moments := l.Temp(min(GroupNormParts, x.Rows), 2*groups)
	return l.record(&GroupNormOp{X: x, Weight: weight, Bias: bias, Groups: groups, Eps: eps, Act: act, Out: o, Moments: moments})
}
