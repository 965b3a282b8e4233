package checkpoint

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"undertone/engine/conform/twin"
	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// The configurations of published models, from their config.json and params.
func fluxOf(double, single int, guidance bool) dit.FluxConfig {
	return dit.FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072, MLPRatio: 4, Heads: 24, Depth: double, DepthSingle: single,
		AxesDim: []int{16, 56, 56}, Theta: 10000, QKVBias: true, GuidanceEmbed: guidance, Activation: "gelu_tanh"}
}

func sd3Of(layers, heads, side, dual int, norm string) dit.SD3Config {
	c := dit.SD3Config{InChannels: 16, Layers: layers, Heads: heads, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: side, Sample: 128, Dual: []int{}, QKNorm: norm}
	for i := range dual {
		c.Dual = append(c.Dual, i)
	}
	return c
}

func publishedL() text.Config {
	return text.Config{VocabSize: 49408, HiddenSize: 768, NumLayers: 12, NumHeads: 12, Intermediate: 3072, MaxLength: 77,
		Activation: "quick_gelu", BOS: 49406, EOS: 49407, PAD: 49407}
}

func publishedG() text.Config {
	return text.Config{VocabSize: 49408, HiddenSize: 1280, NumLayers: 32, NumHeads: 20, Intermediate: 5120, MaxLength: 77,
		Activation: "gelu", BOS: 49406, EOS: 49407, PAD: 0, Penultimate: true, Projection: 1280}
}

func t5XXL(tokens int) text.T5Config {
	return text.T5Config{VocabSize: 32128, Width: 4096, HeadDim: 64, MLP: 10240, NumLayers: 24, NumHeads: 64, MaxLength: tokens, EOS: 1}
}

func autoencoder(scaling, shift float64) vae.KLConfig {
	return vae.KLConfig{LatentChannels: 16, Channels: []int{128, 256, 512, 512}, Layers: 2, Groups: 32, ScalingFactor: scaling, ShiftFactor: shift}
}

func taesd() vae.Config {
	return vae.Config{LatentChannels: 16, Downscale: 8, Stages: []vae.Stage{{Channels: 64, Blocks: 3}, {Channels: 64, Blocks: 3}, {Channels: 64, Blocks: 3}, {Channels: 64, Blocks: 1}}, ScalingFactor: 1}
}

// grey is a decoder's configuration with a preview, without which no loader takes it.
func grey[C any](c C) C {
	p := vae.Preview{Weight: [][]float64{make([]float64, 16), make([]float64, 16), make([]float64, 16)}, Bias: make([]float64, 3)}
	reflect.ValueOf(&c).Elem().FieldByName("Preview").Set(reflect.ValueOf(p))
	return c
}

// tinyNames are those of the author, which the loader asks for where a file has one.
func tinyOriginal(t testing.TB, prefix string) []shaped {
	var out []shaped
	for _, x := range of(t, "tiny", grey(taesd()), "", "F32") {
		out = append(out, shaped{prefix + strings.TrimPrefix(x.name, "decoder.layers."), x.dtype, x.shape})
	}
	return out
}

// same compares a part's configuration with a published one, the preview apart.
func same[C any](t *testing.T, p Part, want C) {
	t.Helper()
	var got C
	if err := weights.Decode(p.Config, "config", &got); err != nil {
		t.Fatal(err)
	}
	if f := reflect.ValueOf(&got).Elem().FieldByName("Preview"); f.IsValid() {
		preview := f.Interface().(vae.Preview)
		if len(preview.Weight) != 3 || len(preview.Weight[0]) != 16 || preview.Weight[0][0] == 0 {
			t.Errorf("the preview is %v", preview)
		}
		f.Set(reflect.Zero(f.Type()))
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s %s:\n got %+v\nwant %+v", p.Role, p.Name, got, want)
	}
	load(t, p)
}

