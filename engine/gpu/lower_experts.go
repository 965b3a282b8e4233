package gpu

import "undertone/engine/op"

// lowerRoute gives every expert a workgroup, which lists its rows in their order.
func lowerRoute(n *op.RouteOp, _ Caps) []Launch {
	x := n.Logits
	var c constants
	c.u32("EXPERTS", x.Cols)
	c.u32("ACTIVE", n.Active)
	return []Launch{{
		Kernel: Kernel{File: "route", Prelude: string(c)},
		Bind:   []Binding{{Storage: n.Out.Storage, Write: true}, {Storage: x.Storage}},
		Params: words(x.Rows, x.Offset, x.Stride, n.Out.Offset, n.Out.Stride),
		Groups: [3]int{x.Cols, 1, 1},
	}}
}

func lowerGather(n *op.GatherOp, _ Caps) []Launch {
	return eachOf(n.Counted, "gather", nil, "", n.Out, nil, []*op.Tensor{n.X},
		words(n.Out.Rows, n.Out.Cols, n.Out, n.X, n.Counted.List.Offset))
}

func lowerScatterAdd(n *op.ScatterAddOp, _ Caps) []Launch {
	var c constants
	c.flag("GATED", n.Gate != nil)
	gate := n.Gate
	if gate == nil {
		gate = n.Y // stands in for what is absent
	}
	return eachOf(n.Counted, "scatter_add", nil, c, n.X, nil, []*op.Tensor{n.Y, n.Share, gate},
		words(n.X.Rows, n.X.Cols, n.X, n.Y, n.Counted.List.Offset, n.Share.Offset, gate.Offset/4))
}

// eachOf is mapped for a kernel that goes over the rows of a list, or all, by lib/each.wgsl,
// with as many threads as there are expected to be elements.
func eachOf(counted op.Counted, file string, libs []string, c constants, out, operand *op.Tensor, others []*op.Tensor, params []uint32) []Launch {
	rows := "rows"
	if counted.List != nil {
		rows = "rows_counted"
		others = append(others, counted.List)
		c.u32("LIST", 1+len(others))
	}
	l := mapped(file, append([]string{rows, "each"}, libs...), c, out, operand, others, params)
	l.Groups = fold(counted.Expected(out.Rows)*quads(out.Cols), threads)
	return []Launch{l}
}
