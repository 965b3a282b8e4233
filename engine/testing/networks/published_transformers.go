package networks

import (
	"fmt"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/guidance"
)

// transformer loads the transformer; the test frees it.
func (p *published) transformer(be op.Backend) engine.Transformer {
	t, c := p.weights.t, p.json.Config
	t.Helper()
	n := p.weights.network(be, "")
	if strings.HasPrefix(p.json.Family, "sd3") {
		s, err := dit.LoadSD3(dit.SD3Config{
			InChannels: c.InChannels, Layers: c.Double, Heads: c.Heads, HeadDim: c.HeadDim, ContextDim: c.Context, PooledDim: c.Pooled,
			Side: c.Side, Sample: p.largest(), Dual: c.Dual, QKNorm: c.QKNorm,
		}, n)
		n.must(t, err)
		return s
	}
	f, err := dit.LoadFlux(dit.FluxConfig{
		InChannels: c.InChannels, VecDim: c.Pooled, ContextDim: c.Context, Hidden: c.Heads * c.HeadDim, MLPRatio: 4, Heads: c.Heads,
		Depth: c.Double, DepthSingle: c.Single, AxesDim: c.Axes, Theta: 10000, QKVBias: true, GuidanceEmbed: c.GuidanceEmbed, Activation: "gelu_tanh",
	}, n)
	n.must(t, err)
	return f
}

// largest is the longest side of any case's latent.
func (p *published) largest() (pixels int) {
	for name := range p.json.Cases {
		shape, _ := p.cases.index.Lookup(name + ".in.latent")
		pixels = max(pixels, shape.Shape[1], shape.Shape[2])
	}
	return pixels
}

// input is a case's pass at its own time, without guidance.
func (p *published) input(of string) engine.Pass {
	g, at := p.cases, of+".in."
	shape, _ := g.index.Lookup(at + "latent")
	h, w := shape.Shape[1], shape.Shape[2]
	in := engine.Pass{Rows: h / 2, Cols: w / 2, Img: packed(g.get(at+"latent"), h, w), Txt: g.get(at + "tokens"), Pooled: g.get(at + "pooled")}
	if _, ok := g.index.Lookup(at + "guidance"); ok {
		in.Guidance = float64(g.get(at + "guidance")[0])
	}
	return in
}

// times are the σ of a case as diffusers hands them to the network: FLUX gets them
// rounded to float32, as they are stored, SD3 gets 1000·σ of the exact ones.
func (p *published) times(f engine.Transformer, name string) []float64 {
	_, exact := f.(*dit.SD3)
	if sigma := p.json.Cases[name].Sigma; sigma != 0 {
		if !exact {
			sigma = float64(float32(sigma))
		}
		return []float64{sigma}
	}
	var times []float64
	stored := p.cases.get(name + ".in.sigmas")
	last := len(stored) - 2 // the step before the final 0
	for k, sigma := range stored[:last+1] {
		t := float64(sigma)
		if exact { // shifted by 3, evenly from 1 to 0.001, shifted again
			shift := func(x float64) float64 { return 3 * x / (1 + 2*x) }
			if t = shift(1 + (shift(.001)-1)*float64(k)/float64(last)); float32(t) != sigma {
				p.cases.t.Fatalf("%s: σ %d is %v, the scheduler's %v", name, k, sigma, t)
			}
		}
		times = append(times, t)
	}
	return times
}

// encoder is a text encoder of the widths that a case has.
func (p *published) encoder(of string) dit.Encoder {
	_, width := p.cases.shape(of + ".in.tokens")
	return dit.Encoder{Name: "clip", Width: width, Pooled: len(p.cases.get(of + ".in.pooled"))}
}

