package conform_test

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/conform"
	"undertone/engine/cpu"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/testing/networks"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
	"undertone/guidance"
)

// bySteps makes a picture of published files step by step: every network is run alone, its
// results are read back, and what stands between them is computed here.
type bySteps struct {
	t     *testing.T
	ctx   context.Context
	be    op.Backend
	found *checkpoint.Found
}

func (s bySteps) part(role, name string) (checkpoint.Part, *engine.Uploader) {
	s.t.Helper()
	for _, p := range s.found.Parts {
		if p.Role == role && p.Name == name {
			return p, engine.NewIndexUploader(s.ctx, s.be, p.Index, p.Source)
		}
	}
	s.t.Fatalf("there is no %s %s", role, name)
	return checkpoint.Part{}, nil
}

// alone loads one of the parts.
func alone[Config, Model any](s bySteps, role, name string, load func(Config, op.Weights) (Model, error)) Model {
	s.t.Helper()
	p, u := s.part(role, name)
	var c Config
	if err := weights.Decode(p.Config, "config", &c); err != nil {
		s.t.Fatal(err)
	}
	m, err := load(c, u)
	if err == nil {
		err = u.Err()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

func (s bySteps) tensor(rows, cols int, data []float32) *op.Tensor {
	s.t.Helper()
	x, err := s.be.New("x", op.F32, rows, cols)
	if err == nil && data != nil {
		err = s.be.Write(x, data)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return x
}

func (s bySteps) whole(values ...uint32) *op.Tensor {
	s.t.Helper()
	x, err := s.be.New("ids", op.U32, 1, len(values))
	if err == nil {
		err = s.be.WriteU32(x, values)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return x
}

func (s bySteps) run(record func(l *op.List)) {
	s.t.Helper()
	l := op.NewList("alone")
	record(l)
	p, err := s.be.Compile(s.ctx, l)
	if err == nil {
		defer p.Close()
		err = p.Run(s.ctx)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s bySteps) read(x *op.Tensor) []float32 {
	s.t.Helper()
	data, err := s.be.Read(s.ctx, x)
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

// encode gives the token states and the pooled vector of a prompt.
func (s bySteps) encode(name string, e engine.TextEncoder, prompt string) (states, pooled []float32) {
	s.t.Helper()
	files, err := s.found.Words(name)
	if err != nil {
		s.t.Fatal(err)
	}
	var words [][]byte
	for _, f := range files {
		data, err := io.ReadAll(io.NewSectionReader(f.Source, 0, f.Source.Size()))
		if err != nil {
			s.t.Fatal(err)
		}
		words = append(words, data)
	}
	tok, err := e.Tokenizer(words...)
	if err != nil {
		s.t.Fatal(err)
	}
	tokens, err := tok.Encode(prompt)
	if err != nil {
		s.t.Fatal(err)
	}
	shape := e.Shape()
	pass := text.Pass{IDs: s.whole(tokens.IDs...), End: s.whole(uint32(tokens.EOS)), States: s.tensor(shape.Tokens, shape.Width, nil)}
	if shape.Pooled > 0 {
		pass.Pooled = s.tensor(1, shape.Pooled, nil)
	}
	s.run(func(l *op.List) { e.Encode(l, pass) })
	states = s.read(pass.States)
	if shape.Pooled > 0 {
		pooled = s.read(pass.Pooled)
	}
	return states, pooled
}

// conditioned is what the transformer reads of a prompt.
type conditioned struct{ tokens, pooled []float32 }

// latent follows Euler's steps from noise. of gives what is read of a prompt, and width is
// that of a token; cfg is classifier-free guidance, or 1. The direction is added to every
// block's vector with weight w, the head's is 0.
func (s bySteps) latent(net engine.Transformer, req engine.Request, schedule sample.Schedule, pixels, width int, of func(prompt string) conditioned) []float32 {
	s.t.Helper()
	shape := net.Shape()
	channels, rows := shape.Channels/4, pixels/2
	psi := func(prompt string) []float32 {
		c := of(prompt)
		out := s.tensor(1, shape.Vector, nil)
		s.run(func(l *op.List) { net.Psi(l, s.tensor(1, len(c.pooled), c.pooled), out) })
		return s.read(out)
	}
	term := req.Guidance[0]
	positive, negative := psi(term.Positive), psi(term.Negative)
	var shift []float32
	for block := range len(shape.Blocks) + 1 {
		w := float32(term.Weight)
		if block == len(shape.Blocks) {
			w = 0
		}
		for i := range positive {
			shift = append(shift, w*(positive[i]-negative[i]))
		}
	}
	velocity := func(x []float32, sigma float64, prompt string) []float32 {
		c := of(prompt)
		in := engine.Pass{Img: conform.Patchify(x, []int{channels, pixels, pixels}), Rows: rows, Cols: rows, Txt: c.tokens, Pooled: c.pooled, Time: sigma, Shift: shift}
		if shape.EmbedsGuidance {
			in.Guidance = req.CFG
		}
		out, err := engine.Forward(s.ctx, s.be, net, dit.Encoder{Name: "text", Width: width, Pooled: len(c.pooled)}, in)
		if err != nil {
			s.t.Fatal(err)
		}
		return conform.Unpatchify(out.Velocity, []int{channels, pixels, pixels})
	}
	noise, x := sample.Noise(req.Seed, channels, pixels, pixels), make([]float32, channels*pixels*pixels)
	for i := range x { // [pixels, channels] → [channels, pixels]
		x[i] = noise[i%(pixels*pixels)*channels+i/(pixels*pixels)]
	}
	sigmas := schedule.Sigmas(req.Steps, rows*rows)
	for k := range req.Steps {
		v := velocity(x, sigmas[k], req.Prompt)
		if !shape.EmbedsGuidance && req.CFG != 1 {
			u := velocity(x, sigmas[k], "")
			for i := range v {
				v[i] = u[i] + float32(req.CFG)*(v[i]-u[i])
			}
		}
		for i := range x {
			x[i] += float32(sigmas[k+1]-sigmas[k]) * v[i]
		}
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i%(pixels*pixels)*channels+i/(pixels*pixels)] = v
	}
	return out
}

// drawn is the picture of a latent, four bytes a pixel.
func (s bySteps) drawn(d engine.Decoder, latent []float32, pixels int) (out []byte) {
	s.t.Helper()
	side := pixels * d.Shape().Downscale
	rgba, err := s.be.New("rgba", op.U32, 1, side*side)
	if err != nil {
		s.t.Fatal(err)
	}
	s.run(func(l *op.List) {
		d.Draw(l, s.tensor(pixels*pixels, d.Shape().Channels, latent), pixels, pixels, 1, rgba)
	})
	words, err := s.be.ReadU32(s.ctx, rgba)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, w := range words {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	return out
}

// published is a model whose files are opened as a whole and network by network.
type published struct {
	name string
	req  engine.Request
	make func(t *testing.T, folder string) []string
	net  func(s bySteps) (engine.Transformer, engine.Decoder)
	of   func(s bySteps) (width int, of func(prompt string) conditioned)
}

var publishedModels = func() []published {
	term := recipe.Term{Positive: "frog", Negative: "a", Weight: 2, Schedule: guidance.Schedule{Kind: "constant"}}
	return []published{
		{"FLUX.1", engine.Request{Prompt: "a frog", Seed: 3, Steps: 2, Size: recipe.Square(256), CFG: 3.5, Guidance: []recipe.Term{term}},
			func(t *testing.T, folder string) []string { networks.WriteFlux(t, folder); return []string{folder} },
			func(s bySteps) (engine.Transformer, engine.Decoder) {
				return alone(s, weights.RoleTransformer, "", dit.LoadFlux), alone(s, weights.RoleDecoder, "", vae.LoadTiny)
			},
			func(s bySteps) (int, func(string) conditioned) {
				clip, t5 := alone(s, weights.RoleText, "clip_l", text.LoadCLIP), alone(s, weights.RoleText, "t5", text.LoadT5)
				return t5.Shape().Width, func(prompt string) conditioned {
					tokens, _ := s.encode("t5", t5, prompt)
					_, pooled := s.encode("clip_l", clip, prompt)
					return conditioned{tokens, pooled}
				}
			}},
		{"SD3", engine.Request{Prompt: "a frog", Seed: 3, Steps: 2, Size: recipe.Square(64), CFG: 4, Guidance: []recipe.Term{term}},
			networks.WriteSD3,
			func(s bySteps) (engine.Transformer, engine.Decoder) {
				return alone(s, weights.RoleTransformer, "", dit.LoadSD3), alone(s, weights.RoleDecoder, "", vae.LoadKL)
			},
			func(s bySteps) (int, func(string) conditioned) {
				l, g := alone(s, weights.RoleText, "clip_l", text.LoadCLIP), alone(s, weights.RoleText, "clip_g", text.LoadCLIP)
				width := alone(s, weights.RoleTransformer, "", dit.LoadSD3).Shape().Context
				return width, func(prompt string) conditioned {
					a, first := s.encode("clip_l", l, prompt)
					b, second := s.encode("clip_g", g, prompt)
					// Side by side with zeros behind; as many tokens of zeros stand for T5's, as in
					// diffusers' pipeline without its third text encoder.
					tokens := make([]float32, 2*l.Shape().Tokens*width)
					for i := range l.Shape().Tokens {
						row := tokens[i*width:][:width]
						copy(row, a[i*l.Shape().Width:][:l.Shape().Width])
						copy(row[l.Shape().Width:], b[i*g.Shape().Width:][:g.Shape().Width])
					}
					return conditioned{tokens, slices.Concat(first, second)}
				}
			}},
	}
}()

// A folder of files gives the picture that its networks make step by step, with guidance
// by modulation, and with classifier-free guidance where the family has it.
func TestPicturesByFilesAndByStep(t *testing.T) {
	for _, c := range publishedModels {
		t.Run(c.name, func(t *testing.T) { byFilesAndByStep(t, c) })
	}
}

func byFilesAndByStep(t *testing.T, c published) {
	ctx, be := context.Background(), cpu.New(cpu.Options{})
	defer be.Close()
	files, closeAll, err := checkpoint.Open(c.make(t, filepath.Join(t.TempDir(), "model"))...)
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll()
	found, err := checkpoint.Identify(files)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := engine.Open(found)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine.Load(ctx, cpu.New(cpu.Options{}), bundle, engine.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	got, err := e.Generate(ctx, c.req, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := bySteps{t, ctx, be, found}
	net, decoder := c.net(s)
	width, of := c.of(s)
	pixels := c.req.Size.Width / decoder.Shape().Downscale
	want := s.latent(net, c.req, bundle.Scheduler, pixels, width, of)
	norm, off := 0.0, 0.0
	for i, v := range want {
		norm += float64(v) * float64(v)
		off += math.Pow(float64(got.Latent[i]-v), 2)
	}
	if apart := math.Sqrt(off / norm); !(apart < 1e-5) {
		t.Errorf("the latent of the files is off by %g", apart)
	}
	if pixels := s.drawn(decoder, got.Latent, pixels); !slices.Equal(pixels, got.Image.RGBA) {
		t.Error("the picture is not that of the latent")
	}
	other := c.req
	other.Guidance = nil
	plain, err := e.Generate(ctx, other, nil)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(plain.Latent, got.Latent) {
		t.Error("guidance changes nothing")
	}
}
