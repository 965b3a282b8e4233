package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
	"undertone/engine/weights"
)

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// fluxFolder is a small FLUX.1 as diffusers keeps it.
func fluxFolder(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "Small FLUX.1")
	networks.WriteFlux(t, folder)
	return folder
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
		presets           int
		to                []string
	}{
		{"flux", "256", "512x768", []string{fluxFolder(t)}, "small-flux-1", "clip_l t5", 4, []string{"F32"}},
		{"sd3", "64", "32", networks.WriteSD3(t, t.TempDir()), "sd3-medium", "clip_l clip_g", 4, []string{"F32", "BF16"}},
		{"hidream", "256", "512x768", networks.WriteHiDream(t, t.TempDir()), "hidream-i1-fast", "clip_l clip_g t5 llama", 4, []string{"F32"}},
		{"cosmos", "256", "256", networks.WriteCosmos(t, t.TempDir()), "cosmos-predict2", "t5 clip_l", 4, []string{"F32"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, p := drawn(t, c.size, append([]string{"generate"}, c.paths...)...)
			if head := p.Guidance[0].Head; (head != 0) != (c.name == "hidream") || head != 0 && head != p.Guidance[0].Weight {
				t.Errorf("without --head the head has a weight of %g", head)
			}
			if said := succeed(t, append([]string{"inspect", "--plan"}, c.paths...)...); !strings.Contains(said, "LARGEST") {
				t.Errorf("the plan says\n%s", said)
			}
			if p.Model != c.model || p.Steps != 2 {
				t.Errorf("the picture says that it is %d steps of %s", p.Steps, p.Model)
			}
			for _, to := range c.to {
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
				if b.Version != 2 || strings.Join(encoders, " ") != c.encoders || b.Sizes[len(b.Sizes)-1].String() != c.size2 || len(b.Presets) != c.presets {
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
	flux, sd3 := fluxFolder(t), networks.WriteSD3(t, t.TempDir())
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
	other := filepath.Join(t.TempDir(), "sd_xl_base_1.0.safetensors")
	putSafetensors(t, other, map[string]packed{
		"model.diffusion_model.input_blocks.0.0.weight": {"F16", []int{1}, []byte{0, 0}},
		"conditioner.embedders.1.model.ln_final.weight": {"F16", []int{1}, []byte{0, 0}},
		"first_stage_model.decoder.conv_in.weight":      {"F16", []int{1}, []byte{0, 0}},
	})
	for _, c := range []struct {
		says  string
		paths []string
	}{
		{"sd_xl_base_1.0.safetensors is known but not supported: Stable Diffusion XL", []string{other}},
		{"is known but not supported: Stable Diffusion XL", []string{without("transformer"), other}},
		{"missing the transformer, usually flux1-dev.safetensors or sd3.5_medium.safetensors in ComfyUI/models/diffusion_models", []string{without("transformer")}},
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
