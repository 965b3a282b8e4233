package networks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/quant"
	"undertone/engine/recipe"
	"undertone/engine/sample"
	"undertone/engine/tinyjson"
	"undertone/engine/weights"
)

// fixture is a whole small model in memory, put together from the golden files'
// networks: 2 double and 3 single blocks of width 48, pictures of 16 × 16, 24 × 24
// and 24 × 16 pixels. Tests bend it before they load it.
type fixture struct {
	t       *testing.T
	family  string
	dit     map[string]any                // the transformer's configuration
	encoder string                        // the kind of the text encoder, and its name
	text    map[string]any                // its configuration
	more    []encoder                     // text encoders behind it
	decoder string                        // the kind of the decoder
	vae     map[string]any                // its configuration
	reads   map[string]any                // the configuration of the encoder; nil: there is none
	tensors map[string]map[string]*tensor // by the name of the file
	words   []string                      // of the tokenizer, by id
	sizes   []recipe.Size

	schedule        sample.Schedule
	steps, maxSteps int
}

// encoder is one more text encoder, of which the tensors are in a file of its name.
type encoder struct {
	kind, name string
	config     map[string]any
}

type tensor struct {
	shape []int
	data  []float32
}

var fixtureWords = strings.Fields(`[PAD] [BOS] [EOS] [UNK] , . - a the frog cat house red blue night day in at sharp plain moon sun green`)

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{t: t, family: "flux", encoder: "clip", decoder: "tiny", tensors: map[string]map[string]*tensor{}, words: fixtureWords, sizes: []recipe.Size{recipe.Square(16), recipe.Square(24), {Width: 24, Height: 16}}}
	for role, file := range map[string]string{"dit": "flux_odd", "text": "clip", "vae": "vae"} {
		g := readGolden(t, file)
		f.tensors[role] = map[string]*tensor{}
		for _, x := range g.index.Tensors {
			if name, ok := strings.CutPrefix(x.Name, "weights."); ok {
				f.tensors[role][name] = &tensor{x.Shape, g.get(x.Name)}
			}
		}
		if role == "dit" {
			g.decode("config", &f.dit)
		}
		if role == "text" {
			g.decode("config", &f.text)
		}
		if role == "vae" {
			g.decode("config", &f.vae)
		}
	}
	f.steps, f.maxSteps = 2, 12
	f.schedule = sample.Schedule{Kind: "flow", Shift: 1.5}
	f.dit["guidance_embed"] = false // its weights stay in the file, unused
	return f
}

