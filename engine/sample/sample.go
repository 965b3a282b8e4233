// Package sample holds what lies around the network: the noise a picture starts
// from and the times at which the flow is integrated.
package sample

// Sigmas returns the steps+1 times of flow matching from 1 (noise) to 0 (data):
// evenly spaced, then bent towards noise by the model's shift (SD3, arXiv
// 2403.03206, eq. 23). Step k of Euler's method goes from times[k] to times[k+1]:
//
//	x += (times[k+1] − times[k]) · v(x, times[k])
func Sigmas(steps int, shift float64) []float64 {
	out := make([]float64, steps+1)
	for i := range out {
		t := 1 - float64(i)/float64(steps)
		out[i] = shift * t / (1 + (shift-1)*t)
	}
	return out
}

// Noise returns standard normal noise for a latent of h × w pixels with c
// channels, laid out [h·w, c]. It is drawn in the order channel, row, column (see
// Normal), so that the same seed means the same noise whatever the layout.
func Noise(seed uint32, c, h, w int) []float32 {
	drawn := Normal(seed, c*h*w)
	out := make([]float32, len(drawn))
	for ch := range c {
		for p := range h * w {
			out[p*c+ch] = drawn[ch*h*w+p]
		}
	}
	return out
}
