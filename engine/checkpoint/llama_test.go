package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// The configurations of published models, from their config.json.
func llama8B() text.LlamaConfig {
	return text.LlamaConfig{VocabSize: 128256, Width: 4096, NumLayers: 32, NumHeads: 32, KVHeads: 8, HeadDim: 128, MLP: 14336, Eps: 1e-5, RopeTheta: 500000,
		RopeScaling: text.RopeScaling{Factor: 8, Low: 1, High: 4, Original: 8192}, MaxLength: 128, BOS: 128000, PAD: 128009}
}

func hidreamI1() dit.HiDreamConfig {
	c := dit.HiDreamConfig{InChannels: 16, Layers: 16, Single: 32, HeadDim: 128, Heads: 20, Captions: []int{4096, 4096}, PooledDim: 2048,
		Experts: 4, Active: 2, AxesDim: []int{64, 32, 32}, Resolution: []int{128, 128}}
	for n := range 48 {
		c.LlamaLayers = append(c.LlamaLayers, min(n, 31))
	}
	return c
}

func cosmos2B() dit.CosmosConfig {
	return dit.CosmosConfig{InChannels: 16, Heads: 16, HeadDim: 128, Layers: 28, MLPRatio: 4, ContextDim: 1024, LoRA: 256, MaxSize: []int{128, 240, 240}, RopeScale: []float64{1, 4, 4}, PaddingMask: true, QKEps: 1e-6}
}

func t5First(tokens int) text.T5Config {
	return text.T5Config{VocabSize: 32128, Width: 1024, HeadDim: 128, MLP: 65536, NumLayers: 24, NumHeads: 128, MaxLength: tokens, EOS: 1, FeedForward: "relu", Masked: true, Zeroed: true}
}

func wan21() vae.Causal3DConfig {
	return vae.Causal3DConfig{LatentChannels: 16, Channels: 96, Multiples: []int{1, 2, 4, 4}, Layers: 2, HalvesTime: []bool{false, true, true}, Mean: wanMean, Deviation: wanStd}
}

// wanFile is the published decoder with the encoder beside it, under one of its namings.
func wanFile(t testing.TB, name, prefix string, diffusers bool) File {
	c := wan21()
	c.Preview.Weight, c.Preview.Bias = [][]float64{make([]float64, 16), make([]float64, 16), make([]float64, 16)}, make([]float64, 3)
	tensors := (&asked{t: t, all: diffusers, shape: map[string][]int{}}).of("causal3d", c, prefix, "BF16")
	return zeros(name, append(tensors, shaped{prefix + "encoder.conv1.weight", "BF16", []int{96, 3, 3, 3, 3}})...)
}

// instruct is what Meta's config.json of Llama 3.1 8B Instruct says.
const instruct = `{"architectures":["LlamaForCausalLM"],"bos_token_id":128000,"eos_token_id":[128001,128008,128009],"hidden_act":"silu","hidden_size":4096,"intermediate_size":14336,
	"model_type":"llama","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,"rms_norm_eps":1e-05,"vocab_size":128256,"rope_theta":500000.0,
	"rope_scaling":{"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192,"rope_type":"llama3"}}`

