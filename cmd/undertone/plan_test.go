package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
)

// headers is an op.Weights that lists what a loader asks for as tensors in BF16.
type headers struct {
	all map[string]any
	end int64
}

func (h *headers) Has(name string) bool { return true }

func (h *headers) Constant(string, op.Use, int, int, []float32) *op.Tensor { return nil }

func (h *headers) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	shape := []int{rows, cols}
	switch {
	case name == "pos_embed":
		shape = []int{1, 192 * 192, cols}
	case name == "x_embedder.proj.weight":
		shape = []int{rows, cols / 4, 2, 2}
	case use == op.UseConv3x3:
		shape = []int{rows, cols / 9, 3, 3}
	case use == op.UseVector && rows == 1:
		shape = []int{cols}
	}
	n := int64(2)
	for _, d := range shape {
		n *= int64(d)
	}
	h.all[name] = map[string]any{"dtype": "BF16", "shape": shape, "data_offsets": []int64{h.end, h.end + n}}
	h.end += n
	return nil
}

// hollow writes a safetensors file of zeros that takes no room on a disk.
func hollow(t *testing.T, name string, load func(op.Weights) error) string {
	t.Helper()
	h := &headers{all: map[string]any{}}
	if err := load(h); err != nil {
		t.Fatal(err)
	}
	head := jsonOf(t, h.all)
	put(t, name, append(binary.LittleEndian.AppendUint64(nil, uint64(len(head))), head...))
	if err := os.Truncate(name, int64(8+len(head))+h.end); err != nil {
		t.Fatal(err)
	}
	return name
}

func preview() vae.Preview {
	row := make([]float64, 16)
	return vae.Preview{Weight: [][]float64{row, row, row}, Bias: make([]float64, 3)}
}

// What published models of full size take is told from their headers.
func TestPlanOfPublishedShapes(t *testing.T) {
	folder := t.TempDir()
	file := func(name string, load func(op.Weights) error) string {
		return hollow(t, filepath.Join(folder, name), load)
	}
	clip := func(c text.Config) func(op.Weights) error {
		c.VocabSize, c.MaxLength, c.BOS, c.EOS = 49408, 77, 49406, 49407
		return func(w op.Weights) error { _, err := text.LoadCLIP(c, w); return err }
	}
	l := file("clip_l.safetensors", clip(text.Config{HiddenSize: 768, NumLayers: 12, NumHeads: 12, Intermediate: 3072, Activation: "quick_gelu"}))
	g := file("clip_g.safetensors", clip(text.Config{HiddenSize: 1280, NumLayers: 32, NumHeads: 20, Intermediate: 5120, Activation: "gelu", Projection: 1280}))
	t5 := file("t5xxl.safetensors", func(w op.Weights) error {
		_, err := text.LoadT5(text.T5Config{VocabSize: 32128, Width: 4096, HeadDim: 64, MLP: 10240, NumLayers: 24, NumHeads: 64, MaxLength: 512, EOS: 1}, w)
		return err
	})
	ae := file("ae.safetensors", func(w op.Weights) error {
		_, err := vae.LoadKL(vae.KLConfig{LatentChannels: 16, Channels: []int{128, 256, 512, 512}, Layers: 2, Groups: 32, ScalingFactor: 1, Preview: preview()}, w)
		return err
	})
	flux := file("flux1-dev.safetensors", func(w op.Weights) error {
		_, err := dit.LoadFlux(dit.FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072, MLPRatio: 4, Heads: 24, Depth: 19, DepthSingle: 38,
			AxesDim: []int{16, 56, 56}, Theta: 10000, QKVBias: true, GuidanceEmbed: true, Activation: "gelu_tanh"}, w)
		return err
	})
	sd3 := file("sd3.5_large.safetensors", func(w op.Weights) error {
		_, err := dit.LoadSD3(dit.SD3Config{InChannels: 16, Layers: 38, Heads: 38, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: 192, Sample: 128, Dual: []int{}, QKNorm: "rms_norm"}, w)
		return err
	})
	for _, c := range []struct {
		paths []string
		says  []string
	}{
		{[]string{flux, l, t5, ae}, []string{"FLUX.1 dev", "flux1-dev: 1024 × 1024 pixels, 28 steps", "22700.1 MiB  126.0 MiB", "missing: the tokenizer of the text encoder T5"}},
		{[]string{sd3, l, g, ae}, []string{"Stable Diffusion 3.5 large", "sd3-5-large: 1024 × 1024 pixels, 28 steps", "missing, and not needed: the text encoder T5"}},
	} {
		begin := time.Now()
		code, stdout, stderr := cli(append([]string{"inspect", "--plan"}, c.paths...)...)
		t.Logf("in %v:\n%s", time.Since(begin), stdout)
		if code != 0 {
			t.Fatalf("code %d: %s", code, stderr)
		}
		for _, want := range c.says {
			if !strings.Contains(stdout, want) {
				t.Errorf("no %q in\n%s", want, stdout)
			}
		}
	}
	if code, stdout, stderr := cli("inspect", "--plan", flux, l); code != 1 || !strings.Contains(stdout, "transformer") || !strings.Contains(stderr, "missing the decoder of FLUX.1") {
		t.Errorf("of half a model: %d, %s, %s", code, stdout, stderr)
	}
}
