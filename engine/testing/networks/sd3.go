package networks

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
)

// invented makes up the weights that a network asks for, as a file would hold them.
type invented struct {
	rng     *rand.Rand
	tensors map[string]*tensor
}

func (w invented) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	x := &tensor{[]int{rows, cols}, make([]float32, rows*cols)}
	switch {
	case use == op.UseVector && rows == 1:
		x.shape = []int{cols}
	case use == op.UseConv3x3:
		x.shape = []int{rows, cols / 9, 3, 3}
	case use >= op.UseFrame0: // asked for once for each of three frames
		x = &tensor{[]int{rows, cols / 9, 3, 3, 3}, make([]float32, 3*rows*cols)}
	}
	for i := range x.data {
		x.data[i] = float32(w.rng.NormFloat64()) / 4
	}
	w.tensors[name] = x
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (w invented) Has(string) bool { return false }

func (w invented) Constant(name string, _ op.Use, rows, cols int, _ []float32) *op.Tensor {
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

// sd3Small fits between the fixture's text encoder and decoder: the first of three blocks
// has a second attention.
var sd3Small = dit.SD3Config{InChannels: 5, Layers: 3, Heads: 3, HeadDim: 8, ContextDim: 24, PooledDim: 24, Side: 3, Dual: []int{0}, QKNorm: "rms_norm"}

// sd3 makes pictures with it.
func sd3(t *testing.T, be op.Backend) {
	f := newFixture(t)
	c := sd3Small
	f.makeSD3(c)
	spy := &spy{Backend: be, t: t}
	e := f.load(spy)
	plain := picture(t, e, frog)
	other := frog
	other.Prompt = "a blue cat in a house"
	scaled, larger := frog, frog
	scaled.CFG, larger.Size = 3, recipe.Square(24)
	for name, req := range map[string]engine.Request{
		"another prompt": other, "guidance": with(frog, term(1, 0, 0)), "guidance of the last block": with(frog, term(1, 0, 2)),
		"guidance of the head": with(frog, term(0, 1, 0)), "classifier-free guidance": scaled, "a larger picture": larger,
	} {
		if bytes.Equal(picture(t, e, req).Image.RGBA, plain.Image.RGBA) {
			t.Errorf("%s changes nothing", name)
		}
	}
	if !same(plain, picture(t, e, frog)) {
		t.Error("the same request gave another picture")
	}

	// Attention maps: softmax over the q and k of each block's first attention.
	const text, cells, parts = 9, 4, 4*3 + 1
	e = f.load(spy)
	spy.seen = nil
	req := frog
	req.Probe = &engine.ProbeRequest{}
	r := picture(t, e, req)
	if !same(plain, r) {
		t.Error("looking on changed the picture")
	}
	var want []float32
	for _, qk := range spy.seen {
		if len(qk) == cells*2*24 { // the second attention, among the image tokens
			continue
		}
		all := softmax(qk, text+cells, c.Heads, c.HeadDim)
		for _, w := range r.Probe.Words[:min(len(r.Probe.Words), c.HeadDim)] {
			for i := range cells {
				want = append(want, float32(all[(text+i)*(text+cells)+w]))
			}
		}
	}
	near(t, "attention", r.Probe.Attention, want, 1e-4)
	if len(r.Probe.Modulation) != parts || len(spy.seen) != req.Steps*4 {
		t.Errorf("%d parts of modulation and %d attentions, want %d and %d", len(r.Probe.Modulation), len(spy.seen), parts, req.Steps*4)
	}

	// Three tokens a side are all that its table of positions has.
	f.sizes = []recipe.Size{recipe.Square(16), recipe.Square(32)}
	if _, err := engine.Load(background(), lent{be}, f.bundle(), engine.LoadOptions{}); !fault.Is(err, fault.ModelUnsupported) {
		t.Errorf("a size beyond the table of positions: %v", err)
	}
}

// makeSD3 puts an SD3 with invented weights in the place of the fixture's transformer.
func (f *fixture) makeSD3(c dit.SD3Config) {
	f.t.Helper()
	w := invented{rand.New(rand.NewPCG(1, 2)), map[string]*tensor{}}
	if _, err := dit.LoadSD3(c, w); err != nil {
		f.t.Fatal(err)
	}
	f.family, f.tensors["dit"] = "sd3", w.tensors
	f.dit = map[string]any{"in_channels": c.InChannels, "num_layers": c.Layers, "num_attention_heads": c.Heads, "attention_head_dim": c.HeadDim,
		"joint_attention_dim": c.ContextDim, "pooled_projection_dim": c.PooledDim, "pos_embed_max_size": c.Side, "dual_attention_layers": c.Dual, "qk_norm": c.QKNorm}
}
