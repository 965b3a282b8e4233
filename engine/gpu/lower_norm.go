package gpu

import "undertone/engine/op"

// lanesFor is how many threads share a row of width vec4s: the largest power of
// two that leaves each at least one of them, at most limit.
func lanesFor(width, limit int) int {
	lanes := 1
	for 2*lanes <= width && 2*lanes <= limit {
		lanes *= 2
	}
	return lanes
}

// rowGroup is the workgroup in which lanes threads share a row: at least two
// subgroups of any GPU's size; few threads where each has a row of its own, so
// that short matrices still reach every core of a CPU.
func rowGroup(lanes int) (threads int, reduce string) {
	if lanes == 1 {
		return 16, "reduce_alone"
	}
	return max(64, lanes), "reduce"
}

func layerNormAlone(n *op.LayerNormOp, _ Caps) []Launch { return layerNorm(n, 1) }
func layerNormLanes(n *op.LayerNormOp, _ Caps) []Launch {
	return layerNorm(n, lanesFor(quads(n.X.Cols), 128))
}

// layerNorm gives a row to so many threads.
func layerNorm(n *op.LayerNormOp, lanes int) []Launch {
	x, weight, bias, out := n.X, n.Weight, n.Bias, n.Out
	group, reduce := rowGroup(lanes)
	kind := 0
	if weight != nil {
		kind = 1
		if n.OnePlus {
			kind = 2
		}
	}
	var c constants
	c.u32("WORKGROUP", group)
	c.u32("LANES", lanes)
	c.u32("WEIGHT", kind)
	c.flag("BIAS", bias != nil)
	l := Launch{
		Kernel: Kernel{File: "layer_norm", Libs: []string{"keep", "store", reduce}, Prelude: string(c)},
		Bind:   []Binding{{Storage: out.Storage, Write: true}, {Storage: x.Storage}},
		Groups: fold(x.Rows, group/lanes),
	}
	l.Params = words(x.Rows, x.Cols, out, x, l.vector(weight, x), l.vector(bias, x), n.Eps)
	return []Launch{l}
}

// vector binds v, or other where v is absent, and returns its offset in vec4s.
func (l *Launch) vector(v, other *op.Tensor) int {
	if v == nil {
		v = other
	}
	l.Bind = append(l.Bind, Binding{Storage: v.Storage})
	return v.Offset / 4
}

func qkNormRoPEAlone(n *op.QKNormRoPEOp, _ Caps) []Launch { return qkNormRoPE(n, 1) }
func qkNormRoPELanes(n *op.QKNormRoPEOp, _ Caps) []Launch {
	return qkNormRoPE(n, lanesFor(n.HeadDim/4, 32))
}

// qkNormRoPE gives a head's row to so many threads.
func qkNormRoPE(n *op.QKNormRoPEOp, lanes int) []Launch {
	qw, kw, rope, y := n.QueryWeight, n.KeyWeight, n.Rope, n.Y
	other := qw // stands in for what is absent
	if other == nil {
		other = rope
	}
	if other == nil {
		return nil // neither norm nor rotation
	}
	size4 := n.HeadDim / 4
	group, reduce := rowGroup(lanes)
	var c constants
	c.u32("WORKGROUP", group)
	c.u32("LANES", lanes)
	c.u32("SIZE4", size4)
	c.flag("NORM", qw != nil)
	c.flag("ROPE", rope != nil)
	l := Launch{
		Kernel: Kernel{File: "qk_norm_rope", Libs: []string{reduce}, Prelude: string(c)},
		Bind:   []Binding{{Storage: y.Storage, Write: true}},
		Groups: fold(y.Rows*2*n.Heads, group/lanes),
	}
	qwAt, kwAt := l.vector(qw, other), l.vector(kw, other)
	l.vector(rope, other)
	if rope == nil {
		rope = other
	}
	l.Params = words(y.Rows, n.Heads, y, qwAt, kwAt, rope, n.Eps)
	return []Launch{l}
}

func rmsNormAlone(n *op.RMSNormOp, _ Caps) []Launch { return rmsNorm(n, 1) }
func rmsNormLanes(n *op.RMSNormOp, _ Caps) []Launch {
	return rmsNorm(n, lanesFor(quads(n.X.Cols), 128))
}

// rmsNorm gives a row to so many threads.
func rmsNorm(n *op.RMSNormOp, lanes int) []Launch {
	group, reduce := rowGroup(lanes)
	kind := 0
	if n.Weight != nil {
		kind = 1 + flag(n.OnePlus)
	}
	var c constants
	c.u32("WORKGROUP", group)
	c.u32("LANES", lanes)
	c.u32("WEIGHT", kind)
	l := Launch{
		Kernel: Kernel{File: "rms_norm", Libs: []string{"keep", "store", reduce}, Prelude: string(c)},
		Bind:   []Binding{{Storage: n.Out.Storage, Write: true}, {Storage: n.X.Storage}},
		Groups: fold(n.X.Rows, group/lanes),
	}
	l.Params = words(n.X.Rows, n.X.Cols, n.Out, n.X, l.vector(n.Weight, n.X), n.Eps)
	return []Launch{l}
}

// lowerGroupMoments gives each group of each stretch a workgroup.
func lowerGroupMoments(n *op.GroupMomentsOp, _ Caps) []Launch {
	return []Launch{{
		Kernel: Kernel{File: "group_moments"},
		Bind:   []Binding{{Storage: n.Out.Storage, Write: true}, {Storage: n.X.Storage}},
		Params: words(n.X.Rows, n.Stretch(), n.X.Cols/n.Groups, n.X.Offset, n.X.Stride, n.Out),
		Groups: [3]int{n.Groups, n.Out.Rows, 1},
	}}
}

// lowerGroupNorm joins the moments of all stretches and applies them, to several pixels
// in a thread.
func lowerGroupNorm(n *op.GroupNormOp, _ Caps) []Launch {
	const pixels = 16
	x, m := n.X, n.Moments
	var c constants
	c.u32("ACT", int(n.Act))
	c.u32("PIXELS", pixels)
	l := mapped("group_norm", []string{"activation"}, c, n.Out, nil, []*op.Tensor{x, m, n.Weight, n.Bias},
		words(x.Rows, x.Cols, n.Out, x, n.Weight.Offset/4, n.Bias.Offset/4, m, m.Rows, x.Cols/n.Groups(), n.Eps))
	l.Groups = fold(op.CeilDiv(x.Rows, pixels)*quads(x.Cols), threads)
	return []Launch{l}
}
