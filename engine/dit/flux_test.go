package dit

import (
	"fmt"
	"math"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

var dev = FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072, MLPRatio: 4, Heads: 24, Depth: 19, DepthSingle: 38,
	AxesDim: []int{16, 56, 56}, Theta: 10000, QKVBias: true, GuidanceEmbed: true, Activation: "gelu_tanh"}

// described gives weights without memory, and counts them.
type described struct{ count, elems int }

func (d *described) Has(name string) bool { return true }

func (d *described) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	d.count++
	d.elems += rows * cols
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (d *described) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	return d.Get(name, use, rows, cols)
}

// The published FLUX.1-dev loads: its names, its size, and 512 text tokens with
// the 4,096 image tokens of 1024 × 1024 pixels record without an error of shape.
func TestPublishedFLUX(t *testing.T) {
	var w described
	f, err := LoadFlux(dev, &w)
	if err != nil {
		t.Fatal(err)
	}
	if w.count != 780 || w.elems != 11_901_408_320 {
		t.Errorf("%d tensors with %d parameters, want 780 with 11,901,408,320", w.count, w.elems)
	}
	if l := record(f, 512, 64, 64); l.Err() != nil {
		t.Error(l.Err())
	}
	if table, cols := f.Positions(3, 2, 2); cols != 128 || len(table) != 7*cols {
		t.Errorf("the rotary table of 7 tokens has %d numbers in rows of %d", len(table), cols)
	}
}

// A step of 2 + 6 blocks must stay under 80 kernel launches: on a real GPU each
// costs 25 to 70 µs.
func TestDispatches(t *testing.T) {
	c := dev
	c.Hidden, c.Heads, c.Depth, c.DepthSingle = 256, 2, 2, 6
	f, err := LoadFlux(c, &described{})
	if err != nil {
		t.Fatal(err)
	}
	if l := record(f, 32, 8, 8); l.Err() != nil || len(l.Nodes) > 80 {
		t.Errorf("%d operations per step, at most 80 (%v)", len(l.Nodes), l.Err())
	} else {
		t.Logf("%d operations per step", len(l.Nodes))
	}
}

// record records one step as the engine does.
func record(f *Flux, text, rows, cols int) *op.List {
	fixed := func(name string, r, c int) *op.Tensor { return op.NewStorage(name, op.Fixed, op.F32, r, c) }
	s := text + rows*cols
	latent := fixed("latent", rows*cols, f.InChannels)
	l := op.NewList("step")
	v := f.Velocity(l, Pass{Context: fixed("context", text, f.Hidden), Latent: latent, Mod: fixed("mod", 1, f.modWidth()), Positions: fixed("rope", s, f.HeadDim())})
	l.Euler(latent, v, fixed("dt", 1, 1))
	return l
}

// Modulate must fill every column of a row exactly once, in the order in which
// Velocity takes them.
func TestModulationWidth(t *testing.T) {
	c := dev
	c.Hidden, c.Heads, c.Depth, c.DepthSingle = 256, 2, 2, 3
	f, err := LoadFlux(c, &described{})
	if err != nil {
		t.Fatal(err)
	}
	if at := columns(t, f.Modulate, (f.blocks()+1)*f.Hidden, f.modWidth()); at != f.modWidth() {
		t.Errorf("%d columns of %d are filled", at, f.modWidth())
	}
}

// columns records Modulate and returns how many columns of a row it fills, each once and
// in order.
func columns(t *testing.T, modulate func(l *op.List, yhat, mods *op.Tensor), yhat, mods int) (at int) {
	t.Helper()
	l := op.NewList("modulation")
	modulate(l, op.NewStorage("yhat", op.Fixed, op.F32, 4, yhat), op.NewStorage("mods", op.Fixed, op.F32, 4, mods))
	if l.Err() != nil {
		t.Fatal(l.Err())
	}
	for _, n := range l.Nodes[1:] {
		if out := n.Output(); out.Offset != at {
			t.Fatalf("%s writes at column %d, want %d", n.(*op.MatMulOp).W, out.Offset, at)
		}
		at += n.Output().Cols
	}
	return at
}

