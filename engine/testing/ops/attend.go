package ops

import (
	"fmt"
	"math/rand/v2"

	"undertone/engine/op"
)

// attendCases are attention between separate tensors: other lengths of queries and
// keys, shared heads of keys and values, bias and mask, wide heads.
func attendCases() []Case {
	type at struct {
		s, t, heads, kv, size int
		causal                bool
		bias                  string // "", "shared" or "heads"
		mask                  bool
		framed                bool
	}
	var cases []Case
	for _, c := range []at{
		{s: 1, t: 1, heads: 1, kv: 1, size: 4},
		{s: 5, t: 67, heads: 2, kv: 2, size: 64, framed: true},  // cross-attention
		{s: 70, t: 3, heads: 2, kv: 1, size: 40, framed: true},  // fewer keys than queries
		{s: 33, t: 33, heads: 6, kv: 2, size: 32, causal: true}, // grouped queries (Llama)
		{s: 65, t: 65, heads: 4, kv: 1, size: 80, causal: true, mask: true, framed: true},
		{s: 31, t: 31, heads: 3, kv: 3, size: 64, bias: "heads", framed: true}, // T5
		{s: 17, t: 130, heads: 2, kv: 2, size: 20, bias: "shared", mask: true, framed: true},
		{s: 9, t: 64, heads: 2, kv: 2, size: 128, mask: true},
		{s: 12, t: 65, heads: 1, kv: 1, size: 132, framed: true},
		{s: 7, t: 129, heads: 2, kv: 1, size: 256},
		{s: 6, t: 70, heads: 1, kv: 1, size: 512, bias: "heads", framed: true}, // a decoder's attention
	} {
		name := fmt.Sprintf("views_s%d_t%d_heads%d.%dx%d", c.s, c.t, c.heads, c.kv, c.size)
		if c.causal {
			name += "_causal"
		}
		if c.bias != "" {
			name += "_bias_" + c.bias
		}
		if c.mask {
			name += "_mask"
		}
		if c.framed {
			name += "_framed"
		}
		cases = append(cases, Case{op.Attention, name, c.framed, func(r *rig) {
			n := op.AttentionOp{Heads: c.heads, KVHeads: c.kv, HeadDim: c.size, Causal: c.causal}
			n.Q = r.in(c.s, c.heads*c.size, normal(2))
			n.K, n.V = r.in(c.t, c.kv*c.size, outliers(1)), r.in(c.t, c.kv*c.size, normal(1))
			if c.bias == "shared" {
				n.Bias = r.in(c.s, c.t, normal(3))
			}
			if c.bias == "heads" {
				n.Bias = r.in(c.heads*c.s, c.t, normal(3))
			}
			if c.mask {
				// The last keys do not count, nor do some between; the first always does.
				n.Mask = r.in(1, c.t, func(_ *rand.Rand, _, col int) float32 {
					if col > c.t*3/4 || col%5 == 3 {
						return -1e30
					}
					return 0
				})
			}
			n.Out = r.out(c.s, c.heads*c.size)
			r.list.Attend(n)
		}})
	}
	return cases
}
