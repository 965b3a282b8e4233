package gpu

import "undertone/engine/op"

func lowerUpsample(n *op.UpsampleOp, _ Caps) []Launch {
	x, out := n.X, n.Out
	return []Launch{mapped("upsample", nil, "", out, nil, []*op.Tensor{x}, words(out.Rows, out.Cols, out, x, n.Width))}
}

// lowerUnfold binds x as single numbers: four neighbours of a row are four taps.
func lowerUnfold(n *op.UnfoldOp, _ Caps) []Launch {
	x, out, w := n.X, n.Out, n.Window
	return []Launch{mapped("unfold", nil, "", out, nil, []*op.Tensor{x}, words(out.Rows, out.Cols, out, x.Offset, x.Stride,
		n.Size[0], n.Size[1], n.Size[2], w.Kernel[0], w.Kernel[1], w.Kernel[2], w.Stride[0], w.Stride[1], w.Stride[2],
		w.Before[0], w.Before[1], w.Before[2], w.Out[1], w.Out[2]))}
}

func lowerPatchify(n *op.PatchifyOp, _ Caps) []Launch {
	return patches(n.Pixels, n.Tokens, true, n.ChannelLast, n.Width, n.Patch)
}

func lowerUnpatchify(n *op.UnpatchifyOp, _ Caps) []Launch {
	return patches(n.Tokens, n.Pixels, false, n.ChannelLast, n.Width, n.Patch)
}

// patches binds x as single numbers: four neighbours of a patch come from four pixels.
func patches(x, out *op.Tensor, tokens, channelLast bool, width, patch int) []Launch {
	var c constants
	c.flag("TOKENS", tokens)
	c.flag("CHANNEL_LAST", channelLast)
	return []Launch{mapped("patches", nil, c, out, nil, []*op.Tensor{x},
		words(out.Rows, out.Cols, out, x.Offset, x.Stride, width, patch))}
}

func lowerToRGBA(n *op.ToRGBAOp, _ Caps) []Launch {
	x, out := n.X, n.Out
	var c constants
	c.u32("WORKGROUP", threads)
	return []Launch{{
		Kernel: Kernel{File: "to_rgba", Libs: []string{"place"}, Prelude: string(c)},
		Bind:   []Binding{{Storage: out.Storage, Write: true}, {Storage: x.Storage}},
		Params: words(x.Rows, out.Offset, x, n.Scale, n.Bias),
		Groups: fold(x.Rows, threads),
	}}
}

// undoubled are the nodes of a list in which a convolution right after Upsample reads the picture
// before it, for which there is then nil. It must be the only one to read what Upsample makes.
func undoubled(nodes []op.Node) []op.Node {
	out, views := append([]op.Node{}, nodes...), map[*op.Storage]int{}
	for _, n := range nodes {
		for _, t := range append(n.Inputs(), n.Output()) {
			if t != nil {
				views[t.Storage]++
			}
		}
	}
	for i, n := range nodes {
		up, ok := n.(*op.UpsampleOp)
		if !ok || i+1 == len(nodes) {
			continue
		}
		conv, ok := nodes[i+1].(*op.Conv3x3Op)
		if !ok || up.Out.Storage.Class != op.Temp || conv.X.Storage != up.Out.Storage || views[up.Out.Storage] != 2 || conv.Out.Storage == up.X.Storage {
			continue
		}
		line := 2 * up.Width * up.Out.Stride // of the picture that Upsample would make
		skip := conv.X.Offset - up.Out.Offset
		if conv.Width != 2*up.Width || conv.X.Cols != up.Out.Cols || skip%line != 0 {
			continue
		}
		c := *conv
		c.X, c.Halved, c.Skip = up.X, 1, skip/line
		out[i], out[i+1] = nil, &c
	}
	return out
}
