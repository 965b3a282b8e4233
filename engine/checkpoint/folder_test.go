package checkpoint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// sharded is tensors in n files with the list of them.
func sharded(folder, base string, n int, tensors []shaped) (files []File) {
	places, parts := map[string]string{}, make([][]shaped, n)
	for i, x := range tensors {
		parts[i%n] = append(parts[i%n], x)
		places[x.name] = fmt.Sprintf("%s-%05d-of-%05d.safetensors", base, i%n+1, n)
	}
	for i, p := range parts {
		files = append(files, zeros(fmt.Sprintf("%s/%s-%05d-of-%05d.safetensors", folder, base, i+1, n), p...))
	}
	list, err := json.Marshal(map[string]any{"metadata": map[string]any{"total_size": 1}, "weight_map": places})
	if err != nil {
		panic(err)
	}
	return append(files, textFile(folder+"/"+base+".safetensors.index.json", string(list)))
}

// folder is FLUX.1 schnell as diffusers keeps it, with what else lies in the
// publisher's folder: the same in single files, another precision, a checker of pictures.
func folder(t testing.TB) []File {
	transformer := of(t, "flux", fluxOf(19, 38, false), "", "BF16") // the names are not what is tested here
	l := of(t, "clip", publishedL(), "", "BF16")
	files := sharded("F/transformer", "diffusion_pytorch_model", 3, transformer)
	files = append(files, sharded("F/text_encoder_2", "model", 2, of(t, "t5", t5XXL(256), "", "BF16"))...)
	return append(files,
		textFile("F/model_index.json", `{"_class_name":"FluxPipeline","scheduler":["diffusers","FlowMatchEulerDiscreteScheduler"],"text_encoder":["transformers","CLIPTextModel"],
			"text_encoder_2":["transformers","T5EncoderModel"],"tokenizer":["transformers","CLIPTokenizer"],"tokenizer_2":["transformers","T5TokenizerFast"],
			"transformer":["diffusers","FluxTransformer2DModel"],"vae":["diffusers","AutoencoderKL"],"feature_extractor":[null,null]}`),
		textFile("F/transformer/config.json", `{"num_layers":19,"num_single_layers":38,"axes_dims_rope":[16,56,56],"guidance_embeds":false,"patch_size":1}`),
		zeros("F/text_encoder/model.safetensors", l...), zeros("F/text_encoder/model.fp16.safetensors", l...),
		textFile("F/text_encoder/config.json", `{"architectures":["CLIPTextModel"],"hidden_act":"quick_gelu","num_attention_heads":12,"eos_token_id":2}`),
		zeros("F/vae/diffusion_pytorch_model.safetensors", of(t, "kl", grey(autoencoder(1, 0)), "", "BF16")...),
		textFile("F/vae/config.json", `{"scaling_factor":0.3611,"shift_factor":0.1159,"latent_channels":16,"block_out_channels":[128,256,512,512],"layers_per_block":2,"norm_num_groups":32}`),
		textFile("F/scheduler/scheduler_config.json", `{"base_image_seq_len":256,"base_shift":0.5,"max_image_seq_len":4096,"max_shift":1.15,"num_train_timesteps":1000,"shift":1.0,"use_dynamic_shifting":false}`),
		textFile("F/tokenizer/vocab.json", "{}"), textFile("F/tokenizer/merges.txt", ""), textFile("F/tokenizer_2/tokenizer.json", `{"model":{"type":"Unigram","vocab":[]}}`),
		zeros("F/flux1-schnell.safetensors", transformer...), one("F/safety_checker/model.safetensors", "concept_embeds"))
}

func TestFolder(t *testing.T) {
	files := folder(t)
	slices.Reverse(files)
	f := identify(t, files...)
	if f.Variant != "FLUX.1 schnell" || string(f.Schedule) != `{"kind":"flow"}` || len(f.Missing) != 0 || f.Unused != 0 {
		t.Errorf("%s, %s, missing %+v, %d unused", f.Variant, f.Schedule, f.Missing, f.Unused)
	}
	same(t, f.part(t, weights.RoleTransformer, ""), fluxOf(19, 38, false))
	same(t, f.part(t, weights.RoleText, "clip_l"), publishedL())
	same(t, f.part(t, weights.RoleText, "t5"), t5XXL(256))
	same(t, f.part(t, weights.RoleDecoder, ""), autoencoder(0.3611, 0.1159))
	if p := f.part(t, weights.RoleTransformer, ""); len(p.Files) != 3 {
		t.Errorf("the transformer is in %v", p.Files)
	}
	slices.Sort(f.Ignored)
	if want := []string{"F/flux1-schnell.safetensors", "F/safety_checker/model.safetensors", "F/text_encoder/model.fp16.safetensors"}; !slices.Equal(f.Ignored, want) {
		t.Errorf("left out: %v", f.Ignored)
	}
	slices.Sort(f.Tokenizers["clip_l"])
	if fmt.Sprint(f.Tokenizers) != "map[clip_l:[F/tokenizer/merges.txt F/tokenizer/vocab.json] t5:[F/tokenizer_2/tokenizer.json]]" {
		t.Errorf("tokenizers %v", f.Tokenizers)
	}
	lacking := slices.DeleteFunc(slices.Clone(files), func(f File) bool {
		return strings.HasSuffix(f.Name, "transformer/diffusion_pytorch_model-00002-of-00003.safetensors")
	})
	if _, err := Identify(lacking); !fault.Is(err, fault.WeightsMissing) || !strings.Contains(err.Error(), `lists 3 shards, of which 1 are not there: ["diffusion_pytorch_model-00002-of-00003.safetensors"]`) {
		t.Errorf("without a shard: %v", err)
	}
}

