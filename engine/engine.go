// Package engine makes pictures: Load → Encode → Guide → Denoise → Decode.
//
//	e, err := engine.Load(ctx, backend, bundle, engine.LoadOptions{})
//	r, err := e.Generate(ctx, engine.Request{Prompt: "a frog in a meadow", Seed: 1, Steps: 4, Size: 256, CFG: 1}, nil)
//
// An Engine is given a machine (op.Backend) and a model (weights.Bundle) and
// knows neither WebGPU nor files. It keeps compiled programs for each picture
// size, so that a second picture costs only its arithmetic, and the vectors of
// recent prompts, so that moving a guidance slider reads no text at all.
//
// Every error is, or wraps, a *fault.Error.
package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/sample"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
	"undertone/guidance"
)

// Engine is one model on one machine. Its methods may be called from any
// goroutine; it makes one picture at a time (fault.Busy).
type Engine struct {
	be        op.Backend
	manifest  weights.Manifest
	precision string
	tokenizer *text.Tokenizer
	clip      *text.CLIP
	flux      *dit.Flux
	vae       *vae.Tiny

	encoder    *encoder
	modulation *modulation
	canvases   []*canvas // by use, the latest last
	short      bool      // of memory: see economize

	working sync.Mutex
	closed  atomic.Bool
}

// Generate makes a picture. onStep, if not nil, is called on the same goroutine
// after every step. A cancelled ctx ends the work before the next submit
// (fault.Aborted). Where the machine has no memory for it, everything kept for
// later pictures is given up and the picture begun again, from step 1, in the
// least memory; the fault is OutOfMemory only if that is not enough.
func (e *Engine) Generate(ctx context.Context, req Request, onStep func(StepEvent)) (*Result, error) {
	release, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	if err := req.check(e.manifest, e.flux.Blocks()); err != nil {
		return nil, err
	}
	r, err := e.generate(ctx, req, onStep)
	if fault.Is(err, fault.OutOfMemory) && ctx.Err() == nil {
		e.economize()
		r, err = e.generate(ctx, req, onStep)
	}
	if err != nil {
		return nil, explain(ctx, err)
	}
	return r, nil
}

// economize gives up what only saves time: other sizes, the states of other
// prompts, the modulation. From then on one size is kept, and pictures are decoded
// in strips.
func (e *Engine) economize() {
	e.short = true
	for _, c := range e.canvases {
		c.free()
	}
	e.canvases = nil
	if e.modulation != nil {
		e.modulation.free()
		e.modulation = nil
	}
	e.encoder.release()
}

