// Package scale makes weight files in the shapes of published models, with random
// weights: what holds for a small model of the tests need not hold for one of some
// gigabytes. A file lies nowhere. Its bytes are made when they are read, always the same
// ones, so that a model of any size takes neither a disk nor memory.
//
//	files, err := scale.SD35Medium(op.Q4_0).Files()
//	bundle, err := scale.Describe(ctx, files)   // with the hashes of all their pieces
//
// The tensors are those that the engine's loaders ask for, under the names in which the
// original publishers' files have them, but for LlamaT5. Which numbers they
// hold says nothing: a picture of them is noise.
package scale
