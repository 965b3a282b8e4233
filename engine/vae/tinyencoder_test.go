package vae

import (
	"math"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// shippedEncoder is the layout of the encoder in models/sprites.
func shippedEncoder() TinyEncoderConfig {
	return TinyEncoderConfig{LatentChannels: 16, Unshuffle: 4, Mean: 0.5, ScalingFactor: 1.2, Stages: []Stage{{32, 1}, {64, 2}, {128, 2}}}
}

// The encoder asks for the tensors of the file in models/sprites, by name and shape, and
// a picture of 256 × 256 pixels becomes 16 × 16.
func TestTinyEncoderLayout(t *testing.T) {
	shapes := described{}
	m, err := LoadTinyEncoder(shippedEncoder(), shapes)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]int{
		"encoder.layers.1.weight":        {32, 48 * 9},
		"encoder.layers.2.conv.4.bias":   {1, 32},
		"encoder.layers.3.weight":        {64, 32 * 9},
		"encoder.layers.6.bias":          {1, 128},
		"encoder.layers.8.conv.2.weight": {128, 128 * 9},
		"encoder.layers.9.weight":        {16, 128 * 9},
	} {
		if shapes[name] != want {
			t.Errorf("%s is %v, want %v", name, shapes[name], want)
		}
	}
	if len(shapes) != 38 {
		t.Errorf("%d tensors, want 38", len(shapes))
	}
	l := op.NewList("encode")
	z := m.Encode(l, op.NewStorage("pixels", op.Fixed, op.F32, 256*256, 3), 256, 256, nil)
	if l.Err() != nil || z.Rows != 16*16 || z.Cols != 16 || m.Shape() != (Shape{Channels: 16, Downscale: 16}) {
		t.Errorf("%s, %+v, %v", z, m.Shape(), l.Err())
	}
}

func TestTinyEncoderRefusals(t *testing.T) {
	for name, bend := range map[string]func(*TinyEncoderConfig){
		"channels": func(c *TinyEncoderConfig) { c.LatentChannels = 0 },
		"squares":  func(c *TinyEncoderConfig) { c.Unshuffle = 0 },
		"stages":   func(c *TinyEncoderConfig) { c.Stages = nil },
		"stage":    func(c *TinyEncoderConfig) { c.Stages[1].Channels = 5000 },
		"mean":     func(c *TinyEncoderConfig) { c.Mean = math.Inf(1) },
		"scale":    func(c *TinyEncoderConfig) { c.ScalingFactor = math.NaN() },
	} {
		c := shippedEncoder()
		bend(&c)
		if _, err := LoadTinyEncoder(c, described{}); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
