package stage

import (
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
)

func TestComparison(t *testing.T) {
	r := app.NewForm(model(t)).Made()
	c := comparison{}
	if c.fits(&app.Picture{Recipe: r}) || c.fits(nil) {
		t.Error("no picture fits")
	}
	c.plain = &app.Picture{Recipe: r.Plain()}
	other := r
	other.Guidance = []recipe.Term{{Positive: "x", Weight: 3}}
	if !c.fits(&app.Picture{Recipe: r}) || !c.fits(&app.Picture{Recipe: other}) {
		t.Error("without guidance it is the same picture, whatever the direction")
	}
	other.Seed++
	if c.fits(&app.Picture{Recipe: other}) {
		t.Error("another seed fits")
	}
}
