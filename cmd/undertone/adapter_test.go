package main

import (
	"bytes"
	"image"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
)

// An adapter beside a model with a model.json gives it a pooled path and directions; off,
// it leaves the plain model bit for bit, and a model with a path takes none.
func TestAdapterBesideABundle(t *testing.T) {
	dir := t.TempDir()
	cut, whole, adapter := filepath.Join(dir, "cut"), filepath.Join(dir, "whole"), filepath.Join(dir, "adapter.safetensors")
	networks.WriteCut(t, cut, adapter)
	networks.WriteSmall(t, whole, 0)
	draw := func(flags ...string) (pixels []byte, made recipe.Parameters) {
		t.Helper()
		out := filepath.Join(dir, "a.png")
		succeed(t, append([]string{"generate", cut, "--prompt", "a red frog", "--seed", "3", "-o", out}, flags...)...)
		file := read(t, out)
		picture, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		limits := recipe.Limits{MaxSteps: 12, Sizes: []recipe.Size{recipe.Square(16)}, Blocks: 5}
		if made, _, err = recipe.FromPNG(file, recipe.Request{}, limits, nil); err != nil {
			t.Fatal(err)
		}
		return picture.(*image.RGBA).Pix, made
	}
	plain, _ := draw()
	own, made := draw("--adapter", adapter)
	off, _ := draw("--adapter", adapter, "--ablate-pooled", "off")
	guided, _ := draw("--adapter", adapter, "--positive", "at night", "--negative", "in day", "--weight", "3", "--schedule", "constant")
	for name, x := range map[string]struct {
		a, b []byte
		same bool
	}{"off and the plain model": {off, plain, true}, "the adapter and the plain model": {own, plain, false}, "a direction and none": {guided, own, false}} {
		if got := bytes.Equal(x.a, x.b); got != x.same {
			t.Errorf("%s: the same is %t, want %t", name, got, x.same)
		}
	}
	if made.Revision != "1, adapter adapter.safetensors" {
		t.Errorf("the picture names the revision %q", made.Revision)
	}
	networks.WriteCosmos(t, dir)
	other := filepath.Join(dir, "cosmos_predict2", "adapter")
	for says, args := range map[string][]string{
		"adds to vectors of 96, those of the transformer have 48": {cut, "--adapter", other},
		"which reads a pooled vector by itself":                   {whole, "--adapter", adapter},
		"there is no pooled adapter among the files":              {cut, "--adapter", filepath.Join(dir, "cosmos_predict2", "vae")},
		"a model without a pooled text vector, which they change": {cut, "--positive", "at night", "--weight", "3"},
	} {
		code, _, stderr := cli(append([]string{"generate", "-o", filepath.Join(dir, "b.png")}, append(args[1:], args[0])...)...)
		if code != 1 || !strings.Contains(stderr, says) {
			t.Errorf("%v: code %d, %s", args, code, stderr)
		}
	}
}