// Shards that were picked without their list count each other by their names.
func TestShardsWithoutList(t *testing.T) {
	shards := sharded("d", "model", 3, of(t, "t5", t5XXL(512), "", "BF16"))[:3]
	same(t, only(t, identify(t, shards[2], shards[0], shards[1])), t5XXL(512))
	if _, err := Identify(shards[1:]); !fault.Is(err, fault.WeightsMissing) || !strings.Contains(err.Error(), "d/model-00002-of-00003.safetensors is one of 3 shards, of which 2 were given; d/model-00001-of-00003.safetensors is missing") {
		t.Errorf("two of three shards: %v", err)
	}
	if _, err := Identify([]File{shards[0], shards[1], shards[2], shards[2]}); err == nil {
		t.Error("a shard twice is taken")
	}
}

// What a list of shards and a configuration may not say.
func TestForeignJSON(t *testing.T) {
	model := zeros("d/model.safetensors", of(t, "t5", t5XXL(512), "", "BF16")...)
	for content, code := range map[string]fault.Code{
		`{"weight_map":{"a":"model.safetensors"}}`:    "",
		`{"weight_map":{"a":"../model.safetensors"}}`: fault.ManifestInvalid,
		`{"weight_map":{"a":"/etc/passwd"}}`:          fault.ManifestInvalid,
		`{"weight_map":{"a":".hidden"}}`:              fault.ManifestInvalid,
		`{"weight_map":{"a":7}}`:                      fault.ManifestInvalid,
		`{"weight_map":{"a":null}}`:                   fault.ManifestInvalid,
		`{"weight_map":[]}`:                           fault.ManifestInvalid,
		`{"weight_map":{}}`:                           fault.WeightsMissing,
		`{}`:                                          fault.ManifestInvalid,
		`{"weight_map":{"a":"model.safetensors","a":"model.safetensors"}}`: fault.ManifestInvalid,
		`{"weight_map":{"a":"other.safetensors"}}`:                         fault.WeightsMissing,
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40):        fault.ManifestInvalid,
		"{\"a\":\"\xff\"}": fault.ManifestInvalid,
		`{} x`:             fault.ManifestInvalid,
	} {
		_, err := Identify([]File{model, textFile("d/model.safetensors.index.json", content)})
		if (err == nil) != (code == "") || err != nil && !fault.Is(err, code) {
			t.Errorf("%.80s: %v, want %q", content, err, code)
		}
	}
	if _, err := Identify([]File{model, textFile("d/config.json", `{"a":"`+strings.Repeat("x", maxObject)+`"}`)}); !fault.Is(err, fault.ManifestInvalid) {
		t.Errorf("a config.json over the limit: %v", err)
	}
}

// FuzzJSON reads foreign JSON in every place that reads it.
func FuzzJSON(f *testing.F) {
	for _, file := range folder(f) {
		if strings.HasSuffix(file.Name, ".json") {
			b := make([]byte, file.Source.Size())
			if _, err := file.Source.ReadAt(b, 0); err != nil {
				f.Fatal(err)
			}
			f.Add(string(b))
		}
	}
	f.Add(`{"weight_map":{"a":"model.safetensors"}}`)
	f.Add(`{"hidden_act":"gelu","num_attention_heads":1e9,"architectures":["CLIPTextModelWithProjection"],"shift":"x","use_dynamic_shifting":1}`)
	small := publishedL()
	small.VocabSize, small.HiddenSize, small.NumHeads, small.NumLayers, small.Intermediate = 8, 64, 1, 1, 4
	small.BOS, small.EOS, small.PAD = 6, 7, 7
	model := zeros("clip_l.safetensors", of(f, "clip", small, "text_encoders.clip_l.transformer.", "BF16")...)
	f.Fuzz(func(t *testing.T, content string) {
		for _, name := range []string{"config.json", "model.safetensors.index.json", "model_index.json", "scheduler_config.json", "tokenizer.json"} {
			found, err := Identify([]File{model, textFile(name, content)})
			if err == nil {
				for _, p := range found.Parts {
					if !json.Valid(p.Config) {
						t.Errorf("%s: the configuration is %s", name, p.Config)
					}
				}
			} else if code := fault.Of(err).Code; code == fault.Internal {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// FuzzIdentify reads foreign weight files.
func FuzzIdentify(f *testing.F) {
	tiny := taesd()
	tiny.Downscale, tiny.Stages, tiny.LatentChannels = 1, []vae.Stage{{Channels: 1, Blocks: 1}}, 16
	t5 := text.T5Config{VocabSize: 2, Width: 4, HeadDim: 4, MLP: 1, NumLayers: 1, NumHeads: 1, MaxLength: 2, EOS: 1}
	for _, x := range [][]shaped{of(f, "t5", t5, "", "F16"), of(f, "tiny", grey(tiny), "", "F16"), {{"img_in.lora_A.weight", "F16", []int{1}}}} {
		for i := range x {
			x[i].name = strings.TrimPrefix(x[i].name, "decoder.layers.")
		}
		src := zeros("", x...).Source
		b := make([]byte, src.Size())
		if _, err := src.ReadAt(b, 0); err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, content string) {
		found, err := Identify([]File{textFile("some.safetensors", content)})
		switch {
		case err != nil && fault.Of(err).Code == fault.Internal:
			t.Error(err)
		case err == nil:
			for _, p := range found.Parts {
				for _, x := range p.Index.Tensors {
					if x.Bytes > 0 && x.Offset+x.Bytes > p.Source.Size() {
						t.Errorf("%s ends at %d of %d", x.Name, x.Offset+x.Bytes, p.Source.Size())
					}
				}
			}
		}
	})
}
