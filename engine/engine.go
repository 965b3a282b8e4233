package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// Engine is one model on one machine. Its methods may be called from any
// goroutine; it makes one picture at a time (fault.Busy).
type Engine struct {
	be        op.Backend
	residency *residency // which is be
	manifest  weights.Manifest
	precision string // of the transformer's weights

	conditioner *conditioner
	transformer Transformer
	decoder     Decoder
	encoder     Encoder // nil until the first reference picture
	options     LoadOptions

	modulation *modulation
	pipelines  []*pipeline // by use, the latest last
	lowMemory  bool        // see economize
	sees       *sees       // nil until the judge is asked

	working sync.Mutex
	closed  atomic.Bool
}

// Generate makes a picture. onStep, if not nil, is called on the same goroutine
// after every step. A cancelled ctx ends the work before the next submit
// (fault.Aborted). Where the machine has no memory for it, everything kept for
// later pictures is given up and the picture begun again, from step 1, in the
// least memory; if that is not enough, then with no more weights on the machine than
// what runs needs, the others coming back from the bundle. The fault is OutOfMemory
// only if that is not enough either.
func (e *Engine) Generate(ctx context.Context, req Request, onStep func(StepEvent)) (*Result, error) {
	release, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	if err := req.Check(e.limits()); err != nil {
		return nil, err
	}
	r, err := e.generate(ctx, req, onStep)
	for _, save := range []func(){e.economize, e.scarce} {
		if fault.Is(err, fault.OutOfMemory) && ctx.Err() == nil {
			save()
			r, err = e.generate(ctx, req, onStep)
		}
	}
	if err != nil {
		return nil, explain(ctx, err)
	}
	return r, nil
}

// generate is the whole story of one picture. Without an instruction, an edit is the
// reference itself, or what directions alone make of it.
func (e *Engine) generate(ctx context.Context, req Request, onStep func(StepEvent)) (*Result, error) {
	if req.Reference != nil && strings.TrimSpace(req.Prompt) == "" {
		acts := slices.ContainsFunc(req.Guidance, func(t recipe.Term) bool { return t.Weight != 0 || t.Head != 0 })
		keep := e.manifest.Understands.Keep
		if keep == "" || !acts {
			return e.unchanged(req), nil
		}
		req.Prompt = keep
	}
	r := e.newRun(req, onStep)
	return r.result, r.each(ctx,
		r.encode,  // words and times → contexts, ψ and τ
		r.guide,   // y = τ + ψ, and ŷ = y + Σ w·δ for every block and step, on the CPU
		r.prepare, // noise from the seed; programs and tensors; the latent of a reference picture
		r.denoise, // Euler steps along the velocity
		r.decode,  // latent → pixels
	)
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