// A HiDream-I1 in parts opens whole: Llama alone under every prefix, sharded with its
// config.json, and beside a diffusers folder that has none.
func TestHiDreamParts(t *testing.T) {
	head := shaped{"lm_head.weight", "BF16", []int{128256, 4096}}
	bare := append(of(t, "llama", llama8B(), "", "BF16"), head)
	g := publishedG()
	g.Penultimate = false
	l := publishedL()
	l.Projection = 768
	rest := []File{
		zeros("hidream_i1_fast_bf16.safetensors", of(t, "hidream", hidreamI1(), "", "BF16")...),
		zeros("clip_l_hidream.safetensors", of(t, "clip", l, "", "F16")...), zeros("clip_g_hidream.safetensors", of(t, "clip", g, "", "F16")...),
		zeros("t5xxl.safetensors", of(t, "t5", t5XXL(512), "", "F16")...), zeros("ae.safetensors", of(t, "kl", grey(autoencoder(1, 0)), "", "F32")...),
		textFile("vocab.json", "{}"), textFile("merges.txt", ""), textFile("spiece.model", "x"),
		textFile("llama/tokenizer.json", `{"model":{"type":"BPE","end_of_word_suffix":null}}`),
	}
	for name, files := range map[string][]File{
		"alone":               {zeros("llama_3.1_8b_instruct.safetensors", bare...)},
		"of ComfyUI":          {zeros("llama.safetensors", of(t, "llama", llama8B(), "text_encoders.llama.transformer.", "BF16")...)},
		"of a folder":         append(sharded("Llama-3.1-8B-Instruct", "model", 4, bare), textFile("Llama-3.1-8B-Instruct/config.json", instruct)),
		"of a folder's other": {zeros("d/text_encoder_4/model.safetensors", bare...), textFile("d/text_encoder_4/config.json", instruct)},
	} {
		f := identify(t, append(files, rest...)...)
		if err := f.Complete(true); err != nil || f.Variant != "HiDream-I1 Fast" {
			t.Errorf("Llama %s: %s, %v", name, f.Variant, err)
		}
		same(t, f.part(t, weights.RoleText, llama), llama8B())
		same(t, f.part(t, weights.RoleTransformer, ""), hidreamI1())
		want := t5XXL(128)
		want.Masked = true
		same(t, f.part(t, weights.RoleText, "t5"), want)
		same(t, f.part(t, weights.RoleText, "clip_l"), l)
		same(t, f.part(t, weights.RoleText, "clip_g"), g)
		same(t, f.part(t, weights.RoleDecoder, ""), autoencoder(0.3611, 0.1159))
		if fmt.Sprint(f.Tokenizers["llama"], f.Tokenizers["clip_l"]) != "[llama/tokenizer.json] [vocab.json merges.txt]" {
			t.Errorf("tokenizers %v", f.Tokenizers)
		}
	}
	f := identify(t, rest...)
	if err := f.Complete(true); err == nil || !strings.Contains(err.Error(), "missing the text encoder Llama 3.1 8B Instruct, usually llama_3.1_8b_instruct_fp8_scaled.safetensors") {
		t.Errorf("without Llama: %v", err)
	}
}