// bundle is the fixture, ready to be loaded.
func (f *fixture) bundle() *weights.Bundle {
	f.t.Helper()
	b, err := weights.LoadBundle(background(), f.files(), "model.json")
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// files writes the fixture's files into memory.
func (f *fixture) files() weights.Memory {
	f.t.Helper()
	check := func(err error) {
		f.t.Helper()
		if err != nil {
			f.t.Fatal(err)
		}
	}
	files := weights.Memory{}
	var entries []weights.File
	add := func(role, name, path string, data []byte) {
		files[path] = data
		e, err := weights.Describe(role, path, bytes.NewReader(data))
		check(err)
		e.Name = name
		entries = append(entries, e)
	}
	for file, tensors := range f.tensors {
		role := file
		if role != "dit" && role != "vae" && role != "encoder" {
			role = "text"
		}
		add(role, file, file+".safetensors", f.safetensors(tensors))
	}
	vocab := map[string]int{}
	for i, w := range f.words {
		vocab[w] = i
	}
	words, err := json.Marshal(map[string]any{
		"normalizer":    map[string]string{"type": "Lowercase"},
		"pre_tokenizer": map[string]string{"type": "Whitespace"},
		"model":         map[string]any{"type": "WordLevel", "unk_token": "[UNK]", "vocab": vocab},
	})
	check(err)
	add("tokenizer", "tokenizer", "tokenizer.json", words)
	components := []map[string]any{
		{"role": "text", "kind": f.encoder, "name": f.encoder, "config": f.text, "file": "text", "tokenizer": "tokenizer", "parameters": 1},
		{"role": "transformer", "kind": f.family, "config": f.dit, "file": "dit", "parameters": 1},
		{"role": "decoder", "kind": f.decoder, "config": f.vae, "file": "vae", "parameters": 1},
	}
	understands := fixtureUnderstands
	if f.reads != nil {
		understands.Keep = "plain"
		components = append(components, map[string]any{"role": "encoder", "kind": "tiny", "config": f.reads, "file": "encoder", "parameters": 1})
	}
	for _, e := range f.more {
		components = append(components, map[string]any{"role": "text", "kind": e.kind, "name": e.name, "config": e.config, "file": e.name, "tokenizer": "tokenizer", "parameters": 1})
	}
	manifest, err := json.Marshal(map[string]any{
		"format": weights.ManifestFormat, "version": weights.ManifestVersion, "name": "fixture", "title": "Fixture", "family": f.family,
		"revision": "1",
		"licenses": map[string]string{"weights": "none", "data": "none"}, "files": entries,
		"components": components, "scheduler": f.schedule,
		"defaults": map[string]any{"steps": f.steps, "size": 16, "cfg": 1, "seed": 1, "prompt": "a frog"},
		"sizes":    f.sizes, "max_steps": f.maxSteps, "presets": fixturePresets, "understands": understands, "examples": fixtureExamples,
	})
	check(err)
	files["model.json"] = manifest
	return files
}

// safetensors are tensors as a file holds them.
func (f *fixture) safetensors(tensors map[string]*tensor) []byte {
	f.t.Helper()
	var outputs []weights.Output
	for name, x := range tensors {
		outputs = append(outputs, weights.Output{Name: name, DType: op.F32, Shape: x.shape, Write: func(w io.Writer) error {
			raw := make([]byte, 4*len(x.data))
			quant.Quantize(op.F32, raw, x.data)
			_, err := w.Write(raw)
			return err
		}})
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		f.t.Fatal(err)
	}
	return b.Bytes()
}

// What the fixture offers on a page, in the words that it knows.
var (
	fixturePresets = []recipe.Preset{
		{ID: "night", Title: "Night", Positive: "at night", Negative: "in day", Weight: 1, Schedule: tinyjson.Raw(`{"kind":"constant"}`)},
		{ID: "sharp", Title: "Sharp", Positive: "sharp", Negative: "plain", Weight: 2, Schedule: tinyjson.Raw(`{"kind":"step","start":2}`)},
	}
	fixtureUnderstands = recipe.Vocabulary{
		Objects: []string{"frog", "cat", "house", "moon", "sun"}, Colours: []string{"red", "blue", "green"},
		Places: []string{"at night", "in day"}, Quality: []string{"sharp", "plain"},
		Near: map[string][]string{"cat": {"wombat"}},
	}
	fixtureExamples = []string{"a frog", "the cat in a red house"}
)

// WriteSmall writes a small whole model into a folder, as model.json and the files
// beside it: pictures of 16 × 16, 24 × 24 and 24 × 16 pixels, made in milliseconds on
// any machine, of nothing in particular. With padding, the transformer's file has that many further
// bytes, which no network reads, so that it has several pieces.
func WriteSmall(t *testing.T, folder string, padding int) { newFixture(t).save(folder, padding) }

// WriteEditing is WriteSmall for a model that edits, too.
func WriteEditing(t *testing.T, folder string) { newFixture(t).editing().save(folder, 0) }

func (f *fixture) save(folder string, padding int) {
	t := f.t
	t.Helper()
	if n := padding / 4; n > 0 {
		noise := make([]float32, n)
		state := uint32(1)
		for i := range noise {
			state = state*1664525 + 1013904223
			noise[i] = float32(state>>8) / (1 << 24)
		}
		f.tensors["dit"]["padding"] = &tensor{[]int{n}, noise}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range f.files() {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Small brings a small whole model onto a machine.
func Small(t *testing.T, be op.Backend) *engine.Engine {
	t.Helper()
	return newFixture(t).load(be)
}

// Made is Small with a transformer of another kind and configuration.
func Made(t *testing.T, be op.Backend, family string, config map[string]any) *engine.Engine {
	t.Helper()
	f := newFixture(t)
	f.family, f.dit = family, config
	return f.load(be)
}

// MadeWithT5 is Made with a T5 of width 48 as text encoder, which reads 9 tokens.
func MadeWithT5(t *testing.T, be op.Backend, family string, config map[string]any, masked bool) *engine.Engine {
	t.Helper()
	f := newFixture(t)
	f.family, f.dit = family, config
	f.encoder, f.text, f.tensors["text"] = smallT5(t, 9)
	f.text["masked"] = masked
	return f.load(be)
}

// smallT5 is a T5 of width 48 that reads so many tokens.
func smallT5(t *testing.T, tokens int) (kind string, config map[string]any, tensors map[string]*tensor) {
	t.Helper()
	p := openFile(t, "t5", filepath.Join(root(t), "engine", "testdata", "published", "t5.safetensors"))
	config = map[string]any{"vocab_size": 70, "d_model": 48, "d_kv": 12, "d_ff": 80,
		"num_layers": 3, "num_heads": 4, "max_length": tokens, "eos": 2, "pad": 0}
	tensors = map[string]*tensor{}
	for _, x := range p.index.Tensors {
		tensors[x.Name] = &tensor{x.Shape, p.get(x.Name)}
	}
	return "t5", config, tensors
}

// load brings the fixture onto a machine.
func (f *fixture) load(be op.Backend) *engine.Engine {
	f.t.Helper()
	e, err := engine.Load(background(), lent{be}, f.bundle(), engine.LoadOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// picture generates and fails the test where that fails.
func picture(t *testing.T, e *engine.Engine, req engine.Request) *engine.Result {
	t.Helper()
	r, err := e.Generate(background(), req, nil)
	if err != nil {
		t.Fatalf("%+v: %v", req, err)
	}
	return r
}

// same reports whether two pictures are equal to the last bit, latent and bytes.
func same(a, b *engine.Result) bool {
	return fmt.Sprint(bits(a.Latent)) == fmt.Sprint(bits(b.Latent)) && bytes.Equal(a.Image.RGBA, b.Image.RGBA)
}
