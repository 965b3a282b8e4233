package dit

import "math"

// timeWidth is the width of the sinusoidal embedding of times and guidance scales.
const timeWidth = 256

// sinusoid is FLUX's timestep_embedding: cos, then sin, of 1000·t over timeWidth/2
// frequencies from 1 down to 1/10,000 (exclusive). Computed in float64, since
// WGSL's sin and cos may err by 2⁻¹¹.
func sinusoid(t float64) []float32 {
	const half = timeWidth / 2
	out := make([]float32, timeWidth)
	for i := range half {
		a := 1000 * t * math.Exp(-math.Log(10000)*float64(i)/half)
		out[i], out[half+i] = float32(math.Cos(a)), float32(math.Sin(a))
	}
	return out
}

// rotary appends the rotary embedding of one position to a table: cos and sin of
// every pair of channels, side by side, one group of pairs per axis (RoFormer,
// arXiv 2104.09864). dims are the channels of each axis.
func rotary(table []float32, position, dims []int, theta float64) []float32 {
	for axis, dim := range dims {
		for i := 0; i < dim; i += 2 {
			sin, cos := math.Sincos(float64(position[axis]) * math.Pow(theta, -float64(i)/float64(dim)))
			table = append(table, float32(cos), float32(sin))
		}
	}
	return table
}
