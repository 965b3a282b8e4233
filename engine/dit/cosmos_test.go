package dit

import (
	"math"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

var cosmos2B = CosmosConfig{InChannels: 16, Heads: 16, HeadDim: 128, Layers: 28, MLPRatio: 4, ContextDim: 1024, LoRA: 256,
	MaxSize: []int{128, 240, 240}, RopeScale: []float64{1, 4, 4}, PaddingMask: true}

// The published models load with as many parameters as they are published with, and their
// adapter with those of its two layers and its scales; 1024 × 1024 pixels record without an
// error of shape, and no tensor is larger than a device binds that was asked for nothing.
func TestPublishedCosmos(t *testing.T) {
	small, guided := cosmos2B, cosmos2B
	small.Heads, small.HeadDim, small.Layers = 20, 64, 20
	guided.PooledDim = 768
	for name, m := range map[string]struct {
		c        CosmosConfig
		billions float64
	}{"0.6B": {small, 0.598}, "2B": {cosmos2B, 1.956}, "2B and its adapter": {guided, 1.956 + 0.04265}} {
		var w described
		c, err := LoadCosmos(m.c, &w)
		if err != nil {
			t.Fatal(err)
		}
		constant := 7 * m.c.Hidden() // the zeros, which no file holds
		if got := float64(w.elems-constant) / 1e9; math.Abs(got-m.billions) > .0006 {
			t.Errorf("%s: %.4f billion parameters, published with %.4f", name, got, m.billions)
		}
		fixed := func(name string, r, c int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, r, c) }
		l, d := op.NewList("pass"), m.c.Hidden()
		c.Velocity(l, Pass{Context: fixed("context", 512, 1024), Latent: fixed("latent", 4096, 64), Mod: fixed("mod", 1, c.Shape().Modulation),
			Positions: fixed("positions", 4096, m.c.HeadDim), Rows: 64, Cols: 64, Limit: op.PortableBinding})
		c.Modulate(l, fixed("yhat", 2, (m.c.Layers+1)*c.Shape().Vector), fixed("mods", 2, c.Shape().Modulation))
		c.Tau(l, fixed("times", 2, d), nil, fixed("tau", 2, c.Shape().Vector))
		if l.Err() != nil {
			t.Fatal(l.Err())
		}
		if _, largest := l.TempBytes(); largest > op.PortableBinding {
			t.Errorf("%s: the largest tensor has %d bytes", name, largest)
		}
	}
}

// What cannot be computed, or does not belong together, is named with its numbers.
func TestCosmosRefuses(t *testing.T) {
	for want, change := range map[string]func(c *CosmosConfig){
		"16 heads of 8;":                func(c *CosmosConfig) { c.HeadDim = 8 },
		"rope_scale [1 0 4]":            func(c *CosmosConfig) { c.RopeScale = []float64{1, 0, 4} },
		`extra_pos_embed_type "sincos"`: func(c *CosmosConfig) { c.ExtraPos = "sincos" },
		"num_layers 0":                  func(c *CosmosConfig) { c.Layers = 0 },
		"max_size [128]":                func(c *CosmosConfig) { c.MaxSize = []int{128} },
	} {
		c := cosmos2B
		change(&c)
		if err := c.Check(); !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	m := &Cosmos{CosmosConfig: cosmos2B}
	for want, p := range map[string]Parts{
		"gives token states of 4096 and a vector of 0: it reads tokens of 1024 and a vector of 0": {[]Encoder{{"t5", 512, 4096, 0, 1}}, 16},
		"has 4 channels, the transformer's 16":                                                    {[]Encoder{{"t5", 512, 1024, 0, 1}}, 4},
		"0 text encoders give not all":                                                            {nil, 16},
	} {
		if _, err := m.Fit(p); !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}
