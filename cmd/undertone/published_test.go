package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/engine/text"
	"undertone/engine/weights"
)

const goldens = "../../engine/testdata/published/"

// golden copies a file of the goldens, and the configuration beside it where there is a
// place for one.
func golden(t *testing.T, from, to, config string) {
	t.Helper()
	data, err := os.ReadFile(goldens + from)
	if err != nil {
		t.Fatal(err)
	}
	put(t, to, data)
	if config == "" {
		return
	}
	if data, err = os.ReadFile(goldens + config); err != nil {
		t.Fatal(err)
	}
	var g struct{ Config json.RawMessage }
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(filepath.Dir(to), "config.json"), g.Config)
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// invented writes what a loader asks for, random, with a config.json.
func invented(t *testing.T, folder, config string, load func(*recorder) error) {
	t.Helper()
	r := &recorder{rng: rand.New(rand.NewPCG(7, uint64(len(config))))}
	if err := load(r); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, nil, r.outputs...); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(folder, "model.safetensors"), b.Bytes())
	put(t, filepath.Join(folder, "config.json"), []byte(config))
}

// clip is a CLIP of this width with as many rows as its tokenizer has ids: every byte
// has one, and the first two words of one merge.
func clip(t *testing.T, folder, tokenizer, config string, c text.Config) {
	t.Helper()
	c.VocabSize, c.NumLayers, c.NumHeads, c.Intermediate, c.MaxLength, c.BOS, c.EOS, c.PAD = 515, 2, 1, 32, 20, 513, 514, 514
	invented(t, folder, config, func(r *recorder) error { _, err := text.LoadCLIP(c, r); return err })
	vocab, next := map[string]int{}, rune(256)
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD) {
			r, next = next, next+1
		}
		vocab[string(r)], vocab[string(r)+"</w>"] = b, 256+b
	}
	vocab["fr"], vocab["<|startoftext|>"], vocab["<|endoftext|>"] = 512, 513, 514
	put(t, filepath.Join(tokenizer, "vocab.json"), jsonOf(t, vocab))
	put(t, filepath.Join(tokenizer, "merges.txt"), []byte("#version: 0.2\nf r\n"))
}

// t5 is a T5 of this width, with a tokenizer.json.
func t5(t *testing.T, folder, tokenizer string, width int) {
	t.Helper()
	c := text.T5Config{VocabSize: 30, Width: width, HeadDim: 8, MLP: 32, NumLayers: 1, NumHeads: 2, MaxLength: 512, EOS: 1}
	invented(t, folder, "{}", func(r *recorder) error { _, err := text.LoadT5(c, r); return err })
	vocab := [][2]any{{"<pad>", 0}, {"</s>", 0}, {"<unk>", 0}, {"▁", -2}, {"▁a", -2}, {"▁fr", -3}, {"og", -3}, {"o", -4}, {"g", -4}}
	put(t, filepath.Join(tokenizer, "tokenizer.json"), jsonOf(t, map[string]any{
		"added_tokens": []any{}, "pre_tokenizer": map[string]any{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
		"model": map[string]any{"type": "Unigram", "unk_id": 2, "vocab": vocab, "byte_fallback": false},
	}))
}

// fluxFolder is a small FLUX.1 as diffusers keeps it.
func fluxFolder(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "Small FLUX.1")
	at := func(name string) string { return filepath.Join(folder, name) }
	golden(t, "flux_dev.diffusers.safetensors", at("transformer/diffusion_pytorch_model.safetensors"), "flux_dev.json")
	golden(t, "taef1.diffusers.safetensors", at("vae/diffusion_pytorch_model.safetensors"), "taef1.json")
	clip(t, at("text_encoder"), at("tokenizer"), `{"hidden_act":"quick_gelu","num_attention_heads":1}`, text.Config{HiddenSize: 24, Activation: "quick_gelu"})
	t5(t, at("text_encoder_2"), at("tokenizer_2"), 40)
	put(t, at("model_index.json"), []byte(`{"_class_name":"FluxPipeline","transformer":["diffusers","FluxTransformer2DModel"],"vae":["diffusers","AutoencoderTiny"],
		"text_encoder":["transformers","CLIPTextModel"],"text_encoder_2":["transformers","T5EncoderModel"],"tokenizer":[],"tokenizer_2":[],"scheduler":[]}`))
	put(t, at("scheduler/scheduler_config.json"), []byte(`{"shift":3.0,"use_dynamic_shifting":true,"base_shift":0.5,"max_shift":1.15,"base_image_seq_len":256,"max_image_seq_len":4096}`))
	return folder
}

// sd3Files is a small SD3 medium without T5, as files here and there.
func sd3Files(t *testing.T) (paths []string) {
	t.Helper()
	folder := t.TempDir()
	at := func(name string) string {
		name = filepath.Join(folder, name)
		paths = append(paths, filepath.Dir(name))
		return name
	}
	golden(t, "sd3_medium.safetensors", at("sd3/sd3_medium.safetensors"), "sd3_medium.json")
	golden(t, "vae_kl.safetensors", at("decoders/vae.safetensors"), "")
	clip(t, filepath.Dir(at("text_encoder/x")), filepath.Dir(at("tokenizer/x")), `{"hidden_act":"quick_gelu","num_attention_heads":1}`, text.Config{HiddenSize: 12, Activation: "quick_gelu", Penultimate: true})
	clip(t, filepath.Dir(at("text_encoder_2/x")), filepath.Dir(at("tokenizer_2/x")), `{"hidden_act":"gelu","num_attention_heads":1}`, text.Config{HiddenSize: 20, Activation: "gelu", Penultimate: true, Projection: 20})
	return paths
}

