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

// GroupMomentsOp are the moments of groups of neighbouring channels over stretches of
// pixels, from which GroupNorm has mean and variance. A picture in pieces has the
// moments of all of them in one tensor, each piece's in rows of its own.
type GroupMomentsOp struct {
	X      *Tensor // [pixels, C]
	Groups int
	// Out is [stretches, 4·Groups], for each group: how many values; the stretch's first
	// value; the mean and the sum of squared differences from it, of the values less the first.
	Out *Tensor
}

func (n *GroupMomentsOp) Kind() Kind        { return GroupMoments }
func (n *GroupMomentsOp) Output() *Tensor   { return n.Out }
func (n *GroupMomentsOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// Stretch is how many pixels a stretch has; the last may have fewer.
func (n *GroupMomentsOp) Stretch() int { return CeilDiv(n.X.Rows, n.Out.Rows) }

// GroupMoments records the moments of x [pixels, C] for GroupNorm over as many equal
// stretches of pixels as out [stretches, 4·groups] has rows; C is a multiple of groups.
func (l *List) GroupMoments(x *Tensor, groups int, out *Tensor) *Tensor {
	if groups < 1 || x.Cols%groups != 0 || out == nil {
		l.fail(GroupMoments, "%d channels in %d groups to %s", x.Cols, groups, out)
		return x
	}
	n := &GroupMomentsOp{X: x, Groups: groups, Out: l.out(GroupMoments, out, out.Rows, 4*groups)}
	if out.Rows < 1 || (out.Rows-1)*n.Stretch() >= x.Rows {
		l.fail(GroupMoments, "x %s in %d stretches of equal length", x, out.Rows)
		return out
	}
	return l.record(n)
}

// GroupNormOp is act((x − mean)/√(var + eps) · weight + bias), mean and variance of
// groups of neighbouring channels over all pixels that Moments were taken of.
type GroupNormOp struct {
	X, Moments, Weight, Bias *Tensor // [pixels, C], [stretches, 4·groups], [1, C], [1, C]
	Eps                      float32
	Act                      Act
	Out                      *Tensor // [pixels, C]
}

func (n *GroupNormOp) Kind() Kind        { return GroupNorm }
func (n *GroupNormOp) Output() *Tensor   { return n.Out }
func (n *GroupNormOp) Inputs() []*Tensor { return []*Tensor{n.X, n.Moments, n.Weight, n.Bias} }

// Groups is how many groups the channels make.
func (n *GroupNormOp) Groups() int { return n.Moments.Cols / 4 }

// GroupNorm records the group norm (arXiv 1803.08494) of an image or a piece of one,
// channels last. moments are those of the whole image, see GroupMoments. out may be nil but not x.
func (l *List) GroupNorm(x, moments, weight, bias *Tensor, eps float32, act Act, out *Tensor) *Tensor {
	if groups := moments.Cols / 4; groups < 1 || moments.Cols%4 != 0 || x.Cols%groups != 0 {
		l.fail(GroupNorm, "%d channels, moments %s", x.Cols, moments)
		return x
	}
	if weight == nil || bias == nil || x.Same(out) {
		l.fail(GroupNorm, "weight %s and bias %s must be given, and x must not be the output", weight, bias)
		return x
	}
	l.vector(GroupNorm, "weight", weight, x.Cols)
	l.vector(GroupNorm, "bias", bias, x.Cols)
	o := l.out(GroupNorm, out, x.Rows, x.Cols)
	return l.record(&GroupNormOp{X: x, Moments: moments, Weight: weight, Bias: bias, Eps: eps, Act: act, Out: o})
}
