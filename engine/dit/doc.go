// Package dit holds the diffusion transformers, one readable file per family with
// its configuration, its loader and its check of what it may be put together with.
// Each records its operations; none executes anything or knows any machine.
//
// What a family offers to the engine is engine.Transformer; the types in which it
// does so are here: [Shape], [Parts], [Reading] and [Pass].
//
// A GPU binds a tensor whole, and binds no more at once than its limit: 128 MiB where
// nothing more was asked for. What is wider than the residual stream is therefore recorded
// in several tensors where one would pass [Pass.Limit]: q, k, v and what attention gives by
// groups of heads, the MLPs by strips of tokens, a fused weight by its rows. Every number
// is computed from the same numbers in the same order either way. What stays whole are the
// residual stream and others of its size, [T+S, D]: in FLUX, the widest, they reach 128 MiB
// at 10,922 tokens, more than a picture of 1024 × 1024 has together with a reference of as
// many pixels and 512 tokens of text.
package dit