// Cosmos-Predict2 opens whole with T5 1.0 and Wan's decoder under either naming.
func TestCosmosParts(t *testing.T) {
	rest := []File{
		zeros("cosmos_predict2_2B_t2i.safetensors", of(t, "cosmos", cosmos2B(), "net.", "BF16")...), textFile("spiece.model", "x"),
		zeros("oldt5_xxl_fp16.safetensors", append(of(t, "t5", t5First(512), "", "F16"), shaped{"encoder.embed_tokens.weight", "F16", []int{32128, 1024}})...),
	}
	for name, decoder := range map[string][]File{
		"original":  {wanFile(t, "wan_2.1_vae.safetensors", "", false)},
		"prefixed":  {wanFile(t, "all.safetensors", "first_stage_model.", false)},
		"diffusers": {wanFile(t, "C/vae/diffusion_pytorch_model.safetensors", "", true), textFile("C/vae/config.json", `{"_class_name":"AutoencoderKLWan","base_dim":96,"z_dim":16,"dim_mult":[1,2,4,4],"num_res_blocks":2,"temperal_downsample":[false,true,true]}`)},
	} {
		f := identify(t, append(decoder, rest...)...)
		if err := f.Complete(true); err != nil || f.Variant != "Cosmos-Predict2" || f.Unused != 2 {
			t.Errorf("%s: %s, %d unused, %v", name, f.Variant, f.Unused, err)
		}
		same(t, f.part(t, weights.RoleDecoder, ""), wan21())
		same(t, f.part(t, weights.RoleText, "t5"), t5First(512))
		same(t, f.part(t, weights.RoleTransformer, ""), cosmos2B())
	}
	if p := identify(t, read(t, published+"cosmos_predict2.safetensors")).part(t, weights.RoleTransformer, ""); strings.Contains(string(p.Config), "qk_norm_eps") {
		t.Errorf("under the names of diffusers: %s", p.Config)
	}
	adapted := cosmos2B()
	adapted.PooledDim = 768
	l := zeros("clip_l.safetensors", of(t, "clip", publishedL(), "", "F16")...)
	with := []File{zeros("adapted.safetensors", of(t, "cosmos", adapted, "net.", "BF16")...), rest[1], rest[2], wanFile(t, "w.safetensors", "", false)}
	if err := identify(t, with...).Complete(false); err == nil || !strings.Contains(err.Error(), "missing the text encoder CLIP-L") {
		t.Errorf("with an adapter and without CLIP-L: %v", err)
	}
	f := identify(t, append(with, l)...)
	same(t, f.part(t, weights.RoleText, "clip_l"), publishedL())
	same(t, f.part(t, weights.RoleTransformer, ""), adapted)
	if _, err := Identify(append(rest, l)); !fault.Is(err, fault.PartsMixed) || !strings.Contains(err.Error(), "does not read") {
		t.Errorf("CLIP-L without an adapter: %v", err)
	}
	if _, err := Identify(append(rest, zeros("ae.safetensors", of(t, "kl", grey(autoencoder(1, 0)), "", "F32")...))); !fault.Is(err, fault.PartsMixed) {
		t.Errorf("with FLUX.1's decoder: %v", err)
	}
	flux := zeros("dev.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	if _, err := Identify([]File{flux, wanFile(t, "wan.safetensors", "", true)}); !fault.Is(err, fault.PartsMixed) {
		t.Errorf("FLUX.1 with Wan's decoder: %v", err)
	}
	f = identify(t, wanFile(t, "wan.safetensors", "", true))
	same(t, f.part(t, weights.RoleDecoder, ""), wan21())
	config := textFile("v/config.json", `{"latents_mean":[0],"z_dim":16}`)
	if got := identify(t, wanFile(t, "v/x.safetensors", "", false), config).part(t, weights.RoleDecoder, ""); !strings.Contains(string(got.Config), `"latents_mean":[0]`) {
		t.Errorf("the config.json is not heard: %s", got.Config)
	}
}

// llamaGGUF is a small Llama as llama.cpp writes it.
func llamaGGUF(t *testing.T, meta map[string]any, more ...weights.Output) File {
	const d, kv, mlp, words = 64, 32, 96, 48
	tensors := append(more, weights.Output{Name: "token_embd.weight", DType: op.Q8_0, Shape: []int{words, d}}, weights.Output{Name: "output_norm.weight", DType: op.F32, Shape: []int{d}},
		weights.Output{Name: "output.weight", DType: op.Q8_0, Shape: []int{words, d}})
	for n := range 2 {
		at := fmt.Sprintf("blk.%d.", n)
		for name, shape := range map[string][]int{"attn_q": {d, d}, "attn_k": {kv, d}, "attn_v": {kv, d}, "attn_output": {d, d}, "ffn_gate": {mlp, d}, "ffn_up": {mlp, d}, "ffn_down": {d, mlp}} {
			tensors = append(tensors, weights.Output{Name: at + name + ".weight", DType: op.Q8_0, Shape: shape})
		}
		for _, name := range []string{"attn_norm", "ffn_norm"} {
			tensors = append(tensors, weights.Output{Name: at + name + ".weight", DType: op.F32, Shape: []int{d}})
		}
	}
	all := map[string]any{"general.architecture": "llama", "llama.attention.head_count": uint32(4), "llama.attention.head_count_kv": uint32(2),
		"llama.attention.layer_norm_rms_epsilon": float32(1e-5), "llama.rope.freq_base": float32(500000), "tokenizer.ggml.bos_token_id": uint32(40), "tokenizer.ggml.eos_token_id": uint32(41)}
	for key, v := range meta {
		all[key] = v
	}
	return random(t, all, tensors...)
}

