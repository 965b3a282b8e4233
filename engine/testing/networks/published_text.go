package networks

import (
	"fmt"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/text"
)

// publishedCLIP compares a text encoder as FLUX reads it (final states, the pooled
// vector as it is), as SD3 does (states before the last layer, the pooled vector
// projected where the file has a projection), and a network without its last layer.
func publishedCLIP(t *testing.T, be op.Backend, p *published, limit float64) {
	c := p.json.Config
	config := text.Config{Layout: "clip", VocabSize: c.Vocabulary, HiddenSize: c.Hidden, NumLayers: c.Layers, NumHeads: c.Heads,
		Intermediate: c.MLP, MaxLength: c.Length, Activation: c.Act, BOS: c.Vocabulary - 2, EOS: c.Vocabulary - 1}
	n := p.weights.network(be, "")
	load := func(c text.Config) *text.CLIP {
		m, err := text.LoadCLIP(c, n)
		n.must(t, err)
		return m
	}
	plain, penultimate, shorter := config, config, config
	penultimate.Penultimate = true
	pooled := ".out.pooler_output"
	if _, ok := p.weights.index.Lookup("text_projection.weight"); ok {
		penultimate.Projection, pooled = c.Projection, ".out.text_embeds"
	}
	shorter.NumLayers--
	flux, sd3, short := load(plain), load(penultimate), load(shorter)
	for name := range p.json.Cases {
		want := func(what string) []float32 { return p.cases.get(name + what) }
		e := p.encode(be, flux, name)
		near(t, name+": final states", e.states, want(".out.last"), limit)
		near(t, name+": pooled", e.pooled, want(".out.last")[e.end*c.Hidden:(e.end+1)*c.Hidden], limit)
		e.layersAre(t, name, want(".out.layers"), limit)
		e = p.encode(be, sd3, name)
		near(t, name+": states before the last layer", e.states, want(".out.penultimate"), limit)
		near(t, name+pooled, e.pooled, want(pooled), limit)
		e = p.encode(be, short, name)
		near(t, name+": states before the last layer, normed", e.states, want(".out.penultimate_normed"), limit)
	}
}

// publishedT5 compares the encoder of T5 with and without a mask.
func publishedT5(t *testing.T, be op.Backend, p *published, limit float64) {
	c := p.json.Config
	for name := range p.json.Cases {
		ids, _ := p.cases.index.Lookup(name + ".in.ids")
		_, masked := p.cases.index.Lookup(name + ".in.mask")
		n := p.weights.network(be, "")
		m, err := text.LoadT5(text.T5Config{Layout: "t5", VocabSize: c.Vocabulary, Width: c.Width, HeadDim: c.HeadWidth, MLP: c.T5MLP,
			NumLayers: c.Double, NumHeads: c.T5Heads, MaxLength: ids.Shape[0], EOS: 1, Masked: masked}, n)
		n.must(t, err)
		e := p.encode(be, m, name)
		near(t, name+": final states", e.states, p.cases.get(name+".out.last"), limit)
		// The last of a T5's layers is told behind the final norm.
		e.layers[len(e.layers)-1] = e.states
		e.layersAre(t, name, p.cases.get(name+".out.layers"), limit)
	}
}

// encoded is what a text encoder gives for one prompt.
type encoded struct {
	end            int // where the pooled vector is taken
	states, pooled []float32
	layers         [][]float32 // the stream before the first layer and after each
}

// encode runs a text encoder on a case.
func (p *published) encode(be op.Backend, m engine.TextEncoder, name string) encoded {
	b := &bench{golden: p.cases, be: be}
	defer func() { be.Free(b.made...) }()
	s := m.Shape()
	ids := make([]uint32, 0, s.Tokens)
	for _, id := range p.cases.get(name + ".in.ids") {
		ids = append(ids, uint32(id))
	}
	e := encoded{end: slices.Index(ids, slices.Max(ids))}
	pass := text.Pass{IDs: b.u32("ids", ids), States: b.fill("states", s.Tokens, s.Width, nil)}
	if s.Pooled > 0 {
		pass.End, pass.Pooled = b.u32("end", []uint32{uint32(e.end)}), b.fill("pooled", 1, s.Pooled, nil)
	}
	if s.Masked {
		mask := p.cases.get(name + ".in.mask")
		for i, counts := range mask {
			mask[i] = (1 - counts) * -1e30
		}
		pass.Mask = b.fill("mask", 1, s.Tokens, mask)
	}
	var layers []*op.Tensor
	e.states = b.run(name, func(l *op.List) *op.Tensor {
		pass.AfterLayer = func(x *op.Tensor) {
			layers = append(layers, l.Copy(x, b.fill("layer", x.Rows, x.Cols, nil)))
		}
		m.Encode(l, pass)
		return pass.States
	})
	read := func(t *op.Tensor) []float32 {
		data, err := be.Read(background(), t)
		if err != nil {
			p.cases.t.Fatal(err)
		}
		return data
	}
	for _, x := range layers {
		e.layers = append(e.layers, read(x))
	}
	if pass.Pooled != nil {
		e.pooled = read(pass.Pooled)
	}
	return e
}

// layersAre compares the root mean square of every layer.
func (e encoded) layersAre(t *testing.T, name string, want []float32, limit float64) {
	t.Helper()
	if len(e.layers) != len(want) {
		t.Fatalf("%s: %d layers were read out, want %d", name, len(e.layers), len(want))
	}
	for i, x := range e.layers {
		closeTo(t, fmt.Sprintf("%s: layer %d", name, i), rms(x), float64(want[i]), limit)
	}
}

// u32 makes a tensor [1, n].
func (b *bench) u32(name string, values []uint32) *op.Tensor {
	b.t.Helper()
	x, err := b.be.New(name, op.U32, 1, len(values))
	if err == nil {
		b.made = append(b.made, x)
		err = b.be.WriteU32(x, values)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return x
}