// Headers of the published sizes, without data: the configuration is found from names
// and shapes alone, and the engine's loaders find everything that they ask for.
func TestPublishedTransformers(t *testing.T) {
	for _, c := range []struct {
		file     string
		kind     string
		config   any
		prefix   string
		variant  string
		steps    int
		cfg      float64
		guidance float64
		schedule string
	}{
		{"flux1-schnell.safetensors", "flux", fluxOf(19, 38, false), "", "FLUX.1 schnell", 4, 1, 0, `{"kind":"flow"}`},
		{"flux1-dev.safetensors", "flux", fluxOf(19, 38, true), "", "FLUX.1 dev", 28, 1, 3.5, `{"kind":"flow","dynamic":{"base":0.5,"max":1.15,"tokens":[256,4096]}}`},
		{"flux1-dev-fp8.safetensors", "flux", fluxOf(19, 38, true), "model.diffusion_model.", "FLUX.1 dev", 28, 1, 3.5, `{"kind":"flow","dynamic":{"base":0.5,"max":1.15,"tokens":[256,4096]}}`},
		{"flux1-Kontext-dev.safetensors", "flux", fluxOf(19, 38, true), "", "FLUX.1 Kontext", 28, 1, 2.5, `{"kind":"flow","dynamic":{"base":0.5,"max":1.15,"tokens":[256,4096]}}`},
		{"flux.1-lite-8B.safetensors", "flux", fluxOf(8, 38, true), "", "FLUX.1 of other depths, with guidance as dev", 28, 1, 3.5, `{"kind":"flow","dynamic":{"base":0.5,"max":1.15,"tokens":[256,4096]}}`},
		{"flux-mini.safetensors", "flux", fluxOf(5, 10, false), "", "FLUX.1 of other depths, without guidance as schnell", 4, 1, 0, `{"kind":"flow"}`},
		{"sd3_medium.safetensors", "sd3", sd3Of(24, 24, 192, 0, ""), "model.diffusion_model.", "Stable Diffusion 3 medium", 28, 7, 0, `{"kind":"flow","shift":3,"list":"sd3"}`},
		{"sd3.5_medium.safetensors", "sd3", sd3Of(24, 24, 384, 13, "rms_norm"), "model.diffusion_model.", "Stable Diffusion 3.5 medium", 40, 4.5, 0, `{"kind":"flow","shift":3,"list":"sd3"}`},
		{"sd3.5_large.safetensors", "sd3", sd3Of(38, 38, 192, 0, "rms_norm"), "model.diffusion_model.", "Stable Diffusion 3.5 large", 28, 3.5, 0, `{"kind":"flow","shift":3,"list":"sd3"}`},
		{"sd3.5_large_turbo.safetensors", "sd3", sd3Of(38, 38, 192, 0, "rms_norm"), "", "Stable Diffusion 3.5 large turbo", 4, 1, 0, `{"kind":"flow","shift":3,"list":"sd3"}`},
	} {
		t.Run(c.file, func(t *testing.T) {
			f := identify(t, zeros(c.file, of(t, c.kind, c.config, c.prefix, "BF16")...))
			if f.Family != c.kind || f.Variant != c.variant || f.Steps != c.steps || f.CFG != c.cfg || f.Guidance != c.guidance || string(f.Schedule) != c.schedule || f.Unused != 0 {
				t.Errorf("%s, %q, %+v, %d unused", f.Family, f.Variant, f.Settings, f.Unused)
			}
			p := f.part(t, weights.RoleTransformer, "")
			switch want := c.config.(type) {
			case dit.FluxConfig:
				same(t, p, want)
			case dit.SD3Config:
				same(t, p, want)
			}
			var bytes int64
			for _, x := range p.Index.Tensors {
				bytes += 2 * x.Elems()
			}
			if p.Bytes != bytes || p.Type != "BF16" || len(p.Files) != 1 {
				t.Errorf("%d bytes of %s in %v, want %d of BF16", p.Bytes, p.Type, p.Files, bytes)
			}
			if len(f.Missing) != map[string]int{"flux": 3, "sd3": 4}[c.kind] {
				t.Errorf("missing %+v", f.Missing)
			}
		})
	}
}

