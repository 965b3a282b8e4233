package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
)

// trial is a made-up family, as small as one can be and unlike FLUX where the
// engine could have taken FLUX for granted: image tokens come first, the vector that
// a block gets is three times as wide as the stream, there is one kind of block,
// no positions, and attention is between separate tensors.
type trial struct {
	c                              trialConfig
	in, out, text, psi, tau, scale *op.Tensor
}

type trialConfig struct {
	Width int `json:"hidden_size"`
	Heads int `json:"num_heads"`
}

func loadTrial(c trialConfig, w op.Weights) (*trial, error) {
	number := func(name string, rows, cols int) *op.Tensor {
		values := make([]float32, rows*cols)
		for i := range values {
			values[i] = float32(i%7-3) / 16
		}
		return w.Constant(name, op.UseMatrix, rows, cols, values)
	}
	d := c.Width
	return &trial{c, number("in", d, 20), number("out", 20, d), number("text", d, 24), number("psi", 3*d, 24), number("tau", 3*d, 8), number("scale", d, 3*d)}, nil
}

func (t *trial) Shape() dit.Shape {
	return dit.Shape{Blocks: []string{"trial", "trial"}, Vector: 3 * t.c.Width, Context: 24, Pooled: 24, Modulation: 2 * t.c.Width,
		Channels: 20, Patch: 2, Time: 8, Heads: t.c.Heads, HeadDim: t.c.Width / t.c.Heads}
}

func (t *trial) Fit(p dit.Parts) (dit.Reading, error) {
	if len(p.Encoders) != 1 || p.Encoders[0].Width != 24 || p.LatentChannels != 5 {
		return dit.Reading{}, fault.New(fault.ModelUnsupported, "trial reads one encoder of width 24 and draws 5 channels")
	}
	return dit.Reading{Tokens: p.Encoders[0].Tokens, Width: t.c.Width, Pooled: []string{p.Encoders[0].Name}}, nil
}

func (t *trial) Context(l *op.List, states []dit.States, out *op.Tensor) {
	l.MatMul(states[0].Tensor, t.text, op.Epilogue{Out: out})
}
func (t *trial) Psi(l *op.List, pooled, out *op.Tensor) {
	l.MatMul(pooled, t.psi, op.Epilogue{Out: out})
}
func (t *trial) Time(v float64) []float32 { return []float32{float32(v), 1, 0, 0, 0, 0, 0, 0} }
func (t *trial) Tau(l *op.List, times, scales, out *op.Tensor) {
	l.MatMul(times, t.tau, op.Epilogue{Out: out})
}

func (t *trial) Modulate(l *op.List, yhat, mods *op.Tensor) {
	d := t.c.Width
	for b := range 2 {
		l.MatMul(yhat.Columns(3*d*b, 3*d*(b+1)), t.scale, op.Epilogue{Out: mods.Columns(d*b, d*(b+1))})
	}
}

func (t *trial) Parts() []dit.Part { return nil }

func (t *trial) Positions(context, rows, cols int) ([]float32, int) { return make([]float32, 4), 4 }

func (t *trial) Velocity(l *op.List, p dit.Pass) *op.Tensor {
	d := t.c.Width
	x := l.MatMul(p.Latent, t.in, op.Epilogue{})
	for b := range 2 {
		h := l.RMSNorm(x, p.Mod.Columns(d*b, d*(b+1)), 1e-6, true, nil)
		a := l.Attend(op.AttentionOp{Q: h, K: p.Context, V: p.Context, Heads: t.c.Heads, HeadDim: d / t.c.Heads})
		x = l.Add(x, a, nil)
	}
	return l.MatMul(x, t.out, op.Epilogue{Out: p.Out})
}

func (t *trial) Maps(l *op.List, m dit.Maps) func(int, []*op.Tensor) { return nil }

