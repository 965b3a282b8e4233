package app

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"syscall/js"
	"time"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// ReadModels reads the description of every model, which are small, so that the page
// can say what a press of Load would download. addresses are of their model.json,
// separated by spaces; the first is what the page proposes. It waits.
func (a *App) ReadModels(addresses string) {
	var list []Offer
	var failed error
	for i, address := range strings.Fields(addresses) {
		m, err := a.describe(address)
		if err != nil {
			if i == 0 {
				failed = err
			}
			continue
		}
		list = append(list, Offer{Address: address, Model: m})
	}
	a.Update(func(s *State) {
		if len(list) == 0 {
			s.Problem = &Problem{Code: string(fault.ManifestInvalid), Message: words.Text.ModelMissing, Advice: words.Text.ReloadPage, Reason: failed.Error(), Translated: true}
			return
		}
		own := slices.DeleteFunc(s.Offers, func(o Offer) bool { return !o.Own() })
		if s.Offers = append(list, own...); s.Model != nil { // one of these was opened meanwhile
			s.Offer += len(list)
			return
		}
		s.Choose(0)
		typed := s.Form.Prompt
		if s.Form = NewForm(s.Model); typed != "" {
			s.Form.Prompt = typed
		}
	})
}

// describe finds out what a model offers: from the description beside its model.json,
// or, where there is none, from the engine.
func (a *App) describe(address string) (*Model, error) {
	beside := js.Global().Get("URL").New(recipe.DescriptionName, absolute(address))
	response, err := promise.Of(js.Global().Call("fetch", beside))
	if err != nil {
		return nil, err
	}
	if response.Get("ok").Bool() {
		text, err := promise.Of(response.Call("text"))
		if err != nil {
			return nil, err
		}
		text = js.Global().Get("undertone").Call("own", text)
		if d, err := recipe.ParseDescription([]byte(text.String())); err == nil {
			return NewModel(d)
		}
	}
	v, err := a.Call("describe", address)
	if err != nil {
		if p := ProblemOf(err); p != nil {
			err = errors.New(p.Message)
		}
		return nil, err
	}
	var d recipe.Description
	if err := Decode(v, &d); err != nil {
		return nil, err
	}
	return NewModel(d)
}

// absolute is an address of the page in full.
func absolute(address string) string {
	return js.Global().Get("URL").New(address, ui.Document.Get("baseURI")).Get("href").String()
}

// Address is that of the chosen model's model.json, in full, or of the files that are kept;
// "" while none is known, and of files that are not.
func (s *State) Address() string {
	if len(s.Offers) == 0 || s.Offers[s.Offer].Address == "" {
		return ""
	}
	return absolute(s.Offers[s.Offer].Address)
}

// Start loads the model on the named device ("auto" or "cpu"), and draws what the form
// describes, where that is not shown yet.
func (a *App) Start(device string) { a.load(device, true) }

// Load loads the model alone: in another precision, say.
func (a *App) Load(device string) { a.load(device, false) }

func (a *App) load(device string, draw bool) {
	if !a.idle() || a.State.Model == nil {
		return
	}
	signal := a.begin(Loading)
	o := a.State.Offers[a.State.Offer]
	go func() {
		got, err := a.loadOffer(signal, o, device, !o.Own() || o.Files == nil, func(*State) {})
		a.Update(func(s *State) {
			s.Shared = false
			r := s.Form.Made()
			switch {
			case err != nil:
			case draw && !o.Own() && !r.Missing() && !r.Returns() && (s.Picture == nil || s.Undrawn()):
				a.Generate()
				s.Note = storageNote(got.Storage) // which what is drawn now does not take away
			default:
				s.Note = cmp.Or(s.Note, words.Text.Ready)
			}
		})
	}()
}

// idle reports whether a model could be loaded.
func (a *App) idle() bool { return a.State.Phase == Waiting || a.State.Phase == Ready }

// loadOffer loads one of the models, in the phase Loading, which it ends; failed then says
// what else is no longer so, where it was not loaded.
func (a *App) loadOffer(signal js.Value, o Offer, device string, keep bool, failed func(s *State)) (Loaded, error) {
	a.Update(func(s *State) { s.Load = Progress{Total: o.Model.Bytes, Device: device} })
	got, err := a.loadInTurn(signal, o, device, keep, func(p Progress) {
		a.Update(func(s *State) {
			p.Meter, p.Device = s.Load.Meter, device
			if p.Stage != "download" {
				p.Done, p.Total = s.Load.Done, s.Load.Total
			} else {
				p.Meter.Add(time.Now(), p.Done-p.Stored)
			}
			s.Load = p
		})
	})
	for _, f := range a.OnLoad {
		f()
	}
	a.end(func(s *State) {
		if err != nil {
			if s.Phase, s.Problem = Waiting, ProblemOf(err); s.Problem != nil {
				s.Problem.OfSite = !o.Own() // the site's models are for its owner to mend
			}
			failed(s)
			return
		}
		s.Phase, s.Loaded, s.Resting = Ready, got, false
		s.Live.Recent = nil                               // measured anew
		s.Note = cmp.Or(storageNote(got.Storage), s.Note) // of a link, say, that came meanwhile
	})
	return got, err
}

// storageNote is what a person should know about the storing of what was just loaded.
func storageNote(code string) string {
	switch {
	case code == "":
		return ""
	case strings.HasPrefix(code, "storage-"):
		return words.Text.NotKept
	}
	return words.Text.OlderModel
}
