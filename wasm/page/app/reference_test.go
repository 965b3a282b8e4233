package app

import (
	"strings"
	"testing"

	"undertone/engine/recipe"
)

// A form with a reference asks the API for an edit, with a direction to the instruction as
// strong as wanted; one whose picture has to be chosen first asks for nothing. A link has
// neither the picture nor its hash.
func TestReference(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	f := Form{Recipe: Recipe{Prompt: "make it night", Steps: 4, CFG: 1, Size: recipe.Square(16), Guidance: []recipe.Term{{Positive: "sharp", Weight: 1}}}, Strength: 3, Keep: "keep it"}
	if plain := f.Made(); plain.Guides() || plain.Value()["reference"] != nil {
		t.Errorf("without a reference, the strength of an edit makes %+v", plain)
	}
	f.Reference = &Reference{Reference: recipe.Reference{Width: 8, Height: 4, SHA256: sum}, Image: "pixels"}
	r := f.Made()
	if len(r.Guidance) != 1 || r.Guidance[0].Positive != f.Prompt || r.Guidance[0].Negative != "keep it" || r.Guidance[0].Weight != 3 || r.Value()["reference"] != "pixels" || !r.Finite() {
		t.Errorf("the edit is %+v, asked for with %v", r, r.Value())
	}
	if link := r.Link(); strings.Contains(link, sum) || strings.Contains(link, "reference") {
		t.Errorf("the link is %s", link)
	}
	q, notices, ok := recipe.FromHash(r.Link(), recipe.Request{Size: r.Size}, recipe.Limits{MaxSteps: 8, Sizes: []recipe.Size{r.Size}, Edits: true})
	shared := Form{Keep: f.Keep, Recipe: Recipe{Guidance: f.Guidance}}
	if shared.Restore(NewRecipe(q)); !ok || notices != nil || !shared.Missing() || shared.Prompt != r.Prompt || shared.Strength != 3 || shared.Guided {
		t.Errorf("from the link comes %+v, %v", shared, notices)
	}
	if link := r.Plain().Link(); !strings.Contains(link, "edit=1") {
		t.Errorf("without a strength, the link is %s", link)
	}
	back := NewRecipe(r.Request())
	if back.Reference == nil || back.Reference.SHA256 != sum || back.Reference.Image != nil || back.Finite() || back.Same(r) {
		t.Errorf("what is read back is %+v", back)
	}
	f.Restore(r)
	if again := f.Made(); !again.Same(r) {
		t.Errorf("restored, the edit is %+v, wanted %+v", again, r)
	}
	if f.Strength != 3 || f.Guided {
		t.Errorf("restored, the edit has a strength of %g, and directions %+v", f.Strength, f.Guidance)
	}
	f.Prompt = "at sunset"
	if g := f.Made().Guidance; len(g) != 1 || g[0].Positive != "at sunset" {
		t.Errorf("with another instruction, the edit leads to %+v", g)
	}
	f.Reference, f.Prompt = &Reference{Image: "other"}, r.Prompt
	if f.Made().Same(r) {
		t.Error("edits of two pictures are the same")
	}
}

// A strength beyond the slider, or a direction between other words, stays a direction.
func TestRestoreDirection(t *testing.T) {
	for name, term := range map[string]recipe.Term{
		"too strong":  {Positive: "at night", Negative: "keep it", Weight: 5},
		"below none":  {Positive: "at night", Negative: "keep it", Weight: -1},
		"of a head":   {Positive: "at night", Negative: "keep it", Weight: 1, Head: 1},
		"from others": {Positive: "at night", Negative: "day", Weight: 1},
		"to others":   {Positive: "night", Negative: "keep it", Weight: 1},
	} {
		f := Form{Keep: "keep it"}
		term.Schedule.Kind = "constant"
		r := Recipe{Prompt: "at night", Reference: &Reference{Image: "pixels"}, Guidance: []recipe.Term{term}}
		if f.Restore(r); f.Strength != 0 || !f.Guided || !f.Made().Same(r) {
			t.Errorf("%s: restored as %+v", name, f)
		}
	}
}

// A link or a file of an edit is read where another of the site's models edits.
func TestLimits(t *testing.T) {
	edits, plain := modelOf("edits", 256), modelOf("plain", 256)
	edits.Edits = &recipe.Edits{}
	s := &State{Offers: []Offer{{Address: "plain", Model: plain}}}
	if s.Choose(0); s.Limits().Edits {
		t.Error("nothing edits, and a link of an edit is read")
	}
	if s.Offers = append(s.Offers, Offer{Address: "edits", Model: edits}); !s.Limits().Edits {
		t.Error("another model edits, and a link of an edit is not read")
	}
}