func TestConfigRefuses(t *testing.T) {
	for name, bend := range map[string]func(c *FluxConfig){
		"width 0":           func(c *FluxConfig) { c.Hidden = 0 },
		"a huge width":      func(c *FluxConfig) { c.Hidden = 1 << 40 },
		"no heads":          func(c *FluxConfig) { c.Heads = 0 },
		"uneven heads":      func(c *FluxConfig) { c.Heads = 7 },
		"wide heads":        func(c *FluxConfig) { c.Heads = 12 },
		"no blocks":         func(c *FluxConfig) { c.Depth, c.DepthSingle = 0, 0 },
		"negative depth":    func(c *FluxConfig) { c.Depth = -1 },
		"many blocks":       func(c *FluxConfig) { c.Depth = 1e6 },
		"odd channels":      func(c *FluxConfig) { c.InChannels = 63 },
		"two axes":          func(c *FluxConfig) { c.AxesDim = []int{64, 64} },
		"an odd axis":       func(c *FluxConfig) { c.AxesDim = []int{15, 57, 56} },
		"a negative axis":   func(c *FluxConfig) { c.AxesDim = []int{-16, 72, 72} },
		"axes too narrow":   func(c *FluxConfig) { c.AxesDim = []int{16, 56, 54} },
		"no MLP":            func(c *FluxConfig) { c.MLPRatio = 0 },
		"an endless MLP":    func(c *FluxConfig) { c.MLPRatio = 1e300 },
		"theta 0":           func(c *FluxConfig) { c.Theta = 0 },
		"unknown functions": func(c *FluxConfig) { c.Activation = "swiglu" },
	} {
		c := dev
		bend(&c)
		if err := c.Check(); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The rotary table holds the angle pos·θ^(−2i/d) of every pair at every place of
// pictures larger and longer than any that is shipped: positions far beyond 63, no
// two rows alike. Powers are taken by repeated division, sines from a rotation by
// one step at a time, so that nothing here is computed as there.
func TestRopeTableFar(t *testing.T) {
	for _, size := range [][2]int{{130, 70}, {2, 300}, {300, 2}} {
		rows, cols := size[0], size[1]
		const text = 5
		table, width := (&Flux{FluxConfig: dev}).Positions(text, rows, cols)
		if len(table) != (text+rows*cols)*width {
			t.Fatalf("%d × %d: %d numbers", rows, cols, len(table))
		}
		turns := make([][]complex128, width/2) // of each pair: by every position of its axis
		for pair := range turns {
			axis, i := 0, 2*pair
			for i >= dev.AxesDim[axis] {
				i -= dev.AxesDim[axis]
				axis++
			}
			angle := math.Exp(-math.Log(dev.Theta) * float64(i) / float64(dev.AxesDim[axis]))
			turns[pair] = []complex128{1}
			for range max(rows, cols) {
				turns[pair] = append(turns[pair], turns[pair][len(turns[pair])-1]*complex(math.Cos(angle), math.Sin(angle)))
			}
		}
		seen := map[string][2]int{}
		for token := range text + rows*cols {
			row, col := 0, 0
			if token >= text {
				row, col = (token-text)/cols, (token-text)%cols
			}
			at := table[token*width:][:width]
			for pair, turn := range turns {
				want := turn[0]
				switch {
				case 2*pair >= dev.AxesDim[0]+dev.AxesDim[1]:
					want = turn[col]
				case 2*pair >= dev.AxesDim[0]:
					want = turn[row]
				}
				if math.Abs(float64(at[2*pair])-real(want)) > 1e-6 || math.Abs(float64(at[2*pair+1])-imag(want)) > 1e-6 {
					t.Fatalf("%d × %d: pair %d at row %d, column %d is %v, want %v", rows, cols, pair, row, col, at[2*pair:2*pair+2], want)
				}
			}
			if token < text {
				continue
			}
			key := fmt.Sprint(at)
			if other, ok := seen[key]; ok {
				t.Fatalf("%d × %d: %d, %d has the angles of %v", rows, cols, row, col, other)
			}
			seen[key] = [2]int{row, col}
		}
	}
}

// The last value that is possible, and the one after it.
func TestConfigLimits(t *testing.T) {
	for name, c := range map[string]struct{ last, no func(c *FluxConfig) }{
		"blocks": {func(c *FluxConfig) { c.Depth, c.DepthSingle = 100, 100 }, func(c *FluxConfig) { c.Depth, c.DepthSingle = 100, 101 }},
		"heads":  {func(c *FluxConfig) { c.Hidden, c.Heads = 256, 2 }, func(c *FluxConfig) { c.Hidden, c.Heads, c.AxesDim = 264, 2, []int{16, 56, 60} }},
		"width":  {func(c *FluxConfig) { c.VecDim = 1 << 14 }, func(c *FluxConfig) { c.VecDim = 1<<14 + 1 }},
		"MLP":    {func(c *FluxConfig) { c.MLPRatio = 16 }, func(c *FluxConfig) { c.MLPRatio = 16.5 }},
	} {
		last, no := dev, dev
		c.last(&last)
		c.no(&no)
		if err := last.Check(); err != nil {
			t.Errorf("%s: the last that is possible gives %v", name, err)
		}
		if err := no.Check(); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: the first that is not possible gives %v", name, err)
		}
	}
}
