package networks

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine/conform/twin"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/testing/scale"
	"undertone/engine/text"
	"undertone/engine/vae"
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
	w.t5("text_encoder_2", "tokenizer_2", text.T5Config{Width: 40})
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

// WriteHiDream writes a small HiDream-I1 Fast into a folder as diffusers keeps it, and Llama
// beside it in another, as the publisher's pipeline wants it; it returns both.
func WriteHiDream(t *testing.T, folder string) (folders []string) {
	t.Helper()
	w := files{t, folder}
	config := dit.HiDreamConfig{InChannels: 16, Layers: 1, Single: 2, HeadDim: 16, Heads: 2, Captions: []int{24, 32}, PooledDim: 32,
		Experts: 4, Active: 2, AxesDim: []int{8, 4, 4}, Resolution: []int{32, 32}, LlamaLayers: []int{0, 1, 1}}
	w.encoder("hidream_i1_fast/transformer", w.text(config), func(x op.Weights) error { _, err := dit.LoadHiDream(config, x); return err })
	w.golden("taef1.diffusers.safetensors", "hidream_i1_fast/vae/diffusion_pytorch_model.safetensors", "taef1.json")
	w.clip("hidream_i1_fast/text_encoder", "hidream_i1_fast/tokenizer", `{"hidden_act":"quick_gelu","num_attention_heads":1}`, text.Config{HiddenSize: 12, Activation: "quick_gelu", Projection: 12})
	w.clip("hidream_i1_fast/text_encoder_2", "hidream_i1_fast/tokenizer_2", `{"hidden_act":"gelu","num_attention_heads":1}`, text.Config{HiddenSize: 20, Activation: "gelu", Projection: 20})
	w.t5("hidream_i1_fast/text_encoder_3", "hidream_i1_fast/tokenizer_3", text.T5Config{Width: 24})
	w.put("hidream_i1_fast/model_index.json", []byte(`{"_class_name":"HiDreamImagePipeline","transformer":[],"vae":[],"text_encoder":[],"text_encoder_2":[],"text_encoder_3":[],
		"text_encoder_4":[null,null],"tokenizer":[],"tokenizer_2":[],"tokenizer_3":[],"tokenizer_4":[null,null],"scheduler":[]}`))
	w.put("hidream_i1_fast/scheduler/scheduler_config.json", []byte(`{"_class_name":"FlowMatchLCMScheduler","shift":3.0}`))
	w.llama("llama")
	return []string{filepath.Join(folder, "hidream_i1_fast"), filepath.Join(folder, "llama")}
}

// CosmosAdapted is how many of the folders of WriteCosmos, the last, are an adapter's: itself,
// and the CLIP that it reads.
const CosmosAdapted = 3

// WriteCosmos writes a small Cosmos-Predict2 and an adapter as files here and there, and
// returns their folders: the transformer with T5 1.0 and Wan's decoder, then the adapter in
// a file of its own and a CLIP.
func WriteCosmos(t *testing.T, folder string) (folders []string) {
	t.Helper()
	w := files{t, folder}
	config := dit.CosmosConfig{InChannels: 16, Heads: 2, HeadDim: 16, Layers: 2, MLPRatio: 2, ContextDim: 24, LoRA: 8, MaxSize: []int{4, 64, 64}, RopeScale: []float64{1, 4, 4}, PaddingMask: true, PooledDim: 12}
	plain := config
	plain.PooledDim = 0
	adapter := map[string]*tensor{}
	w.encoder("cosmos_predict2/transformer", w.text(plain), func(x op.Weights) error {
		_, err := dit.LoadCosmos(config, x)
		made := x.(invented).tensors
		for name, t := range made {
			if name == "scales" || strings.HasPrefix(name, "text_embedder_clip.") {
				adapter[name] = t
				delete(made, name)
			}
		}
		return err
	})
	w.weights("cosmos_predict2/adapter", adapter)
	w.t5("cosmos_predict2/text_encoder", "cosmos_predict2/tokenizer", text.T5Config{Width: 24, FeedForward: "relu"})
	w.clip("cosmos_predict2/text_encoder_2", "cosmos_predict2/tokenizer_2", `{"hidden_act":"quick_gelu","num_attention_heads":1}`, text.Config{HiddenSize: 12, Activation: "quick_gelu"})
	decoder := vae.Causal3DConfig{LatentChannels: 16, Channels: 4, Multiples: []int{1, 2, 4, 4}, Layers: 1, HalvesTime: []bool{false, true, true},
		Mean: make([]float64, 16), Deviation: slices.Repeat([]float64{1.5}, 16)}
	row := make([]float64, 16)
	decoder.Preview = vae.Preview{Weight: [][]float64{row, row, row}, Bias: make([]float64, 3)}
	said := map[string]any{"base_dim": 4, "latents_mean": decoder.Mean, "latents_std": decoder.Deviation}
	w.encoder("cosmos_predict2/vae", w.text(said), func(x op.Weights) error { _, err := vae.LoadCausal3D(decoder, x); return err })
	for _, name := range []string{"transformer", "text_encoder", "tokenizer", "vae", "adapter", "text_encoder_2", "tokenizer_2"} {
		folders = append(folders, filepath.Join(folder, "cosmos_predict2", name))
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
		at := filepath.Join(root(w.t), "engine", "testdata", "published", name)
		data, err := os.ReadFile(at)
		if prefix, ok := strings.CutSuffix(at, twin.Whole); ok {
			data, err = twin.Of(prefix)
		}
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
	w.weights(folder, made.tensors)
	w.put(folder+"/config.json", []byte(config))
}

// weights writes a folder's file of tensors.
func (w files) weights(folder string, tensors map[string]*tensor) {
	w.t.Helper()
	var outputs []weights.Output
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		x := tensors[name]
		outputs = append(outputs, weights.Float32s(name, op.BF16, x.shape, x.data))
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, outputs...); err != nil {
		w.t.Fatal(err)
	}
	w.put(folder+"/model.safetensors", b.Bytes())
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

// t5 is a T5 of this width and kind, with a tokenizer.json.
func (w files) t5(folder, tokenizer string, c text.T5Config) {
	w.t.Helper()
	c.VocabSize, c.HeadDim, c.MLP, c.NumLayers, c.NumHeads, c.MaxLength, c.EOS = 30, 8, 32, 1, 2, 512, 1
	w.encoder(folder, "{}", func(x op.Weights) error { _, err := text.LoadT5(c, x); return err })
	w.json(tokenizer+"/tokenizer.json", scale.T5Tokenizer())
}

// llama is a Llama 3 of two layers, with the tokenizer that the reference strings are of.
func (w files) llama(folder string) {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(root(w.t), "engine", "text", "testdata", "llama.json"))
	var words struct{ Tokenizer json.RawMessage }
	if err == nil {
		err = json.Unmarshal(data, &words)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	c := text.LlamaConfig{VocabSize: 421, Width: 32, NumLayers: 2, NumHeads: 4, KVHeads: 2, HeadDim: 8, MLP: 48, Eps: 1e-5, RopeTheta: 500000, MaxLength: 128, BOS: 419, PAD: 420}
	config := `{"model_type":"llama","num_attention_heads":4,"bos_token_id":419,"eos_token_id":[418,420],"rope_theta":500000.0}`
	w.encoder(folder, config, func(x op.Weights) error { _, err := text.LoadLlama(c, x); return err })
	w.put(folder+"/tokenizer.json", words.Tokenizer)
}

// text is a configuration as a config.json has it.
func (w files) text(config any) string {
	w.t.Helper()
	data, err := json.Marshal(config)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}
