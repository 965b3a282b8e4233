package conform

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/guidance"
)

// transformer is a network that predicts velocities.
type transformer struct {
	engine.Transformer
	exact bool // it is given 1000·σ of the exact σ; FLUX gets σ as float32
	// ofForm is the network for a case's form and a latent of so many tokens; nil: there is
	// one form, without a name.
	ofForm func(form string, rows, cols int) (engine.Transformer, error)
}

// forward runs one pass. It is all that this package asks of the engine's own code.
func (c *check) forward(t transformer, in engine.Pass, width int) *engine.Passed {
	if c.err != nil {
		return &engine.Passed{}
	}
	out, err := engine.Forward(c.ctx, c.be, t.Transformer, dit.Encoder{Name: "text", Width: width, Pooled: len(in.Pooled)}, in)
	if err != nil {
		c.err = err
		return &engine.Passed{}
	}
	return out
}

func openFlux(r *run, w *network) (func(c *check) error, error) {
	f, err := loadFlux(r, w)
	return transformer{Transformer: f}.check, err
}

func loadFlux(r *run, w *network) (*dit.Flux, error) {
	var c struct {
		Patch         int   `json:"patch_size"`
		InChannels    int   `json:"in_channels"`
		Double        int   `json:"num_layers"`
		Single        int   `json:"num_single_layers"`
		HeadDim       int   `json:"attention_head_dim"`
		Heads         int   `json:"num_attention_heads"`
		Axes          []int `json:"axes_dims_rope"`
		GuidanceEmbed bool  `json:"guidance_embeds"`
		Context       int   `json:"joint_attention_dim"`
		Pooled        int   `json:"pooled_projection_dim"`
	}
	if err := r.desc.configure(&c); err != nil {
		return nil, err
	}
	if c.Patch != 1 {
		return nil, fmt.Errorf("patch_size %d, supported 1: tokens are packed before they come in", c.Patch)
	}
	f, err := dit.LoadFlux(dit.FluxConfig{
		InChannels: c.InChannels, VecDim: c.Pooled, ContextDim: c.Context, Hidden: c.Heads * c.HeadDim, MLPRatio: 4, Heads: c.Heads,
		Depth: c.Double, DepthSingle: c.Single, AxesDim: c.Axes, Theta: 10000, QKVBias: true, GuidanceEmbed: c.GuidanceEmbed, Activation: "gelu_tanh",
	}, w)
	return loaded(w, f, err)
}

func openSD3(r *run, w *network) (func(c *check) error, error) {
	largest, err := largestLatent(r)
	if err != nil {
		return nil, err
	}
	s, err := loadSD3(r, w, largest)
	return transformer{Transformer: s, exact: true}.check, err
}

// loadSD3 loads no more of the table of positions than latents of so many pixels a
// side need, as for a model with sizes of its own.
func loadSD3(r *run, w *network, pixels int) (*dit.SD3, error) {
	var c struct {
		Patch      int    `json:"patch_size"`
		InChannels int    `json:"in_channels"`
		Layers     int    `json:"num_layers"`
		HeadDim    int    `json:"attention_head_dim"`
		Heads      int    `json:"num_attention_heads"`
		Context    int    `json:"joint_attention_dim"`
		Pooled     int    `json:"pooled_projection_dim"`
		Side       int    `json:"pos_embed_max_size"`
		Dual       []int  `json:"dual_attention_layers"`
		QKNorm     string `json:"qk_norm"`
	}
	if err := r.desc.configure(&c); err != nil {
		return nil, err
	}
	if c.Patch != 2 {
		return nil, fmt.Errorf("patch_size %d, supported 2", c.Patch)
	}
	s, err := dit.LoadSD3(dit.SD3Config{
		InChannels: c.InChannels, Layers: c.Layers, Heads: c.Heads, HeadDim: c.HeadDim, ContextDim: c.Context, PooledDim: c.Pooled,
		Side: c.Side, Sample: pixels, Dual: c.Dual, QKNorm: c.QKNorm,
	}, w)
	return loaded(w, s, err)
}

// largestLatent is the longest side of any case's latent.
func largestLatent(r *run) (pixels int, err error) {
	x, err := openTensors(r.path(".cases.safetensors"))
	if err != nil {
		return 0, err
	}
	defer x.close()
	for _, t := range x.index.Tensors {
		if _, what := splitName(t.Name); what == "in.latent" && len(t.Shape) == 3 {
			pixels = max(pixels, t.Shape[1], t.Shape[2])
		}
	}
	return pixels, nil
}

