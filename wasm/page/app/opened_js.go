package app

import (
	"fmt"
	"slices"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

// Identify asks the engine what published files are, of their headers alone, or what an
// adapter makes of a model. The model is nil where a network is missing. It waits.
func (a *App) Identify(signal js.Value, o Offer) (found recipe.Published, m *Model, err error) {
	v, err := a.Call("describe", o.source(), o.options("signal", signal))
	if err != nil {
		return found, nil, err
	}
	if err := Decode(v.Get("found"), &found); err != nil || v.Get("model").Type() != js.TypeString {
		return found, nil, err
	}
	var d recipe.Description
	if err := Decode(v, &d); err != nil {
		return found, nil, err
	}
	m, err = NewModel(d)
	return found, m, err
}

// Open loads published files, whose model is known, and offers them beside the other models:
// for good if they are kept in this browser, else for this visit. Where they are not loaded,
// the model that was chosen before is chosen again; then hears how it ended.
func (a *App) Open(o Offer, keep bool, device string, then func(loaded bool)) {
	if !a.idle() {
		return
	}
	former := a.State
	signal := a.begin(Loading)
	a.Update(func(s *State) {
		s.Offers = append(slices.Clone(s.Offers), o)
		s.turn(len(s.Offers) - 1)
		s.Shared = false
	})
	go func() {
		got, err := a.loadOffer(signal, o, device, keep, func(s *State) { s.back(o, &former) })
		a.Update(func(s *State) {
			switch {
			case err == nil:
				s.opened(got)
			case s.Problem == nil && keep:
				s.Note = words.Join(words.Text.OpenStopped, words.Text.OpenStoppedKept)
			case s.Problem == nil:
				s.Note = words.Text.OpenStopped
			}
			then(err == nil)
		})
	}()
}

// Pick chooses one of the models, and loads it if it is to. Of files that are kept, the
// engine reads first what they are.
func (a *App) Pick(i int, load bool) {
	if !a.idle() {
		return
	}
	device := "auto"
	if s := &a.State; s.Loaded.Named() || s.Device.Known && !s.Device.WebGPU {
		device = "cpu"
	}
	o := a.State.Offers[i]
	if o.Model != nil {
		a.Update(func(s *State) { s.turn(i) })
		if load {
			a.Load(device)
		}
		return
	}
	was := a.State.Phase
	signal := a.begin(Loading)
	a.Update(func(s *State) { s.Load = Progress{Stage: "describe"} })
	go func() {
		_, m, err := a.Identify(signal, o)
		a.end(func(s *State) {
			s.Phase = was
			i := slices.IndexFunc(s.Offers, func(x Offer) bool { return x.Address == o.Address })
			switch {
			case err != nil:
				s.Problem = ProblemOf(err)
			case i >= 0 && m != nil:
				s.Offers[i].Model = m
				s.turn(i)
			default:
				load = false
			}
		})
		if err == nil && load {
			a.Load(device)
		}
	}()
}

// Save writes the loaded model, one of a person's own, into a folder that was chosen.
func (a *App) Save(folder js.Value) {
	if a.State.Phase != Ready {
		return
	}
	signal := a.begin(Loading)
	a.Update(func(s *State) { s.Load = Progress{Stage: "save"} })
	go func() {
		n, err := a.api.save(signal, folder, func(p Progress) {
			a.Update(func(s *State) { s.Load = p })
		})
		a.end(func(s *State) {
			s.Phase = Ready
			switch {
			case err == nil:
				s.Note = fmt.Sprintf(words.Text.ModelSaved, folder.Get("name").String(), words.Bytes(n))
			default:
				if s.Problem = ProblemOf(err); s.Problem == nil {
					s.Note = words.Text.Stopped
				}
			}
		})
	}()
}
