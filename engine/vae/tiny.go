package vae

import (
	"fmt"

	"undertone/engine/op"
)

// Config is the "vae" object of model.json.
type Config struct {
	LatentChannels int     `json:"latent_channels"`
	Downscale      int     `json:"downscale"`
	Stages         []Stage `json:"stages"`
	ScalingFactor  float64 `json:"scaling_factor"`
	ShiftFactor    float64 `json:"shift_factor"`
	Preview        Preview `json:"preview"`
}

// Stage is a run of blocks at one resolution; the next stage has twice the side.
type Stage struct {
	Channels int `json:"channels"`
	Blocks   int `json:"blocks"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c Config) Check() error {
	switch {
	case len(c.Stages) < 1 || len(c.Stages) > 8 || c.Downscale != 1<<(len(c.Stages)-1):
		return unsupported("downscale %d with %d stages; each stage after the first doubles the side", c.Downscale, len(c.Stages))
	}
	for _, s := range c.Stages {
		if s.Channels < 1 || s.Channels > 4096 || s.Blocks < 0 || s.Blocks > 64 {
			return unsupported("a stage of %d blocks with %d channels, supported up to 64 and 4096", s.Blocks, s.Channels)
		}
	}
	return checkLatent(c.LatentChannels, c.ScalingFactor, c.ShiftFactor, c.Preview)
}

// Tiny is the decoder of TAESD (github.com/madebyollin/taesd, AutoencoderTiny in
// diffusers) with any number of stages: plain residual convolutions, no norms.
type Tiny struct {
	Config
	latent
	in, out conv
	stages  []stage
}

type conv struct{ w, b *op.Tensor }

type stage struct {
	blocks [][3]conv
	next   conv // to the next stage's channels, in a decoder without bias; absent in the last stage
}

// tinyNames are the ways in which published files count the layers: the name of a
// layer is the prefix and its number, which is first for the first convolution. The
// original counts the clamp before it; this project's own bundles do so too, under
// the prefix of AutoencoderTiny, which does not.
var tinyNames = []struct {
	prefix string
	first  int
}{{"decoder.layers.", 1}, {"decoder.layers.", 0}, {"", 1}}

// LoadTiny asks for the weights under the first of tinyNames that the file has.
func LoadTiny(c Config, weights op.Weights) (*Tiny, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	names := tinyNames[0]
	for _, n := range tinyNames {
		if weights.Has(fmt.Sprintf("%s%d.weight", n.prefix, n.first)) {
			names = n
			break
		}
	}
	layer := names.first
	take := func(suffix string, in, out int, bias bool) conv {
		name := fmt.Sprintf("%s%d%s", names.prefix, layer, suffix)
		k := conv{w: weights.Get(name+".weight", op.UseConv3x3, out, in*9)}
		if bias {
			k.b = weights.Get(name+".bias", op.UseVector, 1, out)
		}
		return k
	}
	t := &Tiny{Config: c}
	t.in = take("", c.LatentChannels, c.Stages[0].Channels, true)
	layer += 2 // and its ReLU
	for n, s := range c.Stages {
		var st stage
		for range s.Blocks {
			st.blocks = append(st.blocks, [3]conv{
				take(".conv.0", s.Channels, s.Channels, true),
				take(".conv.2", s.Channels, s.Channels, true),
				take(".conv.4", s.Channels, s.Channels, true),
			})
			layer++
		}
		if n+1 < len(c.Stages) {
			layer++ // Upsample
			st.next = take("", s.Channels, c.Stages[n+1].Channels, false)
			layer++
		}
		t.stages = append(t.stages, st)
	}
	t.out = take("", c.Stages[len(c.Stages)-1].Channels, 3, true)

	t.latent = loadLatent(c.LatentChannels, every(c.LatentChannels, 1/c.ScalingFactor), every(c.LatentChannels, c.ShiftFactor), c.Preview, weights)
	return t, nil
}

// Shape tells the sizes of what is read and drawn.
func (t *Tiny) Shape() Shape { return Shape{Channels: t.LatentChannels, Downscale: t.Downscale} }

// Decode records z [h·w, c], a scaled latent → pixels [H·W, 3] with H = h·Downscale,
// nominally in [0, 1] and not clamped. out may be nil.
func (t *Tiny) Decode(l *op.List, z *op.Tensor, h, w int, out *op.Tensor) *op.Tensor {
	x, h, w := t.body(l, z, h, w)
	return t.tail(l, x, h, w, out)
}

// Draw records z [h·w, c] → out [1, H·W] U32, pixels of four bytes (op.ToRGBA). The
// last stage, which takes most of the memory, is drawn in strips, each with as many
// rows above and below as its convolutions look at: so the pixels do not depend on
// the number of strips, as far as the machine's do not on a picture's height.
func (t *Tiny) Draw(l *op.List, z *op.Tensor, h, w, strips int, out *op.Tensor) {
	x, h, w := t.body(l, z, h, w)
	zoom, look := t.reach()
	height, width := zoom*h, zoom*w
	step := max((height/strips+1)&^1, 2) // even, so that strips begin at a whole vec4
	for from := 0; from < height; from += step {
		to := min(from+step, height)
		first, end := max(from/zoom-look, 0), min(op.CeilDiv(to, zoom)+look, h)
		y := t.tail(l, x.Slice(first*w, end*w), end-first, w, nil)
		y = y.Slice((from-zoom*first)*width, (to-zoom*first)*width)
		l.ToRGBA(y, 1, 0, out.Columns(from*width, to*width))
	}
}

// reach is how much the last stage enlarges, and how many rows of what it is given
// lie within sight of one of its pixels, upwards and downwards.
func (t *Tiny) reach() (zoom, look int) {
	zoom = 1
	if len(t.stages) > 1 {
		zoom = 2
	}
	return zoom, op.CeilDiv(2+3*len(t.stages[len(t.stages)-1].blocks), zoom)
}

// Strips is how many strips Draw needs for a latent of h × w so that no tensor of
// the last stage has more than limit bytes, where a limit is known (not 0).
func (t *Tiny) Strips(h, w int, limit int64) int {
	last := len(t.Stages) - 1
	channels := t.Stages[last].Channels
	if last > 0 {
		channels = max(channels, t.Stages[last-1].Channels)
	}
	zoom, look := t.reach()
	height, row := h*t.Downscale, 4*int64(w*t.Downscale*op.Pad(channels))
	if limit <= 0 || int64(height)*row <= limit {
		return 1
	}
	rows := max(int(limit/row)-2*zoom*look-2, 2) // a strip, which may be one row longer to be even
	return op.CeilDiv(height, rows)
}

// body records everything before the last upsampling.
func (t *Tiny) body(l *op.List, z *op.Tensor, h, w int) (*op.Tensor, int, int) {
	x := t.scaled(l, z, op.Clamp3)                            // [h·w, c]
	x = l.Conv3x3(x, h, w, t.in.w, t.in.b, nil, op.ReLU, nil) // [h·w, c0]
	for n, s := range t.stages[:len(t.stages)-1] {
		if n > 0 {
			x, h, w = t.stages[n-1].double(l, x, h, w)
		}
		x = s.run(l, x, h, w)
	}
	return x, h, w
}

// tail records the rest, on any stretch of rows.
func (t *Tiny) tail(l *op.List, x *op.Tensor, h, w int, out *op.Tensor) *op.Tensor {
	last := len(t.stages) - 1
	if last > 0 {
		x, h, w = t.stages[last-1].double(l, x, h, w)
	}
	x = t.stages[last].run(l, x, h, w)
	return l.Conv3x3(x, h, w, t.out.w, t.out.b, nil, op.None, out) // [H·W, 3]
}

// run records a stage's blocks: x [h·w, c] → [h·w, c].
func (s stage) run(l *op.List, x *op.Tensor, h, w int) *op.Tensor {
	for _, b := range s.blocks {
		y := l.Conv3x3(x, h, w, b[0].w, b[0].b, nil, op.ReLU, nil) // [h·w, c]
		y = l.Conv3x3(y, h, w, b[1].w, b[1].b, nil, op.ReLU, nil)  // [h·w, c]
		x = l.Conv3x3(y, h, w, b[2].w, b[2].b, x, op.ReLU, nil)    // [h·w, c]
	}
	return x
}

// double records the step to the next stage: x [h·w, c] → [2h·2w, next c].
func (s stage) double(l *op.List, x *op.Tensor, h, w int) (*op.Tensor, int, int) {
	x = l.Upsample(x, h, w, nil)                                                  // [2h·2w, c]
	return l.Conv3x3(x, 2*h, 2*w, s.next.w, nil, nil, op.None, nil), 2 * h, 2 * w // [2h·2w, next c]
}
