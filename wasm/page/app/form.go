package app

import (
	"slices"

	"undertone/engine/recipe"
	"undertone/guidance"
)

// Form is what the controls say.
type Form struct {
	Recipe       // the directions are kept while guidance is off
	Guided  bool // the directions are applied
	Locked  bool // Generate keeps the seed
	Each    int  // pictures per press: 1, 2 or 4
	Editing int  // the direction that is being edited; always one of Guidance
}

// NewForm is the form as the model's maker would fill it in.
func NewForm(m *Model) Form {
	f := Form{Recipe: NewRecipe(m.Request()), Locked: true, Each: 1}
	f.Guidance = []recipe.Term{{Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}}}
	if len(m.Directions) > 0 {
		f.Guidance[0], f.Guided = m.Directions[0].Term, true
	}
	return f
}

// Made is the recipe that Generate makes.
func (f Form) Made() Recipe {
	if !f.Guided {
		return f.Plain()
	}
	return f.Recipe
}

// Term is the direction that is being edited.
func (f Form) Term() recipe.Term { return f.Guidance[f.Editing] }

// Restore takes over the recipe of a picture, exactly.
func (f *Form) Restore(r Recipe) {
	kept := f.Guidance
	f.Recipe, f.Guided, f.Editing, f.Locked = r, len(r.Guidance) > 0, 0, true
	if !f.Guided {
		f.Guidance = kept[:1] // something to switch on again
	}
}

// Edit changes the direction that is being edited, and switches guidance on.
func (f *Form) Edit(change func(t *recipe.Term)) {
	t := f.Term()
	change(&t)
	f.Guidance = slices.Clone(f.Guidance)
	f.Guidance[f.Editing], f.Guided = t, true
}

// Choose fills in a preset.
func (f *Form) Choose(p Preset) { f.Edit(func(t *recipe.Term) { *t = p.Term }) }

// AddTerm adds a direction and begins to edit it.
func (f *Form) AddTerm(t recipe.Term) {
	if len(f.Guidance) < recipe.MaxTerms {
		f.Guidance = append(slices.Clip(f.Guidance), t)
		f.Editing, f.Guided = len(f.Guidance)-1, true
	}
}

// RemoveTerm takes the direction away that is being edited; one always stays.
func (f *Form) RemoveTerm() {
	if len(f.Guidance) > 1 {
		f.Guidance = slices.Delete(slices.Clone(f.Guidance), f.Editing, f.Editing+1)
		f.Editing = min(f.Editing, len(f.Guidance)-1)
	}
}
