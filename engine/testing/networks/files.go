package networks

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"undertone/engine/op"
	"undertone/engine/testing/scale"
	"undertone/engine/text"
	"undertone/engine/weights"
)

// WriteFlux writes a small FLUX.1 into a folder as diffusers keeps it: the transformer and
// decoder of the published goldens, text encoders with invented weights. It makes pictures
// of 256 × 256 and more.
func WriteFlux(t *testing.T, folder string) {
	t.Helper()
	w := files{t, folder}
	w.golden("flux_dev.diffusers.safetensors", "transformer/diffusion_pytorch_model.safetensors", "flux_dev.json")
	w.golden("taef1.diffusers.safetensors", "vae/diffusion_pytorch_model.safetensors", "taef1.json")
	w.clip("text_encoder", "tokenizer", `{"hidden_act":"quick_gelu","num_attention_heads":1}`, text.Config{HiddenSize: 24, Activation: "quick_gelu"})
	w.t5("text_encoder_2", "tokenizer_2", 40)
	w.put("model_index.json", []byte(`{"_class_name":"FluxPipeline","transformer":["diffusers","FluxTransformer2DModel"],"vae":["diffusers","AutoencoderTiny"],
		"text_encoder":["transformers","CLIPTextModel"],"text_encoder_2":["transformers","T5EncoderModel"],"tokenizer":[],"tokenizer_2":[],"scheduler":[]}`))
	w.put("scheduler/scheduler_config.json", []byte(`{"shift":3.0,"use_dynamic_shifting":true,"base_shift":0.5,"max_shift":1.15,"base_image_seq_len":256,"max_image_seq_len":4096}`))
}

// WriteSD3 writes a small SD3 medium without T5 as files here and there, and returns their
// folders. It makes pictures of 32 and 64 pixels.
func WriteSD3(t *testing.T, folder string) (folders []string) {
	t.Helper()
	w := files{t, folder}
	w.golden("sd3_medium.safetensors", "sd3/sd3_medium.safetensors", "sd3_medium.json")
	w.golden("vae_kl.safetensors", "decoders/vae.safetensors", "")
	w.clip("text_encoder", "tokenizer", `{"hidden_act":"quick_gelu","num_attention_heads":1}`, text.Config{HiddenSize: 12, Activation: "quick_gelu", Penultimate: true})
	w.clip("text_encoder_2", "tokenizer_2", `{"hidden_act":"gelu","num_attention_heads":1}`, text.Config{HiddenSize: 20, Activation: "gelu", Penultimate: true, Projection: 20})
	for _, name := range []string{"sd3", "decoders", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"} {
		folders = append(folders, filepath.Join(folder, name))
	}
	return folders
}

// files writes published files into a folder.
type files struct {
	t      *testing.T
	folder string
}

func (w files) put(name string, data []byte) {
	w.t.Helper()
	name = filepath.Join(w.folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w files) json(name string, v any) {
	w.t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(name, data)
}

// golden copies a file of the goldens, and the configuration beside it where there is a
// place for one.
func (w files) golden(from, to, config string) {
	w.t.Helper()
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(root(w.t), "engine", "testdata", "published", name))
		if err != nil {
			w.t.Fatal(err)
		}
		return data
	}
	w.put(to, read(from))
	if config == "" {
		return
	}
	var g struct{ Config json.RawMessage }
	if err := json.Unmarshal(read(config), &g); err != nil {
		w.t.Fatal(err)
	}
	w.put(filepath.Join(filepath.Dir(to), "config.json"), g.Config)
}

// encoder writes what a loader asks for, with a config.json.
func (w files) encoder(folder, config string, load func(op.Weights) error) {
	w.t.Helper()
	made := invented{rand.New(rand.NewPCG(7, uint64(len(config)))), map[string]*tensor{}}
	if err := load(made); err != nil {
		w.t.Fatal(err)
	}
	var outputs []weights.Output
	for _, name := range slices.Sorted(maps.Keys(made.tensors)) {
		x := made.tensors[name]
		outputs = append(outputs, weights.Float32s(name, op.BF16, x.shape, x.data))
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		w.t.Fatal(err)
	}
	w.put(folder+"/model.safetensors", b.Bytes())
	w.put(folder+"/config.json", []byte(config))
}

// clip is a CLIP with as many rows as its tokenizer has ids: every byte has one, and the
// first two words of one merge.
func (w files) clip(folder, tokenizer, config string, c text.Config) {
	w.t.Helper()
	c.VocabSize, c.NumLayers, c.NumHeads, c.Intermediate, c.MaxLength, c.BOS, c.EOS, c.PAD = 515, 2, 1, 32, 20, 513, 514, 514
	w.encoder(folder, config, func(x op.Weights) error { _, err := text.LoadCLIP(c, x); return err })
	w.json(tokenizer+"/vocab.json", scale.CLIPVocabulary(c.BOS, c.EOS))
	w.put(tokenizer+"/merges.txt", []byte(scale.CLIPMerges))
}

// t5 is a T5 of this width, with a tokenizer.json.
func (w files) t5(folder, tokenizer string, width int) {
	w.t.Helper()
	c := text.T5Config{VocabSize: 30, Width: width, HeadDim: 8, MLP: 32, NumLayers: 1, NumHeads: 2, MaxLength: 512, EOS: 1}
	w.encoder(folder, "{}", func(x op.Weights) error { _, err := text.LoadT5(c, x); return err })
	w.json(tokenizer+"/tokenizer.json", scale.T5Tokenizer())
}
