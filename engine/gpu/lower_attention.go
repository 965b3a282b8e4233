package gpu

import (
	"math"

	"undertone/engine/op"
)

// Below this many workgroups a GPU has idle cores, and a smaller tile is taken.
const fewGroups = 64

// attentionLaunch binds y, which holds everything; offsets and strides follow the
// number of rows.
func attentionLaunch(n *op.AttentionOp, file string, c constants, queries int, extra ...any) []Launch {
	causal := 0
	if n.Causal {
		causal = 1
	}
	scale := float32(float64(n.Scale) * math.Log2E)
	params := append([]any{n.Y.Rows, n.Y, n.Heads * n.HeadDim / 4}, extra...)
	return []Launch{{
		Kernel: Kernel{File: file, Libs: []string{"mac"}, Prelude: string(c)},
		Bind:   []Binding{{Storage: n.Y.Storage, Write: true}},
		Params: words(append(params, causal, scale)...),
		Groups: [3]int{ceilDiv(n.Y.Rows, queries), n.Heads, 1},
	}}
}

// attentionCPU gives a thread four queries.
func attentionCPU(n *op.AttentionOp, _ Caps) []Launch {
	const group = 4
	var c constants
	c.u32("WORKGROUP", group)
	c.u32("SIZE4", n.HeadDim/4)
	return attentionLaunch(n, "attention_cpu", c, 4*group)
}

// attentionTile gives a thread four queries, too, and a workgroup 8 or 4 rows of threads.
func attentionTile(n *op.AttentionOp, _ Caps) []Launch {
	ty, size4 := 8, n.HeadDim/4
	if ceilDiv(n.Y.Rows, 32)*n.Heads < fewGroups {
		ty = 4
	}
	chunks := ceilDiv(size4, 8)
	var c constants
	c.u32("TY", ty)
	c.u32("CHUNKS", chunks)
	c.u32("CHUNK", ceilDiv(size4, chunks))
	return attentionLaunch(n, "attention", c, 4*ty, size4)
}
