package engine

import (
	"fmt"

	"undertone/engine/op"
	"undertone/engine/sample"
)

// history is what the steps of a sampler that remembers hand on (see sample.Multistep). In
// place of Euler's step
//
//	x₀ = x − σ·v
//	c  = x + Σ factors · (x, l, x₀, x₁, x₂)
//	x  = c + Σ factors · (c, x₀, x₁)
//	v  = x − x₀
//
// so that afterwards x − v is the data: the previews are drawn of that.
type history struct {
	last, before, earlier *op.Tensor                 // [S, in]: l, x₁, x₂
	lists, factors        [sample.Factors]*op.Tensor // [max steps, 1] and [1, 1]: of all steps, and of the current one
	minus                 *op.Tensor                 // [1, 1], −1
}

func (p *pipeline) newHistory() (*history, error) {
	h := &history{}
	s, in := p.latent.Rows, p.latent.Cols
	type place struct {
		at         **op.Tensor
		name       string
		rows, cols int
	}
	places := []place{{&h.last, "corrected latent", s, in}, {&h.before, "data of one step before", s, in}, {&h.earlier, "data of two steps before", s, in}, {&h.minus, "minus one", 1, 1}}
	for i := range h.factors {
		places = append(places, place{&h.lists[i], fmt.Sprintf("factors %d", i), p.steps, 1}, place{&h.factors[i], fmt.Sprintf("factor %d", i), 1, 1})
	}
	for _, t := range places {
		var err error
		if *t.at, err = p.new(t.name, op.F32, t.rows, t.cols); err != nil {
			return nil, err
		}
	}
	return h, p.be.Write(h.minus, []float32{-1})
}

// record records a step; p.dt is −σ.
func (h *history) record(l *op.List, p *pipeline) {
	data := l.Copy(p.latent, nil) // [S, in]
	l.Euler(data, p.velocity, p.dt)
	c := l.Copy(p.latent, nil) // [S, in]
	for i, x := range []*op.Tensor{p.latent, h.last, data, h.before, h.earlier} {
		l.Euler(c, x, h.factors[i])
	}
	l.Copy(c, p.latent)
	for i, x := range []*op.Tensor{c, data, h.before} {
		l.Euler(p.latent, x, h.factors[5+i])
	}
	l.Copy(c, h.last)
	l.Copy(h.before, h.earlier)
	l.Copy(data, h.before)
	l.Copy(p.latent, p.velocity)
	l.Euler(p.velocity, data, h.minus)
}

// begin writes the factors of a picture's steps, and forgets what went before: what is not
// there yet counts 0 times, which is a number only of a number.
func (h *history) begin(p *pipeline, sigmas []float64) error {
	nothing := make([]float32, p.latent.Rows*p.latent.Cols)
	for _, t := range []*op.Tensor{h.last, h.before, h.earlier} {
		if err := p.be.Write(t, nothing); err != nil {
			return err
		}
	}
	steps := p.schedule.Multisteps(sigmas)
	for i, t := range h.lists {
		column := make([]float32, t.Rows)
		for k, m := range steps {
			column[k] = float32(m.Factors()[i])
		}
		if err := p.be.Write(t, column); err != nil {
			return err
		}
	}
	return nil
}