// Llama as llama.cpp names it, whose metadata tells what shapes do not.
func TestLlamaGGUF(t *testing.T) {
	want := text.LlamaConfig{VocabSize: 48, Width: 64, NumLayers: 2, NumHeads: 4, KVHeads: 2, HeadDim: 16, MLP: 96, Eps: 1e-5, RopeTheta: 500000,
		RopeAdjacent: true, MaxLength: 512, BOS: 40, PAD: 41}
	same(t, only(t, identify(t, llamaGGUF(t, nil))), want)
	want.RopeScaling = llama8B().RopeScaling
	same(t, only(t, identify(t, llamaGGUF(t, nil, weights.Output{Name: "rope_freqs.weight", DType: op.F32, Shape: []int{8}}))), want)
	for says, meta := range map[string]map[string]any{
		`its general.architecture is "qwen3", supported "llama"`:                     {"general.architecture": "qwen3"},
		"has queries of 64 and keys of 32, which are not 5 and 2 heads of 12":        {"llama.attention.head_count": uint32(5)},
		"has queries of 64 and keys of 32, which are not 4 and 4 heads of 16":        {"llama.attention.head_count_kv": uint32(4)},
		"is a Llama with 48 words, known is Llama 3 with 128256: its heads stand in": {"llama.attention.head_count": uint32(0)},
	} {
		if _, err := Identify([]File{llamaGGUF(t, meta)}); !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %s", err, says)
		}
	}
}

// A config.json of a Llama is heard, in the words of any version of transformers.
func TestLlamaConfigJSON(t *testing.T) {
	small := llama8B()
	small.VocabSize, small.Width, small.NumHeads, small.KVHeads, small.HeadDim, small.NumLayers, small.MLP, small.BOS, small.PAD = 64, 64, 4, 2, 16, 2, 96, 1, 2
	small.MaxLength = 512
	file := func() File { return zeros("l/model.safetensors", of(t, "llama", small, "", "BF16")...) }
	base := `"model_type":"llama","num_attention_heads":4,"bos_token_id":1,"eos_token_id":2,`
	scaling := `"factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192`
	plain, other := small, small
	plain.RopeScaling = text.RopeScaling{}
	other.RopeTheta, other.Eps, other.PAD, other.RopeScaling = 10000, 1e-6, 9, text.RopeScaling{}
	for content, want := range map[string]text.LlamaConfig{
		base + `"rope_theta":500000.0,"rope_scaling":{"rope_type":"llama3",` + scaling + `}`:                 small,
		base + `"rope_parameters":{"rope_theta":500000.0,"rope_type":"llama3",` + scaling + `}`:              small,
		base + `"rope_scaling":{"type":"llama3","rope_type":"llama3",` + scaling + `},"rope_theta":500000.0`: small,
		base + `"rope_theta":500000.0,"rope_scaling":null`:                                                   plain,
		strings.Replace(base, `:2,`, `:[2,9],`, 1) + `"rope_theta":10000,"rms_norm_eps":1e-6,"head_dim":16`:  other,
	} {
		same(t, only(t, identify(t, file(), textFile("l/config.json", "{"+content+"}"))), want)
	}
	for content, says := range map[string]string{
		`"model_type":"gemma"`:                       `model_type "gemma" and hidden_act ""`,
		`"model_type":"llama","hidden_act":"gelu"`:   `hidden_act "gelu"`,
		base + `"rope_scaling":{"rope_type":"yarn"}`: `rope_type "yarn", supported "default" and "llama3"`,
		base + `"num_hidden_layers":3`:               "num_hidden_layers 3, the weights in l/model.safetensors have 2",
		base + `"num_key_value_heads":3`:             "which are not 4 and 3 heads of 16",
		`"eos_token_id":"x"`:                         "wanted a number or several",
		`"rope_scaling":5`:                           "is not that of a Llama",
		`"model_type":"llama"`:                       "its heads stand in config.json",
	} {
		if _, err := Identify([]File{file(), textFile("l/config.json", "{"+content+"}")}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", content, err)
		}
	}
}

