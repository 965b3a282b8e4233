package op

// Weights hands a model its weights, uploaded for their use, as rows × cols tensors.
// A weight that is missing or misshapen comes back nil: whoever implements Weights
// keeps the first error, so that a model lists its weights without checks.
type Weights interface {
	// Get uploads a tensor of the weight file.
	Get(name string, use Use, rows, cols int) *Tensor
	// Constant uploads numbers that follow from the configuration.
	Constant(name string, use Use, rows, cols int, values []float32) *Tensor
}
