package stage

import (
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

func TestCounterpart(t *testing.T) {
	r := app.NewForm(model(t)).Made()
	c := counterpart{}
	if c.of(&app.Picture{Recipe: r}) != nil || c.of(nil) != nil {
		t.Error("there is a twin before any is made")
	}
	c.plain = &app.Picture{Recipe: r.Plain()}
	other := r
	other.Guidance = []recipe.Term{{Positive: "x", Weight: 3}}
	if c.of(&app.Picture{Recipe: r}) != c.plain || c.of(&app.Picture{Recipe: other}) != c.plain {
		t.Error("without guidance it is the same picture, whatever the direction")
	}
	other.Seed++
	if c.of(&app.Picture{Recipe: other}) != nil {
		t.Error("another seed has the same twin")
	}
}

// TestCaptions: of two pictures, what differs is said, and nothing else.
func TestCaptions(t *testing.T) {
	words.Use(words.Languages[0])
	m := model(t)
	f := app.NewForm(m)
	f.Guided = true
	base := f.Made()
	with := func(change func(r *app.Recipe)) app.Recipe {
		r := base
		r.Guidance = append([]recipe.Term{}, base.Guidance...)
		change(&r)
		return r
	}
	for _, c := range []struct {
		left        app.Recipe
		wantL, want string
	}{
		{base.Plain(), "Without guidance", "Detail · 1.5"},
		{with(func(r *app.Recipe) { r.Guidance[0].Weight = -2 }), "Detail · −2", "Detail · 1.5"},
		{with(func(r *app.Recipe) { r.Seed = 8 }), "Seed 8", "Seed 7"},
		{with(func(r *app.Recipe) { r.Prompt, r.Steps = "a cat", 9 }), "“a cat” · Steps 9", "“a frog” · Steps 4"},
		{with(func(r *app.Recipe) { r.CFG, r.Size = 2, recipe.Square(128) }), "128 × 128 · CFG 2", "256 × 256 · CFG 1"},
		{with(func(r *app.Recipe) { r.Guidance = append(r.Guidance, m.Directions[1].Term) }), "With guidance, 2 directions", "Detail · 1.5"},
		{with(func(r *app.Recipe) { r.Guidance[0].Schedule.Start = 3 }), "Detail · 1.5", "Detail · 1.5"},
		{base, "Detail · 1.5", "Detail · 1.5"},
	} {
		if l, r := captions(c.left, base, m); l != c.wantL || r != c.want {
			t.Errorf("%q and %q, wanted %q and %q", l, r, c.wantL, c.want)
		}
	}
	if l, _ := captions(base, base, nil); l != "With guidance, 1 directions" {
		t.Errorf("before the model is known: %q", l)
	}
}
