package vae

import (
	"fmt"
	"slices"

	"undertone/engine/op"
)

// Causal3DConfig is the "vae" object of model.json for an AutoencoderKLWan, in the words
// of diffusers, with the decoder's preview.
type Causal3DConfig struct {
	LatentChannels int       `json:"z_dim"`
	Channels       int       `json:"base_dim"`
	Multiples      []int     `json:"dim_mult"`            // of base_dim, from the picture's resolution down
	Layers         int       `json:"num_res_blocks"`      // of the encoder; the decoder has one more
	HalvesTime     []bool    `json:"temperal_downsample"` // of the encoder, for each of its steps down; so is it spelt
	Mean           []float64 `json:"latents_mean"`
	Deviation      []float64 `json:"latents_std"`
	Preview        Preview   `json:"preview"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c Causal3DConfig) Check() error {
	switch {
	case len(c.Multiples) < 2 || len(c.Multiples) > 8 || len(c.HalvesTime) != len(c.Multiples)-1:
		return unsupported("dim_mult %v and temperal_downsample %v, supported 2 to 8 of the first and one less of the second", c.Multiples, c.HalvesTime)
	case c.Layers < 0 || c.Layers > 63:
		return unsupported("num_res_blocks %d, supported 0 to 63", c.Layers)
	case c.Channels < 1 || slices.Min(c.Multiples) < 1 || slices.Max(c.Multiples) > 4096 || c.Channels > 4096 || c.Channels*slices.Max(c.Multiples) > 4096:
		return unsupported("base_dim %d with dim_mult %v, supported up to 4096 channels", c.Channels, c.Multiples)
	case len(c.Mean) != c.LatentChannels || len(c.Deviation) != c.LatentChannels || !finite(c.Mean...) || !finite(c.Deviation...) || slices.Contains(c.Deviation, 0):
		return unsupported("%d latents_mean and %d latents_std, wanted %d finite numbers each", len(c.Mean), len(c.Deviation), c.LatentChannels)
	}
	for i := range c.Multiples {
		if n := c.out(i); n%2 != 0 && i < len(c.Multiples)-1 {
			return unsupported("a stage with %d channels, of which half are left behind it", n)
		}
	}
	if n := c.first(); n%op.Align != 0 || n > op.MaxHeadDim {
		return unsupported("attention over %d channels, supported up to %d in multiples of %d", n, op.MaxHeadDim, op.Align)
	}
	return checkLatent(c.LatentChannels, 1, 0, c.Preview)
}

// first are the channels before the stages, out those of a stage in the order they run,
// and in what it is given: half of the one before.
func (c Causal3DConfig) first() int { return c.Channels * c.Multiples[len(c.Multiples)-1] }

func (c Causal3DConfig) out(stage int) int {
	return c.Channels * c.Multiples[len(c.Multiples)-1-stage]
}

func (c Causal3DConfig) in(stage int) int {
	if stage == 0 {
		return c.first()
	}
	return c.out(stage-1) / 2
}

func (c Causal3DConfig) downscale() int { return 1 << (len(c.Multiples) - 1) }

// doubles says whether a stage makes two frames of each but the first.
func (c Causal3DConfig) doubles(stage int) bool {
	return stage < len(c.HalvesTime) && c.HalvesTime[len(c.HalvesTime)-1-stage]
}

// Causal3D is the decoder of Wan 2.1's autoencoder (arXiv 2503.20314), which draws films
// and, as in Cosmos-Predict2, pictures, which are films of one frame. Convolutions reach
// over three frames, of which the last is the one that is drawn, and before the first
// frame lie zeros: no frame depends on a later one.
//
// A convolution over three frames is the sum of three over pictures, so that each is drawn
// as by a decoder of pictures that has three inputs, two of them stored. Norms are of each
// pixel alone, and strips of a picture go through the layers side by side, see plane.
type Causal3D struct {
	Causal3DConfig
	latent
	quant      conv // [c, c], post_quant_conv
	begin, end *causalConv
	mid        [2]causalBlock
	attn       causalAttention
	stages     []causalStage
	norm       *op.Tensor // [1, C]
}

// causalConv is a convolution over three frames; the last weight is that of the frame
// that is drawn.
type causalConv struct {
	w [3]*op.Tensor // [Cout, Cin·9]
	b *op.Tensor    // [1, Cout]
}

// causalBlock is x' = conv2(silu(norm2(conv1(silu(norm1(x)))))) + shortcut(x).
type causalBlock struct {
	norm1, norm2 *op.Tensor // [1, C]
	conv1, conv2 *causalConv
	shortcut     conv // [out, in], absent where the channels stay the same
}

// causalAttention has one head of full width, over the pixels of one frame.
type causalAttention struct {
	norm     *op.Tensor // [1, C]
	qkv, out conv       // [3C, C], [C, C]
}

type causalStage struct {
	blocks []causalBlock
	time   conv // [2C, C·3], makes two frames of one; absent where it stays one
	up     conv // [C/2, C·9] after doubling the side; absent in the last stage
}

// LoadCausal3D asks for the weights under the names that the file has: the publisher's or
// those of diffusers.
func LoadCausal3D(c Causal3DConfig, weights op.Weights) (*Causal3D, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	names := findCausalNames(weights, c.Layers+1)
	take := func(name string, use op.Use, out, in int) conv {
		return conv{weights.Get(name+".weight", use, out, in), weights.Get(name+".bias", op.UseVector, 1, out)}
	}
	causal := func(name string, in, out int) *causalConv {
		x := &causalConv{b: weights.Get(name+".bias", op.UseVector, 1, out)}
		for i, use := range []op.Use{op.UseFrame0, op.UseFrame1, op.UseFrame2} {
			x.w[i] = weights.Get(name+".weight", use, out, 9*in)
		}
		return x
	}
	norm := func(name string, n int) *op.Tensor { return weights.Get(name+".gamma", op.UseVector, 1, n) }
	block := func(at string, in, out int) causalBlock {
		b := causalBlock{norm1: norm(at+names.norm1, in), conv1: causal(at+names.conv1, in, out), norm2: norm(at+names.norm2, out), conv2: causal(at+names.conv2, out, out)}
		if in != out {
			b.shortcut = take(at+names.shortcut, op.UseMatrix, out, in)
		}
		return b
	}
	n := c.first()
	m := &Causal3D{Causal3DConfig: c, latent: loadLatent(c.LatentChannels, c.Deviation, c.Mean, c.Preview, weights)}
	m.quant = take(names.quant, op.UseMatrix, c.LatentChannels, c.LatentChannels)
	m.begin = causal(names.in, c.LatentChannels, n)
	m.mid[0] = block(names.mid[0], n, n)
	m.attn = causalAttention{norm(names.attn+".norm", n), take(names.attn+".to_qkv", op.UseMatrix, 3*n, n), take(names.attn+".proj", op.UseMatrix, n, n)}
	m.mid[1] = block(names.mid[1], n, n)
	for i := range c.Multiples {
		stage := causalStage{}
		in := c.in(i)
		for j := range c.Layers + 1 {
			stage.blocks = append(stage.blocks, block(names.block(i, j), in, c.out(i)))
			in = c.out(i)
		}
		if i < len(c.Multiples)-1 {
			if c.doubles(i) {
				stage.time = take(names.up(i)+".time_conv", op.UseMatrix, 2*in, 3*in)
			}
			stage.up = take(names.up(i)+".resample.1", op.UseConv3x3, in/2, 9*in)
		}
		m.stages = append(m.stages, stage)
	}
	last := c.out(len(c.Multiples) - 1)
	m.norm, m.end = norm(names.norm, last), causal(names.out, last, 3)
	return m, nil
}

// causalNames are the names of the decoder in one kind of published file.
type causalNames struct {
	quant, in, norm, out, attn string
	mid                        [2]string
	norm1, conv1, norm2, conv2 string // under a block
	shortcut                   string
	block                      func(stage, i int) string
	up                         func(stage int) string
}

// findCausalNames tells the layout by the name of the last norm; blocks is how many each
// stage has, which the publisher numbers through with what enlarges behind them.
func findCausalNames(weights op.Weights, blocks int) causalNames {
	if weights.Has("decoder.norm_out.gamma") {
		return causalNames{
			quant: "post_quant_conv", in: "decoder.conv_in", norm: "decoder.norm_out", out: "decoder.conv_out",
			attn: "decoder.mid_block.attentions.0", mid: [2]string{"decoder.mid_block.resnets.0", "decoder.mid_block.resnets.1"},
			norm1: ".norm1", conv1: ".conv1", norm2: ".norm2", conv2: ".conv2", shortcut: ".conv_shortcut",
			block: func(stage, i int) string { return fmt.Sprintf("decoder.up_blocks.%d.resnets.%d", stage, i) },
			up:    func(stage int) string { return fmt.Sprintf("decoder.up_blocks.%d.upsamplers.0", stage) },
		}
	}
	numbered := func(n int) string { return fmt.Sprintf("decoder.upsamples.%d", n) }
	return causalNames{
		quant: "conv2", in: "decoder.conv1", norm: "decoder.head.0", out: "decoder.head.2",
		attn: "decoder.middle.1", mid: [2]string{"decoder.middle.0", "decoder.middle.2"},
		norm1: ".residual.0", conv1: ".residual.2", norm2: ".residual.3", conv2: ".residual.6", shortcut: ".shortcut",
		block: func(stage, i int) string { return numbered(stage*(blocks+1) + i) },
		up:    func(stage int) string { return numbered(stage*(blocks+1) + blocks) },
	}
}

// Shape tells the sizes of what is read and drawn.
func (m *Causal3D) Shape() Shape { return Shape{Channels: m.LatentChannels, Downscale: m.downscale()} }

// Draw records z [h·w, c] → out [1, H·W] U32, pixels of four bytes (op.ToRGBA), in strips
// of as many rows of the latent. The pixels do not depend on the number of strips.
func (m *Causal3D) Draw(l *op.List, z *op.Tensor, h, w, strips int, out *op.Tensor) {
	at := 0
	m.Decode(l, []*op.Tensor{z}, h, w, strips, nil, func(_ int, rows *op.Tensor) {
		l.ToRGBA(rows, 0.5, 0.5, out.Columns(at, at+rows.Rows))
		at += rows.Rows
	})
}

// Strips is how many strips Draw needs for a latent of h × w so that no tensor of the
// stages has more than limit bytes, where a limit is known (not 0). Strips cannot be lower
// than a row of the latent.
func (m *Causal3D) Strips(h, w int, limit int64) int {
	for strips := 1; strips < h; strips++ {
		if limit <= 0 || m.largest(op.CeilDiv(h, strips), w, strips > 1) <= limit {
			return strips
		}
	}
	return max(h, 1)
}

// largest is the bytes of the largest tensor of strips of so many rows of the latent.
func (m *Causal3D) largest(rows, w int, cut bool) (most int64) {
	for i := range m.stages {
		zoom := 1 << i
		height := zoom * rows
		if cut {
			height += 4 // two rows above and below, of which the one that is further away is dropped after doubling
		}
		n := max(m.in(i), m.out(i))
		if i > 0 {
			n = max(n, m.out(i-1)) // doubled in side before its channels are halved
		}
		most = max(most, 4*int64(height)*int64(zoom*w)*int64(op.Pad(n)))
	}
	return most
}
