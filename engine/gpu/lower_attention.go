package gpu

import (
	"fmt"
	"math"

	"undertone/engine/op"
)

// Below this many workgroups a GPU has idle cores, and a smaller tile is taken.
const fewGroups = 64

// packed is what the kernels take that see q | k | v | out in one tensor.
func packed(n *op.AttentionOp) bool {
	_, ok := n.Packed()
	return ok && n.KVHeads == n.Heads && n.Bias == nil && n.Mask == nil
}

// packedSmall is packed with heads that a tile of workgroup memory holds.
func packedSmall(n *op.AttentionOp) bool { return packed(n) && n.HeadDim <= 128 }

// apart is what the kernel takes that binds each tensor by itself, once for writing.
func apart(n *op.AttentionOp) bool {
	return n.Out.Storage != n.Q.Storage && n.Out.Storage != n.K.Storage && n.Out.Storage != n.V.Storage
}

func packedOrApart(n *op.AttentionOp) bool { return packed(n) || apart(n) }

func attentionShape(n *op.AttentionOp) string {
	s := fmt.Sprintf("Attention %d×%d, heads %d/%d×%d", n.Q.Rows, n.K.Rows, n.Heads, n.KVHeads, n.HeadDim)
	for _, x := range []struct {
		is   bool
		word string
	}{{!packed(n), "apart"}, {n.Causal, "causal"}, {n.Bias != nil, "bias"}, {n.Mask != nil, "mask"}} {
		if x.is {
			s += ", " + x.word
		}
	}
	return s
}

// packedAttention binds y, which holds everything (see lib/packed.wgsl).
func packedAttention(n *op.AttentionOp, file string, c constants, queries int, libs ...string) []Launch {
	y, _ := n.Packed()
	return []Launch{{
		Kernel: Kernel{File: file, Libs: append(libs, "packed"), Prelude: string(c)},
		Bind:   []Binding{{Storage: y.Storage, Write: true}},
		Params: words(y.Rows, y, n.Heads*n.HeadDim/4, n.HeadDim/4, flag(n.Causal), base2(n.Scale), 0),
		Groups: [3]int{op.CeilDiv(y.Rows, queries), n.Heads, 1},
		Along:  alongX,
	}}
}

// base2 is the scale of logits for a softmax taken to base 2.
func base2(scale float32) float32 { return float32(float64(scale) * math.Log2E) }

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// attentionCPU gives a thread four queries, and the threads of a workgroup the same keys. Of
// a head over 256 wide a thread makes half of the result, for which there is room.
func attentionCPU(n *op.AttentionOp, device Caps) (launches []Launch) {
	const group, most = 4, 64
	size4 := n.HeadDim / 4
	parts := op.CeilDiv(size4, most)
	var c constants
	c.u32("WORKGROUP", group)
	c.u32("SIZE4", size4)
	c.u32("PARTS", parts)
	c.u32("COLUMNS", op.CeilDiv(size4, parts))
	if packed(n) {
		launches = packedAttention(n, "attention_cpu", c, 4*group, "mac", "f32", "scores")
	} else {
		launches = []Launch{partedAttention(n, "attention_cpu", c, 4*group, "mac", "f32", "scores")}
	}
	launches[0].Groups[1] *= parts
	launches[0].Kernel.share(device, "attention_rows")
	return launches
}

// attentionTile gives a thread four queries, too, and a workgroup 8 or 4 rows of threads.
func attentionTile(n *op.AttentionOp, _ Caps) []Launch {
	ty := 8
	if op.CeilDiv(n.Q.Rows, 32)*n.Heads < fewGroups {
		ty = 4
	}
	return attentionRows(n, ty)
}

// attentionTileOf gives every shape so many rows of threads.
func attentionTileOf(ty int) func(*op.AttentionOp, Caps) []Launch {
	return func(n *op.AttentionOp, _ Caps) []Launch { return attentionRows(n, ty) }
}

// wideShared is what 16 rows of threads take of workgroup memory, in bytes: queries, a tile,
// weights and maxima (see attention.wgsl).
const wideShared = 16 * (64*8 + 32*9 + 64*9 + 128)

func attentionRows(n *op.AttentionOp, ty int) []Launch {
	size4 := n.HeadDim / 4
	chunks := op.CeilDiv(size4, 8)
	var c constants
	c.u32("TY", ty)
	c.u32("CHUNKS", chunks)
	c.u32("CHUNK", op.CeilDiv(size4, chunks))
	return packedAttention(n, "attention", c, 4*ty, "mac", "f32")
}

// attentionViews gives a workgroup one query of one head.
func attentionViews(n *op.AttentionOp, _ Caps) []Launch {
	return []Launch{partedAttention(n, "attention_views", "", 1)}
}

// partedAttention binds q, k, v and out apart (see lib/parted.wgsl).
func partedAttention(n *op.AttentionOp, file string, c constants, queries int, libs ...string) Launch {
	c.flag("BIAS", n.Bias != nil)
	c.flag("MASK", n.Mask != nil)
	bias, biasRows := n.Bias, 0 // rows of bias from one head to the next
	if bias == nil {
		bias = n.Q
	} else if bias.Rows != n.Q.Rows {
		biasRows = n.Q.Rows
	}
	mask := n.Mask
	if mask == nil {
		mask = n.Q
	}
	return Launch{
		Kernel: Kernel{File: file, Libs: append(libs, "parted"), Prelude: string(c)},
		Bind: []Binding{{Storage: n.Out.Storage, Write: true}, {Storage: n.Q.Storage}, {Storage: n.K.Storage},
			{Storage: n.V.Storage}, {Storage: bias.Storage}, {Storage: mask.Storage}},
		Params: words(n.Q.Rows, n.K.Rows, n.HeadDim/4, n.Out, n.Q, n.K, n.V, n.Heads/n.KVHeads, flag(n.Causal), base2(n.Scale),
			bias.Offset, bias.Stride, biasRows, mask.Offset, 0),
		Groups: [3]int{op.CeilDiv(n.Q.Rows, queries), n.Heads, 1},
		Along:  alongX,
	}
}

// lowerRelativeBias binds x as single numbers: the rows of a head are shifted by one each.
func lowerRelativeBias(n *op.RelativeBiasOp, _ Caps) []Launch {
	x, out := n.X, n.Out
	return []Launch{mapped("relative_bias", nil, "", out, nil, []*op.Tensor{x}, words(out.Rows, out.Cols, out, x.Offset, x.Stride))}
}