// An edit ends with the prompt from before it, also where a model is chosen that cannot edit;
// after a reload, the site's model comes back.
func TestEndEdit(t *testing.T) {
	edits, plain := modelOf("edits", 256), modelOf("plain", 256)
	edits.Edits, edits.Understands.Keep = &recipe.Edits{}, "keep it"
	s := &State{Offers: []Offer{{Address: "plain", Model: plain}, {Address: "edits", Model: edits}, {Address: "stored:own", Model: plain}}}
	s.Choose(0)
	s.Form = NewForm(plain)
	s.Form.Prompt = "a frog"
	if s.Return("gone"); s.Offer != 0 {
		t.Errorf("model %d is chosen for one that is not offered", s.Offer)
	}
	if s.Return("edits"); s.Offer != 1 || s.Form.Keep != "keep it" {
		t.Errorf("model %d is chosen, which keeps a picture with %q", s.Offer, s.Form.Keep)
	}
	for what, end := range map[string]func(){
		"stopped":       s.Form.EndEdit,
		"another model": func() { s.Return("plain") },
		"one's own":     func() { s.turn(2) },
	} {
		s.Return("edits")
		s.Form.Refer("pixels")
		s.Form.Prompt = "at night"
		s.Form.Refer("what came of it")
		s.Form.Prompt = "at sunset"
		if end(); s.Form.Reference != nil || s.Form.Prompt != "a frog" {
			t.Errorf("%s: the prompt is %q, of the picture %v", what, s.Form.Prompt, s.Form.Reference)
		}
	}
}

// An edit takes the steps that the model proposes for one, unless others were chosen.
func TestEditSteps(t *testing.T) {
	m := &Model{Description: recipe.Description{Defaults: recipe.Defaults{Steps: 4, EditSteps: 2}, Edits: &recipe.Edits{}}}
	other := &Model{Description: recipe.Description{Defaults: recipe.Defaults{Steps: 20}, Edits: &recipe.Edits{}}}
	f := NewForm(m)
	f.Refer("pixels")
	edit := f.Steps
	f.Refer("what came of it")
	again := f.Steps
	moved := f.For(other)
	back := moved.For(m)
	if f.EndEdit(); edit != 2 || again != 2 || moved.Steps != 20 || back.Steps != 2 || f.Steps != 4 {
		t.Errorf("an edit has %g steps, then %g, with another model %g, then %g, and a picture after it %g", edit, again, moved.Steps, back.Steps, f.Steps)
	}
	f.Steps = 7
	if f.Refer("pixels"); f.Steps != 7 {
		t.Errorf("7 steps were chosen, an edit has %g", f.Steps)
	}
	if f.EndEdit(); f.Steps != 7 {
		t.Errorf("7 steps were chosen, a picture after an edit has %g", f.Steps)
	}
}

// While nothing is asked of the picture to edit, nothing waits to be drawn.
func TestUndrawnEdit(t *testing.T) {
	s := State{Picture: &Picture{}, Form: Form{Recipe: Recipe{Reference: &Reference{Image: "pixels"}}, Strength: 1}}
	if s.Undrawn() {
		t.Error("an edit without an instruction is to be drawn")
	}
	s.Form.Prompt = "at night"
	if !s.Undrawn() {
		t.Error("an edit with an instruction is drawn")
	}
	s.Form.Prompt, s.Form.Guided, s.Form.Guidance = "", true, []recipe.Term{{Positive: "sharp", Weight: 1}}
	if !s.Undrawn() {
		t.Error("an edit with a direction is drawn")
	}
}

// The instructions to begin with are of words that the model knows.
func TestSuggestions(t *testing.T) {
	m := &Model{}
	if got := m.Suggestions(); len(got) != 0 {
		t.Errorf("without words, it suggests %q", got)
	}
	m.Understands = recipe.Vocabulary{Objects: []string{"frog", "cat"}, Colours: []string{"red"}, Places: []string{"on the beach", "at sunset", "at night"}, Styles: []string{"neon"}}
	if got := strings.Join(m.Suggestions(), ", "); got != "at sunset, at night, as neon, make it red, add a frog" {
		t.Errorf("it suggests %q", got)
	}
}

// What was given to edit is shown until there is an edit of it, or another picture is edited.
func TestShown(t *testing.T) {
	drawn := &Picture{Image: "drawn"}
	s := State{Picture: drawn}
	is := func(what string, want any, wantEdit bool) {
		t.Helper()
		p, toEdit := s.Shown()
		if p == nil || p.Image != want || toEdit != wantEdit {
			t.Errorf("%s: %+v is shown, to edit: %v", what, p, toEdit)
		}
	}
	is("no reference", "drawn", false)
	s.Form.Refer("drawn")
	is("the picture itself", "drawn", false)
	s.Form.Refer("photo")
	s.refer(true)
	is("a file", "photo", true)
	s.Show(&Picture{Recipe: s.Form.Made(), Image: "edited"})
	is("its edit", "edited", false)
	s.Form.EndEdit()
	s.Show(drawn)
	is("no longer", "drawn", false)
	s.Form.Reference = &Reference{Given: true}
	is("one that is not there", "drawn", false)
}
