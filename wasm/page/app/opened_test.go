package app

import (
	"slices"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

func modelOf(name string, size int) *Model {
	q := recipe.Square(size)
	return &Model{Description: recipe.Description{Model: name, Sizes: []recipe.Size{q}, Defaults: recipe.Defaults{Size: q, Steps: 3}}}
}

// addresses are those of the models that are offered, with a star before the chosen one.
func addresses(s *State) (list []string) {
	for i, o := range s.Offers {
		text := o.Address
		if o.Files != nil {
			text = "files " + o.Name
		}
		if i == s.Offer {
			text = "*" + text
		}
		list = append(list, text)
	}
	return list
}

// TestOpened follows the list of models through what can be done with a person's own.
func TestOpened(t *testing.T) {
	words.Use(words.Languages[0])
	large, small, own := modelOf("a", 256), modelOf("a-q4", 256), modelOf("own", 1024)
	s := &State{Offers: []Offer{{Address: "a.json", Model: large}, {Address: "b.json", Model: small}}}
	s.Choose(0)
	s.Form = NewForm(large)
	s.Form.Prompt, s.Form.Seed, s.Form.Steps = "a frog", 7, 9
	is := func(what string, list ...string) {
		t.Helper()
		if got := addresses(s); !slices.Equal(got, list) || s.Model != s.Offers[s.Offer].Model {
			t.Errorf("%s: %q, wanted %q", what, got, list)
		}
	}

	s.turn(1)
	is("another precision", "a.json", "*b.json")
	if s.Form.Steps != 9 {
		t.Errorf("between precisions the form has changed: %+v", s.Form.Recipe)
	}

	o := Offer{Files: 1, Name: "own", Model: own}
	open := func() State {
		former := *s
		s.Offers = append(slices.Clone(s.Offers), o)
		s.turn(len(s.Offers) - 1)
		return former
	}
	former := open()
	if f := s.Form; f.Size != recipe.Square(1024) || f.Steps != 3 || f.Prompt != "a frog" || f.Seed != 7 {
		t.Errorf("the form of one's own model is %+v", f.Recipe)
	}
	s.Form.Prompt = "two frogs"
	s.Kept([]Offer{{Address: "stored:other", Name: "other"}})
	s.back(o, &former)
	is("it could not be loaded", "a.json", "*b.json", "stored:other")
	if f := s.Form; f.Steps != 9 || f.Prompt != "two frogs" || f.Size != recipe.Square(256) {
		t.Errorf("after that the form is %+v", f.Recipe)
	}

	open()
	s.opened(Loaded{})
	is("for this visit", "a.json", "b.json", "stored:other", "*files own")
	open()
	s.opened(Loaded{Address: "stored:own", Storage: "storage-full"})
	is("again, and not all was kept", "a.json", "b.json", "stored:other", "*files own")

	again := *own
	o.Model = &again
	open()
	s.Kept([]Offer{{Address: "stored:own", Name: "own"}}) // heard before the loading has ended
	s.opened(Loaded{Address: "stored:own"})
	is("kept", "a.json", "b.json", "*stored:own")

	s.Kept(nil) // it is deleted, and still loaded
	is("deleted", "a.json", "b.json", "*stored:own")
	s.turn(0)
	s.Kept(nil)
	is("another is chosen", "*a.json", "b.json")
}

// A picture is edited with the chosen model where that edits, else with the first of the
// site's that does; turning to one that does not leaves the picture out.
func TestEditor(t *testing.T) {
	words.Use(words.Languages[0])
	plain, edits, own := modelOf("a", 256), modelOf("b", 256), modelOf("own", 256)
	edits.Edits, own.Edits, edits.Understands.Keep = &recipe.Edits{}, &recipe.Edits{}, "keep it"
	s := &State{Offers: []Offer{{Address: "stored:own"}, {Files: 1, Model: own}, {Address: "a.json", Model: plain}}}
	s.Choose(2)
	if i := s.Editor(); i != -1 {
		t.Errorf("one's own model %d edits a picture of the site's", i)
	}
	s.Offers = append(s.Offers, Offer{Address: "b.json", Model: edits}, Offer{Address: "c.json", Model: edits})
	if i := s.Editor(); i != 3 {
		t.Errorf("model %d edits, wanted the first of the site's", i)
	}
	s.Form = NewForm(plain)
	s.turn(4)
	if i := s.Editor(); i != 4 || s.Form.Keep != "keep it" {
		t.Errorf("model %d edits, from %q, wanted the chosen one", i, s.Form.Keep)
	}
	s.Form.Reference = &Reference{}
	if s.turn(2); s.Form.Reference != nil || s.Form.Keep != "" {
		t.Errorf("a model that edits nothing has the picture %v to edit, from %q", s.Form.Reference, s.Form.Keep)
	}
}

// An adapter is offered beside the model that it is for, once for each file.
func TestOpenedAdapter(t *testing.T) {
	words.Use(words.Languages[0])
	s := &State{Offers: []Offer{{Address: "a.json", Model: modelOf("a", 256)}, {Address: "b.json", Model: modelOf("b", 256)}}}
	s.Choose(0)
	join := func(name string) {
		t.Helper()
		o, ok := s.Beside()
		if !ok {
			t.Fatalf("no adapter can be put beside %+v", s.Offers[s.Offer])
		}
		o.Adapter, o.Name, o.Model = 1, name, modelOf("a", 256)
		s.Offers = append(slices.Clone(s.Offers), o)
		s.turn(len(s.Offers) - 1)
		s.opened(Loaded{})
	}
	for _, name := range []string{"x", "y", "x"} {
		join(name)
	}
	var list []string
	for _, o := range s.Offers {
		list = append(list, o.Address+o.Name)
		if given := o.Name != ""; o.Own() != given || o.Given() != given {
			t.Errorf("%+v: own %t, given %t", o, o.Own(), o.Given())
		}
	}
	if want := []string{"a.json", "b.json", "a.jsony", "a.jsonx"}; !slices.Equal(list, want) || s.Offer != 3 {
		t.Errorf("%q, number %d is chosen, wanted %q", list, s.Offer, want)
	}
	for _, o := range []Offer{{Files: 1}, {Address: storedScheme + "x"}} {
		s.Offers, s.Offer = []Offer{o}, 0
		if _, ok := s.Beside(); ok {
			t.Errorf("an adapter can be put beside %+v", o)
		}
	}
}
