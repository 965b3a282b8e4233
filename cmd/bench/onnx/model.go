package onnx

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/sample"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// Model is a model of the shipped kind (a CLIP, a FLUX and a tiny decoder) that is written
// as ONNX files. A picture in another engine is
//
//	text:   ids [T], eos [1] → txt [T, D], psi [1, D]
//	step:   latent [S, C], txt, psi, time [1, 256], dt [1] → next [S, C], once per step
//	decode: latent → rgb [1, 3, H, W], from 0 to 255
type Model struct {
	text  text.Config
	flux  dit.FluxConfig
	vae   vae.Config
	index map[string]*weights.Index // by role
	files map[string]op.Source

	tokens   *text.Tokenizer
	schedule sample.Schedule
	side     int // of the latent, in tokens
	steps    int
}

// Load reads what a bundle is made of. Models of other kinds are refused.
func Load(ctx context.Context, b *weights.Bundle) (*Model, error) {
	m := &Model{index: map[string]*weights.Index{}, files: map[string]op.Source{}, schedule: b.Scheduler, steps: b.Defaults.Steps}
	for role, want := range map[string]struct {
		kind string
		into any
	}{weights.RoleText: {"clip", &m.text}, weights.RoleTransformer: {"flux", &m.flux}, weights.RoleDecoder: {"tiny", &m.vae}} {
		found := 0
		for _, c := range b.Components {
			if c.Role != role {
				continue
			}
			found++
			if c.Kind != want.kind {
				return nil, fmt.Errorf("%s is of the kind %q; ONNX files are written of %q", role, c.Kind, want.kind)
			}
			if err := json.Unmarshal(c.Config, want.into); err != nil {
				return nil, err
			}
			if err := m.open(ctx, b, role, c); err != nil {
				return nil, err
			}
		}
		if found != 1 {
			return nil, fmt.Errorf("%d parts are %s, wanted one", found, role)
		}
	}
	size := b.Defaults.Size
	const patch = 2
	m.side = size.Width / m.vae.Downscale / patch
	switch {
	case size.Width != size.Height:
		return nil, fmt.Errorf("the pictures are %d × %d, wanted squares", size.Width, size.Height)
	case m.flux.GuidanceEmbed || m.flux.PooledDim > 0 || m.text.Penultimate || m.text.Projection > 0 ||
		m.flux.Activation != "gelu" || m.text.Activation != "gelu" || !m.flux.QKVBias || m.schedule.Stochastic() || m.schedule.Remembers():
		return nil, fmt.Errorf("the model %q has what no ONNX file is written of", b.Name)
	}
	return m, nil
}

// open reads the header of a part's weights and a text encoder's tokenizer.
func (m *Model) open(ctx context.Context, b *weights.Bundle, role string, c weights.Component) (err error) {
	open := func(name string) (op.Source, error) {
		src, _, err := b.OpenFile(ctx, name)
		return src, err
	}
	if m.files[role], err = b.OpenWhole(c.File, open); err != nil {
		return err
	}
	if m.index[role], err = weights.Parse(m.files[role]); err != nil {
		return err
	}
	if role != weights.RoleText {
		return nil
	}
	var files [][]byte
	for _, name := range c.Tokenizer {
		src, _, err := b.OpenFile(ctx, name)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(io.NewSectionReader(src, 0, src.Size()))
		if err != nil {
			return err
		}
		files = append(files, data)
	}
	m.tokens, err = text.ReadTokenizer(m.text.Frame(), files...)
	return err
}

// Inputs is what a picture's graphs read.
type Inputs struct {
	IDs    []uint32    `json:"ids"`
	EOS    int         `json:"eos"`
	Latent []float32   `json:"latent"` // tokens of the noise, [Rows, Channels]
	Times  [][]float32 `json:"times"`  // a step's embedded time
	Dts    []float32   `json:"dts"`    // what a step adds to it
	Rows   int         `json:"rows"`
	Width  int         `json:"channels"`
}

// Inputs are those of the model's own number of steps.
func (m *Model) Inputs(prompt string, seed uint32) (*Inputs, error) {
	t, err := m.tokens.Encode(prompt)
	if err != nil {
		return nil, err
	}
	const patch = 2
	channels, height := m.vae.LatentChannels, patch*m.side
	in := &Inputs{IDs: t.IDs, EOS: t.EOS, Rows: m.side * m.side, Width: m.flux.InChannels}
	z := sample.Noise(seed, channels, height, height) // [H·W, c]
	for y := range m.side {
		for x := range m.side {
			for c := range channels {
				for i := range patch * patch {
					in.Latent = append(in.Latent, z[((patch*y+i/patch)*height+patch*x+i%patch)*channels+c])
				}
			}
		}
	}
	sigmas := m.schedule.Sigmas(m.steps, m.side*m.side)
	flux := dit.Flux{FluxConfig: m.flux}
	for k := range m.steps {
		in.Times = append(in.Times, flux.Time(sigmas[k]))
		in.Dts = append(in.Dts, float32(sigmas[k+1]-sigmas[k]))
	}
	return in, nil
}

// File is one of the parts "text", "step" and "decode" as an ONNX file: its weights as
// numbers of 32 bits, or, if blocks, those that are stored as Q8_0 or Q4_0 as they are, for
// products of this accuracy (see matMulNBits).
func (m *Model) File(part string, blocks bool, accuracy int) (data []byte, err error) {
	w := &writer{graph: newGraph(part), m: m, blocks: blocks, accuracy: accuracy}
	switch part {
	case "text":
		w.text()
	case "step":
		w.step()
	case "decode":
		w.decode()
	default:
		return nil, fmt.Errorf("a model has no part %q", part)
	}
	if w.err != nil {
		return nil, w.err
	}
	return w.file(), nil
}
