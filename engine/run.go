package engine

import (
	"cmp"
	"context"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// run is one picture being made: what its parts hand on to each other.
type run struct {
	e      *Engine
	req    Request
	onStep func(StepEvent)
	result *Result

	branches   []*prompt // the prompt; with classifier-free guidance also the unconditional one
	scale      float64   // of classifier-free guidance, 1: none
	sigmas     []float64 // [steps+1]: 1 noise … 0 picture
	tau        []float32 // [steps, Vector]
	y          []float32 // [steps·branches, Vector]
	yhat       []float32 // [steps·branches, (Blocks+1)·Vector]
	pipeline   *pipeline
	step       op.Program
	modulation *modulation
	probe      *probing // nil where nobody asked
	latent     []float32
}

func (e *Engine) newRun(req Request, onStep func(StepEvent)) *run {
	return &run{e: e, req: req, onStep: onStep, result: &Result{Seed: req.Seed, Parameters: e.parameters(req)}}
}

// each does the parts in turn and takes their times.
func (r *run) each(ctx context.Context, parts ...func(context.Context) error) error {
	t := &r.result.Timings
	var inside float64 // denoise takes its own times
	laps := []*float64{&t.TextMs, &t.GuidanceMs, &t.PrepareMs, &inside, &t.DecodeMs}
	begin, watch := time.Now(), newStopwatch()
	for i, part := range parts {
		if err := part(ctx); err != nil {
			return err
		}
		watch.add(laps[i])
	}
	if r.probe != nil {
		if err := r.probe.end(ctx, r.result); err != nil {
			return err
		}
	}
	t.TotalMs = milliseconds(time.Since(begin))
	return nil
}

// encode finds the contexts and ψ of the prompts, and τ of the steps.
func (r *run) encode(ctx context.Context) (err error) {
	c := r.e.conditioner
	prompts := []string{r.req.Prompt}
	branches, scale := r.e.branches(r.req)
	r.scale = scale
	if branches == 2 {
		prompts = append(prompts, "") // the unconditional branch is the empty prompt
	}
	if r.branches, r.result.Notices, err = c.encode(ctx, prompts, true); err != nil {
		return err
	}
	if err := r.ablate(ctx); err != nil {
		return err
	}
	rows, cols := r.e.tokens(r.req.Size)
	r.sigmas = r.e.manifest.Scheduler.Sigmas(r.req.Steps, rows*cols)
	r.tau, err = c.clock(ctx, r.sigmas[:r.req.Steps], r.req.CFG)
	return err
}

// branches is how many passes a step takes, and the scale of classifier-free
// guidance between two of them.
func (e *Engine) branches(req Request) (n int, scale float64) {
	if e.transformer.Shape().EmbedsGuidance || req.CFG == 1 {
		return 1, 1 // the scale is an input of the network, or there is none
	}
	return 2, req.CFG
}

// guide makes one vector per block, step and branch, on the CPU.
func (r *run) guide(ctx context.Context) error {
	dirs, err := r.directions(ctx)
	if err != nil {
		return err
	}
	shape := r.e.transformer.Shape()
	d, blocks, rows := shape.Vector, len(shape.Blocks), r.req.Steps*len(r.branches)
	r.y = make([]float32, 0, rows*d)
	for k := range r.req.Steps {
		for _, b := range r.branches {
			for i, psi := range b.psi {
				r.y = append(r.y, r.tau[k*d+i]+psi)
			}
		}
	}
	r.yhat = make([]float32, rows*(blocks+1)*d)
	if err := guidance.Blend(r.yhat, r.y, rows, d, blocks, dirs); err != nil {
		return fault.Wrap(err, fault.GuidanceInvalid, "the directions cannot be blended")
	}
	of := [][]guidance.Direction{dirs, r.e.rows(r.req).Unconditional(dirs)} // the prompt's row comes first
	for row := range rows {
		branch, yhat := row%len(r.branches), r.yhat[row*(blocks+1)*d:][:(blocks+1)*d]
		if branch == 1 {
			if err := guidance.Blend(yhat, r.y[row*d:][:d], 1, d, blocks, of[branch]); err != nil {
				return fault.Wrap(err, fault.GuidanceInvalid, "the directions cannot be blended")
			}
		}
		if r.pooled() == recipe.PooledGuided {
			unguided(yhat, r.tau[row/len(r.branches)*d:][:d], of[branch])
		}
	}
	return nil
}

// rows are what the unconditional pass gets of the directions: what the request says or,
// where it says nothing, the way of the model's family.
func (e *Engine) rows(req Request) guidance.Rows {
	return cmp.Or(req.GuidanceRows, guidance.Rows(e.transformer.Shape().Rows))
}

// directions turns the request's terms into what guidance.Blend adds, with ψ of
// both prompts of every term from the cache or computed in one go. Read-outs
// against the prompt's own ψ go into the result.
func (r *run) directions(ctx context.Context) ([]guidance.Direction, error) {
	if len(r.req.Guidance) > 0 && r.e.transformer.Shape().Pooled == 0 {
		return nil, fault.New(fault.GuidanceInvalid, "%d directions for a model without a pooled text vector, which they change: it needs an adapter", len(r.req.Guidance))
	}
	if r.pooled() == recipe.PooledOff {
		return nil, nil
	}
	var prompts []string
	for _, t := range r.req.Guidance {
		prompts = append(prompts, t.Positive, t.Negative)
	}
	ends, notices, err := r.e.conditioner.encode(ctx, prompts, false)
	if err != nil {
		return nil, err
	}
	r.result.Notices = append(r.result.Notices, notices...)
	psi := r.branches[0].psi
	var dirs []guidance.Direction
	for i, t := range r.req.Guidance {
		weights, err := t.Weights(len(r.e.transformer.Shape().Blocks))
		if err != nil {
			return nil, err
		}
		delta := guidance.Delta(ends[2*i].psi, ends[2*i+1].psi)
		if t.Random {
			delta = randomLike(delta, r.req.Seed)
		}
		dirs = append(dirs, guidance.Direction{Delta: delta, Weights: weights, Head: float32(t.Head)})
		r.result.Geometry = append(r.result.Geometry, Geometry{Geometry: guidance.ReadOut(psi, delta), Weights: weights})
	}
	return dirs, nil
}

// prepare finds the programs and tensors of this size, draws the noise, and has the
// reference picture read.
func (r *run) prepare(ctx context.Context) (err error) {
	edits := r.req.Reference != nil
	if edits {
		if err := r.e.needEncoder(ctx); err != nil {
			return err
		}
	}
	if r.pipeline, err = r.e.pipeline(ctx, r.req.Size, edits); err != nil {
		return err
	}
	if r.step, err = r.pipeline.step(ctx, float32(r.scale)); err != nil {
		return err
	}
	if err := r.pipeline.begin(ctx, r.req.Seed, r.sigmas); err != nil {
		return err
	}
	if err := r.refer(ctx); err != nil {
		return err
	}
	if r.modulation, err = r.e.modulate(ctx, r.req.Steps*len(r.branches), len(r.branches)); err != nil {
		return err
	}
	if r.req.Probe != nil {
		r.probe, err = r.newProbing(ctx)
	}
	return err
}

// decode draws the finished latent.
func (r *run) decode(ctx context.Context) (err error) {
	r.result.Image, err = r.pipeline.decode(ctx)
	return err
}
