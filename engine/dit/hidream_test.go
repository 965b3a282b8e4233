package dit

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// published HiDream-I1: Llama's layers, the last of which is read by the blocks behind it.
func hidreamI1() HiDreamConfig {
	c := HiDreamConfig{InChannels: 16, Layers: 16, Single: 32, HeadDim: 128, Heads: 20, Captions: []int{4096, 4096}, PooledDim: 2048,
		Experts: 4, Active: 2, AxesDim: []int{64, 32, 32}, Resolution: []int{128, 128}}
	for n := range 48 {
		c.LlamaLayers = append(c.LlamaLayers, min(n, 31))
	}
	return c
}

// The published model loads with the 17 billion parameters that it is published with, and a
// picture that is not square records without an error of shape, padded or not.
func TestPublishedHiDream(t *testing.T) {
	for _, unpadded := range []bool{false, true} {
		var w described
		c := hidreamI1()
		c.Unpadded = unpadded
		h, err := LoadHiDream(c, &w)
		if err != nil {
			t.Fatal(err)
		}
		if got := float64(w.elems) / 1e9; math.Abs(got-17.1) > 0.1 {
			t.Errorf("%.3f billion parameters, published with 17", got)
		}
		r, err := h.Fit(Parts{[]Encoder{{"clip_l", 77, 768, 768, 1}, {"clip_g", 77, 1280, 1280, 1}, {"t5", 128, 4096, 0, 1}, {"llama", 128, 4096, 0, 32}}, 16})
		if err != nil || r.Tokens != 128+48*128 || r.Lead != 128 || !slices.Equal(r.Pooled, []string{"clip_l", "clip_g"}) {
			t.Fatalf("%+v, %v", r, err)
		}
		fixed := func(name string, r, c int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, r, c) }
		l := op.NewList("pass")
		table, width := h.Positions(r.Tokens, 48, 64)
		if len(table) != 48*64*128 || width != 128 {
			t.Errorf("%d positions of %d", len(table), width)
		}
		h.Velocity(l, Pass{Context: fixed("context", r.Tokens, 2560), Lead: r.Lead, Latent: fixed("latent", 48*64, 64), Mod: fixed("mod", 1, h.Shape().Modulation),
			Positions: fixed("positions", 48*64, 128), Rows: 48, Cols: 64, Limit: op.PortableBinding})
		if l.Err() != nil {
			t.Fatal(l.Err())
		}
		if _, largest := l.TempBytes(); largest > op.PortableBinding {
			t.Errorf("the largest tensor has %d bytes", largest)
		}
		rows := map[bool]int{false: 4096, true: 48 * 64}[unpadded] + 3*128
		if x := l.Nodes[1]; !slices.ContainsFunc(l.Nodes, func(n op.Node) bool { return n.Output().Rows == rows && n.Output().Cols == 2560 }) {
			t.Errorf("no stream of %d rows: %v", rows, x.Output())
		}
	}
}

// What does not belong together is named with both numbers.
func TestHiDreamFits(t *testing.T) {
	h := &HiDream{HiDreamConfig: hidreamI1()}
	clips := []Encoder{{"clip_l", 77, 768, 768, 1}, {"clip_g", 77, 1280, 1280, 1}}
	t5, llama := Encoder{"t5", 128, 4096, 0, 1}, Encoder{"llama", 128, 4096, 0, 32}
	for want, encoders := range map[string][]Encoder{
		"gives the states of 28 layers, the transformer reads 32":   append(clips[:2:2], t5, Encoder{"llama", 128, 4096, 0, 28}),
		"gives token states of 2048, the transformer reads 4096":    append(clips[:2:2], t5, Encoder{"llama", 128, 2048, 0, 32}),
		"gives vectors of 768 together, the transformer reads 2048": {clips[0], t5, llama},
		"one of which is missing among 3 text encoders":             append(clips[:2:2], t5),
		`reads nothing of the text encoder "t5" beside the others`:  append(clips[:2:2], t5, t5, llama),
		"the decoder's latent has 4 channels, the transformer's 16": nil,
	} {
		channels := 16
		if encoders == nil {
			channels = 4
		}
		want = strings.ReplaceAll(want, "gives vectors", "give vectors")
		if _, err := h.Fit(Parts{encoders, channels}); !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// A mixture of experts is what one token at a time gives, in strips and as a whole.
func TestHiDreamExperts(t *testing.T) {
	const rows, d, f, count, active = 23, 8, 12, 5, 2
	be := cpu.New(cpu.Options{})
	defer be.Close()
	w := &random{be: be, t: t, rng: rand.New(rand.NewPCG(1, 2)), named: map[string][]float32{}}
	m := experts{active: active, router: loadLinear(w, "gate", count, d, false), shared: loadGatedMLP(w, "shared", d, f)}
	for n := range count {
		m.routed = append(m.routed, loadGatedMLP(w, string(rune('a'+n)), d, f))
	}
	in, stream, gate := w.numbers(rows*d), w.numbers(rows*d), w.numbers(d)
	for _, limit := range []int64{0, 4 * f * 5} {
		fixed := func(name string, r, c int, values []float32) *op.Tensor {
			x, err := be.New(name, op.F32, r, c)
			if err == nil {
				err = be.Write(x, values)
			}
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		l := op.NewList("experts")
		x := fixed("x", rows, d, stream)
		m.record(l, fixed("n", rows, d, in), x, fixed("gate", 1, d, gate), limit)
		p, err := be.Compile(context.Background(), l)
		if err == nil {
			err = p.Run(context.Background())
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := be.Read(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		for r := range rows {
			want := slowExperts(w.named, in[r*d:(r+1)*d], count, active)
			for c, v := range want {
				exact := float64(stream[r*d+c]) + float64(gate[c])*v
				if math.Abs(float64(got[r*d+c])-exact) > 1e-4*(1+math.Abs(exact)) {
					t.Fatalf("limit %d, row %d, column %d: %g, want %g", limit, r, c, got[r*d+c], exact)
				}
			}
		}
	}
}

// slowExperts is shared(x) + Σ p·routed(x) over the experts of highest probability.
func slowExperts(w map[string][]float32, x []float32, count, active int) []float64 {
	product := func(name string, x []float64) []float64 {
		m := w[name+".weight"]
		out := make([]float64, len(m)/len(x))
		for i := range out {
			for k, v := range x {
				out[i] += float64(m[i*len(x)+k]) * v
			}
		}
		return out
	}
	var in []float64
	for _, v := range x {
		in = append(in, float64(v))
	}
	mlp := func(name string) []float64 {
		gate, up := product(name+".w1", in), product(name+".w3", in)
		for i := range gate {
			gate[i] *= up[i] / (1 + math.Exp(-gate[i]))
		}
		return product(name+".w2", gate)
	}
	out, logits := mlp("shared"), product("gate", in)
	order, sum := make([]int, count), 0.0
	for i, v := range logits {
		order[i] = i
		sum += math.Exp(v)
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, logits[b]-logits[a])) })
	for _, e := range order[:active] {
		for i, v := range mlp(string(rune('a' + e))) {
			out[i] += math.Exp(logits[e]) / sum * v
		}
	}
	return out
}
