package op

// Get hands a model one of its weights, uploaded for its use, as a rows × cols
// tensor. A weight that is missing or misshapen comes back nil: whoever made the
// Get keeps the first error, so that a model lists its weights without checks.
type Get func(name string, use Use, rows, cols int) *Tensor
