package vae

import (
	"fmt"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// TinyEncoderConfig is the configuration of a bundle's encoder of the kind "tiny".
type TinyEncoderConfig struct {
	LatentChannels int     `json:"latent_channels"`
	Unshuffle      int     `json:"unshuffle"` // side of the squares of pixels that become channels at once; 1: none
	Mean           float64 `json:"mean"`      // what is subtracted from pixels in [0, 1]
	Stages         []Stage `json:"stages"`    // each after the first has half the side
	ScalingFactor  float64 `json:"scaling_factor"`
	ShiftFactor    float64 `json:"shift_factor"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c TinyEncoderConfig) Check() error {
	switch {
	case c.LatentChannels < 1 || c.LatentChannels > 1024:
		return refused("%d latent channels, supported 1 to 1024", c.LatentChannels)
	case c.Unshuffle < 1 || c.Unshuffle > 16:
		return refused("squares of %d pixels, supported 1 to 16", c.Unshuffle)
	case len(c.Stages) < 1 || len(c.Stages) > 8:
		return refused("%d stages, supported 1 to 8", len(c.Stages))
	case !finite(c.Mean, c.ScalingFactor, c.ShiftFactor):
		return refused("mean %g, scaling_factor %g, shift_factor %g", c.Mean, c.ScalingFactor, c.ShiftFactor)
	}
	for _, s := range c.Stages {
		if s.Channels < 1 || s.Channels > 4096 || s.Blocks < 0 || s.Blocks > 64 {
			return refused("a stage of %d blocks with %d channels, supported up to 64 and 4096", s.Blocks, s.Channels)
		}
	}
	return nil
}

// refused refuses an encoder's configuration.
func refused(format string, args ...any) error {
	return fault.New(fault.ModelUnsupported, "encoder: "+format, args...)
}

// TinyEncoder is the encoder beside Tiny: plain residual convolutions, a convolution of
// stride 2 between stages, and squares of pixels turned into channels before all of them,
// where convolutions of the full resolution would cost most of the time.
type TinyEncoder struct {
	TinyEncoderConfig
	pixels, scale, shift *op.Tensor // of a pixel and of the latent, as 1×1 convolutions
	less                 *op.Tensor // [1, 3]: −mean
	in, out              conv
	stages               []stage
}

// LoadTinyEncoder asks for the weights by the names of AutoencoderTiny's layers, which
// are counted from the first thing that is done: the unshuffling.
func LoadTinyEncoder(c TinyEncoderConfig, weights op.Weights) (*TinyEncoder, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	layer := 1
	take := func(suffix string, use op.Use, in, out int) conv {
		name := fmt.Sprintf("encoder.layers.%d%s", layer, suffix)
		return conv{weights.Get(name+".weight", use, out, in*9), weights.Get(name+".bias", op.UseVector, 1, out)}
	}
	e := &TinyEncoder{TinyEncoderConfig: c}
	e.in = take("", op.UseConv3x3, 3*c.Unshuffle*c.Unshuffle, c.Stages[0].Channels)
	layer++
	for n, s := range c.Stages {
		var st stage
		for range s.Blocks {
			st.blocks = append(st.blocks, [3]conv{
				take(".conv.0", op.UseConv3x3, s.Channels, s.Channels),
				take(".conv.2", op.UseConv3x3, s.Channels, s.Channels),
				take(".conv.4", op.UseConv3x3, s.Channels, s.Channels),
			})
			layer++
		}
		if n+1 < len(c.Stages) {
			st.next = take("", op.UseMatrix, s.Channels, c.Stages[n+1].Channels)
			layer++
		}
		e.stages = append(e.stages, st)
	}
	e.out = take("", op.UseConv3x3, c.Stages[len(c.Stages)-1].Channels, c.LatentChannels)

	// What a decoder makes of a scaled latent, z/scale + shift, the other way round.
	n, f := c.LatentChannels, c.ScalingFactor
	e.pixels = weights.Constant("encoder.pixels", op.UseMatrix, 3, 3, diagonal(every(3, 1)))
	e.less = weights.Constant("encoder.mean", op.UseVector, 1, 3, narrow(every(3, -c.Mean)))
	e.scale = weights.Constant("encoder.scale", op.UseMatrix, n, n, diagonal(every(n, f)))
	e.shift = weights.Constant("encoder.shift", op.UseVector, 1, n, narrow(every(n, -c.ShiftFactor*f)))
	return e, nil
}

// Shape tells the sizes of what is read and written.
func (e *TinyEncoder) Shape() Shape {
	return Shape{Channels: e.LatentChannels, Downscale: e.Unshuffle << (len(e.Stages) - 1)}
}

// Encode records pixels [H·W, 3] in [0, 1] → z [h·w, c], a scaled latent, with h = H/Downscale
// where that is whole, else the next whole number. H and W are multiples of Unshuffle.
// out may be nil.
func (e *TinyEncoder) Encode(l *op.List, pixels *op.Tensor, height, width int, out *op.Tensor) *op.Tensor {
	x := l.MatMul(pixels, e.pixels, op.Epilogue{Bias: e.less}) // [H·W, 3]
	x = l.Patchify(x, height, width, e.Unshuffle, false, nil)  // [h·w, 3·u²]
	h, w := height/e.Unshuffle, width/e.Unshuffle              // of every stage
	x = l.Conv3x3(x, h, w, e.in.w, e.in.b, nil, op.None, nil)  // [h·w, c0]
	for n, s := range e.stages {
		x = s.run(l, x, h, w)
		if n+1 < len(e.stages) {
			x, h, w = s.halve(l, x, h, w)
		}
	}
	x = l.Conv3x3(x, h, w, e.out.w, e.out.b, nil, op.None, nil)       // [h·w, c]
	return l.MatMul(x, e.scale, op.Epilogue{Bias: e.shift, Out: out}) // [h·w, c]
}

// halve records the step to the next stage: x [h·w, c] → [⌈h/2⌉·⌈w/2⌉, next c].
func (s stage) halve(l *op.List, x *op.Tensor, h, w int) (*op.Tensor, int, int) {
	half := op.Window2D(3, 2, 1, op.CeilDiv(h, 2), op.CeilDiv(w, 2))
	x = l.Conv(x, [3]int{1, h, w}, half, s.next.w, op.Epilogue{Bias: s.next.b})
	return x, half.Out[1], half.Out[2]
}
