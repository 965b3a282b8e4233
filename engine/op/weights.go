package op

// Weights hands a model its weights, uploaded for their use, as rows × cols tensors.
// A weight that is missing or misshapen comes back nil: whoever implements Weights
// keeps the first error, so that a model lists its weights without checks.
type Weights interface {
	// Has reports whether the weight file has a tensor of this name, by which a model
	// tells the layouts that it was published in.
	Has(name string) bool
	// Get uploads a tensor of the weight file.
	Get(name string, use Use, rows, cols int) *Tensor
	// Constant uploads numbers that follow from the configuration.
	Constant(name string, use Use, rows, cols int, values []float32) *Tensor
}
