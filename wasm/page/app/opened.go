package app

import (
	"slices"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

// opened notes where what was just loaded is kept, if it is, and takes it for what was opened
// before of the same files.
func (s *State) opened(got Loaded) {
	if s.Note == "" {
		s.Note = words.Text.Ready
	}
	o := s.Offers[s.Offer]
	if got.Address != "" && got.Storage == "" {
		o.Address, o.Files = got.Address, nil
	}
	all := slices.DeleteFunc(slices.Clone(s.Offers), func(x Offer) bool {
		return x.Model == o.Model || !o.Given() && !x.Given() && x.Address == o.Address ||
			x.Given() && x.Name == o.Name && (x.Adapter == nil || x.Address == o.Address)
	})
	s.Offers, s.Offer = append(all, o), len(all)
}

// Beside is the chosen model where an adapter may be put beside it: one with a model.json.
func (s *State) Beside() (o Offer, ok bool) {
	if s.Model == nil {
		return o, false
	}
	o = s.Offers[s.Offer]
	return o, o.Files == nil && !Stored(o.Address)
}

// back chooses what was chosen before a model that could not be loaded. What was typed
// meanwhile stays, as does what is kept by now.
func (s *State) back(o Offer, former *State) {
	f := former.Form
	f.Prompt, f.Seed = s.Form.Prompt, s.Form.Seed
	s.Form, s.Model = f, former.Model
	s.Offers = slices.DeleteFunc(slices.Clone(s.Offers), func(x Offer) bool { return x.Model == o.Model })
	s.Offer = max(0, slices.IndexFunc(s.Offers, func(x Offer) bool { return x.Model == former.Model }))
}

// Choose takes another of the offered models for the next loading.
func (s *State) Choose(i int) { s.Offer, s.Model = i, s.Offers[i].Model }

// turn chooses one of the models. Between those of the site, which know the same words, the
// form stays as it is, but for a picture that the new one cannot edit.
func (s *State) turn(i int) {
	own := s.Model == nil || i != s.Offer && (s.Offers[i].Own() || s.Offers[s.Offer].Own())
	if s.Choose(i); own {
		s.Form = s.Form.For(s.Model)
	}
	if s.Form.knows(s.Model); s.Model.Edits == nil && s.Form.Reference != nil {
		s.Form.EndEdit()
	}
}

// Return chooses the site's model at an address again, where it is still offered.
func (s *State) Return(address string) {
	if i := slices.IndexFunc(s.Offers, func(o Offer) bool { return o.Address == address && !o.Own() }); i >= 0 {
		s.turn(i)
	}
}

// Editor is the model that pictures are edited with: the chosen one, or else the first of
// the site that edits; -1 where none does.
func (s *State) Editor() int {
	edits := func(o Offer) bool { return o.Model != nil && o.Model.Edits != nil }
	if len(s.Offers) > 0 && edits(s.Offers[s.Offer]) {
		return s.Offer
	}
	return slices.IndexFunc(s.Offers, func(o Offer) bool { return edits(o) && !o.Own() })
}

// Limits are the chosen model's, with pictures to edit where another of the site's edits.
func (s *State) Limits() recipe.Limits {
	l := s.Model.Limits()
	l.Edits = s.Editor() >= 0
	return l
}

// Kept takes over which published files this browser keeps.
func (s *State) Kept(list []Offer) {
	all := slices.DeleteFunc(slices.Clone(s.Offers), func(o Offer) bool {
		gone := o.Files == nil && Stored(o.Address) && !slices.ContainsFunc(list, func(x Offer) bool { return x.Address == o.Address })
		return gone && (s.Model == nil || o.Address != s.Offers[s.Offer].Address) // what is chosen can be used until another is
	})
	for _, o := range list {
		if !slices.ContainsFunc(all, func(x Offer) bool { return x.Address == o.Address }) {
			all = append(all, o)
		}
	}
	if s.Model != nil {
		chosen := s.Offers[s.Offer]
		s.Offer = slices.IndexFunc(all, func(o Offer) bool { return o.Model == chosen.Model })
	}
	s.Offers = all
}
