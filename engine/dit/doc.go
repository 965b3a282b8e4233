// Package dit holds the diffusion transformers, one readable file per family with
// its configuration, its loader and its check of what it may be put together with.
// Each records its operations; none executes anything or knows any machine.
//
// What a family offers to the engine is engine.Transformer; the types in which it
// does so are here: [Shape], [Parts], [Reading] and [Pass].
package dit
