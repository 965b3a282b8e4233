package dit

import (
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Config is the "dit" object of model.json, in the words of FLUX's own params.
type Config struct {
	InChannels    int     `json:"in_channels"` // latent channels × patch²
	VecDim        int     `json:"vec_in_dim"`
	ContextDim    int     `json:"context_in_dim"`
	Hidden        int     `json:"hidden_size"`
	MLPRatio      float64 `json:"mlp_ratio"`
	Heads         int     `json:"num_heads"`
	Depth         int     `json:"depth"`
	DepthSingle   int     `json:"depth_single_blocks"`
	AxesDim       []int   `json:"axes_dim"`
	Theta         float64 `json:"theta"`
	QKVBias       bool    `json:"qkv_bias"`
	GuidanceEmbed bool    `json:"guidance_embed"`
	Activation    string  `json:"activation"`
}

// Patch is the side of the square of latent pixels that makes one image token.
const Patch = 2

// TimeDim is the width of the sinusoidal embedding of times and guidance scales.
const TimeDim = 256

// maxWidth bounds every width that a configuration may claim, so that no product
// of two of them overflows on a 32-bit machine; 12B FLUX has 12,288.
const maxWidth = 1 << 14

// HeadDim is the width of one attention head.
func (c Config) HeadDim() int { return c.Hidden / c.Heads }

// MLP is the hidden width of the MLPs.
func (c Config) MLP() int { return int(float64(c.Hidden) * c.MLPRatio) }

// Blocks counts the blocks in the order they run: double, then single.
func (c Config) Blocks() int { return c.Depth + c.DepthSingle }

// ModWidth is the length of one row of modulation: 12 vectors for each double
// block, 3 for each single one, 2 for the head.
func (c Config) ModWidth() int { return (12*c.Depth + 3*c.DepthSingle + 2) * c.Hidden }

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c Config) Check() error {
	unsupported := func(format string, args ...any) error {
		return fault.New(fault.ModelUnsupported, "transformer: "+format, args...)
	}
	for _, w := range []struct {
		name  string
		value int
	}{{"in_channels", c.InChannels}, {"vec_in_dim", c.VecDim}, {"context_in_dim", c.ContextDim}, {"hidden_size", c.Hidden}, {"num_heads", c.Heads}} {
		if w.value < 1 || w.value > maxWidth {
			return unsupported("%s %d, supported 1 to %d", w.name, w.value, maxWidth)
		}
	}
	if c.Depth < 0 || c.DepthSingle < 0 || c.Blocks() < 1 || c.Blocks() > 200 {
		return unsupported("%d + %d blocks, supported 1 to 200", c.Depth, c.DepthSingle)
	}
	if c.Hidden%c.Heads != 0 || c.HeadDim()%op.Align != 0 || c.HeadDim() > 128 {
		return unsupported("width %d in %d heads; heads must be multiples of %d up to 128 wide", c.Hidden, c.Heads, op.Align)
	}
	if c.InChannels%(Patch*Patch) != 0 {
		return unsupported("in_channels %d is not a multiple of %d", c.InChannels, Patch*Patch)
	}
	if !(c.MLPRatio > 0 && c.MLPRatio <= 16) || c.MLP() < op.Align || c.MLP()%op.Align != 0 {
		return unsupported("mlp_ratio %g of width %d; the product must be a multiple of %d", c.MLPRatio, c.Hidden, op.Align)
	}
	if len(c.AxesDim) != 3 {
		return unsupported("axes_dim %v, supported: three axes", c.AxesDim)
	}
	sum := 0
	for _, a := range c.AxesDim {
		if a < 0 || a > c.HeadDim() || a%2 != 0 {
			return unsupported("axes_dim %v; each must be even", c.AxesDim)
		}
		sum += a
	}
	if sum != c.HeadDim() {
		return unsupported("axes_dim %v sums to %d, a head is %d wide", c.AxesDim, sum, c.HeadDim())
	}
	if !(c.Theta > 0) || math.IsInf(c.Theta, 0) {
		return unsupported("theta %g must be positive", c.Theta)
	}
	_, err := op.ParseAct(c.Activation)
	return err
}

// Sinusoid is FLUX's timestep_embedding: cos, then sin, of 1000·t over TimeDim/2
// frequencies from 1 down to 1/10,000 (exclusive). Computed in float64, since
// WGSL's sin and cos may err by 2⁻¹¹.
func Sinusoid(t float64) []float32 {
	const half = TimeDim / 2
	out := make([]float32, TimeDim)
	for i := range half {
		a := 1000 * t * math.Exp(-math.Log(10000)*float64(i)/half)
		out[i], out[half+i] = float32(math.Cos(a)), float32(math.Sin(a))
	}
	return out
}

// RopeTable is the rotary table [T + rows·cols, headDim] of T text tokens, all at
// position (0, 0, 0), and image tokens at (0, row, column): cos and sin of pair i
// at columns 2i and 2i+1 (RoFormer, arXiv 2104.09864, one group of pairs per axis).
func (c Config) RopeTable(text, rows, cols int) []float32 {
	out := make([]float32, 0, (text+rows*cols)*c.HeadDim())
	token := func(pos [3]int) {
		for axis, dim := range c.AxesDim {
			for i := 0; i < dim; i += 2 {
				sin, cos := math.Sincos(float64(pos[axis]) * math.Pow(c.Theta, -float64(i)/float64(dim)))
				out = append(out, float32(cos), float32(sin))
			}
		}
	}
	for range text {
		token([3]int{})
	}
	for r := range rows {
		for col := range cols {
			token([3]int{0, r, col})
		}
	}
	return out
}
