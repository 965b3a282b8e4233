// Package guidance is modulation guidance as pure mathematics: how the pooled
// text vector of a diffusion transformer is shifted, block by block, so that the
// picture moves towards what some words say ("Rethinking Global Text
// Conditioning in Diffusion Transformers", arXiv 2602.09268).
//
// # The vector
//
// A diffusion transformer such as FLUX or SD3 reads its prompt twice. The tokens
// are attended to. Beside them, one pooled vector of the whole prompt is added to
// the embedding of the timestep,
//
//	y(p, t) = τ(t) + ψ(pooled(p))
//
// and every block scales and shifts its activations by linear maps of this one
// vector (the modulation). With long prompts the pooled part does little. But it
// can be steered, and steering it costs a vector addition per block.
//
// # The direction
//
// Two phrases make a direction, one that says what is wanted and one that says
// what is not:
//
//	δ = ψ(pooled(p+)) − ψ(pooled(p−))                 [Delta]
//
// It depends neither on the timestep nor on the prompt and is computed once.
// Phrases that share everything but the wanted quality work best; where there is
// nothing to move away from, the empty prompt stands for p−.
//
// # The schedule
//
// Block l of L then sees, for directions i,
//
//	ŷ_l = y(p, t) + Σ_i w_i(l)·δ_i                    [Blend]
//
// where l counts every block in the order they run (FLUX: double blocks, then
// single blocks). The weight may differ from block to block, never from step to
// step; how it differs is a [Schedule], and a good one matters: the first blocks
// lay out the picture, and a shift that leaves them alone keeps more of it.
//
//	constant   w everywhere: the baseline that the others beat
//	step       0 before block start, w from it on (start itself included)
//	window     w on blocks start … end, both included
//	bumps      w·Σ_c exp(−|l − c|/width), around blocks 20 and 50 of 57
//	intervals  w·weight on from ≤ l < to, for each interval
//	table      w·table[l]
//
// A schedule found on one model carries over to another depth by relative depth:
// with Of set to N, its block numbers are those of a model of N blocks, and block
// l of L stands where its middle stands, (l + ½)·N/L. With Of zero they are
// blocks of the model at hand.
//
// Weights around 3 are usual, 8 shows artifacts, negative ones push the other
// way, and 0 is exactly no guidance: a direction is skipped where its weight is
// zero, so that the result is bit-identical to y.
//
// # The output head
//
// The last layer is modulated by y too. Most models are guided with the plain y
// there (Direction.Head = 0); HiDream gives it the full shift (Head = w).
//
// # With classifier-free guidance
//
// CFG extrapolates from a prediction without the prompt to one with it, so a
// shift given to the conditional prediction alone is multiplied by the CFG scale
// as well. Blend the same directions into both rows to have the weight mean the
// same with and without CFG, as is done for SD3.5. (HiDream's published code gives
// the unconditional row −w. Models made to run without CFG, such as FLUX schnell,
// have one row and no question.)
//
// # What to expect
//
// δ tends to point against y, and ŷ to be a little shorter than y: the effect
// lies in the direction. [ReadOut] measures it.
package guidance
