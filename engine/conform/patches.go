package conform

// Patchify turns a latent [C, H, W] with even sides into image tokens [H/2·W/2, 4C]:
// squares of 2 × 2 pixels row by row, in each channel after channel, in each of these
// its four pixels row by row (FLUX).
func Patchify(x []float32, shape []int) []float32 {
	out := make([]float32, len(x))
	if len(x) > 0 {
		eachPatch(shape, func(image, token int) { out[token] = x[image] })
	}
	return out
}

// Unpatchify is the inverse of Patchify; the shape is that of its result.
func Unpatchify(x []float32, shape []int) []float32 {
	out := make([]float32, len(x))
	if len(x) > 0 {
		eachPatch(shape, func(image, token int) { out[image] = x[token] })
	}
	return out
}

// eachPatch pairs the index of every element of an image with that in its tokens.
func eachPatch(shape []int, f func(image, token int)) {
	c, h, w := shape[0], shape[1], shape[2]
	for k := range c {
		for y := range h {
			for x := range w {
				f((k*h+y)*w+x, (y/2*(w/2)+x/2)*4*c+4*k+y%2*2+x%2)
			}
		}
	}
}

// channelsLast turns [channels, pixels] into [pixels, channels].
func channelsLast(x []float32, channels int) []float32 {
	out := make([]float32, 0, len(x))
	pixels := len(x) / max(channels, 1)
	for at := range pixels {
		for c := range channels {
			out = append(out, x[c*pixels+at])
		}
	}
	return out
}

// channelsFirst is the inverse of channelsLast.
func channelsFirst(x []float32, channels int) []float32 {
	return channelsLast(x, len(x)/max(channels, 1))
}
