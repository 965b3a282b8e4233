package page

import (
	"context"
	"math/rand/v2"
	"slices"
	"syscall/js"
)

// job is a picture that somebody asked for.
type job struct {
	recipe recipe
	why    purpose
	quiet  bool           // nobody looks at steps: quick ones are then not waited for
	more   map[string]any // further fields of the API's request
	// done is called exactly once, within an update: with the picture, or with nil
	// when it was stopped, failed or is no longer wanted.
	done func(s *state, p *picture)
}

// enqueue makes pictures, one after the other, behind those that wait already.
// Without a model it says so and reports false; done is not called then.
func (a *app) enqueue(jobs ...job) bool {
	if a.state.phase != ready && a.state.phase != generating {
		if a.state.phase == waiting {
			a.update(func(s *state) { s.note = say.LoadFirst })
		}
		return false
	}
	a.queue = append(a.queue, jobs...)
	a.update(func(s *state) { s.left = len(a.queue) })
	if a.state.phase == ready {
		ctx := a.begin(generating)
		go a.work(ctx)
	}
	return true
}

// drop takes jobs of a purpose out of the queue.
func (a *app) drop(why purpose) {
	a.update(func(s *state) {
		a.queue = slices.DeleteFunc(a.queue, func(j job) bool {
			if j.why == why {
				j.done(s, nil)
			}
			return j.why == why
		})
		s.left = len(a.queue)
	})
}

// work makes what is in the queue until it is empty, stopped, or something fails.
func (a *app) work(ctx context.Context) {
	var failed error
	for len(a.queue) > 0 && failed == nil {
		j := a.queue[0]
		a.queue = a.queue[1:]
		one, skip := context.WithCancel(ctx)
		a.skip = skip
		p, err := a.make(one, j)
		skipped := err != nil && one.Err() != nil && ctx.Err() == nil
		skip()
		a.update(func(s *state) {
			if err == nil {
				s.live.measured(p.timings)
				s.info = a.api.info() // another adapter, when the device had to be opened again
			}
			j.done(s, p)
		})
		if !skipped {
			failed = err
		}
	}
	a.end(func(s *state) {
		rest := a.queue
		a.queue, s.left = nil, 0
		why := s.running.why
		s.running = running{}
		s.phase = ready
		for _, j := range rest {
			j.done(s, nil)
		}
		switch {
		case failed != nil:
			s.problem = problemOf(failed)
			if s.problem == nil {
				s.note = say.Stopped
			} else if s.problem.ended() {
				s.phase = waiting
			}
		case s.note == "" && why != forLive:
			s.note = say.Done
		}
	})
}

// make makes one picture.
func (a *app) make(ctx context.Context, j job) (*picture, error) {
	a.update(func(s *state) {
		s.left = len(a.queue)
		s.running = running{why: j.why, recipe: j.recipe, steps: int(j.recipe.steps)}
	})
	var previews []any
	onStep := func(step, steps int, preview js.Value) {
		a.update(func(s *state) {
			if step == 1 {
				previews = nil // the GPU was lost, and the picture begun again
			}
			s.running.step, s.running.steps = step, steps
			if preview.Truthy() {
				s.running.preview = preview
				previews = append(previews, preview)
			} else {
				previews = append(previews, nil)
			}
		})
	}
	if j.quiet {
		onStep = nil
	}
	p, err := a.api.generate(ctx, j.recipe, j.more, onStep)
	if err != nil {
		return nil, err
	}
	p.previews = previews
	return p, nil
}

// generate makes what the form describes: one picture, or several of which each
// has a seed of its own.
func (a *app) generate() {
	s := &a.state
	if s.working() && s.running.why != forLive {
		return
	}
	if s.phase != ready && s.phase != generating {
		a.enqueue() // says that a model is needed
		return
	}
	f := &s.form
	if !f.locked && s.picture != nil {
		f.seed = float64(rand.Uint32())
	}
	first := f.made()
	again := s.picture != nil && s.picture.recipe.same(first) && f.each == 1
	var made []*picture
	jobs := make([]job, f.each)
	for i := range jobs {
		r := first
		r.seed = float64(uint32(r.seed) + uint32(i))
		if i == 0 {
			r.seed = first.seed // whatever was typed
		}
		jobs[i] = job{recipe: r, why: forPicture, done: func(s *state, p *picture) {
			if p == nil {
				return
			}
			made = append(made, p)
			s.picture, s.pictures = made[0], slices.Clone(made)
			if again {
				s.note = say.SamePicture
			}
		}}
	}
	a.drop(forLive)
	if a.enqueue(jobs...) {
		if s.pane != "compare" {
			a.update(func(s *state) { s.pane = "picture" })
		}
		byID("frames").Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
}

// edit changes the form, and lets the picture follow as fast as the device is:
// moving says that more changes of the same kind are on their way.
func (a *app) edit(still bool, change func(f *form)) {
	a.update(func(s *state) { change(&s.form) })
	a.follow(still)
}

// follow makes the picture of the form as it is now, if pictures follow the
// controls. The latest wins: of what waits, nothing is kept, and a slow picture
// that is being made for an older form is given up.
func (a *app) follow(still bool) {
	s := &a.state
	pace := s.live.pace()
	free := s.phase == ready || s.running.why == forLive || s.running.why == forCompare
	if s.picture == nil || pace == never || pace == release && !still || !free {
		return
	}
	r := s.form.made()
	a.drop(forLive)
	switch current := s.running.why == forLive; {
	case !r.finite() || current && s.running.recipe.same(r):
		return
	case !current && s.picture.recipe.same(r):
		return
	case current && pace == release:
		a.skip()
	}
	a.enqueue(job{recipe: r, why: forLive, quiet: s.live.smooth(), done: func(s *state, p *picture) {
		if p != nil {
			s.picture, s.pictures = p, []*picture{p}
		}
	}})
}
