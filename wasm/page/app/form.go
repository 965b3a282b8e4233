package app

import (
	"slices"

	"undertone/engine/recipe"
)

// Form is what the controls say.
type Form struct {
	Recipe                       // with all directions, those that are not applied too
	Guided bool                  // directions are applied: those that are not muted
	Muted  [recipe.MaxTerms]bool // directions that are not applied while others are
	Locked bool                  // Generate keeps the seed
	Each   int                   // pictures per press: 1, 2 or 4
	// Strength is how much more an edit does than its words ask for: the weight of a direction
	// towards them, from the instruction Keep.
	Strength float64
	Keep     string
	scene    string     // the prompt from before the edit
	usual    [2]float64 // steps that the model proposes for a picture, and for an edit
	Editing  int        // the direction that is being edited; always one of Guidance
}

// NewForm is the form for the first picture, which has no guidance: what guidance does is
// seen by switching it on.
func NewForm(m *Model) Form {
	f := Form{Recipe: NewRecipe(m.Request()), Locked: true, Each: 1}
	f.knows(m)
	f.Guidance = []recipe.Term{m.Blank()}
	if len(m.Directions) > 0 {
		f.Guidance[0] = m.Directions[0].Term
	}
	return f
}

// For is the form for another model: what was typed stays, and what depends on the model
// is that model's own.
func (f Form) For(m *Model) Form {
	n := NewForm(m)
	if f.Each > 0 {
		n.Prompt, n.Seed, n.Each, n.Locked, n.scene = f.Prompt, f.Seed, f.Each, f.Locked, f.scene
		if m.Edits != nil {
			n.refers(f.Reference)
			n.Strength = f.Strength
		} else if f.Reference != nil {
			n.EndEdit()
		}
	}
	return n
}

// Made is the recipe that Generate makes.
func (f Form) Made() Recipe { return f.edits(f.Steered()) }

// Steered is that recipe without what the strength of an edit adds.
func (f Form) Steered() Recipe {
	r := f.Plain()
	for i, t := range f.Guidance {
		if !f.Silent(i) {
			r.Guidance = append(r.Guidance, t)
		}
	}
	return r
}

// Term is the direction that is being edited.
func (f Form) Term() recipe.Term { return f.Guidance[f.Editing] }

// Silent reports whether a direction is kept without being applied.
func (f Form) Silent(i int) bool { return !f.Guided || f.Muted[i] }

// Mute keeps a direction from being applied, or applies it again: where all were off,
// that one alone.
func (f *Form) Mute(i int, mute bool) {
	if !f.Guided && !mute {
		f.Guided = true
		for l := range f.Muted {
			f.Muted[l] = true
		}
	}
	f.Muted[i] = mute
}

// Restore takes over the recipe of a picture, exactly.
func (f *Form) Restore(r Recipe) {
	kept := f.Guidance
	f.Recipe = r
	f.unedit()
	f.Guided, f.Muted, f.Editing, f.Locked = len(f.Guidance) > 0, [recipe.MaxTerms]bool{}, 0, true
	if !f.Guided {
		f.Guidance = kept[:1] // something to switch on again
	}
}

// Edit changes the direction that is being edited, and applies it.
func (f *Form) Edit(change func(t *recipe.Term)) {
	t := f.Term()
	change(&t)
	f.Guidance = slices.Clone(f.Guidance)
	f.Guidance[f.Editing] = t
	f.Mute(f.Editing, false)
}

// Choose turns to the direction that has a preset's words, or fills them into the one
// that is being edited.
func (f *Form) Choose(p Preset) {
	i := slices.IndexFunc(f.Guidance, func(t recipe.Term) bool {
		return t.Positive == p.Term.Positive && t.Negative == p.Term.Negative
	})
	if i >= 0 && i != f.Editing {
		f.Editing = i
		f.Mute(i, false)
		return
	}
	f.Edit(func(t *recipe.Term) { *t = p.Term })
}

// AddTerm adds a direction and begins to edit it.
func (f *Form) AddTerm(t recipe.Term) {
	if len(f.Guidance) < recipe.MaxTerms {
		f.Guidance = append(slices.Clip(f.Guidance), t)
		f.Editing = len(f.Guidance) - 1
		f.Mute(f.Editing, false)
	}
}

// RemoveTerm takes a direction away; one always stays.
func (f *Form) RemoveTerm(i int) {
	if len(f.Guidance) > 1 {
		f.Guidance = slices.Delete(slices.Clone(f.Guidance), i, i+1)
		copy(f.Muted[i:], f.Muted[i+1:])
		if f.Editing > i || f.Editing == len(f.Guidance) {
			f.Editing--
		}
	}
}
