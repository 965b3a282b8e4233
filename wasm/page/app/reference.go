package app

import (
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/words"
)

// Reference is a picture to edit. Recipes that share one are of the same picture.
type Reference struct {
	recipe.Reference     // its size and hash, as far as they are known
	Image            any // an ImageData; nil where only a file told of it: it has to be chosen
	// Given says that it is from a file: the stage shows it until an edit of it is made.
	Given bool
}

// picture is the reference as a picture.
func (r *Reference) picture() *Picture {
	return &Picture{Recipe: Recipe{Prompt: words.Text.Reference}, Image: r.Image}
}

// refer shows the picture to edit, where that was given.
func (s *State) refer(given bool) {
	if s.Form.Reference.Given = given; given {
		s.Tab = "picture"
	}
	s.Say("")
}

// Shown is the picture that the stage shows, and whether that is the one to edit, of which no
// edit was made yet.
func (s *State) Shown() (p *Picture, toEdit bool) {
	if r := s.Form.Reference; r != nil && r.Given && r.Image != nil && (s.Picture == nil || s.Picture.Recipe.Reference != r) {
		return r.picture(), true
	}
	return s.Picture, false
}

// usualStrength is that of a new edit: with it, the shipped model shows what was asked for more
// often, and keeps as much (models/sprites/editing.md).
const usualStrength = 1

// MaxStrength is the slider's end.
const MaxStrength = 4

// Missing reports whether the recipe's reference has to be chosen first.
func (r Recipe) Missing() bool { return r.Reference != nil && r.Reference.Image == nil }

// Returns reports whether the picture to edit comes back as it is: nothing is asked for.
func (r *Recipe) Returns() bool { return r.Reference != nil && !r.asks() && !r.Guides() }

// asks reports whether the prompt has a word.
func (r *Recipe) asks() bool { return strings.TrimSpace(r.Prompt) != "" }

// edits adds to a recipe with a reference the direction that its strength stands for: from
// the instruction to keep it to the one that is given.
func (f Form) edits(r Recipe) Recipe {
	if r.Reference != nil && f.Strength != 0 && r.asks() && len(r.Guidance) < recipe.MaxTerms {
		t := recipe.Term{Positive: r.Prompt, Negative: f.Keep, Weight: f.Strength}
		t.Schedule.Kind = "constant"
		r.Guidance = append(r.Guidance, t)
	}
	return r
}

// unedit takes that direction out of the form's recipe again, as the strength that it stands for.
func (f *Form) unedit() {
	if !f.asks() {
		f.Strength = usualStrength // for what is asked for next
		return
	}
	f.Strength = 0
	if n := len(f.Guidance) - 1; n >= 0 && f.Reference != nil {
		if t := &f.Guidance[n]; t.Weight > 0 && t.Weight <= MaxStrength && t.Head == 0 && t.Positive == f.Prompt && t.Negative == f.Keep && t.Schedule.Kind == "constant" {
			f.Guidance, f.Strength = f.Guidance[:n:n], t.Weight
		}
	}
}

// Refer begins an edit of a picture, without an instruction yet or a direction, whose effect
// the picture may show already.
func (f *Form) Refer(image any) {
	if f.Reference == nil {
		f.scene = f.Prompt
	}
	f.refers(&Reference{Image: image})
	f.Prompt, f.Strength, f.Guided = "", usualStrength, false
}

// EndEdit ends it: the prompt says again what the picture shows.
func (f *Form) EndEdit() {
	f.refers(nil)
	f.Prompt = f.scene
}

// refers sets the picture to edit. Steps that nobody chose become those of an edit, or of a
// picture again.
func (f *Form) refers(r *Reference) {
	before, now := 0, 0
	if f.Reference != nil {
		before = 1
	}
	if f.Reference = r; r != nil {
		now = 1
	}
	if f.Steps == f.usual[before] {
		f.Steps = f.usual[now]
	}
}

// knows takes over what a model proposes for edits.
func (f *Form) knows(m *Model) {
	f.Keep, f.usual = m.Understands.Keep, [2]float64{float64(m.Defaults.Steps), float64(m.Defaults.For(true))}
}

// Suggestions are instructions of the words that a model was trained on.
func (m *Model) Suggestions() (list []string) {
	u := m.Understands
	add := func(before string, words []string, n int) {
		for _, w := range words[max(0, len(words)-n):] {
			list = append(list, before+w)
		}
	}
	add("", u.Places, 2) // the last are times of day
	add("as ", u.Styles, 2)
	add("make it ", u.Colours, 1)
	if len(u.Objects) > 0 {
		list = append(list, "add a "+u.Objects[0])
	}
	return list
}
