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
	back := NewRecipe(r.Request())
	if back.Reference == nil || back.Reference.SHA256 != sum || back.Reference.Image != nil || back.Finite() || back.Same(r) {
		t.Errorf("what is read back is %+v", back)
	}
	f.Restore(r)
	if again := f.Made(); !again.Same(r) {
		t.Errorf("restored, the edit is %+v, wanted %+v", again, r)
	}
	f.Reference, f.Prompt = &Reference{Image: "other"}, r.Prompt
	if f.Made().Same(r) {
		t.Error("edits of two pictures are the same")
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