// A model in parts, as ComfyUI keeps them, each found by its contents; what is missing
// is told with where people have it.
func TestParts(t *testing.T) {
	dev := zeros("a.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	ae := zeros("b.safetensors", append(of(t, "kl", grey(autoencoder(1, 0)), "", "F32"), shaped{"encoder.conv_in.weight", "F32", []int{128, 3, 3, 3}})...)
	l := zeros("c.safetensors", append(of(t, "clip", publishedL(), "", "F16"), shaped{"text_model.embeddings.position_ids", "I64", []int{1, 77}}, shaped{"text_projection.weight", "F16", []int{768, 768}})...)
	xxl := zeros("d.safetensors", append(of(t, "t5", t5XXL(512), "", "F16"), shaped{"encoder.embed_tokens.weight", "F16", []int{32128, 4096}})...)
	f := identify(t, xxl, l, ae, dev)
	same(t, f.part(t, weights.RoleText, "clip_l"), publishedL())
	same(t, f.part(t, weights.RoleText, "t5"), t5XXL(512))
	same(t, f.part(t, weights.RoleDecoder, ""), autoencoder(0.3611, 0.1159))
	if f.Unused != 3 {
		t.Errorf("%d tensors are unused, want position_ids, embed_tokens and the picture's encoder", f.Unused)
	}
	roles := ""
	for _, p := range f.Parts {
		roles += p.Role + " " + p.Name + ";"
	}
	if roles != "text clip_l;text t5;transformer ;decoder ;" {
		t.Errorf("parts %s", roles)
	}
	missing := fmt.Sprint(f.Missing)
	if len(f.Missing) != 2 || !strings.Contains(missing, "{tokenizer clip_l the tokenizer of the text encoder CLIP-L vocab.json and merges.txt") || !strings.Contains(missing, "{tokenizer t5 ") {
		t.Errorf("missing %s", missing)
	}
	f = identify(t, dev)
	for _, want := range []string{"{text clip_l the text encoder CLIP-L clip_l.safetensors ComfyUI/models/text_encoders false}",
		"{text t5 the text encoder T5 v1.1 XXL t5xxl_fp16.safetensors ComfyUI/models/text_encoders false}", "{decoder  the decoder of FLUX.1 ae.safetensors ComfyUI/models/vae false}"} {
		if !strings.Contains(fmt.Sprint(f.Missing), want) {
			t.Errorf("%v is missing, want %s", f.Missing, want)
		}
	}
	f = identify(t, ae)
	if f.Family != "" || len(f.Missing) != 1 || f.Missing[0].Role != weights.RoleTransformer {
		t.Errorf("a decoder alone: %+v", f)
	}
	f = identify(t, dev, zeros("taef1_decoder.safetensors", tinyOriginal(t, "")...))
	same(t, f.part(t, weights.RoleDecoder, ""), taesd())
}

// A whole SD3 in one file: every part under its prefix, the CLIPs with the states that
// SD3 reads, tensors that nobody reads of any type beside them.
func TestWholeModelInOneFile(t *testing.T) {
	l, g := publishedL(), publishedG()
	l.Penultimate = true
	tensors := slices.Concat(of(t, "sd3", sd3Of(24, 24, 384, 13, "rms_norm"), "model.diffusion_model.", "F16"),
		of(t, "kl", grey(autoencoder(1, 0)), "first_stage_model.", "F16"),
		of(t, "clip", publishedL(), "text_encoders.clip_l.transformer.", "F16"), of(t, "clip", g, "text_encoders.clip_g.transformer.", "F16"),
		of(t, "t5", t5XXL(256), "text_encoders.t5xxl.transformer.", "F16"))
	strange := []shaped{{"text_encoders.clip_l.logit_scale", "F64", []int{}}, {"model_ema.flag", "BOOL", []int{1}}, {"ids", "I32", []int{7}}, {"x", "F8_E4M3", []int{3}}}
	f := identify(t, zeros("sd3.5_medium_incl_clips_t5xxl.safetensors", append(tensors, strange...)...))
	same(t, f.part(t, weights.RoleTransformer, ""), sd3Of(24, 24, 384, 13, "rms_norm"))
	same(t, f.part(t, weights.RoleText, "clip_l"), l)
	same(t, f.part(t, weights.RoleText, "clip_g"), g)
	same(t, f.part(t, weights.RoleText, "t5"), t5XXL(256))
	same(t, f.part(t, weights.RoleDecoder, ""), autoencoder(1.5305, 0.0609))
	if f.Unused != len(strange) || f.Variant != "Stable Diffusion 3.5 medium" {
		t.Errorf("%d unused, %s", f.Unused, f.Variant)
	}
	f = identify(t, zeros("sd3.5_medium_incl_clips.safetensors", slices.DeleteFunc(tensors, func(x shaped) bool { return strings.Contains(x.name, "t5xxl") })...))
	if i := slices.IndexFunc(f.Missing, func(m Missing) bool { return m.Name == "t5" }); i < 0 || !f.Missing[i].Optional {
		t.Errorf("missing %+v, want T5, without which SD3 makes pictures", f.Missing)
	}
}

// T5 as llama.cpp names it, and a tensor that was reshaped for GGUF.
func TestGGUF(t *testing.T) {
	const d, heads, head, mlp, words = 64, 2, 32, 96, 40
	tensors := []weights.Output{{Name: "token_embd.weight", DType: op.Q8_0, Shape: []int{words, d}}, {Name: "enc.output_norm.weight", DType: op.F32, Shape: []int{d}},
		{Name: "enc.blk.0.attn_rel_b.weight", DType: op.F16, Shape: []int{32, heads}}}
	for n := range 3 {
		at := fmt.Sprintf("enc.blk.%d.", n)
		for name, shape := range map[string][]int{"attn_q": {heads * head, d}, "attn_k": {heads * head, d}, "attn_v": {heads * head, d}, "attn_o": {d, heads * head}, "ffn_gate": {mlp, d}, "ffn_up": {mlp, d}, "ffn_down": {d, mlp}} {
			tensors = append(tensors, weights.Output{Name: at + name + ".weight", DType: op.Q8_0, Shape: shape})
		}
		for _, name := range []string{"attn_norm", "ffn_norm"} {
			tensors = append(tensors, weights.Output{Name: at + name + ".weight", DType: op.F32, Shape: []int{d}})
		}
	}
	meta := map[string]any{"general.architecture": "t5encoder", "tokenizer.ggml.model": "t5", "tokenizer.ggml.tokens": []string{"a", "b"}}
	f := identify(t, random(t, meta, tensors...))
	same(t, only(t, f), text.T5Config{VocabSize: words, Width: d, HeadDim: head, MLP: mlp, NumLayers: 3, NumHeads: heads, MaxLength: 512, EOS: 1})
	if got := f.Tokenizers["t5"]; !slices.Equal(got, []string{"net.gguf"}) {
		t.Errorf("the tokenizer is in %v", got)
	}
	if p := only(t, f); p.Type != "Q8_0" {
		t.Errorf("the type is %s", p.Type)
	}

	reshape := func(v any) (*given, error) {
		return sortOut([]File{random(t, map[string]any{"comfy.gguf.orig_shape.conv.weight": v}, weights.Output{Name: "conv.weight", DType: op.F32, Shape: []int{4, 9}})})
	}
	for _, v := range []any{[]int32{2, 2, 3, 3}, []int64{2, 2, 3, 3}} {
		g, err := reshape(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.units[0].tensors["conv.weight"].Shape; !slices.Equal(got, []int{2, 2, 3, 3}) {
			t.Errorf("the shape is %v", got)
		}
	}
	for _, v := range []any{[]int32{2, 2, 3, 4}, []int32{-1, -36}, []int32{}, []int64{1 << 40, 1 << 40}, "2 2 3 3", []int32{0, 36}} {
		if _, err := reshape(v); !fault.Is(err, fault.WeightsFormat) {
			t.Errorf("the shape %v of 36 elements: %v", v, err)
		}
	}
}

// A config.json is heard where shapes say nothing, and must agree where they do.
func TestConfigJSON(t *testing.T) {
	small := fluxOf(2, 1, true)
	small.Hidden, small.Heads, small.AxesDim = 128, 2, []int{8, 28, 28}
	weightsFile := func() File { return zeros("t/model.safetensors", of(t, "flux", small, "", "BF16")...) }
	if _, err := Identify([]File{weightsFile()}); !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), "stands in config.json") {
		t.Errorf("heads of 64 without a config.json: %v", err)
	}
	same(t, identify(t, weightsFile(), textFile("t/config.json", `{"_class_name":"FluxTransformer2DModel","axes_dims_rope":[8,28,28],"num_layers":2,"guidance_embeds":true}`)).part(t, weights.RoleTransformer, ""), small)
	for content, says := range map[string]string{
		`{"num_layers":19,"axes_dims_rope":[8,28,28]}`:          "t/config.json says num_layers 19, the weights in t/model.safetensors have 2",
		`{"guidance_embeds":false,"axes_dims_rope":[8,28,28]}`:  "guidance_embeds false",
		`{"axes_dims_rope":[8,28,28],"axes_dims_rope":[8,8,8]}`: "is there twice",
		`[]`: "is not a JSON object",
	} {
		if _, err := Identify([]File{weightsFile(), textFile("t/config.json", content)}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", content, err)
		}
	}
	// One beside several networks is nobody's.
	for _, files := range [][]File{
		{weightsFile(), zeros("t/l.safetensors", of(t, "clip", publishedL(), "", "F16")...)},
		{zeros("t/model.safetensors", append(of(t, "flux", small, "", "BF16"), of(t, "kl", grey(autoencoder(1, 0)), "vae.", "BF16")...)...)},
	} {
		if _, err := Identify(append(files, textFile("t/config.json", `{"axes_dims_rope":[8,28,28],"num_layers":2}`))); err == nil || !strings.Contains(err.Error(), "stands in config.json") {
			t.Errorf("a config.json beside several networks: %v", err)
		}
	}
	kl := zeros("vae/m.safetensors", of(t, "kl", grey(autoencoder(1, 0)), "", "F32")...)
	dev := zeros("dev.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	same(t, identify(t, dev, kl, textFile("vae/config.json", `{"scaling_factor":0.5,"shift_factor":0.25,"norm_num_groups":16,"layers_per_block":2}`)).part(t, weights.RoleDecoder, ""),
		func() vae.KLConfig { c := autoencoder(0.5, 0.25); c.Groups = 16; return c }())
	if _, err := Identify([]File{dev, kl, textFile("vae/config.json", `{"scaling_factor":1.5305}`)}); err == nil || !strings.Contains(err.Error(), "is that of Stable Diffusion 3 by its config.json") {
		t.Errorf("SD3's decoder with FLUX.1: %v", err)
	}
	f := identify(t, dev, textFile("scheduler/scheduler_config.json", `{"use_dynamic_shifting":true,"base_shift":0.25,"max_shift":2,"base_image_seq_len":16,"max_image_seq_len":64,"shift":3}`))
	if string(f.Schedule) != `{"kind":"flow","dynamic":{"base":0.25,"max":2,"tokens":[16,64]}}` {
		t.Errorf("the schedule is %s", f.Schedule)
	}
	if f = identify(t, dev, textFile("scheduler_config.json", `{"shift":2}`)); string(f.Schedule) != `{"kind":"flow","shift":2}` {
		t.Errorf("the schedule is %s", f.Schedule)
	}
	if !json.Valid(f.Schedule) {
		t.Error("no JSON")
	}
}

