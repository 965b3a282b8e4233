package gpu

import "undertone/engine/op"

func lowerUpsample(n *op.Node, _ Caps) ([]Launch, error) {
	x, out := n.In[0], n.Out
	return []Launch{mapped("upsample", nil, "", out, nil, []*op.Tensor{x}, words(out.Rows, out.Cols, out, x, n.P.W))}, nil
}

func lowerPatchify(n *op.Node, _ Caps) ([]Launch, error)   { return patches(n, true), nil }
func lowerUnpatchify(n *op.Node, _ Caps) ([]Launch, error) { return patches(n, false), nil }

// patches binds x as single numbers: four neighbours of a patch come from four pixels.
func patches(n *op.Node, tokens bool) []Launch {
	x, out := n.In[0], n.Out
	var c constants
	c.flag("TOKENS", tokens)
	return []Launch{mapped("patches", nil, c, out, nil, []*op.Tensor{x},
		words(out.Rows, out.Cols, out, x.Offset, x.Stride, n.P.W, n.P.Patch))}
}

func lowerToRGBA(n *op.Node, _ Caps) ([]Launch, error) {
	x, out := n.In[0], n.Out
	var c constants
	c.u32("WORKGROUP", threads)
	return []Launch{{
		Kernel: Kernel{File: "to_rgba", Libs: []string{"place"}, Prelude: string(c)},
		Bind:   []Binding{{Storage: out.Storage, Write: true}, {Storage: x.Storage}},
		Params: words(x.Rows, out.Offset, x, n.P.Scale, n.P.Bias),
		Groups: fold(x.Rows, threads),
	}}, nil
}