// The words in a GGUF file of Llama 3 give the ids of the tokenizer.json that they are from.
func TestLlamaGGUFWords(t *testing.T) {
	data, err := os.ReadFile("../text/testdata/llama.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tokenizer struct {
			Added []struct {
				ID      int
				Content string
			} `json:"added_tokens"`
			Model struct {
				Vocab  map[string]int
				Merges []json.RawMessage
			}
		}
		Cases []struct {
			Text string
			IDs  []uint32
		}
	}
	if err := json.Unmarshal(data, &file); err != nil || len(file.Cases) < 60 {
		t.Fatalf("%d cases: %v", len(file.Cases), err)
	}
	model := file.Tokenizer.Model
	n := len(model.Vocab) + len(file.Tokenizer.Added)
	tokens, kinds := make([]string, n), slices.Repeat([]int32{1}, n)
	for token, id := range model.Vocab {
		tokens[id] = token
	}
	for _, a := range file.Tokenizer.Added {
		tokens[a.ID], kinds[a.ID] = a.Content, 3
	}
	var merges []string
	for _, m := range model.Merges {
		var one string
		var pair [2]string
		if json.Unmarshal(m, &one) != nil {
			if err := json.Unmarshal(m, &pair); err != nil {
				t.Fatal(err)
			}
			one = pair[0] + " " + pair[1]
		}
		merges = append(merges, one)
	}
	meta := map[string]any{"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "llama-bpe", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": kinds, "tokenizer.ggml.merges": merges}
	f := identify(t, llamaGGUF(t, meta))
	words, err := f.Words(llama)
	if err != nil || len(words) != 1 || words[0].Name != "tokenizer.json" {
		t.Fatalf("%v, %v", words, err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(words[0].Source.(*bytes.Reader)); err != nil {
		t.Fatal(err)
	}
	begin := int(file.Cases[0].IDs[0])
	tok, err := text.ReadTokenizer(text.Frame{Rows: n, Length: 512, BOS: begin, EOS: -1, PAD: begin + 1}, b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		if got := tok.Tokenize(c.Text); got.Count != len(c.IDs) || !slices.Equal(got.IDs[:got.Count], c.IDs) {
			t.Errorf("%.60q: %v, want %v", c.Text, got.IDs[:got.Count], c.IDs)
		}
	}
}

// A scheduler_config.json says how HiDream-I1 is shifted; Cosmos' says what is known.
func TestSchedulesOfFamilies(t *testing.T) {
	hidream, cosmos := of(t, "hidream", hidreamI1(), "", "BF16"), of(t, "cosmos", cosmos2B(), "net.", "BF16")
	for _, c := range []struct {
		file   File
		config string
		want   string
		steps  int
	}{
		{zeros("hidream_i1_fast.safetensors", hidream...), "", `{"kind":"flow","shift":3,"list":"sd3","sampler":"lcm"}`, 16},
		{zeros("hidream_i1_dev.safetensors", hidream...), "", `{"kind":"flow","shift":6,"list":"sd3","sampler":"lcm"}`, 28},
		{zeros("hidream_i1_full.safetensors", hidream...), "", `{"kind":"flow","shift":3,"list":"unipc","sampler":"unipc"}`, 50},
		{zeros("hidream_i1_fast.safetensors", hidream...), `{"_class_name":"FlowMatchLCMScheduler","shift":2.5}`, `{"kind":"flow","shift":2.5,"list":"sd3","sampler":"lcm"}`, 16},
		{zeros("hidream_i1_fast.safetensors", hidream...), `{"shift":3}`, `{"kind":"flow","shift":3,"list":"sd3","sampler":"lcm"}`, 16},
		{zeros("hidream_i1_full.safetensors", hidream...), `{"_class_name":"UniPCMultistepScheduler","flow_shift":3.0}`, `{"kind":"flow","shift":3,"list":"unipc","sampler":"unipc"}`, 50},
		{zeros("cosmos_2b.safetensors", cosmos...), `{"_class_name":"FlowMatchEulerDiscreteScheduler","shift":1.0,"sigma_max":80.0,"sigma_min":0.002,"use_karras_sigmas":true}`, `{"kind":"edm"}`, 35},
	} {
		files := []File{c.file}
		if c.config != "" {
			files = append(files, textFile("scheduler/scheduler_config.json", c.config))
		}
		if f := identify(t, files...); string(f.Schedule) != c.want || f.Steps != c.steps {
			t.Errorf("%s with %s: %s, %d steps; want %s, %d", c.file.Name, c.config, f.Schedule, f.Steps, c.want, c.steps)
		}
	}
}