// A new family needs its file and its row: this one is loaded, estimated, steered
// and drawn by an engine that was not written for it.
func TestANewFamily(t *testing.T) {
	defer engine.AddTransformer("trial", loadTrial)()
	be := cpu.New(cpu.Options{})
	e := networks.Made(t, be, "trial", map[string]any{"hidden_size": 32, "num_heads": 2})
	defer e.Close()
	made := func(req engine.Request) []float32 {
		t.Helper()
		req.Prompt, req.Seed, req.Steps, req.Size = "a frog", 1, 2, recipe.Square(16)
		r, err := e.Generate(context.Background(), req, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r.Latent
	}
	plain := made(engine.Request{CFG: 1})
	term := engine.Term{Positive: "at night", Negative: "in day", Weight: 2}
	term.Schedule.Kind = "constant"
	for name, other := range map[string][]float32{
		"guidance":                 made(engine.Request{CFG: 1, Guidance: []engine.Term{term}}),
		"classifier-free guidance": made(engine.Request{CFG: 3}),
	} {
		same := true
		for i := range plain {
			same = same && plain[i] == other[i]
		}
		if same {
			t.Errorf("%s changes nothing", name)
		}
	}
	if info := e.Info(); info.Family != "trial" {
		t.Errorf("the family is %q", info.Family)
	}
}

// worded is trial with a T5 for its text encoder, which gives no pooled vector.
type worded struct{ *trial }

func loadWorded(c trialConfig, w op.Weights) (worded, error) {
	t, err := loadTrial(c, w)
	values := make([]float32, c.Width*48)
	for i := range values {
		values[i] = float32(i%7-3) / 16
	}
	t.text = w.Constant("text", op.UseMatrix, c.Width, 48, values)
	return worded{t}, err
}

func (t worded) Fit(p dit.Parts) (dit.Reading, error) {
	if e := p.Encoders[0]; e.Name != "t5" || e.Width != 48 || e.Pooled != 0 {
		return dit.Reading{}, fault.New(fault.ModelUnsupported, "worded reads a T5 of width 48, not %+v", e)
	}
	return dit.Reading{Tokens: p.Encoders[0].Tokens, Width: t.c.Width}, nil
}

func (t worded) Context(l *op.List, states []dit.States, out *op.Tensor) {
	l.MatMul(states[0].Tensor, t.text, op.Epilogue{Out: out})
}

// masking is a machine that keeps what was last written as a mask.
type masking struct {
	op.Backend
	mask []float32
}

func (m *masking) Write(t *op.Tensor, data []float32) error {
	if t.Storage.Name == "mask" {
		m.mask = slices.Clone(data)
	}
	return m.Backend.Write(t, data)
}

// A model whose only text encoder is a T5 draws what its prompt says. Only where its
// configuration asks for a mask is it told which tokens are padding.
func TestT5Encoder(t *testing.T) {
	defer engine.AddTransformer("worded", loadWorded)()
	seen := map[string]string{}
	for _, masked := range []bool{false, true} {
		be := &masking{Backend: cpu.New(cpu.Options{})}
		e := networks.MadeWithT5(t, be, "worded", map[string]any{"hidden_size": 32, "num_heads": 2}, masked)
		defer e.Close()
		for prompt, counts := range map[string]int{"": 1, "a frog": 3, "a cat": 3, strings.Repeat("moon ", 9): 9} { // with the end
			r, err := e.Generate(context.Background(), engine.Request{Prompt: prompt, Seed: 1, Steps: 2, Size: recipe.Square(16), CFG: 1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%.8q, masked %t", prompt, masked)
			latent := fmt.Sprint(r.Latent)
			// Where nothing is padding, a mask changes nothing.
			if other, ok := seen[latent]; ok != (masked && counts == 9) {
				t.Errorf("%s: the picture of %s: %t", what, other, ok)
			}
			seen[latent] = what
			if !masked {
				if be.mask != nil {
					t.Errorf("%s: a mask was written", what)
				}
				continue
			}
			for i, v := range be.mask {
				if (v == 0) != (i < counts) {
					t.Errorf("%s: token %d is masked by %g, %d count", what, i, v, counts)
				}
			}
		}
	}
}
