package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What published files are together, and what is missing, is told part by part.
func TestInspectParts(t *testing.T) {
	const published = "../../engine/testdata/published/"
	folder := filepath.Join(t.TempDir(), "model")
	for from, to := range map[string]string{"flux_dev.diffusers.safetensors": "transformer/diffusion_pytorch_model.safetensors", "taef1.safetensors": "vae/model.safetensors"} {
		put(t, filepath.Join(folder, to), read(t, published+from))
	}
	put(t, filepath.Join(folder, "transformer/config.json"), []byte(`{"axes_dims_rope":[2,4,6]}`))
	put(t, filepath.Join(folder, "notes.txt"), []byte("no weights"))
	out := succeed(t, "inspect", folder)
	for _, want := range []string{
		"FLUX.1 of other depths, with guidance as dev: 28 steps, guidance 3.5", "transformer  FLUX.1  BF16", "model/transformer/diffusion_pytorch_model.safetensors",
		"decoder      TAESD", `"axes_dim":[2,4,6]`, "missing: the text encoder CLIP-L, usually clip_l.safetensors in ComfyUI/models/text_encoders", "0 tensors are read by no part",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out = succeed(t, "inspect", filepath.Join(folder, "vae/model.safetensors"))
	if !strings.Contains(out, "total of BF16") || !strings.Contains(out, "as a published model: parts without a transformer\nPART") {
		t.Errorf("of one file:\n%s", out)
	}
	files := []string{"inspect", published + "flux_dev.safetensors", published + "flux_kontext.safetensors"}
	if code, _, stderr := cli(files...); code != 1 || !strings.Contains(stderr, "FLUX.1 whose heads are not 128 wide") {
		t.Errorf("two files: %d, %s", code, stderr)
	}
	if code, _, stderr := cli("inspect", t.TempDir()); code != 1 || !strings.Contains(stderr, "no file was given") {
		t.Errorf("an empty folder: %d, %s", code, stderr)
	}
}

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}
