package gpu

// Choices are names of variants by the shape of the operation (see operation.shape), as
// "MatMul 96×256×1024 Q8_0": "tile 32×32". They come from measurements on one adapter.
// What is no variant, or does not fit, is passed over.
type Choices map[string]string

// chosen are the capabilities to lower an operation of a shape with.
func (c Caps) chosen(shape string) Caps {
	if c.Prefer == "" {
		c.Prefer = c.Choices[shape]
	}
	return c
}
