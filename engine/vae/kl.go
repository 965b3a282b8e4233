package vae

import (
	"fmt"

	"undertone/engine/op"
)

// KLConfig is the "vae" object of model.json for an AutoencoderKL, in the words of
// diffusers, with the decoder's preview.
type KLConfig struct {
	LatentChannels int     `json:"latent_channels"`
	Channels       []int   `json:"block_out_channels"` // from the picture's resolution down
	Layers         int     `json:"layers_per_block"`   // of the encoder; the decoder has one more
	Groups         int     `json:"norm_num_groups"`
	ScalingFactor  float64 `json:"scaling_factor"`
	ShiftFactor    float64 `json:"shift_factor"`
	Preview        Preview `json:"preview"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c KLConfig) Check() error {
	switch {
	case len(c.Channels) < 2 || len(c.Channels) > 8:
		return unsupported("block_out_channels %v, supported 2 to 8", c.Channels)
	case c.Layers < 0 || c.Layers > 63:
		return unsupported("layers_per_block %d, supported 0 to 63", c.Layers)
	case c.Groups < 1 || c.Groups > 4096:
		return unsupported("norm_num_groups %d, supported 1 to 4096", c.Groups)
	}
	for _, n := range c.Channels {
		if n < 1 || n > 4096 || n%c.Groups != 0 {
			return unsupported("a stage with %d channels, supported up to 4096 in multiples of norm_num_groups %d", n, c.Groups)
		}
	}
	if n := c.Channels[len(c.Channels)-1]; n%op.Align != 0 || n > op.MaxHeadDim {
		return unsupported("attention over %d channels, supported up to %d in multiples of %d", n, op.MaxHeadDim, op.Align)
	}
	return checkLatent(c.LatentChannels, c.ScalingFactor, c.ShiftFactor, c.Preview)
}

// downscale is how many pixels a side one latent pixel becomes.
func (c KLConfig) downscale() int { return 1 << (len(c.Channels) - 1) }

// channels are those of the stages in the order they run, from the latent's
// resolution up.
func (c KLConfig) channels(stage int) int { return c.Channels[len(c.Channels)-1-stage] }

// KL is the decoder of AutoencoderKL (arXiv 2112.10752) as FLUX and SD3 have it:
// residual blocks with group norms, and attention at the latent's resolution.
//
// A group norm looks at the whole picture, so that strips of it cannot be drawn one
// after the other. They go through every layer side by side instead, see plane.
type KL struct {
	KLConfig
	latent
	in, out conv
	mid     [2]resnet
	attn    attention
	stages  []klStage
	norm    norm
}

type norm struct{ w, b *op.Tensor }

// resnet is x' = conv2(silu(norm2(conv1(silu(norm1(x)))))) + shortcut(x).
type resnet struct {
	norm1, norm2           norm
	conv1, conv2, shortcut conv // the last [out, in], absent where the channels stay the same
}

// attention has one head of full width.
type attention struct {
	norm         norm
	q, k, v, out conv // [c, c]
}

type klStage struct {
	blocks []resnet
	up     conv // after doubling the side; absent in the last stage
}

// LoadKL asks for the weights under the names of klNames that the file has.
func LoadKL(c KLConfig, weights op.Weights) (*KL, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	names := findKLNames(weights)
	take := func(name string, use op.Use, out, in int) conv {
		return conv{weights.Get(name+".weight", use, out, in), weights.Get(name+".bias", op.UseVector, 1, out)}
	}
	conv3 := func(name string, in, out int) conv { return take(name, op.UseConv3x3, out, 9*in) }
	group := func(name string, n int) norm {
		return norm{weights.Get(name+".weight", op.UseVector, 1, n), weights.Get(name+".bias", op.UseVector, 1, n)}
	}
	block := func(name string, in, out int) resnet {
		r := resnet{norm1: group(name+".norm1", in), conv1: conv3(name+".conv1", in, out), norm2: group(name+".norm2", out), conv2: conv3(name+".conv2", out, out)}
		if in != out {
			r.shortcut = take(name+"."+names.shortcut, op.UseMatrix, out, in)
		}
		return r
	}
	last, n := len(c.Channels)-1, c.channels(0)
	m := &KL{KLConfig: c, latent: loadLatent(c.LatentChannels, every(c.LatentChannels, 1/c.ScalingFactor), every(c.LatentChannels, c.ShiftFactor), c.Preview, weights)}
	m.in = conv3(names.prefix+names.in, c.LatentChannels, n)
	m.mid[0] = block(names.prefix+names.mid[0], n, n)
	at := names.prefix + names.attn + "."
	m.attn.norm = group(at+names.attnNorm, n)
	for i, to := range []*conv{&m.attn.q, &m.attn.k, &m.attn.v, &m.attn.out} {
		*to = take(at+names.project[i], op.UseMatrix, n, n)
	}
	m.mid[1] = block(names.prefix+names.mid[1], n, n)
	for i := range c.Channels {
		stage := klStage{}
		for j := range c.Layers + 1 {
			stage.blocks = append(stage.blocks, block(fmt.Sprintf(names.prefix+names.block, names.number(i, last), j), n, c.channels(i)))
			n = c.channels(i)
		}
		if i < last {
			stage.up = conv3(fmt.Sprintf(names.prefix+names.up, names.number(i, last)), n, n)
		}
		m.stages = append(m.stages, stage)
	}
	m.norm = group(names.prefix+names.norm, n)
	m.out = conv3(names.prefix+names.out, n, 3)
	return m, nil
}

// Shape tells the sizes of what is read and drawn.
func (m *KL) Shape() Shape { return Shape{Channels: m.LatentChannels, Downscale: m.downscale()} }

// Draw records z [h·w, c] → out [1, H·W] U32, pixels of four bytes (op.ToRGBA), in
// strips of as many rows of the latent. The pixels do not depend on the number of
// strips, as far as the machine's do not on a picture's height.
func (m *KL) Draw(l *op.List, z *op.Tensor, h, w, strips int, out *op.Tensor) {
	at := 0
	m.Decode(l, z, h, w, strips, nil, func(rows *op.Tensor) {
		l.ToRGBA(rows, 0.5, 0.5, out.Columns(at, at+rows.Rows))
		at += rows.Rows
	})
}

// Strips is how many strips Draw needs for a latent of h × w so that no tensor of
// the stages has more than limit bytes, where a limit is known (not 0). Strips
// cannot be lower than a row of the latent. What lies before the stages is computed
// whole, and is as large as the first of them.
func (m *KL) Strips(h, w int, limit int64) int {
	for strips := 1; strips < h; strips++ {
		if limit <= 0 || m.largest(op.CeilDiv(h, strips), w, strips > 1) <= limit {
			return strips
		}
	}
	return max(h, 1)
}

// largest is the bytes of the largest tensor of strips of so many rows of the latent.
func (m *KL) largest(rows, w int, cut bool) (most int64) {
	before := m.channels(0)
	for i := range m.stages {
		zoom, n := 1<<i, m.channels(i)
		height := zoom * rows
		if cut {
			height += 4 // two rows above and below, of which the one that is further away is dropped after doubling
		}
		most = max(most, 4*int64(height)*int64(zoom*w)*int64(op.Pad(max(before, n))))
		before = n
	}
	return most
}

// Decode records z [h·w, c], a scaled latent → the rows of a picture H·W, from above,
// each time as many as lie in a strip: draw is called with [rows·W, 3], nominally
// between −1 and 1 and not clamped. after, if not nil, is shown the stream after
// conv_in, after the block of attention and after every stage, in strips from above
// [rows·w', c'], which it must not keep: they are written over.
func (m *KL) Decode(l *op.List, z *op.Tensor, h, w, strips int, after func(stage int, rows []*op.Tensor), draw func(rows *op.Tensor)) {
	x := m.scaled(l, z, op.None)                              // [h·w, c]
	x = l.Conv3x3(x, h, w, m.in.w, m.in.b, nil, op.None, nil) // [h·w, c0]
	p := plane{strips: []strip{{x: x, rows: h}}, width: w, latent: h, groups: m.Groups}
	told := 0
	tell := func() {
		if after != nil {
			after(told, p.rows())
		}
		told++
	}
	tell()
	m.mid[0].record(l, &p) // [h·w, c0]
	m.attn.record(l, &p)   // [h·w, c0]
	m.mid[1].record(l, &p) // [h·w, c0]
	tell()
	p.cut(l, strips)
	for _, s := range m.stages {
		for _, b := range s.blocks {
			b.record(l, &p)
		}
		if s.up.w != nil {
			p.double(l, s.up)
		}
		tell()
	}
	moments := p.moments(l)
	for i, s := range p.strips {
		y := p.normed(l, i, moments, m.norm, op.SiLU)
		y = l.Conv3x3(y, y.Rows/p.width, p.width, m.out.w, m.out.b, nil, op.None, nil)
		draw(s.inner(y, p.width))
	}
}