// pass compares one case: without guidance every block's RMS and last row, and the
// velocity; then the direction, and blocks and velocity under every schedule, with
// the output head guided and not.
func (p *published) pass(t *testing.T, be op.Backend, f engine.Transformer, name string, limit float64) {
	g, blocks := p.cases, p.json.Cases[name].Blocks
	in, out := p.input(name), name+".out."
	in.Time = p.times(f, name)[0]
	compare := func(what string) *engine.Passed {
		got, err := engine.Forward(background(), be, f, p.encoder(name), in)
		if err != nil {
			t.Fatal(err)
		}
		near(t, what+"velocity", got.Velocity, packed(g.get(out+what+"velocity"), 2*in.Rows, 2*in.Cols), limit)
		want := g.get(out + what + "blocks")
		if len(got.Blocks) != len(want) {
			t.Fatalf("%d blocks were read out, want %d", len(got.Blocks), len(want))
		}
		for i, b := range got.Blocks {
			if b.Name != blocks[i] {
				t.Errorf("block %d is %s, want %s", i, b.Name, blocks[i])
			}
			closeTo(t, what+b.Name, b.RMS, float64(want[i]), limit)
		}
		return got
	}
	rows := g.get(out + "rows")
	for i, b := range compare("").Blocks {
		near(t, "last row of "+b.Name, b.Last, rows[i*len(b.Last):(i+1)*len(b.Last)], limit)
	}
	delta := p.delta(be, f, name)
	near(t, "delta", delta, g.get(out+"delta"), limit)
	for _, schedule := range []string{"const2", "step1w3", "mixneg"} {
		for _, head := range []string{".", ".head."} {
			in.Shift = shifts(t, f.Shape().Vector, delta, g.get(out+schedule+head+"w"))
			compare(schedule + head)
		}
	}
}

// delta is ψ(positive) − ψ(negative), as the engine computes both.
func (p *published) delta(be op.Backend, f engine.Transformer, name string) []float32 {
	b := &bench{golden: p.cases, be: be}
	defer func() { be.Free(b.made...) }()
	both := append(p.cases.get(name+".in.pooled_positive"), p.cases.get(name+".in.pooled_negative")...)
	psi := b.run("psi", func(l *op.List) *op.Tensor {
		out := b.fill("psi", 2, f.Shape().Vector, nil)
		f.Psi(l, b.fill("pooled", 2, f.Shape().Pooled, both), out)
		return out
	})
	return guidance.Delta(psi[:len(psi)/2], psi[len(psi)/2:])
}

// shifts is what a direction adds to every block's vector; the last weight is the
// output head's.
func shifts(t *testing.T, d int, delta, w []float32) []float32 {
	t.Helper()
	last := len(w) - 1
	out := make([]float32, len(w)*d)
	err := guidance.Blend(out, make([]float32, d), 1, d, last, []guidance.Direction{{Delta: delta, Weights: w[:last], Head: w[last]}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// trajectory follows Euler's steps from the case's latent, with classifier-free
// guidance where the case has it, compares the latent after each and returns the
// last, [channels, h, w].
func (p *published) trajectory(be op.Backend, f engine.Transformer, name string, limit float64) []float32 {
	g := p.cases
	t := g.t
	in := p.input(name)
	has := func(what string) bool {
		_, ok := g.index.Lookup(name + ".in." + what)
		return ok
	}
	var shift []float32
	if has("w") {
		shift = shifts(t, f.Shape().Vector, p.delta(be, f, name), g.get(name+".in.w"))
	}
	sigmas, want := g.get(name+".in.sigmas"), g.get(name+".out.latents")
	n := len(in.Img)
	velocity := func(txt, pooled, shift []float32) []float32 {
		in.Txt, in.Pooled, in.Shift = txt, pooled, shift
		got, err := engine.Forward(background(), be, f, p.encoder(name), in)
		if err != nil {
			t.Fatal(err)
		}
		return got.Velocity
	}
	for k, time := range p.times(f, name) {
		in.Time = time
		v := velocity(g.get(name+".in.tokens"), g.get(name+".in.pooled"), shift)
		if has("cfg") {
			scale := g.get(name + ".in.cfg")[0]
			other := shift
			if strings.HasSuffix(name, "cond_only") {
				other = nil
			}
			for i, u := range velocity(g.get(name+".in.negative_tokens"), g.get(name+".in.negative_pooled"), other) {
				v[i] = u + scale*(v[i]-u)
			}
		}
		for i, v := range v {
			in.Img[i] += (sigmas[k+1] - sigmas[k]) * v
		}
		near(t, fmt.Sprintf("%s: latent after step %d", name, k+1), in.Img, packed(want[k*n:(k+1)*n], 2*in.Rows, 2*in.Cols), limit)
	}
	return want[len(want)-n:]
}

// packed puts a latent [channels, h, w] into tokens [h/2·w/2, 4·channels]: of each
// square of 2 × 2 pixels, channel after channel, its four pixels row by row.
func packed(latent []float32, h, w int) []float32 {
	out := make([]float32, 0, len(latent))
	for row := 0; row < h; row += 2 {
		for col := 0; col < w; col += 2 {
			for c := range len(latent) / (h * w) {
				at := (c*h+row)*w + col
				out = append(out, latent[at], latent[at+1], latent[at+w], latent[at+w+1])
			}
		}
	}
	return out
}