func (e *Engine) generate(ctx context.Context, req Request, onStep func(StepEvent)) (*Result, error) {
	r := &Result{Seed: req.Seed, Parameters: e.parameters(req)}
	begin := time.Now()
	lap := begin
	part := func(ms *float64) { *ms, lap = milliseconds(lap), time.Now() }

	// Encode: token states for attention, and ψ of the pooled vector.
	prompts := []string{req.Prompt}
	scale := req.CFG
	if e.flux.GuidanceEmbed {
		scale = 1 // the scale is an input of the network, not a second pass
	}
	if scale != 1 {
		prompts = append(prompts, "") // the unconditional branch is the empty prompt
	}
	branches, notices, err := e.encoder.encode(ctx, prompts, true)
	if err != nil {
		return nil, err
	}
	r.Notices = notices
	sigmas := sample.Sigmas(req.Steps, e.manifest.Defaults.Shift)
	tau, err := e.encoder.times(ctx, sigmas[:req.Steps], req.CFG)
	if err != nil {
		return nil, err
	}
	part(&r.Timings.TextMs)

	// Guide: one vector per block, step and branch, on the CPU.
	dirs, err := e.directions(ctx, req.Guidance, branches[0].psi, r)
	if err != nil {
		return nil, err
	}
	y := make([]float32, 0, req.Steps*len(branches)*e.flux.Hidden)
	for k := range req.Steps {
		for _, b := range branches {
			for i, psi := range b.psi {
				y = append(y, tau[k*e.flux.Hidden+i]+psi)
			}
		}
	}
	rows := req.Steps * len(branches)
	yhat := make([]float32, rows*(e.flux.Blocks()+1)*e.flux.Hidden)
	if err := guidance.Blend(yhat, y, rows, e.flux.Hidden, e.flux.Blocks(), dirs); err != nil {
		return nil, fault.Wrap(err, fault.GuidanceInvalid, "the directions cannot be blended")
	}
	part(&r.Timings.GuidanceMs)

	// Denoise: noise from the seed, then Euler steps along the velocity.
	c, err := e.canvas(ctx, req.Size)
	if err != nil {
		return nil, err
	}
	step, err := c.step(ctx, float32(scale))
	if err != nil {
		return nil, err
	}
	if err := c.begin(ctx, req.Seed, sigmas); err != nil {
		return nil, err
	}
	mod, err := e.modulate(ctx, rows, len(branches))
	if err != nil {
		return nil, err
	}
	part(&r.Timings.PrepareMs)
	look, err := c.look(ctx, req, sigmas, branches, y, yhat)
	if err != nil {
		return nil, err
	}
	latent, err := c.denoise(ctx, step, mod, yhat, branches, req, look, onStep, &r.Timings)
	if err != nil {
		return nil, err
	}
	r.Latent = c.pixels(latent)
	lap = time.Now()
	r.Dispatches = step.Stats().Dispatches

	// Decode.
	if r.Image, err = c.decode(ctx); err != nil {
		return nil, err
	}
	part(&r.Timings.DecodeMs)
	if look != nil {
		if err := look.end(ctx, r); err != nil {
			return nil, err
		}
	}
	r.Timings.TotalMs = milliseconds(begin)
	return r, nil
}

// directions turns the request's terms into what guidance.Blend adds, with ψ of
// both prompts of every term from the cache or computed in one go. Read-outs
// against psi, the prompt's own vector, go into r.
func (e *Engine) directions(ctx context.Context, terms []Term, psi []float32, r *Result) ([]guidance.Direction, error) {
	var prompts []string
	for _, t := range terms {
		prompts = append(prompts, t.Positive, t.Negative)
	}
	ends, notices, err := e.encoder.encode(ctx, prompts, false)
	if err != nil {
		return nil, err
	}
	r.Notices = append(r.Notices, notices...)
	var dirs []guidance.Direction
	for i, t := range terms {
		weights, err := t.weights(e.flux.Blocks())
		if err != nil {
			return nil, err
		}
		delta := guidance.Delta(ends[2*i].psi, ends[2*i+1].psi)
		dirs = append(dirs, guidance.Direction{Delta: delta, Weights: weights, Head: float32(t.Head)})
		r.Geometry = append(r.Geometry, Geometry{Geometry: guidance.ReadOut(psi, delta), Weights: weights})
	}
	return dirs, nil
}

// begin takes the engine for one piece of work.
func (e *Engine) begin() (release func(), err error) {
	if e.closed.Load() {
		return nil, fault.New(fault.Closed, "the model was closed")
	}
	if !e.working.TryLock() {
		return nil, fault.New(fault.Busy, "a picture is already being made")
	}
	if e.closed.Load() { // closed between the two questions
		e.working.Unlock()
		return nil, fault.New(fault.Closed, "the model was closed")
	}
	return e.working.Unlock, nil
}

// Close frees everything and closes the backend, waiting for a picture that is
// being made (cancel its context first).
func (e *Engine) Close() {
	if e.closed.Swap(true) {
		return
	}
	e.working.Lock()
	defer e.working.Unlock()
	e.be.Close()
}

// explain makes an abort of whatever a cancelled context caused.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil && !fault.Is(err, fault.Aborted) {
		return fault.Wrap(ctx.Err(), fault.Aborted, "stopped")
	}
	return err
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Nanoseconds()) / 1e6 }
