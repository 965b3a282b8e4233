package engine

import (
	"context"

	"undertone/engine/fault"
)

// unwatchedMs is how long the steps of a picture may be left to themselves: an
// abort cannot take back what is submitted.
const unwatchedMs = 150

// denoise runs every step and keeps the latent [S, in]. Each step is waited for,
// unless nobody listens to steps and all of them together are known to be quick:
// then they are submitted at once, which saves a round trip to the GPU for each.
// Waiting for a step is reading its latent, which is small, so that numbers out of
// range are met in the step that made them (fault.NotFinite).
func (r *run) denoise(ctx context.Context) (err error) {
	p, steps, t := r.pipeline, r.req.Steps, &r.result.Timings
	quick := r.onStep == nil && r.probe == nil && p.stepMs > 0 && p.stepMs*float64(steps) <= unwatchedMs
	var encodeMs float64
	watch := newStopwatch()
	for k := range steps {
		ran, err := r.modulation.fill(ctx, r.yhat, k)
		if err != nil {
			return err
		}
		if ran && !quick {
			if err := r.e.be.Sync(ctx); err != nil {
				return err
			}
			watch.add(&t.ModulationMs)
		}
		if p.fresh != nil {
			if err := p.fresh.draw(p, k); err != nil {
				return err
			}
		}
		copies := p.stepCopies(k, r.branches, r.modulation)
		if r.probe != nil {
			if err := r.probe.step(ctx, copies, r.modulation.row(k, 0)); err != nil {
				return err
			}
			watch.skip()
		}
		if err := r.step.Run(ctx, copies...); err != nil {
			return err
		}
		encodeMs += milliseconds(r.step.EncodeTime())
		if quick && k < steps-1 {
			continue
		}
		if r.latent, err = r.e.be.Read(ctx, p.latent); err != nil {
			return err
		}
		t.StepsMs = append(t.StepsMs, 0)
		watch.add(&t.StepsMs[len(t.StepsMs)-1])
		if bad := notFinite(r.latent); bad > 0 {
			return fault.New(fault.NotFinite, "after step %d of %d, %d of the latent's %d values are not numbers", k+1, steps, bad, len(r.latent))
		}
		if err := r.tell(ctx, k); err != nil {
			return err
		}
		watch.skip() // what a listener does is not the step's time
	}
	t.EncodeMsPerStep = encodeMs / float64(steps)
	p.stepMs = 0
	for _, ms := range t.StepsMs {
		p.stepMs += ms / float64(steps)
	}
	r.result.Latent, r.result.Dispatches = p.pixels(r.latent), r.step.Stats().Dispatches
	return nil
}

// tell tells whoever listens that step k is done.
func (r *run) tell(ctx context.Context, k int) (err error) {
	if r.onStep == nil {
		return nil
	}
	event := StepEvent{Step: k + 1, Steps: r.req.Steps}
	if r.req.Preview {
		if event.Preview, err = r.pipeline.drawPreview(ctx, k); err != nil {
			return err
		}
	}
	r.onStep(event)
	return nil
}
