package share

import (
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/apptest"
)

// TestTag writes the tag of a picture: with the chosen model where it is not the first one,
// without directions that do nothing.
func TestTag(t *testing.T) {
	m, err := app.NewModel(apptest.Description(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &app.State{Model: m, Offers: []app.Offer{{Address: "models/sprites/model.json", Model: m}, {Address: "models/sprites-q4/model.json", Model: m}}}
	q := m.Request()
	q.Prompt, q.Seed, q.Guidance = "a red frog", 5, []recipe.Term{{Positive: "same", Negative: "same", Weight: 1}}
	p := &app.Picture{Recipe: app.NewRecipe(q)}
	site := folder("https://example.org", "/play/index.html")
	got := tag(s, p, site).HTML()
	for _, want := range []string{`src="https://example.org/play/element.js"`, `<undertone-demo prompt="a red frog" seed="5" poster="undertone-a-red-frog-5.png">`, `href="https://example.org/play/#prompt=a+red+frog&amp;seed=5`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %s", got, want)
		}
	}
	s.Offer = 1
	if got := tag(s, p, site).HTML(); !strings.Contains(got, ` model="sprites-q4" `) {
		t.Errorf("of the second model: %s", got)
	}
	if p.Address = s.Offers[0].Address; strings.Contains(tag(s, p, site).HTML(), ` model=`) {
		t.Error("a picture of the first model is said to be of the second, which was chosen after it")
	}
	s.Offer, p.Address = 0, s.Offers[1].Address
	if got := tag(s, p, site).HTML(); !strings.Contains(got, ` model="sprites-q4" `) {
		t.Errorf("of the second model, after the first was chosen: %s", got)
	}
}

// TestShows offers no picture that other pages could not make.
func TestShows(t *testing.T) {
	m, err := app.NewModel(apptest.Description(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &app.State{Model: m, Offers: []app.Offer{{Address: "models/sprites/model.json", Model: m}}}
	p := &app.Picture{}
	if !shows(s, p) {
		t.Error("a picture of the site's model cannot be embedded")
	}
	if shows(s, nil) || shows(s, &app.Picture{Own: true}) || shows(s, &app.Picture{Recipe: app.Recipe{Reference: &app.Reference{}}}) || shows(&app.State{}, p) {
		t.Error("what other pages have not can be embedded")
	}
}
