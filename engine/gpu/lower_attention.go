package gpu

import (
	"math"

	"undertone/engine/op"
)

// Below this many workgroups a GPU has idle cores, and a smaller tile is taken.
const fewGroups = 64

func lowerAttention(n *op.AttentionOp, caps Caps) ([]Launch, error) {
	y, size4 := n.Y, n.HeadDim/4
	causal := 0
	if n.Causal {
		causal = 1
	}
	scale := float32(float64(n.Scale) * math.Log2E)
	var c constants
	l := Launch{Bind: []Binding{{Storage: y.Storage, Write: true}}}
	if caps.CPU {
		const group = 4 // of four queries each
		c.u32("WORKGROUP", group)
		c.u32("SIZE4", size4)
		l.Kernel = Kernel{File: "attention_cpu", Libs: []string{"mac"}, Prelude: string(c)}
		l.Params = words(y.Rows, y, n.Heads*size4, causal, scale)
		l.Groups = [3]int{(y.Rows + 4*group - 1) / (4 * group), n.Heads, 1}
		return []Launch{l}, nil
	}
	// Four queries per thread and 8 or 4 rows of threads.
	ty := 8
	if (y.Rows+31)/32*n.Heads < fewGroups {
		ty = 4
	}
	chunks := (size4 + 7) / 8
	c.u32("TY", ty)
	c.u32("CHUNKS", chunks)
	c.u32("CHUNK", (size4+chunks-1)/chunks)
	l.Kernel = Kernel{File: "attention", Libs: []string{"mac"}, Prelude: string(c)}
	l.Params = words(y.Rows, y, n.Heads*size4, size4, causal, scale)
	l.Groups = [3]int{(y.Rows + 4*ty - 1) / (4 * ty), n.Heads, 1}
	return []Launch{l}, nil
}
