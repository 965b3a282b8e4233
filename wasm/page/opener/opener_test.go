package opener

import (
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

func TestMeans(t *testing.T) {
	for name, want := range map[string]bool{
		"flux1-dev.safetensors": true, "Q4.GGUF": true, "merges.txt": true, "bpe_simple_vocab_16e6.txt.gz": true, "spiece.model": true, "old.ckpt": true,
		"a frog.png": false, "photo.JPG": false, "model": false, "": false,
	} {
		if means(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]bool{
		" https://example.org/a/b.safetensors ": true, "https://example.org/b.gguf?download=true": true, "http://localhost:8080/x.gguf": true, "http://127.0.0.1/x": true,
		"http://example.org/x.gguf": false, "ftp://example.org/x": false, "https://example.org": false, "https:///x": false, "x.gguf": false, "": false,
		"http://localhost.example.org/x": false, "https://example.org/a b": false,
	} {
		if got, ok := address(text); ok != want || ok && got != strings.TrimSpace(text) {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
	if got := placeName("https://example.org/a/resolve/main/b.gguf?download=true"); got != "b.gguf · example.org" {
		t.Errorf("it is listed as %q", got)
	}
}

// TestMissing says in each language what a missing part is and where it is usually found.
func TestMissing(t *testing.T) {
	defer words.Use(words.Languages[0])
	tokenizer := recipe.MissingPart{Role: "tokenizer", Name: "clip_l", File: "vocab.json and merges.txt, or tokenizer.json,", Where: "tokenizer/ of the model's diffusers folder (a single weight file has no words in it)"}
	decoder := recipe.MissingPart{Role: "decoder", File: "ae.safetensors", Where: "ComfyUI/models/vae"}
	for i, want := range [][]string{
		{"Words of CLIP-L (tokenizer)", "usually vocab.json and merges.txt or tokenizer.json, in tokenizer/ in the model's diffusers folder", "Decoder", "usually ae.safetensors, in ComfyUI/models/vae"},
		{"CLIP-L 的词表（分词器）", "通常叫 vocab.json 和 merges.txt 或 tokenizer.json，位于 模型 diffusers 文件夹里的 tokenizer/", "解码器", "通常叫 ae.safetensors，位于 ComfyUI/models/vae"},
	} {
		words.Use(words.Languages[i])
		for k, got := range []string{partName(tokenizer.Role, tokenizer.Name), usually(tokenizer), partName(decoder.Role, ""), usually(decoder)} {
			if got != want[k] {
				t.Errorf("%q, wanted %q", got, want[k])
			}
		}
	}
	found := recipe.Published{Parts: make([]recipe.PublishedPart, 1), Missing: []recipe.MissingPart{{Role: "text", Name: "t5"}}}
	if !complete(found) {
		t.Error("what may be left out is asked for")
	}
	found.Missing = append(found.Missing, recipe.MissingPart{Role: "decoder", Required: true})
	if complete(found) || complete(recipe.Published{}) {
		t.Error("what is missing is not asked for")
	}
}

func TestLicence(t *testing.T) {
	words.Use(words.Languages[0])
	for variant, want := range map[string]string{
		"FLUX.1 schnell": "Apache", "FLUX.1 dev": "Non-Commercial", "FLUX.1 Kontext": "Non-Commercial", "FLUX.1 of other depths, without guidance as schnell": "Apache",
		"Stable Diffusion 3.5 large turbo": "Stability", "HiDream-I1 Fast": "Llama 3.1", "Cosmos-Predict2 of few steps": "NVIDIA", "": "", "Other": "",
	} {
		if got := licence(variant); !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q", variant, got)
		}
	}
}

// TestTakes says what a model takes, and what is smaller where that is much.
func TestTakes(t *testing.T) {
	words.Use(words.Languages[0])
	size := recipe.Square(1024)
	m := &app.Model{Description: recipe.Description{Memory: 20e9, Parameters: recipe.Counts{DiT: 12e9}, Defaults: recipe.Defaults{Size: size}}}
	found := func(device int64) recipe.Published {
		return recipe.Published{LeastBytes: 9e9, Parts: []recipe.PublishedPart{{Role: "text", DeviceBytes: 99e9}, {Role: "transformer", DeviceBytes: device}}}
	}
	for device, want := range map[int64]string{24e9: "Q8_0 takes about 12.75 GB", 12.75e9: "Q4_0 takes about 6.75 GB", 6.75e9: ""} {
		got := memory(m, found(device))
		if !strings.Contains(got, "1024 × 1024") || !strings.Contains(got, "20.00 GB") || !strings.Contains(got, "9.00 GB") {
			t.Errorf("it says %q", got)
		}
		if strings.Contains(got, "GGUF") != (want != "") || !strings.Contains(got, want) {
			t.Errorf("of %d bytes it says %q, wanted %q", device, got, want)
		}
	}
	half := recipe.Square(512)
	for want, f := range map[string]recipe.Fits{
		"fits this GPU": {OK: true, Buffer: 2e9, Binding: 1e9, Largest: 5e8}, "starts with 512 × 512 pixels": {Largest: 2e9, Size: &half}, "No size of this model": {Largest: 2e9},
	} {
		got, ok := limits(m, &f)
		if !strings.Contains(got, want) || !strings.Contains(got, words.Bytes(f.Largest)) || ok != (f.OK || f.Size != nil) {
			t.Errorf("%q, %v", got, ok)
		}
	}
	sum := totals([]recipe.PublishedPart{{DiskBytes: 1, DeviceBytes: 2, PeakBytes: 9, LargestBytes: 3}, {DiskBytes: 10, DeviceBytes: 20, PeakBytes: 8, LargestBytes: 4}})
	if sum.DiskBytes != 11 || sum.DeviceBytes != 22 || sum.PeakBytes != 9 || sum.LargestBytes != 4 {
		t.Errorf("together %+v", sum)
	}
}