// A FLUX of one kind of blocks is a FLUX, under either naming.
func TestFluxOfOneKindOfBlocks(t *testing.T) {
	for name, c := range map[string]dit.FluxConfig{"single": fluxOf(0, 3, false), "double": fluxOf(3, 0, false)} {
		c.QKVBias = c.Depth > 0
		f := identify(t, zeros(name+".safetensors", of(t, "flux", c, "", "BF16")...))
		same(t, f.part(t, weights.RoleTransformer, ""), c)
		load(t, f.part(t, weights.RoleTransformer, ""))
	}
	// diffusers' names: the golden's file without its double blocks.
	without := renamed(t, published+"flux_dev"+twin.Whole, "d/model.safetensors", func(name string) string {
		if strings.HasPrefix(name, "transformer_blocks.") {
			return ""
		}
		return name
	})
	raw, err := os.ReadFile(published + "flux_dev.json")
	if err != nil {
		t.Fatal(err)
	}
	var g struct{ Config map[string]any }
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	g.Config["num_layers"] = 0
	config, err := json.Marshal(g.Config)
	if err != nil {
		t.Fatal(err)
	}
	p := identify(t, without, textFile("d/config.json", string(config))).part(t, weights.RoleTransformer, "")
	load(t, p)
	if !strings.Contains(string(p.Config), `"depth":0`) || strings.Contains(string(p.Config), `"depth_single_blocks":0`) {
		t.Errorf("%s", p.Config)
	}
}
