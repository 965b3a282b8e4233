package engine

import "undertone/engine/op"

// LimitModulation sets the bytes of modulation that may be bound at once, and
// returns what puts the old limit back.
func LimitModulation(bytes int) (restore func()) {
	old := maxModulation
	maxModulation = bytes
	return func() { maxModulation = old }
}

// AddTransformer adds a row to the table of kinds, and returns what takes it out.
func AddTransformer[Config any, T Transformer](kind string, load func(Config, op.Weights) (T, error)) (remove func()) {
	transformers[kind] = with[Transformer](load)
	return func() { delete(transformers, kind) }
}
