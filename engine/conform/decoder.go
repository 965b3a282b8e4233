package conform

import (
	"fmt"
	"math"

	"undertone/engine/op"
	"undertone/engine/vae"
)

// decoder draws latents.
type decoder struct {
	channels, downscale int
	image               func(c *check, z *op.Tensor, h, w int) []float32
	// more compares what else a case of this decoder has.
	more func(c *check, z *op.Tensor, h, w int)
}

// noPreview is a preview that nothing looks at.
func noPreview(channels int) vae.Preview {
	p := vae.Preview{Weight: make([][]float64, 3), Bias: make([]float64, 3)}
	for i := range p.Weight {
		p.Weight[i] = make([]float64, max(channels, 0))
	}
	return p
}

func openTiny(r *run, w *network) (func(c *check) error, error) {
	d, err := loadTiny(r, w)
	return d.check, err
}

func openKL(r *run, w *network) (func(c *check) error, error) {
	d, err := loadKL(r, w)
	return d.check, err
}

func loadTiny(r *run, w *network) (d decoder, err error) {
	var c struct {
		Channels int     `json:"latent_channels"`
		Stages   []int   `json:"decoder_block_out_channels"`
		Blocks   []int   `json:"num_decoder_blocks"`
		Scaling  float64 `json:"scaling_factor"`
		Shift    float64 `json:"shift_factor"`
	}
	if err := r.desc.configure(&c); err != nil {
		return d, err
	}
	if len(c.Stages) == 0 || len(c.Blocks) != len(c.Stages) || c.Scaling != 1 || c.Shift != 0 {
		return d, fmt.Errorf("stages %v of %v blocks, scaling %g, shift %g; supported are as many of both, 1 and 0", c.Stages, c.Blocks, c.Scaling, c.Shift)
	}
	config := vae.Config{LatentChannels: c.Channels, Downscale: 1 << (len(c.Stages) - 1), ScalingFactor: 1, Preview: noPreview(c.Channels)}
	for i, channels := range c.Stages {
		config.Stages = append(config.Stages, vae.Stage{Channels: channels, Blocks: c.Blocks[i]})
	}
	m, err := vae.LoadTiny(config, w)
	if m, err = loaded(w, m, err); err != nil {
		return d, err
	}
	return decoder{
		channels: c.Channels, downscale: config.Downscale,
		// The picture of diffusers lies between −1 and 1, this decoder's between 0 and 1.
		image: func(k *check, z *op.Tensor, h, w int) []float32 {
			out := k.fill("picture", h*w*config.Downscale*config.Downscale, 3, nil)
			k.exec("picture", func(l *op.List) { m.Decode(l, z, h, w, out) })
			pixels := k.read(out)
			for i, v := range pixels {
				pixels[i] = 2*v - 1
			}
			return pixels
		},
		more: func(*check, *op.Tensor, int, int) {},
	}, nil
}

func loadKL(r *run, w *network) (d decoder, err error) {
	var c struct {
		Latent    int     `json:"latent_channels"`
		Channels  []int   `json:"block_out_channels"`
		Layers    int     `json:"layers_per_block"`
		Groups    int     `json:"norm_num_groups"`
		Scaling   float64 `json:"scaling_factor"`
		Shift     float64 `json:"shift_factor"`
		PostQuant bool    `json:"use_post_quant_conv"`
		Act       string  `json:"act_fn"`
	}
	if err := r.desc.configure(&c); err != nil {
		return d, err
	}
	if c.PostQuant || c.Act != "silu" {
		return d, fmt.Errorf("use_post_quant_conv %v, act_fn %.64q; supported false and silu", c.PostQuant, c.Act)
	}
	m, err := vae.LoadKL(vae.KLConfig{LatentChannels: c.Latent, Channels: c.Channels, Layers: c.Layers, Groups: c.Groups,
		ScalingFactor: c.Scaling, ShiftFactor: c.Shift, Preview: noPreview(c.Latent)}, w)
	if m, err = loaded(w, m, err); err != nil {
		return d, err
	}
	k := kl{m}
	return decoder{
		channels: c.Latent, downscale: m.Shape().Downscale,
		image: func(c *check, z *op.Tensor, h, w int) []float32 {
			pixels, _ := k.decode(c, z, h, w, 1)
			return pixels
		},
		more: k.more,
	}, nil
}

