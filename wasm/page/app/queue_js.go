package app

import (
	"math/rand/v2"
	"slices"
	"syscall/js"

	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Job is a picture that somebody asked for.
type Job struct {
	Recipe Recipe
	Why    Purpose
	Aside  bool           // nobody waits for it: pictures may follow the controls meanwhile
	Quiet  bool           // nobody looks at steps: quick ones are then not waited for
	More   map[string]any // further fields of the API's request
	// Done is called exactly once, within an update: with the picture, or with nil
	// when it was stopped, failed or is no longer wanted.
	Done func(s *State, p *Picture)
}

// Enqueue makes pictures, one after the other, behind those that wait already.
// Without a model, or the picture to edit, it says so and reports false; done is not called then.
func (a *App) Enqueue(jobs ...Job) bool {
	if a.State.Phase != Ready && a.State.Phase != Generating {
		if a.State.Phase == Waiting && !a.wake() {
			a.Update(func(s *State) { s.Note = words.Text.LoadFirst })
		}
		return false
	}
	if len(jobs) > 0 && jobs[0].Recipe.Missing() {
		a.Update(func(s *State) { s.Note = words.Text.ReferenceMissing })
		return false
	}
	a.queue = append(a.queue, jobs...)
	if a.State.Phase == Ready {
		go a.work(a.begin(Generating))
	}
	return true
}

// Drop takes jobs of a purpose out of the queue.
func (a *App) Drop(why Purpose) {
	a.Update(func(s *State) {
		a.queue = slices.DeleteFunc(a.queue, func(j Job) bool {
			if j.Why == why {
				j.Done(s, nil)
			}
			return j.Why == why
		})
	})
}

// work makes what is in the queue until it is empty, stopped, or something fails.
func (a *App) work(signal js.Value) {
	var failed error
	for len(a.queue) > 0 && failed == nil {
		j := a.queue[0]
		a.queue = a.queue[1:]
		one, skip := AbortSignal()
		if a.skip = skip; Aborted(signal) {
			skip()
		}
		p, err := a.make(one, j)
		skipped := err != nil && Aborted(one) && !Aborted(signal)
		a.Update(func(s *State) {
			if err == nil {
				s.Live.Measured(p.Timings)
				s.Loaded = a.api.info() // another adapter, when the device had to be opened again
			}
			before := s.Picture
			if j.Done(s, p); s.Picture != before {
				s.Remark = "" // it was of another
			}
		})
		if !skipped {
			failed = err
		}
	}
	if !a.Keeps {
		a.giveTurn()
	}
	a.end(func(s *State) {
		rest := a.queue
		a.queue = nil
		why := s.Running.Why
		s.Running = Running{}
		s.Phase = Ready
		for _, j := range rest {
			j.Done(s, nil)
		}
		switch {
		case failed != nil:
			s.Problem = ProblemOf(failed)
			if s.Problem == nil {
				s.Note = words.Text.Stopped
			} else if s.Problem.Ended() {
				s.Phase = Waiting
				a.giveTurn()
			}
		case s.Note == "" && why != ForLive:
			s.Note = words.Text.Done
		}
	})
	due := a.due && failed == nil
	if a.due = false; due {
		a.follow(true, true)
	}
}

// make makes one picture.
func (a *App) make(signal js.Value, j Job) (*Picture, error) {
	a.Update(func(s *State) {
		s.Running = Running{Why: j.Why, Recipe: j.Recipe, Aside: j.Aside, Steps: int(j.Recipe.Steps)}
	})
	var previews []any
	onStep := func(step, steps int, preview js.Value) {
		a.Update(func(s *State) {
			if step == 1 {
				previews = nil // the GPU was lost, and the picture begun again
			}
			s.Running.Step, s.Running.Steps = step, steps
			if preview.Truthy() {
				s.Running.Preview = preview
				previews = append(previews, preview)
			} else {
				previews = append(previews, nil)
			}
		})
	}
	if j.Quiet {
		onStep = nil
	}
	if err := a.turnToDraw(signal); err != nil {
		return nil, err
	}
	p, err := a.api.generate(signal, j.Recipe, j.More, onStep)
	if err != nil {
		return nil, err
	}
	o := a.State.Offers[a.State.Offer]
	p.Previews, p.Own, p.Address = previews, o.Own(), o.Address
	return p, nil
}

// Generate makes what the form describes: one picture, or several of which each
// has a seed of its own.
func (a *App) Generate() {
	s := &a.State
	if s.Working() && s.Running.Why != ForLive {
		return
	}
	if s.Phase != Ready && s.Phase != Generating {
		a.Enqueue() // says that a model is needed
		return
	}
	f := &s.Form
	if !f.Locked && s.Picture != nil {
		f.Seed = float64(rand.Uint32())
	}
	first := f.Made()
	if first.Missing() {
		ui.ByID("edit-choose").Focus() // Enqueue says why
	}
	again := s.Picture != nil && s.Picture.Recipe.Same(first) && f.Each == 1
	var made []*Picture
	jobs := make([]Job, f.Each)
	for i := range jobs {
		r := first
		r.Seed = float64(uint32(r.Seed) + uint32(i))
		if i == 0 {
			r.Seed = first.Seed // whatever was typed
		}
		jobs[i] = Job{Recipe: r, Why: ForPicture, Done: func(s *State, p *Picture) {
			if p == nil {
				return
			}
			made = append(made, p)
			s.Picture, s.Pictures = made[0], slices.Clone(made)
			if first.Returns() {
				s.Note = words.Text.EditNone
			} else if again {
				s.Note = words.Text.SamePicture
			}
		}}
	}
	a.Drop(ForLive)
	if s.Running.Why == ForLive && !s.Live.Smooth() {
		a.skip() // what is wanted now need not wait for it
	}
	if a.Enqueue(jobs...) {
		for _, f := range a.OnMake {
			f()
		}
	}
}

// Edit changes the form, and lets the picture follow as fast as the device is:
// moving says that more changes of the same kind are on their way.
func (a *App) Edit(still bool, change func(f *Form)) {
	a.Update(func(s *State) { change(&s.Form) })
	a.Follow(still)
}

// Press changes the form by a control of guidance whose press asks for a picture by
// itself, whether pictures follow the other controls or not.
func (a *App) Press(change func(f *Form)) {
	a.Update(func(s *State) { change(&s.Form) })
	a.follow(true, true)
}

// Follow makes the picture of the form as it is now, if pictures follow the
// controls. The latest wins: of what waits, nothing is kept, and a slow picture
// that is being made for an older form is given up.
func (a *App) Follow(still bool) { a.follow(still, false) }

// follow is Follow; with asked, the picture is made whether pictures follow or not.
func (a *App) follow(still, asked bool) {
	s := &a.State
	if s.Phase == Generating && s.Running.Why != ForLive && !s.Running.Aside {
		// This run is not given up for it: the form that it leaves is made afterwards.
		a.due = a.due || asked || s.Live.Mode != LiveOff
		return
	}
	pace := s.Live.Pace()
	if asked {
		pace = max(pace, Release)
	}
	if s.Picture == nil && !asked || pace == Never || pace == Release && !still {
		return
	}
	r := s.Form.Made()
	if s.Phase < Ready {
		if r.Finite() && (s.Picture == nil || !s.Picture.Recipe.Same(r)) {
			a.wake()
		}
		return
	}
	a.Drop(ForLive)
	switch current := s.Running.Why == ForLive; {
	case !r.Finite() || current && s.Running.Recipe.Same(r):
		return
	case !current && s.Picture != nil && s.Picture.Recipe.Same(r):
		return
	case current && pace == Release:
		a.skip()
	}
	a.Enqueue(Job{Recipe: r, Why: ForLive, Quiet: s.Live.Smooth(), Done: func(s *State, p *Picture) {
		if p != nil {
			s.Show(p)
		}
	}})
}
