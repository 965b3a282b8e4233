package engine

import (
	"undertone/engine/op"
	"undertone/engine/sample"
)

// fresh is what a stochastic sampler adds to the steps of a pipeline. Euler's step has
// gone all the way from time σ to the data x₀ = x − σ·v; behind it
//
//	v ← ε − x₀
//	x ← x₀ + σ'·v = (1 − σ')·x₀ + σ'·ε
//
// so that afterwards x − σ'·v is the data as with the other samplers: the previews are
// drawn of that.
type fresh struct {
	seed   uint32
	sigmas []float64

	noise       *op.Tensor // [height·width, c], ε
	nexts, next *op.Tensor // [max steps, 1] and [1, 1]: σ' of all steps, and of the current one
	minus       *op.Tensor // [1, 1], −1
}

func (p *pipeline) newFresh() (*fresh, error) {
	f := &fresh{}
	for _, t := range []struct {
		at         **op.Tensor
		name       string
		rows, cols int
	}{
		{&f.noise, "fresh noise", p.height * p.width, p.decoder.Shape().Channels},
		{&f.nexts, "next times", p.steps, 1}, {&f.next, "next time", 1, 1}, {&f.minus, "minus one", 1, 1},
	} {
		var err error
		if *t.at, err = p.new(t.name, op.F32, t.rows, t.cols); err != nil {
			return nil, err
		}
	}
	return f, p.be.Write(f.minus, []float32{-1})
}

// record records what comes behind Euler's step.
func (f *fresh) record(l *op.List, p *pipeline) {
	l.Patchify(f.noise, p.height, p.width, p.transformer.Shape().Patch, false, p.velocity) // [S, in]
	l.Euler(p.velocity, p.latent, f.minus)
	l.Euler(p.latent, p.velocity, f.next)
}

// begin writes the times of a picture's steps.
func (f *fresh) begin(p *pipeline, seed uint32, sigmas []float64) error {
	f.seed, f.sigmas = seed, sigmas
	nexts := make([]float32, f.nexts.Rows)
	for k, s := range sigmas[1:] {
		nexts[k] = float32(s)
	}
	return p.be.Write(f.nexts, nexts)
}

// draw writes the noise of step k, which the last step does not need.
func (f *fresh) draw(p *pipeline, k int) error {
	if f.sigmas[k+1] == 0 {
		return nil
	}
	return p.be.Write(f.noise, sample.StepNoise(f.seed, k, f.noise.Cols, p.height, p.width))
}
