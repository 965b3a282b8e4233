package enginetest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/guidance"
)

// Published compares with what the libraries that the models were published with
// (diffusers and transformers) compute in float64 from small random weights under
// the published names: these files share no line with this project's own networks,
// in Go or in Python.
func Published(t *testing.T, be op.Backend, lim Limits) {
	for _, name := range []string{"flux_schnell", "flux_dev"} {
		t.Run(name, func(t *testing.T) {
			p := openPublished(t, name)
			f := p.flux(be)
			for n := range p.json.Cases {
				t.Run(n, func(t *testing.T) { p.pass(t, be, f, n, lim.Published) })
			}
		})
	}
	for _, name := range []string{"clip_l", "clip_g", "clip_l_projected"} {
		t.Run(name, func(t *testing.T) { publishedCLIP(t, be, openPublished(t, name), lim.Published) })
	}
	t.Run("t5", func(t *testing.T) { publishedT5(t, be, openPublished(t, "t5"), lim.Published) })
	t.Run("taef1", func(t *testing.T) {
		bothLayouts(t, "taef1", func(t *testing.T, p *published) {
			p.tinyPicture(be, p.tiny(be), "case0", p.cases.get("case0.in.latent"), lim.Published)
		})
	})
	t.Run("vae_kl", func(t *testing.T) {
		bothLayouts(t, "vae_kl", func(t *testing.T, p *published) {
			m := p.kl(be)
			for name := range p.json.Cases {
				p.klCase(be, m, name, lim.Published)
			}
		})
	})
	t.Run("e2e_flux_schnell", func(t *testing.T) {
		p := openPublished(t, "flux_schnell")
		e := openCases(t, "e2e_flux_schnell")
		f := p.flux(be)
		e.trajectory(be, f, "plain", lim.Published)
		e.trajectory(be, f, "guided", lim.Published)
	})
	t.Run("e2e_flux_dev", func(t *testing.T) {
		e := openCases(t, "e2e_flux_dev")
		latent := e.trajectory(be, openPublished(t, "flux_dev").flux(be), "plain", lim.Published)
		p := openPublished(t, "taef1")
		m := p.tiny(be)
		p.cases = e.cases
		p.tinyPicture(be, m, "plain", latent, lim.Published)
	})
}

// published is one family: its weights under the published names, and its cases.
type published struct {
	weights *golden // nil where a file has cases only
	cases   *golden
	json    publishedJSON
}

type publishedJSON struct {
	Config struct {
		// The transformer's, in the words of diffusers.
		InChannels    int    `json:"in_channels"`
		Double        int    `json:"num_layers"`
		Single        int    `json:"num_single_layers"`
		HeadDim       int    `json:"attention_head_dim"`
		Axes          []int  `json:"axes_dims_rope"`
		GuidanceEmbed bool   `json:"guidance_embeds"`
		Context       int    `json:"joint_attention_dim"`
		Pooled        int    `json:"pooled_projection_dim"`
		Heads         int    `json:"num_attention_heads"` // also CLIP's, in the words of transformers:
		Vocabulary    int    `json:"vocab_size"`
		Hidden        int    `json:"hidden_size"`
		Layers        int    `json:"num_hidden_layers"`
		MLP           int    `json:"intermediate_size"`
		Act           string `json:"hidden_act"`
		Length        int    `json:"max_position_embeddings"`
		Projection    int    `json:"projection_dim"`
		// T5's, of which num_layers stands above.
		Width     int `json:"d_model"`
		HeadWidth int `json:"d_kv"`
		T5MLP     int `json:"d_ff"`
		T5Heads   int `json:"num_heads"`
		// A decoder's: of both kinds, of the tiny one, of AutoencoderKL.
		LatentChannels int     `json:"latent_channels"`
		Scaling        float64 `json:"scaling_factor"`
		Shift          float64 `json:"shift_factor"`
		TinyChannels   []int   `json:"decoder_block_out_channels"`
		TinyBlocks     []int   `json:"num_decoder_blocks"`
		KLChannels     []int   `json:"block_out_channels"`
		KLLayers       int     `json:"layers_per_block"`
		KLGroups       int     `json:"norm_num_groups"`
	} `json:"config"`
	Cases map[string]struct {
		Blocks []string `json:"blocks"`
	} `json:"cases"`
}

