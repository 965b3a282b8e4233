package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

const tokenizerJSON = `{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
 "normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"}]},
 "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
 "model":{"type":"WordLevel","vocab":{"[PAD]":0,"[BOS]":1,"[EOS]":2,"[UNK]":3,"a":4,"frog":5,"red":6,"car":7},"unk_token":"[UNK]"}}`

// recorder is an op.Weights that invents every weight it is asked for.
type recorder struct {
	rng     *rand.Rand
	outputs []weights.Output
	params  int64
}

func (r *recorder) Has(name string) bool { return true }

func (r *recorder) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	shape := []int{rows, cols}
	switch {
	case use == op.UseConv3x3:
		shape = []int{rows, cols / 9, 3, 3}
	case use == op.UseVector && rows == 1:
		shape = []int{cols}
	}
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(r.rng.NormFloat64()) * 0.2
	}
	r.params += int64(len(x))
	r.outputs = append(r.outputs, weights.Float32s(name, op.BF16, shape, x))
	return nil
}

func (r *recorder) Constant(string, op.Use, int, int, []float32) *op.Tensor { return nil }

// tinyModel writes a whole model with random weights and returns its folder.
func tinyModel(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d := dit.FluxConfig{InChannels: 16, VecDim: 32, ContextDim: 32, Hidden: 32, MLPRatio: 2, Heads: 2, Depth: 1, DepthSingle: 2,
		AxesDim: []int{4, 6, 6}, Theta: 10000, QKVBias: true, Activation: "gelu"}
	c := text.Config{VocabSize: 8, HiddenSize: 32, NumLayers: 1, NumHeads: 2, Intermediate: 64, MaxLength: 8, Activation: "gelu", BOS: 1, EOS: 2}
	v := vae.Config{LatentChannels: 4, Downscale: 4, Stages: []vae.Stage{{Channels: 8, Blocks: 1}, {Channels: 8, Blocks: 0}, {Channels: 4, Blocks: 1}},
		ScalingFactor: 1, Preview: vae.Preview{Weight: [][]float64{make([]float64, 4), make([]float64, 4), make([]float64, 4)}, Bias: make([]float64, 3)}}
	m := weights.Manifest{
		Format: weights.ManifestFormat, Version: weights.ManifestVersion, Name: "tiny", Title: "Tiny", Family: "flux", Revision: "2026-01-01",
		Licenses: recipe.Licenses{Weights: "Apache-2.0", Data: "random numbers"}, Sizes: []recipe.Size{recipe.Square(32), {Width: 48, Height: 32}}, MaxSteps: 8, Scheduler: sample.Schedule{Kind: "flow"},
		Defaults: recipe.Defaults{Steps: 2, Size: recipe.Square(32), CFG: 1, Seed: 1, Prompt: "a red frog"},
	}
	add := func(role, name string, write func(io.Writer) error) {
		var b bytes.Buffer
		must(write(&b))
		must(os.WriteFile(filepath.Join(folder, name), b.Bytes(), 0o600))
		f, err := weights.Describe(role, name, &b)
		must(err)
		m.Files = append(m.Files, f)
	}
	component := func(role string, load func(*recorder) error) int64 {
		r := &recorder{rng: rand.New(rand.NewPCG(1, uint64(len(role))))}
		must(load(r))
		add(role, role+".safetensors", func(w io.Writer) error { return weights.WriteSafetensors(w, nil, r.outputs...) })
		return r.params
	}
	flux := component("dit", func(r *recorder) error { _, err := dit.LoadFlux(d, r); return err })
	clip := component("text", func(r *recorder) error { _, err := text.LoadCLIP(c, r); return err })
	tiny := component("vae", func(r *recorder) error { _, err := vae.LoadTiny(v, r); return err })
	add("tokenizer", "tokenizer.json", func(w io.Writer) error { _, err := io.WriteString(w, tokenizerJSON); return err })
	for _, part := range []struct {
		weights.Component
		config any
	}{
		{weights.Component{Role: weights.RoleText, Kind: "clip", Name: "clip", File: "text", Tokenizer: weights.Names{"tokenizer"}, Parameters: clip}, c},
		{weights.Component{Role: weights.RoleTransformer, Kind: "flux", File: "dit", Parameters: flux}, d},
		{weights.Component{Role: weights.RoleDecoder, Kind: "tiny", File: "vae", Parameters: tiny}, v},
	} {
		raw, err := json.Marshal(part.config)
		must(err)
		part.Config = raw
		m.Components = append(m.Components, part.Component)
	}
	manifest, err := json.Marshal(m)
	must(err)
	must(os.WriteFile(filepath.Join(folder, "model.json"), manifest, 0o600))
	must(os.WriteFile(filepath.Join(folder, "README.md"), []byte("# Tiny\n"), 0o600))
	return folder
}
