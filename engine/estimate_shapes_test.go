package engine_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// publishedModel is a manifest of a model of full size as it was published.
func publishedModel(t *testing.T, kind string, transformer any, t5Tokens int, sizes ...recipe.Size) *weights.Manifest {
	t.Helper()
	row := make([]float64, 16)
	m := &weights.Manifest{Name: "published", Family: kind, Sizes: sizes, MaxSteps: 50}
	add := func(role, kind, name string, config any) {
		text, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		m.Components = append(m.Components, weights.Component{Role: role, Kind: kind, Name: name, File: name, Config: text})
		m.Files = append(m.Files, weights.File{Role: role, Name: name})
	}
	add(weights.RoleText, "clip", "clip_l", text.Config{VocabSize: 49408, MaxLength: 77, BOS: 49406, EOS: 49407, HiddenSize: 768, NumLayers: 12, NumHeads: 12, Intermediate: 3072, Activation: "quick_gelu"})
	if kind == "sd3" {
		add(weights.RoleText, "clip", "clip_g", text.Config{VocabSize: 49408, MaxLength: 77, BOS: 49406, EOS: 49407, HiddenSize: 1280, NumLayers: 32, NumHeads: 20, Intermediate: 5120, Activation: "gelu", Projection: 1280})
	}
	add(weights.RoleText, "t5", "t5", text.T5Config{VocabSize: 32128, Width: 4096, HeadDim: 64, MLP: 10240, NumLayers: 24, NumHeads: 64, MaxLength: t5Tokens, EOS: 1})
	add(weights.RoleTransformer, kind, "dit", transformer)
	add(weights.RoleDecoder, "kl", "vae", vae.KLConfig{LatentChannels: 16, Channels: []int{128, 256, 512, 512}, Layers: 2, Groups: 32, ScalingFactor: 1, Preview: vae.Preview{Weight: [][]float64{row, row, row}, Bias: make([]float64, 3)}})
	return m
}

// The published models draw a picture of a megapixel on the device that asks for nothing:
// no tensor is larger than such a device binds at once.
func TestNoTensorPassesTheLimit(t *testing.T) {
	schnell := dit.FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072, MLPRatio: 4, Heads: 24, Depth: 19, DepthSingle: 38,
		AxesDim: []int{16, 56, 56}, Theta: 10000, QKVBias: true, Activation: "gelu_tanh"}
	dev := schnell
	dev.GuidanceEmbed = true
	medium := dit.SD3Config{InChannels: 16, Layers: 24, Heads: 24, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: 192, Sample: 128, Dual: []int{}}
	medium35 := medium
	medium35.Side, medium35.Dual, medium35.QKNorm = 384, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "rms_norm"
	large35 := medium
	large35.Layers, large35.Heads, large35.QKNorm = 38, 38, "rms_norm"
	sizes := []recipe.Size{recipe.Square(1024), {Width: 1024, Height: 768}, {Width: 768, Height: 1024}}
	for _, c := range []struct {
		name, kind  string
		transformer any
		t5, steps   int
		cfg         float64
	}{
		{"FLUX.1 schnell", "flux", schnell, 256, 4, 1}, {"FLUX.1 dev", "flux", dev, 512, 50, 3.5}, {"FLUX.1 schnell, classifier-free guidance", "flux", schnell, 512, 4, 2},
		{"SD3 medium", "sd3", medium, 256, 28, 5}, {"SD3 medium, 512 tokens", "sd3", medium, 512, 28, 1},
		{"SD3.5 medium", "sd3", medium35, 512, 40, 4.5}, {"SD3.5 large", "sd3", large35, 512, 28, 4.5},
	} {
		m := publishedModel(t, c.kind, c.transformer, c.t5, sizes...)
		for i, size := range sizes {
			t.Run(fmt.Sprintf("%s, %d × %d", c.name, size.Width, size.Height), func(t *testing.T) {
				req := engine.Request{Steps: c.steps, Size: size, CFG: c.cfg}
				free, err := engine.EstimateModel(m, req, nil)
				if err != nil {
					t.Fatal(err)
				}
				e, err := engine.EstimateModel(m, req, op.PortableLimits())
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("the largest tensor has %.1f MiB, %.1f without a limit; %d operations a step, %d; %.0f MiB at once in a step, %.0f",
					mib(e.LargestTensor), mib(free.LargestTensor), e.Step.Operations, free.Step.Operations, mib(e.Step.TempBytes), mib(free.Step.TempBytes))
				if e.LargestTensor > op.PortableBinding {
					t.Errorf("a tensor has %d bytes, a device without special limits binds %d", e.LargestTensor, op.PortableBinding)
				}
				if free.LargestTensor <= op.PortableBinding && i == 0 {
					t.Errorf("without a limit the largest tensor has %d bytes: this test shows nothing", free.LargestTensor)
				}
				if more := e.Step.FLOPs/free.Step.FLOPs - 1; math.Abs(more) > 0.001 {
					t.Errorf("a step takes %g as much arithmetic as without a limit", 1+more)
				}
			})
		}
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