// input is a case's pass without its time and without guidance, and the width of its
// token states.
func (c *check) input() (in engine.Pass, width int) {
	in = engine.Pass{Pooled: c.in("pooled")}
	if c.has("in.llama") {
		in.Texts = c.hidreamTexts(len(in.Pooled))
	} else {
		var tokens []int
		in.Txt, tokens = c.shaped("tokens", 2)
		width = tokens[1]
	}
	in.Img, in.Rows, in.Cols = c.patches("latent")
	if c.has("in.guidance") {
		in.Guidance = float64(c.one("guidance"))
	}
	if c.has("in.reference") {
		in.Reference.Img, in.Reference.Rows, in.Reference.Cols = c.patches("reference")
	}
	return in, width
}

// patches reads a latent as image tokens.
func (c *check) patches(tensor string) (tokens []float32, rows, cols int) {
	latent, shape := c.shaped(tensor, 3)
	if h, w := shape[1], shape[2]; h%2 != 0 || w%2 != 0 {
		c.err = fmt.Errorf("in.%s has the shape %v; its sides must be even", tensor, shape)
		return nil, 0, 0
	}
	return Patchify(latent, shape), shape[1] / 2, shape[2] / 2
}

// one reads an input of a single number.
func (c *check) one(tensor string) float32 {
	data := c.in(tensor)
	if c.err == nil && len(data) != 1 {
		c.err = fmt.Errorf("in.%s has %d numbers, wanted 1", tensor, len(data))
	}
	if c.err != nil {
		return 0
	}
	return data[0]
}

// sigma is the case's time: as its description has it, of which the file holds the
// float32.
func (c *check) sigma(exact bool) float64 {
	stored := c.one("sigma")
	told := c.desc.Sigma
	if told != nil && c.err == nil && float32(*told) != stored {
		c.err = fmt.Errorf("in.sigma is %v, the description says %v", stored, *told)
	}
	if told == nil || !exact {
		return float64(stored)
	}
	return *told
}

// check compares one case: velocity, every block's RMS and last row, the direction,
// and velocity and blocks under every schedule of weights.
func (t transformer) check(c *check) error {
	in, width := c.input()
	switch {
	case c.err != nil:
		return c.err
	case t.ofForm != nil:
		if t.Transformer, c.err = t.ofForm(c.desc.Form, in.Rows, in.Cols); c.err != nil {
			return c.err
		}
	case c.desc.Form != "":
		return fmt.Errorf("the form %.64q is not understood", c.desc.Form)
	}
	in.Time = c.sigma(t.exact)
	c.positions(in)
	got := c.passed(t, "", in, width)
	var rows []float32
	for _, b := range got.Blocks {
		rows = append(rows, b.Last...)
	}
	c.near("rows", rows)
	delta := c.delta(t)
	c.near("delta", delta)
	for _, schedule := range c.schedulesOfWeights() {
		w := c.weights(schedule, len(t.Shape().Blocks))
		if c.err != nil {
			return c.err
		}
		if in.Shift, c.err = shifts(t.Shape().Vector, delta, w); c.err != nil {
			return c.err
		}
		c.passed(t, schedule+".", in, width)
	}
	return c.err
}

// passed runs a pass and compares its velocity and blocks.
func (c *check) passed(t transformer, what string, in engine.Pass, width int) *engine.Passed {
	got := c.forward(t, in, width)
	if c.err != nil {
		return got
	}
	channels := t.Shape().Channels / (t.Shape().Patch * t.Shape().Patch)
	c.near(what+"velocity", Unpatchify(got.Velocity, []int{channels, 2 * in.Rows, 2 * in.Cols}))
	var names []string
	var values []float64
	for _, b := range got.Blocks {
		names, values = append(names, b.Name), append(values, b.RMS)
	}
	if err := equal("blocks", names, c.desc.Blocks); err != nil && c.desc.Blocks != nil {
		c.wrong(what+"blocks", err)
		return got
	}
	c.each(what+"blocks", values)
	return got
}