func publishedFile(t *testing.T, name string) string {
	return filepath.Join(root(t), "engine", "testdata", "published", name)
}

func openPublished(t *testing.T, name string) *published {
	t.Helper()
	p := openCases(t, name)
	p.weights = openFile(t, name, publishedFile(t, name+".safetensors"))
	return p
}

func openCases(t *testing.T, name string) *published {
	t.Helper()
	p := &published{cases: openFile(t, name, publishedFile(t, name+".cases.safetensors"))}
	data, err := os.ReadFile(publishedFile(t, name+".json"))
	if err == nil {
		err = json.Unmarshal(data, &p.json)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// flux loads the transformer; the test frees it.
func (p *published) flux(be op.Backend) *dit.Flux {
	t, c := p.weights.t, p.json.Config
	t.Helper()
	n := p.weights.network(be, "")
	f, err := dit.LoadFlux(dit.FluxConfig{
		InChannels: c.InChannels, VecDim: c.Pooled, ContextDim: c.Context, Hidden: c.Heads * c.HeadDim, MLPRatio: 4, Heads: c.Heads,
		Depth: c.Double, DepthSingle: c.Single, AxesDim: c.Axes, Theta: 10000, QKVBias: true, GuidanceEmbed: c.GuidanceEmbed, Activation: "gelu_tanh",
	}, n)
	n.must(t, err)
	return f
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

// pass compares one case: without guidance every block's RMS and last row, and the
// velocity; then the direction, and blocks and velocity under every schedule, with
// the output head guided and not.
func (p *published) pass(t *testing.T, be op.Backend, f *dit.Flux, name string, limit float64) {
	g, blocks := p.cases, p.json.Cases[name].Blocks
	in, out := p.input(name), name+".out."
	in.Time = float64(g.get(name + ".in.sigma")[0])
	compare := func(what string) *engine.Passed {
		got, err := engine.Forward(background(), be, f, onlyEncoder(f), in)
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
		near(t, "last row of "+b.Name, b.Last, rows[i*f.Hidden:(i+1)*f.Hidden], limit)
	}
	delta := p.delta(be, f, name)
	near(t, "delta", delta, g.get(out+"delta"), limit)
	for _, schedule := range []string{"const2", "step1w3", "mixneg"} {
		for _, head := range []string{".", ".head."} {
			in.Shift = shifts(t, f, delta, g.get(out+schedule+head+"w"))
			compare(schedule + head)
		}
	}
}

// delta is ψ(positive) − ψ(negative), as the engine computes both.
func (p *published) delta(be op.Backend, f *dit.Flux, name string) []float32 {
	b := &bench{golden: p.cases, be: be}
	defer func() { be.Free(b.made...) }()
	both := append(p.cases.get(name+".in.pooled_positive"), p.cases.get(name+".in.pooled_negative")...)
	psi := b.run("psi", func(l *op.List) *op.Tensor {
		out := b.fill("psi", 2, f.Hidden, nil)
		f.Psi(l, b.fill("pooled", 2, f.VecDim, both), out)
		return out
	})
	return guidance.Delta(psi[:f.Hidden], psi[f.Hidden:])
}

// shifts is what a direction adds to every block's vector; the last weight is the
// output head's.
func shifts(t *testing.T, f *dit.Flux, delta, w []float32) []float32 {
	t.Helper()
	last := len(w) - 1
	out := make([]float32, len(w)*f.Hidden)
	err := guidance.Blend(out, make([]float32, f.Hidden), 1, f.Hidden, last, []guidance.Direction{{Delta: delta, Weights: w[:last], Head: w[last]}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// trajectory follows Euler's steps from the case's latent, compares the latent
// after each and returns the last, [channels, h, w].
func (p *published) trajectory(be op.Backend, f *dit.Flux, name string, limit float64) []float32 {
	g := p.cases
	t := g.t
	in := p.input(name)
	if _, ok := g.index.Lookup(name + ".in.w"); ok {
		in.Shift = shifts(t, f, p.delta(be, f, name), g.get(name+".in.w"))
	}
	sigmas, want := g.get(name+".in.sigmas"), g.get(name+".out.latents")
	n := len(in.Img)
	for k := range len(sigmas) - 1 {
		in.Time = float64(sigmas[k])
		got, err := engine.Forward(background(), be, f, onlyEncoder(f), in)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got.Velocity {
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
