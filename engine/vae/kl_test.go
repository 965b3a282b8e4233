package vae

import (
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// ae is the autoencoder of FLUX.
func ae() KLConfig {
	return KLConfig{LatentChannels: 16, Channels: []int{128, 256, 512, 512}, Layers: 2, Groups: 32,
		ScalingFactor: 0.3611, ShiftFactor: 0.1159, Preview: taesd().Preview}
}

// The decoder of the published FLUX and SD3 has these names and shapes, in the
// original files, in those of a whole model, and in those of diffusers.
func TestPublishedKL(t *testing.T) {
	for _, c := range []struct {
		has   string
		names []string // that have shapes [512, 512·9], [512, 512], [256, 512], [256, 256·9], [128, 256], [1, 128], [1, 512]
	}{
		{"decoder.norm_out.weight", []string{"decoder.up.3.block.2.conv1.weight", "decoder.mid.attn_1.proj_out.weight", "decoder.up.1.block.0.nin_shortcut.weight",
			"decoder.up.1.upsample.conv.weight", "decoder.up.0.block.0.nin_shortcut.weight", "decoder.norm_out.bias", "decoder.mid.attn_1.norm.weight"}},
		{"first_stage_model.decoder.norm_out.weight", []string{"first_stage_model.decoder.up.2.upsample.conv.weight", "first_stage_model.decoder.mid.attn_1.q.weight",
			"first_stage_model.decoder.up.1.block.0.nin_shortcut.weight", "first_stage_model.decoder.up.1.block.2.conv2.weight", "first_stage_model.decoder.up.0.block.0.nin_shortcut.weight",
			"first_stage_model.decoder.up.0.block.2.norm1.weight", "first_stage_model.decoder.mid.block_2.norm2.bias"}},
		{"decoder.conv_norm_out.weight", []string{"decoder.up_blocks.0.upsamplers.0.conv.weight", "decoder.mid_block.attentions.0.to_out.0.weight", "decoder.up_blocks.2.resnets.0.conv_shortcut.weight",
			"decoder.up_blocks.2.upsamplers.0.conv.weight", "decoder.up_blocks.3.resnets.0.conv_shortcut.weight", "decoder.conv_norm_out.weight", "decoder.mid_block.attentions.0.group_norm.bias"}},
	} {
		w := layout{described{}, c.has}
		if _, err := LoadKL(ae(), w); err != nil {
			t.Fatal(err)
		}
		for i, want := range [][2]int{{512, 512 * 9}, {512, 512}, {256, 512}, {256, 256 * 9}, {128, 256}, {1, 128}, {1, 512}} {
			if got := w.described[c.names[i]]; got != want {
				t.Errorf("%s is %v, want %v", c.names[i], got, want)
			}
		}
		conv := func(in, out int) int { return 9*in*out + out }
		res := func(in, out int) int {
			n := 2*in + conv(in, out) + 2*out + conv(out, out)
			if in != out {
				n += in*out + out
			}
			return n
		}
		want := conv(16, 512) + 2*res(512, 512) + 2*512 + 4*(512*512+512) +
			6*res(512, 512) + 2*conv(512, 512) + res(512, 256) + 2*res(256, 256) + conv(256, 256) + res(256, 128) + 2*res(128, 128) +
			2*128 + conv(128, 3)
		elems := 0
		for name, shape := range w.described {
			elems += shape[0] * shape[1]
			if !strings.HasPrefix(name, strings.TrimSuffix(c.has, "norm_out.weight")) && !strings.HasPrefix(name, "decoder.") {
				t.Errorf("%s among the names of a file with %s", name, c.has)
			}
		}
		if elems != want || len(w.described) != 138 {
			t.Errorf("%s: %d tensors with %d parameters, want 138 with %d", c.has, len(w.described), elems, want)
		}
	}
}

// A picture of 1024 × 1024 records without an error of shape; in as many strips as the
// limit of 128 MiB wants no tensor is larger, and every pixel is drawn once.
func TestKLStrips(t *testing.T) {
	m, err := LoadKL(ae(), described{})
	if err != nil {
		t.Fatal(err)
	}
	const side, limit = 128, 128 << 20
	need := m.Strips(side, side, limit)
	if m.Strips(side, side, 0) != 1 || m.Strips(side, side, 1<<30) != 1 || m.Strips(side, side, 1) != side {
		t.Error("strips where none are needed, or too few where all are")
	}
	for _, strips := range []int{1, need, side} {
		l := op.NewList("decode")
		m.Draw(l, op.NewStorage("z", op.Fixed, op.F32, side*side, 16), side, side, strips, op.NewStorage("pixels", op.Fixed, op.U32, 1, 1024*1024))
		if l.Err() != nil {
			t.Fatal(l.Err())
		}
		largest := drawsAll(t, l, 1024*1024)
		if step := (side + strips - 1) / strips; largest != m.largest(step, side, strips > 1) && strips != side {
			t.Errorf("%d strips: the largest tensor has %d bytes, %d were expected", strips, largest, m.largest(step, side, strips > 1))
		}
		if strips == need && largest > limit {
			t.Errorf("%d strips: the largest tensor has %d bytes", strips, largest)
		}
		most, _ := l.TempBytes()
		t.Logf("%d strips: %d operations, the largest tensor has %d MiB, at most %d MiB at once", strips, len(l.Nodes), largest>>20, most>>20)
	}
	if less := need - 1; m.largest((side+less-1)/less, side, true) <= limit {
		t.Errorf("%d strips would do, not %d", less, need)
	}
}

// Drawn in any number of strips a picture has the same bytes.
func TestKLStripsDoNotShow(t *testing.T) {
	const h, w = 7, 3
	r := newRig(t, 4)
	for _, channels := range [][]int{{8, 8}, {4, 8}, {8, 4, 12}} {
		c := ae()
		c.LatentChannels, c.Channels, c.Layers, c.Groups = 3, channels, 1, 2
		for i := range c.Preview.Weight {
			c.Preview.Weight[i] = make([]float64, 3)
		}
		m, err := LoadKL(c, r.weights())
		if err != nil {
			t.Fatal(err)
		}
		whole := r.draw(m, h, w, 1)
		if slices.Max(whole) == slices.Min(whole) {
			t.Fatal("the picture is plain")
		}
		for _, strips := range []int{2, 3, 4, 7, 9} {
			if !slices.Equal(r.draw(m, h, w, strips), whole) {
				t.Errorf("stages %v: %d strips show", channels, strips)
			}
		}
	}
}

func TestKLConfigRefuses(t *testing.T) {
	for name, bend := range map[string]func(c *KLConfig){
		"no channels":         func(c *KLConfig) { c.LatentChannels = 0 },
		"one stage":           func(c *KLConfig) { c.Channels = c.Channels[:1] },
		"a huge stage":        func(c *KLConfig) { c.Channels[0] = 1 << 30 },
		"no group":            func(c *KLConfig) { c.Groups = 0 },
		"groups that do not":  func(c *KLConfig) { c.Channels[1] = 250 },
		"attention too wide":  func(c *KLConfig) { c.Channels[3] = 544 },
		"negative layers":     func(c *KLConfig) { c.Layers = -1 },
		"scale 0":             func(c *KLConfig) { c.ScalingFactor = 0 },
		"shift NaN":           func(c *KLConfig) { c.ShiftFactor = math.NaN() },
		"no preview":          func(c *KLConfig) { c.Preview.Weight = nil },
		"attention unaligned": func(c *KLConfig) { c.Groups, c.Channels[3] = 2, 6 },
	} {
		c := ae()
		bend(&c)
		if err := c.Check(); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