// positions compares the places of the tokens, where a case has them, with those that
// the network takes by itself: text at (0, 0, 0), the latent at (0, row, column), a
// reference picture at (1, row, column).
func (c *check) positions(in engine.Pass) {
	at := func(picture float32, rows, cols int) (ids []float32) {
		for row := range rows {
			for col := range cols {
				ids = append(ids, picture, float32(row), float32(col))
			}
		}
		return ids
	}
	if c.has("in.img_ids") && c.err == nil {
		want := append(at(0, in.Rows, in.Cols), at(1, in.Reference.Rows, in.Reference.Cols)...)
		if got := c.in("img_ids"); c.err == nil && !slices.Equal(got, want) {
			c.err = fmt.Errorf("in.img_ids are not understood: they are not (0, row, column) of the latent and (1, row, column) of a reference")
		}
	}
	if c.has("in.txt_ids") && c.err == nil {
		if got := c.in("txt_ids"); slices.ContainsFunc(got, func(v float32) bool { return v != 0 }) {
			c.err = fmt.Errorf("in.txt_ids are not understood: they are not zeros")
		}
	}
}

// delta is ψ(positive) − ψ(negative).
func (c *check) delta(t transformer) []float32 {
	positive, negative := c.in("pooled_positive"), c.in("pooled_negative")
	width := t.Shape().Pooled
	if c.err == nil && (len(positive) != width || len(negative) != width) {
		c.err = fmt.Errorf("in.pooled_positive has %d and in.pooled_negative %d numbers, the network reads %d", len(positive), len(negative), width)
	}
	if c.err != nil {
		return nil
	}
	out := c.fill("psi", 2, t.Shape().Vector, nil)
	c.exec("psi", func(l *op.List) {
		t.Psi(l, c.fill("pooled", 2, width, append(positive, negative...)), out)
	})
	psi := c.read(out)
	return guidance.Delta(psi[:len(psi)/2], psi[len(psi)/2:])
}

// schedulesOfWeights lists the names of the guided variants, from the description and
// from the file.
func (c *check) schedulesOfWeights() []string {
	all := map[string]bool{}
	for name := range c.desc.Guided {
		all[name] = true
	}
	for _, t := range c.cases.index.Tensors {
		if name, what := splitName(t.Name); name == c.name {
			if schedule, ok := strings.CutPrefix(strings.TrimSuffix(what, ".w"), "out."); ok && strings.HasSuffix(what, ".w") {
				all[schedule] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// weights reads the weights of a guided variant, one for every block and the head's,
// and compares them with what the description says and with what their name means.
func (c *check) weights(schedule string, blocks int) []float32 {
	output := schedule + ".w"
	got, ok := c.out(output)
	if !ok {
		if c.err == nil {
			c.err = fmt.Errorf("%s is missing", output)
		}
		return nil
	}
	if len(got) != blocks+1 {
		c.err = fmt.Errorf("%s has %d weights; there are %d blocks and the head", output, len(got), blocks)
		return nil
	}
	var err error
	told, described := c.desc.Guided[schedule]
	if described {
		var want []float32
		for _, w := range append(slices.Clone(told.W), told.Head) {
			want = append(want, float32(w))
		}
		err = equal("the description's weights", got, want)
	}
	ruled := namedWeights(schedule, blocks)
	if ruled != nil && err == nil {
		err = equal("weights of that name", got, ruled)
	}
	switch {
	case err != nil:
		c.wrong(output, err)
	case !described && ruled == nil:
		c.wrong(output, fmt.Errorf("neither the description nor the name says which weights they are"))
	default:
		c.within(output, 0, 0)
	}
	return got
}

// namedWeights are those of the schedules that the reference files name: const2 is 2
// everywhere, step1w3 is 0 in the first block and 3 behind it, mixneg goes between −1.5
// and 1. With ".head" the head has the last block's weight, else none.
func namedWeights(schedule string, blocks int) []float32 {
	kind, head := strings.CutSuffix(schedule, ".head")
	weight, ok := map[string]func(block int) float32{
		"const2":  func(int) float32 { return 2 },
		"step1w3": func(block int) float32 { return 3 * float32(min(block, 1)) },
		"mixneg":  func(block int) float32 { return []float32{-1.5, 1}[block%2] },
	}[kind]
	if !ok || blocks < 1 {
		return nil
	}
	out := make([]float32, blocks+1)
	for block := range blocks {
		out[block] = weight(block)
	}
	if head {
		out[blocks] = out[blocks-1]
	}
	return out
}

// shifts is what a direction adds to every block's vector [d]; the last weight is the
// output head's.
func shifts(d int, delta, w []float32) ([]float32, error) {
	last := len(w) - 1
	out := make([]float32, len(w)*d)
	err := guidance.Blend(out, make([]float32, d), 1, d, last, []guidance.Direction{{Delta: delta, Weights: w[:last], Head: w[last]}})
	return out, err
}
