package engine_test

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"undertone/engine"
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// The estimate of the shipped model against a count by hand: every weight of a
// matrix is used once per token (a multiplication and an addition), attention twice
// per pair of tokens, a convolution's weights once per pixel. What is done element
// by element adds a little.
func TestEstimate(t *testing.T) {
	b, err := weights.LoadBundle(context.Background(), weights.Dir("../models/sprites"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	req := engine.Request{Steps: 4, Size: recipe.Square(256), CFG: 1}
	e, err := engine.EstimateModel(&b.Manifest, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	const tokens, image, d, mlp, blocks = 96, 64, 256, 1024, 6
	step := 2*tokens*blocks*(4*d*d+2*d*mlp) + 4*tokens*tokens*d*blocks + 2*2*image*64*d
	decode, pixels, from := 0, 16*16, 16
	for i, s := range [][2]int{{128, 2}, {64, 2}, {32, 1}, {16, 1}, {8, 1}} {
		if i > 0 {
			pixels *= 4
		}
		decode += 2 * 9 * pixels * (from*s[0] + 3*s[1]*s[0]*s[0])
		from = s[0]
	}
	decode += 2 * 9 * pixels * from * 3
	for _, c := range []struct {
		name string
		got  float64
		want int
	}{{"a step", e.Step.FLOPs, step}, {"the decoder", e.Decode.FLOPs, decode}} {
		if more := c.got/float64(c.want) - 1; !(more > 0 && more < 0.03) {
			t.Errorf("%s takes %.4g, by hand %.4g", c.name, c.got, float64(c.want))
		}
	}
	if e.WeightBytes != b.Bytes() || e.PeakBytes < e.WeightBytes+e.FixedBytes+e.Decode.TempBytes || e.LargestTensor < 256*256*8*4 {
		t.Errorf("bytes: %+v", e)
	}
	estimatedParts(t, b, e)
	if sum := e.FLOPs(4, 1); math.Abs(sum-(e.Text.FLOPs+e.Times.FLOPs+e.Modulation.FLOPs+4*e.Step.FLOPs+e.Decode.FLOPs)) > 1 {
		t.Errorf("the whole takes %g", sum)
	}

	// The same transformer with the decoder of AutoencoderKL, and no encoder, whose latents are others.
	other := b.Manifest
	other.Components = slices.DeleteFunc(slices.Clone(b.Components), func(c weights.Component) bool { return c.Role == weights.RoleEncoder })
	decoder := &other.Components[2]
	config := decoder.Config
	decoder.Kind, decoder.Config = "kl", []byte(`{"latent_channels":16,"block_out_channels":[32,64,64],"layers_per_block":1,"norm_num_groups":32,"scaling_factor":0.3611,"shift_factor":0.1159,"preview":`+
		string(preview(t, config))+`}`)
	kl, err := engine.EstimateModel(&other, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	const latent, first = 64 * 64, 9 * 64 * 64
	want := 2*latent*(9*16*64+8*first+4*64*64) + 4*latent*latent*64 + // conv_in, 4 blocks, attention
		2*4*latent*(first+4*first) + // up, 2 blocks
		2*16*latent*(first+9*64*32+64*32+3*9*32*32+9*32*3) // up, 2 blocks, the picture
	if more := kl.Decode.FLOPs/float64(want) - 1; !(more > 0 && more < 0.05) {
		t.Errorf("AutoencoderKL takes %.4g, by hand %.4g", kl.Decode.FLOPs, float64(want))
	}

	req.CFG = 3
	two, err := engine.EstimateModel(&b.Manifest, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := two.Step.FLOPs / e.Step.FLOPs; math.Abs(ratio-2) > 0.01 {
		t.Errorf("a step with classifier-free guidance takes %.3f times one without", ratio)
	}
	req.Size = recipe.Square(512)
	if _, err := engine.EstimateModel(&b.Manifest, req, nil); !fault.Is(err, fault.SizeUnsupported) {
		t.Errorf("size 512: %v", err)
	}
}

// estimatedParts compares what each part takes with numbers by hand.
func estimatedParts(t *testing.T, b *weights.Bundle, e engine.Estimate) {
	t.Helper()
	const d, mlp, blocks = 256, 1024, 6
	// By hand: a weight has two bytes, and a step reads the matrices of the blocks, but
	// none of AdaLN's.
	var disk, device int64
	for _, p := range e.Parts {
		if p.Name == "encoder" { // which a picture from words alone never reads
			if p.DiskBytes != b.RoleBytes("encoder") || p.PeakBytes != 0 {
				t.Errorf("the encoder: %+v", p)
			}
			continue
		}
		disk, device = disk+p.DiskBytes, device+p.DeviceBytes
		if p.PeakBytes <= 0 || p.LargestBytes <= 0 || p.LargestBytes > p.DeviceBytes || p.DeviceBytes > p.DiskBytes {
			t.Errorf("part: %+v", p)
		}
	}
	if n := b.Parameters().All(); disk != b.Bytes() || math.Abs(float64(device)/float64(2*n)-1) > 0.001 {
		t.Errorf("%d bytes on disk, %d on the device, want %d and %d (bf16)", disk, device, b.Bytes(), 2*n)
	}
	const adaLN = (12*1+3*5+2)*d*d + (12*1+3*5+2)*d // of one double block, five single ones and the head
	if p := e.Parts[1]; p.Name != "dit" || p.PeakBytes >= p.DeviceBytes-2*adaLN+e.Step.TempBytes+1<<20 || p.PeakBytes < 2*blocks*(4*d*d+2*d*mlp) {
		t.Errorf("the transformer: %+v, of which %d are AdaLN's", p, 2*adaLN)
	}
	if p := e.Parts[1]; e.LeastBytes < p.PeakBytes+e.FixedBytes || e.LeastBytes >= e.PeakBytes {
		t.Errorf("at least %d bytes, at most %d", e.LeastBytes, e.PeakBytes)
	}
}

// preview is that of a decoder's configuration.
func preview(t *testing.T, config []byte) json.RawMessage {
	t.Helper()
	var c struct{ Preview json.RawMessage }
	if err := json.Unmarshal(config, &c); err != nil {
		t.Fatal(err)
	}
	return c.Preview
}
