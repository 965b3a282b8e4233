package app

import "undertone/engine/recipe"

// Reference is a picture to edit. Recipes that share one are of the same picture.
type Reference struct {
	recipe.Reference     // its size and hash, as far as they are known
	Image            any // an ImageData; nil where only a file told of it: it has to be chosen
}

// usualStrength is that of a new edit: with it, the shipped model shows what was asked for more
// often, and keeps as much (models/sprites-edit).
const usualStrength = 1

// missing reports whether the recipe's reference has to be chosen first.
func (r Recipe) missing() bool { return r.Reference != nil && r.Reference.Image == nil }

// edits adds to a recipe with a reference the direction that its strength stands for: from
// the instruction to keep it to the one that is given.
func (f Form) edits(r Recipe) Recipe {
	if r.Reference != nil && f.Strength != 0 && r.Prompt != "" && len(r.Guidance) < recipe.MaxTerms {
		t := recipe.Term{Positive: r.Prompt, Negative: f.Keep, Weight: f.Strength}
		t.Schedule.Kind = "constant"
		r.Guidance = append(r.Guidance, t)
	}
	return r
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
