// Package sample holds what lies around the network: the noise that a picture starts
// from, the times at which the flow is integrated, and the steps between them.
//
// # Flow matching
//
// At time σ a latent is x = (1−σ)·data + σ·noise, and the network tells the velocity
// v = noise − data. A picture begins as noise at σ = 1 and is integrated to σ = 0
// (SD3, arXiv 2403.03206). A [Schedule] says at which σ the network is asked:
//
//	a list   "flux": 1, 1−1/n, …, 1/n
//	         "sd3":  n values evenly from 1 to s·.001/(1 + (s−1)·.001)
//	"unipc": 0.999·(1, 1−1/n, …, 1/n)
//	         or one that is given by hand, such as that of a distilled model
//	a shift  σ ← s·σ/(1 + (s−1)·σ), which bends any of these lists towards noise
//
// and a 0 behind the last. The shift s is a number of the model's, or it grows with
// the number of image tokens N (FLUX.1 dev): s = e^mu, where the straight line mu(N)
// is base at N₀ tokens and max at N₁. The list "sd3" ends in a σ that is shifted
// already and is then shifted again: that is what the library does that SD3 was
// published with (diffusers), and why the last of its steps is small. That library
// rounds every σ to float32; here they stay float64.
//
// # Steps
//
// A [Step] leads from σ to the next, σ':
//
//	"euler":  x ← x + (σ' − σ)·v
//	"lcm":    x ← (1 − σ')·(x − σ·v) + σ'·ε
//	"ab2", "unipc": see [Multistep]
//
// Euler's is deterministic. The other, of latent consistency models (arXiv
// 2310.04378), goes to the data that the velocity points at and adds fresh standard
// normal noise ε; its last step, to σ' = 0, needs none.
//
// # Noise
//
// All noise comes from one generator (see [Normal]) and is a function of the seed and
// a stream: stream 0 is what the picture starts from, and stream k+1 is ε of step k,
// counted from 0. So the same seed gives the same picture on every machine, however
// its steps are run.
package sample
