package vae

import (
	"math"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Shape is what the engine has to know of a decoder or an encoder.
type Shape struct {
	Channels  int // of a latent pixel
	Downscale int // pixels a side that one latent pixel stands for
}

// Preview is the linear map from a latent pixel to its mean colour.
type Preview struct {
	Weight [][]float64 `json:"weight"` // [3][latent channels]
	Bias   []float64   `json:"bias"`   // [3]
}

// unsupported refuses a decoder's configuration.
func unsupported(format string, args ...any) error {
	return fault.New(fault.ModelUnsupported, "decoder: "+format, args...)
}

// checkLatent refuses what no decoder can read of a latent.
func checkLatent(channels int, scaling, shift float64, p Preview) error {
	switch {
	case channels < 1 || channels > 1024:
		return unsupported("%d latent channels, supported 1 to 1024", channels)
	case !finite(scaling, shift) || scaling == 0:
		return unsupported("scaling_factor %g, shift_factor %g", scaling, shift)
	case len(p.Weight) != 3 || len(p.Bias) != 3:
		return unsupported("the preview has %d rows and %d biases, wanted 3 and 3", len(p.Weight), len(p.Bias))
	}
	for _, row := range p.Weight {
		if len(row) != channels || !finite(row...) {
			return unsupported("a preview row has %d numbers, wanted %d finite ones", len(row), channels)
		}
	}
	if !finite(p.Bias...) {
		return unsupported("a preview bias is not finite")
	}
	return nil
}

// every is one number for every one of n channels.
func every(n int, v float64) []float64 { return slices.Repeat([]float64{v}, n) }

// narrow are the numbers as weights hold them.
func narrow(xs []float64) []float32 {
	out := make([]float32, len(xs))
	for i, x := range xs {
		out[i] = float32(x)
	}
	return out
}

// diagonal is the square matrix with these numbers on its diagonal.
func diagonal(xs []float64) []float32 {
	out := make([]float32, len(xs)*len(xs))
	for i, x := range narrow(xs) {
		out[i*len(xs)+i] = x
	}
	return out
}

func finite(xs ...float64) bool {
	for _, x := range xs {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
	}
	return true
}

// latent reads a transformer's latent: scaled for a decoder, or as a preview.
type latent struct {
	unscale, shift *op.Tensor // [c, c] and [1, c]: scale and shift as a 1×1 convolution
	preview, mean  *op.Tensor // [3, c] and [1, 3]
}

// loadLatent makes it of what every channel of a latent is multiplied by, and of what is
// added then.
func loadLatent(n int, factors, shift []float64, p Preview, weights op.Weights) latent {
	var preview []float32
	for _, row := range p.Weight {
		preview = append(preview, narrow(row)...)
	}
	return latent{
		unscale: weights.Constant("vae.unscale", op.UseMatrix, n, n, diagonal(factors)),
		shift:   weights.Constant("vae.shift", op.UseVector, 1, n, narrow(shift)),
		preview: weights.Constant("vae.preview", op.UseMatrix, 3, n, preview),
		mean:    weights.Constant("vae.preview bias", op.UseVector, 1, 3, narrow(p.Bias)),
	}
}

// scaled records z [h·w, c] → act(z·factor + shift) [h·w, c].
func (m latent) scaled(l *op.List, z *op.Tensor, act op.Act) *op.Tensor {
	return l.MatMul(z, m.unscale, op.Epilogue{Bias: m.shift, Act: act})
}

// LinearPreview records a quick look at z [h·w, c] → mean colours [h·w, 3],
// nominally in [0, 1].
func (m latent) LinearPreview(l *op.List, z *op.Tensor) *op.Tensor {
	return l.MatMul(z, m.preview, op.Epilogue{Bias: m.mean}) // [h·w, 3]
}
