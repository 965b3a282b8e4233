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
	return []Launch{mapped("gather", nil, "", n.Out, nil, []*op.Tensor{n.X, n.List},
		words(n.Out.Rows, n.Out.Cols, n.Out, n.X, n.List.Offset))}
}

func lowerScatterAdd(n *op.ScatterAddOp, _ Caps) []Launch {
	var c constants
	c.flag("GATED", n.Gate != nil)
	gate := n.Gate
	if gate == nil {
		gate = n.Y // stands in for what is absent
	}
	// The threads lie over y, which has as many rows as x.
	return []Launch{mapped("scatter_add", nil, c, n.X, nil, []*op.Tensor{n.Y, n.List, n.Share, gate},
		words(n.X.Rows, n.X.Cols, n.X, n.Y, n.List.Offset, n.Share.Offset, gate.Offset/4))}
}
