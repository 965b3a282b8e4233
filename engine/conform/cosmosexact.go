package conform

import (
	"fmt"

	"undertone/engine/checkpoint"
	"undertone/engine/dit"
	"undertone/engine/weights"
)

// exactCosmos is a Cosmos in float64, whose velocity has a gradient by what its blocks are
// given. Of dit's own it uses the configuration and the tables; both are compared with the
// same reference.
type exactCosmos struct {
	*dit.Cosmos
	all map[string]*matrix // weights, by the names that dit's loader has found
}

func readExact(net *dit.Cosmos, p checkpoint.Part) (*exactCosmos, error) {
	m := &exactCosmos{Cosmos: net, all: map[string]*matrix{}}
	for _, t := range p.Index.Tensors {
		x, err := weights.ReadFloat32(p.Source, t)
		if err != nil {
			return nil, err
		}
		rows := 1
		if len(t.Shape) > 1 {
			rows = max(t.Shape[0], 1)
		}
		m.all[t.Name] = constantOf(rows, len(x)/rows, x)
	}
	return m, nil
}

const exactEps = 1e-6

func (m *exactCosmos) w(format string, args ...any) *matrix {
	return m.all[fmt.Sprintf(format, args...)]
}

// velocity is the network's output [S, in] for image tokens [S, in] and a text [T, C], channels
// last within a patch; added is what the blocks get beside τ, one row each, or nil.
func (m *exactCosmos) velocity(t *tape, tokens, text *matrix, time float64, table []float32, added []*matrix) *matrix {
	d := m.Hidden()
	lora := func(e *matrix, at string) *matrix {
		return t.linear(t.linear(e, m.w("%s.1.weight", at), nil), m.w("%s.2.weight", at), nil)
	}
	sinus := constantOf(1, d, m.Time(time))
	tau := t.linear(t.each(t.linear(sinus, m.w("t_embedder.1.linear_1.weight"), nil), silu), m.w("t_embedder.1.linear_2.weight"), nil) // [1, 3D]
	e := t.each(t.mul(t.normed(sinus, false, exactEps), m.w("t_embedding_norm.weight")), silu)                                         // [1, D]
	modulated := func(x, shift, scale *matrix) *matrix {
		n := t.normed(x, true, exactEps)
		return t.add(t.add(n, t.mul(n, scale)), shift)
	}
	first := m.w("x_embedder.proj.1.weight")
	if m.PaddingMask { // the border is zeros
		first = t.columns(first, 0, tokens.cols)
	}
	x := t.linear(tokens, first, nil) // [S, D]
	for n := range m.Layers {
		y := tau
		if added != nil {
			y = t.add(tau, added[n])
		}
		part := func(name string, f func(in *matrix) *matrix) {
			mod := t.add(lora(e, fmt.Sprintf("blocks.%d.adaln_modulation_%s", n, name)), y) // [1, 3D]
			in := modulated(x, t.columns(mod, 0, d), t.columns(mod, d, 2*d))
			x = t.add(x, t.mul(f(in), t.columns(mod, 2*d, 3*d)))
		}
		attention := func(name string, in, other *matrix, table []float32) *matrix {
			at := fmt.Sprintf("blocks.%d.%s", n, name)
			heads := func(x *matrix, norm string) *matrix {
				x = t.mul(t.normed(x.of(m.HeadDim), false, m.exactQKEps()), m.w("%s.%s.weight", at, norm))
				if table != nil {
					x = t.turned(x, m.Heads, table)
				}
				return x.of(d)
			}
			q := heads(t.linear(in, m.w("%s.q_proj.weight", at), nil), "q_norm")
			k := heads(t.linear(other, m.w("%s.k_proj.weight", at), nil), "k_norm")
			v := t.linear(other, m.w("%s.v_proj.weight", at), nil)
			return t.linear(t.attend(q, k, v, m.Heads), m.w("%s.output_proj.weight", at), nil)
		}
		part("self_attn", func(in *matrix) *matrix { return attention("self_attn", in, in, table) })
		part("cross_attn", func(in *matrix) *matrix { return attention("cross_attn", in, text, nil) })
		part("mlp", func(in *matrix) *matrix {
			return t.linear(t.each(t.linear(in, m.w("blocks.%d.mlp.layer1.weight", n), nil), gelu), m.w("blocks.%d.mlp.layer2.weight", n), nil)
		})
	}
	mod := t.add(lora(e, "final_layer.adaln_modulation"), t.columns(tau, 0, 2*d))
	return t.linear(modulated(x, t.columns(mod, 0, d), t.columns(mod, d, 2*d)), m.w("final_layer.linear.weight"), nil)
}

// exactQKEps is the epsilon of the norms of q and k: diffusers' where none is told.
func (m *exactCosmos) exactQKEps() float64 {
	if m.QKEps > 0 {
		return m.QKEps
	}
	return 1e-5
}