// drawn makes a picture of a model.
func drawn(t *testing.T, size string, paths ...string) (image.Image, recipe.Parameters) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.png")
	succeed(t, append(slices.Clone(paths), "-o", name, "--prompt", "a frog", "--seed", "3", "--steps", "2", "--size", size,
		"--positive", "frog", "--negative", "a", "--weight", "2", "--schedule", "constant")...)
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	side, err := recipe.ParseSize(size)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := recipe.FromPNG(data, engine.Request{}, recipe.Limits{MaxSteps: 8, Sizes: []recipe.Size{side}, Blocks: 3}, nil)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img, p
}

// Published files make a picture, and the bundle that convert makes of them the same one.
func TestPublishedPictures(t *testing.T) {
	for _, c := range []struct {
		name, size, size2 string
		paths             []string
		model             string
		encoders          string
	}{
		{"flux", "256", "512x768", []string{fluxFolder(t)}, "small-flux-1", "clip_l t5"},
		{"sd3", "64", "32", sd3Files(t), "sd3-medium", "clip_l clip_g"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, p := drawn(t, c.size, append([]string{"generate"}, c.paths...)...)
			if p.Model != c.model || p.Steps != 2 {
				t.Errorf("the picture says that it is %d steps of %s", p.Steps, p.Model)
			}
			for _, to := range []string{"F32", "BF16"} {
				out := filepath.Join(t.TempDir(), "out")
				if said := succeed(t, slices.Concat([]string{"convert"}, c.paths, []string{"--to", to, "--out", out})...); !strings.Contains(strings.Join(strings.Fields(said), " "), "dit linear "+to) {
					t.Errorf("convert says\n%s", said)
				}
				if got, _ := drawn(t, c.size, "generate", out); !samePixels(got, want) {
					t.Errorf("the picture of the bundle in %s is another one than that of the files", to)
				}
				b, err := weights.LoadBundle(t.Context(), weights.Dir(out), "model.json")
				if err != nil {
					t.Fatal(err)
				}
				var encoders []string
				for _, x := range b.Components {
					if x.Role == weights.RoleText {
						encoders = append(encoders, x.Name)
					}
				}
				if b.Version != 2 || strings.Join(encoders, " ") != c.encoders || b.Sizes[len(b.Sizes)-1].String() != c.size2 || len(b.Presets) != 4 {
					t.Errorf("version %d, encoders %v, sizes %v, %d presets", b.Version, encoders, b.Sizes, len(b.Presets))
				}
				succeed(t, "inspect", out)
			}
			out := filepath.Join(t.TempDir(), "out")
			succeed(t, slices.Concat([]string{"convert"}, c.paths, []string{"--out", out})...)
			if got, _ := drawn(t, c.size, "generate", out); samePixels(got, want) {
				t.Error("Q8_0 changes nothing")
			}
		})
	}
}

// What a person forgets, mixes or has only half of is named.
func TestPublishedRefusals(t *testing.T) {
	flux, sd3 := fluxFolder(t), sd3Files(t)
	without := func(name string) string {
		t.Helper()
		copied := filepath.Join(t.TempDir(), "model")
		if err := os.CopyFS(copied, os.DirFS(flux)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(copied, name)); err != nil {
			t.Fatal(err)
		}
		return copied
	}
	half := without("none")
	file := filepath.Join(half, "transformer/diffusion_pytorch_model.safetensors")
	if err := os.Truncate(file, 200_000); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		says  string
		paths []string
	}{
		{"missing the tokenizer of the text encoder CLIP-L, usually vocab.json and merges.txt, or tokenizer.json, in tokenizer/ of the model's diffusers folder", []string{without("tokenizer")}},
		{"missing the tokenizer of the text encoder T5, usually spiece.model or tokenizer.json in tokenizer_2/", []string{without("tokenizer_2")}},
		{"missing the text encoder T5 v1.1 XXL, usually t5xxl_fp16.safetensors in ComfyUI/models/text_encoders", []string{without("text_encoder_2")}},
		{"missing the decoder of FLUX.1, usually ae.safetensors in ComfyUI/models/vae\nGive the missing files beside the others", []string{without("vae")}},
		{"usually clip_l.safetensors in ComfyUI/models/text_encoders; missing the tokenizer", []string{sd3[0], sd3[1], sd3[4]}},
		{"ends at byte", []string{half}},
		{"There are two networks for one place", slices.Concat([]string{flux}, sd3)},
		{"is CLIP (clip_g), which FLUX.1", []string{without("text_encoder"), sd3[4]}},
		{"no file was given", []string{t.TempDir()}},
	} {
		for _, command := range [][]string{{"generate", "--steps", "1", "--size", "256", "-o", filepath.Join(t.TempDir(), "x.png")}, {"convert", "--out", filepath.Join(t.TempDir(), "out")}} {
			code, _, stderr := cli(slices.Concat(command, c.paths)...)
			if code != 1 || !strings.Contains(strings.ToLower(stderr), strings.ToLower(c.says)) {
				t.Errorf("%s: code %d, %s; wanted %q", command[0], code, stderr, c.says)
			}
		}
	}
	if code, _, stderr := cli("convert", flux, "--out", flux); code != 2 || !strings.Contains(stderr, "own folder") {
		t.Errorf("onto itself: %d, %s", code, stderr)
	}
}
