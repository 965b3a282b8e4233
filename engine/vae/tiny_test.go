package vae

import (
	"math"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

func taesd() Config {
	preview := Preview{Weight: [][]float64{make([]float64, 16), make([]float64, 16), make([]float64, 16)}, Bias: make([]float64, 3)}
	return Config{LatentChannels: 16, Downscale: 8, ScalingFactor: 1, Preview: preview,
		Stages: []Stage{{64, 3}, {64, 3}, {64, 3}, {64, 1}}}
}

// described gives weights without memory, and keeps the shapes of those of a file.
type described map[string][2]int

func (d described) Has(name string) bool { return true }

func (d described) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	d[name] = [2]int{rows, cols}
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

func (d described) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	return op.NewStorage(name, op.Weight, op.F32, rows, cols)
}

// The decoder of the published TAESD for FLUX (taef1) has these names and shapes.
func TestPublishedTAESD(t *testing.T) {
	shapes := described{}
	m, err := LoadTiny(taesd(), shapes)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]int{
		"decoder.layers.1.weight":         {64, 16 * 9},
		"decoder.layers.3.conv.0.weight":  {64, 64 * 9},
		"decoder.layers.5.conv.4.bias":    {1, 64},
		"decoder.layers.7.weight":         {64, 64 * 9},
		"decoder.layers.12.weight":        {64, 64 * 9},
		"decoder.layers.17.weight":        {64, 64 * 9},
		"decoder.layers.18.conv.2.weight": {64, 64 * 9},
		"decoder.layers.19.bias":          {1, 3},
	} {
		if shapes[name] != want {
			t.Errorf("%s is %v, want %v", name, shapes[name], want)
		}
	}
	if _, biased := shapes["decoder.layers.7.bias"]; biased || len(shapes) != 67 {
		t.Errorf("%d tensors, want 67; the convolutions after an upsampling have no bias", len(shapes))
	}
	l := op.NewList("decode")
	out := m.Decode(l, op.NewStorage("z", op.Fixed, op.F32, 6*10, 16), 6, 10, nil)
	if l.Err() != nil || out.Rows != 48*80 || out.Cols != 3 {
		t.Errorf("%s, %v", out, l.Err())
	}
}

// The layers are counted as the file counts them: the original from the clamp, that of
// diffusers from the first convolution, and this project's own bundles from the clamp
// under the names of diffusers.
func TestTinyLayouts(t *testing.T) {
	for has, want := range map[string][]string{
		"1.weight":                {"1.bias", "3.conv.0.weight", "7.weight", "18.conv.4.bias", "19.weight"},
		"decoder.layers.0.weight": {"decoder.layers.0.bias", "decoder.layers.2.conv.0.weight", "decoder.layers.6.weight", "decoder.layers.17.conv.4.bias", "decoder.layers.18.weight"},
		"decoder.layers.1.weight": {"decoder.layers.1.bias", "decoder.layers.3.conv.0.weight", "decoder.layers.7.weight", "decoder.layers.18.conv.4.bias", "decoder.layers.19.weight"},
	} {
		w := layout{described{}, has}
		if _, err := LoadTiny(taesd(), w); err != nil {
			t.Fatal(err)
		}
		for _, name := range append(want, has) {
			if _, ok := w.described[name]; !ok {
				t.Errorf("a file with %s is not asked for %s", has, name)
			}
		}
		if len(w.described) != 67 {
			t.Errorf("a file with %s is asked for %d tensors, want 67", has, len(w.described))
		}
	}
}

// layout describes the weights of a file that has one tensor by which it is known.
type layout struct {
	described
	has string
}

func (l layout) Has(name string) bool { return name == l.has }

// A megapixel of TAESD takes tensors of 256 MiB, which no device has to bind: in
// strips none is over the limit, and every pixel is drawn once.
func TestStrips(t *testing.T) {
	m, err := LoadTiny(taesd(), described{})
	if err != nil {
		t.Fatal(err)
	}
	const side, limit = 128, 128 << 20
	strips := m.Strips(side, side, limit)
	if strips < 3 || strips > 4 || m.Strips(side, side, 0) != 1 || m.Strips(side, side, 256<<20) != 1 {
		t.Errorf("%d strips for 256 MiB under a limit of 128 MiB", strips)
	}
	l := op.NewList("decode")
	out := op.NewStorage("pixels", op.Fixed, op.U32, 1, 1024*1024)
	m.Draw(l, op.NewStorage("z", op.Fixed, op.F32, side*side, 16), side, side, strips, out)
	if l.Err() != nil {
		t.Fatal(l.Err())
	}
	if bytes := drawsAll(t, l, 1024*1024); bytes > limit {
		t.Errorf("the largest tensor has %d bytes", bytes)
	}
}

// drawsAll checks that a list draws pixel after pixel, in strips and none left out, and
// returns the bytes of its largest tensor.
func drawsAll(t *testing.T, l *op.List, pixels int) (largest int64) {
	t.Helper()
	next := 0
	for _, n := range l.Nodes {
		out := n.Output()
		largest = max(largest, out.Storage.Bytes())
		if n.Kind() == op.ToRGBA {
			if out.Offset != next {
				t.Errorf("a strip begins at pixel %d, the one before it ended at %d", out.Offset, next)
			}
			next += out.Cols
		}
	}
	if next != pixels {
		t.Errorf("%d pixels are drawn of %d", next, pixels)
	}
	return largest
}

func TestConfigRefuses(t *testing.T) {
	for name, bend := range map[string]func(c *Config){
		"no channels":       func(c *Config) { c.LatentChannels = 0 },
		"another scale":     func(c *Config) { c.Downscale = 16 },
		"no stage":          func(c *Config) { c.Stages = nil },
		"a huge stage":      func(c *Config) { c.Stages[1].Channels = 1 << 30 },
		"a negative stage":  func(c *Config) { c.Stages[1].Blocks = -1 },
		"scale 0":           func(c *Config) { c.ScalingFactor = 0 },
		"shift NaN":         func(c *Config) { c.ShiftFactor = math.NaN() },
		"no preview":        func(c *Config) { c.Preview.Weight = nil },
		"a short preview":   func(c *Config) { c.Preview.Weight[2] = c.Preview.Weight[2][1:] },
		"an endless colour": func(c *Config) { c.Preview.Bias[0] = math.Inf(1) },
	} {
		c := taesd()
		bend(&c)
		if err := c.Check(); !fault.Is(err, fault.ModelUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