// check compares one case: a latent and its picture.
func (d decoder) check(c *check) error {
	latent, shape := c.shaped("latent", 3)
	if c.err == nil && shape[0] != d.channels {
		return fmt.Errorf("in.latent has %d channels, the decoder reads %d", shape[0], d.channels)
	}
	z, h, w := c.latent(latent, shape)
	c.near("image", channelsFirst(d.image(c, z, h, w), 3))
	d.more(c, z, h, w)
	return c.err
}

// latent is a tensor [h·w, C] of a latent [C, h, w].
func (c *check) latent(x []float32, shape []int) (z *op.Tensor, h, w int) {
	channels, h, w := shape[0], shape[1], shape[2]
	return c.fill("z", h*w, channels, channelsLast(x, channels)), h, w
}

// kl is an AutoencoderKL's decoder, which can draw in strips.
type kl struct{ *vae.KL }

// decode returns the picture [H·W, 3] and the RMS of every stage.
func (m kl) decode(c *check, z *op.Tensor, h, w, strips int) (pixels []float32, stages []float64) {
	if c.err != nil {
		return nil, nil
	}
	d := m.Shape().Downscale
	out, at := c.fill("picture", h*w*d*d, 3, nil), 0
	var told [][]*op.Tensor
	c.exec("decode", func(l *op.List) {
		m.Decode(l, z, h, w, strips, func(stage int, rows []*op.Tensor) {
			for len(told) <= stage {
				told = append(told, nil)
			}
			for _, x := range rows {
				told[stage] = append(told[stage], c.keep(l, x))
			}
		}, func(rows *op.Tensor) {
			l.Copy(rows, out.Slice(at, at+rows.Rows))
			at += rows.Rows
		})
	})
	for _, parts := range told {
		var x []float32
		for _, part := range parts {
			x = append(x, c.read(part)...)
		}
		stages = append(stages, rms(x))
	}
	return c.read(out), stages
}

// more compares the stages, the picture and the stages of a decode in strips, as a GPU
// with small buffers does it, and the bytes that are drawn.
func (m kl) more(c *check, z *op.Tensor, h, w int) {
	_, stages := m.decode(c, z, h, w, 1)
	c.each("stages", stages)
	strips := min(3, h)
	pixels, cut := m.decode(c, z, h, w, strips)
	image, ok := c.out("image")
	if !ok || c.err != nil || len(image) != len(pixels) {
		return // told of already
	}
	c.nearTo("image.strips", channelsFirst(pixels, 3), image)
	off := 0.0
	for i := range cut {
		off = max(off, math.Abs(cut[i]/stages[i]-1))
	}
	c.within("stages.strips", off, c.opt.Limit)
	want := channelsLast(image, 3)
	c.within("bytes", m.drawn(c, z, h, w, 1, want), 0.51)
	c.within("bytes.strips", m.drawn(c, z, h, w, strips, want), 0.51)
}

// drawn is how far the bytes of a picture are from what lies between −1 and 1 in the
// truth: up to half where it is rounded, and a little more where it is close to the
// middle of two.
func (m kl) drawn(c *check, z *op.Tensor, h, w, strips int, want []float32) (off float64) {
	rgba := c.tensor("rgba", op.U32, 1, len(want)/3, func(*op.Tensor) error { return nil })
	c.exec("draw", func(l *op.List) { m.Draw(l, z, h, w, strips, rgba) })
	if c.err != nil {
		return math.Inf(1)
	}
	var pixels []uint32
	if pixels, c.err = c.be.ReadU32(c.ctx, rgba); c.err != nil {
		return math.Inf(1)
	}
	for i, pixel := range pixels {
		for channel := range 3 {
			exact := 255 * min(max((float64(want[3*i+channel])+1)/2, 0), 1)
			off = max(off, math.Abs(float64(pixel>>(8*channel)&255)-exact))
		}
		if pixel>>24 != 255 {
			return math.Inf(1) // not opaque
		}
	}
	return off
}
