package conform

import (
	"math"
	"math/rand/v2"
	"testing"

	"undertone/engine/dit"
)

// The gradient that a tape computes is the slope that differences show: of a network of
// another shape than the reference's, by what its blocks are given.
func TestTapeGradients(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(rows, cols int, scale float64) *matrix {
		x := make([]float64, rows*cols)
		for i := range x {
			x[i] = scale * rng.NormFloat64()
		}
		return constantOf(rows, cols, x)
	}
	net := &dit.Cosmos{CosmosConfig: dit.CosmosConfig{InChannels: 4, Heads: 3, HeadDim: 12, Layers: 2, MLPRatio: 2, ContextDim: 20, LoRA: 4,
		MaxSize: []int{4, 8, 8}, RopeScale: []float64{1, 3, 2}, PaddingMask: true}}
	m := &exactCosmos{net, map[string]*matrix{}}
	const d = 36
	for name, size := range map[string][2]int{"x_embedder.proj.1": {d, 20}, "t_embedder.1.linear_1": {d, d}, "t_embedder.1.linear_2": {3 * d, d}, "t_embedding_norm": {1, d},
		"final_layer.adaln_modulation.1": {4, d}, "final_layer.adaln_modulation.2": {2 * d, 4}, "final_layer.linear": {16, d}} {
		m.all[name+".weight"] = random(size[0], size[1], 0.3)
	}
	for _, at := range []string{"blocks.0.", "blocks.1."} {
		for _, part := range []string{"self_attn", "cross_attn", "mlp"} {
			m.all[at+"adaln_modulation_"+part+".1.weight"], m.all[at+"adaln_modulation_"+part+".2.weight"] = random(4, d, 0.3), random(3*d, 4, 0.3)
		}
		for part, in := range map[string]int{"self_attn": d, "cross_attn": 20} {
			for name, cols := range map[string]int{"q": d, "k": in, "v": in, "output": d} {
				m.all[at+part+"."+name+"_proj.weight"] = random(d, cols, 0.3)
			}
			m.all[at+part+".q_norm.weight"], m.all[at+part+".k_norm.weight"] = random(1, 12, 1), random(1, 12, 1)
		}
		m.all[at+"mlp.layer1.weight"], m.all[at+"mlp.layer2.weight"] = random(2*d, d, 0.3), random(d, 2*d, 0.3)
	}
	tokens, text, along := random(6, 16, 1), random(5, 20, 1), random(6, 16, 1)
	table := net.FilmPositions(1, 2, 3, 0)
	added := []*matrix{random(1, 3*d, 0.3).wanted(), random(1, 3*d, 0.3).wanted()}
	result := func(t *tape) *matrix { return m.velocity(t, tokens, text, 0.4, table, added) }
	record := new(tape)
	record.gradients(result(record), along.x) // of the sum of velocity ⊙ along

	const step = 1e-5
	for block, a := range added {
		norm := math.Sqrt(dot(a.grad, a.grad) / float64(len(a.grad)))
		for i := block; i < len(a.x); i += 7 {
			var at [2]float64
			for side, move := range []float64{-step, 2 * step} {
				a.x[i] += move
				at[side] = dot(result(new(tape)).x, along.x)
			}
			a.x[i] -= step
			if slope := (at[1] - at[0]) / (2 * step); math.Abs(slope-a.grad[i]) > 1e-8*norm {
				t.Errorf("block %d, number %d: the gradient is %g, differences show %g", block, i, a.grad[i], slope)
			}
		}
	}
}
