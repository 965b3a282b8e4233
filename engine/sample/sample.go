package sample

// Noise returns standard normal noise for a latent of h × w pixels with c
// channels, laid out [h·w, c]. It is drawn in the order channel, row, column (see
// Normal), so that the same seed means the same noise whatever the layout.
func Noise(seed uint32, c, h, w int) []float32 { return noise(seed, 0, c, h, w) }

// StepNoise is the fresh noise of step k, counted from 0, of a stochastic sampler, in
// the layout of Noise. It is independent of what the picture starts from and of that
// of every other step.
func StepNoise(seed uint32, k, c, h, w int) []float32 {
	return noise(seed, uint32(k)+1, c, h, w)
}

func noise(seed, stream uint32, c, h, w int) []float32 {
	drawn := normal(seed, stream, c*h*w)
	out := make([]float32, len(drawn))
	for ch := range c {
		for p := range h * w {
			out[p*c+ch] = drawn[ch*h*w+p]
		}
	}
	return out
}
