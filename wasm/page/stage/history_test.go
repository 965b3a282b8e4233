package stage

import (
	"testing"
	"time"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
)

func TestHistory(t *testing.T) {
	made := func(prompt string, seed float64, side int) *app.Picture {
		return &app.Picture{Recipe: app.Recipe{Prompt: prompt, Seed: seed, Size: recipe.Square(side)}}
	}
	var h history
	now := time.Unix(0, 0)
	next := func(p *app.Picture, after time.Duration) *app.Picture {
		now = now.Add(after)
		h.add(p, now)
		return p
	}
	a := next(made("a", 1, 256), 0)
	b := next(made("a", 2, 256), time.Millisecond)
	next(made("b", 1, 256), time.Second)
	c := next(made("b", 1, 256), time.Second) // the slider moved
	d := next(made("b", 1, 256), 2*time.Second)
	if len(h.list) != 4 || h.beside(d, -1) != c || h.beside(c, -1) != b || h.beside(b, -1) != a || h.beside(a, -1) != nil || h.beside(a, 1) != b || h.beside(d, 1) != nil {
		t.Errorf("%d pictures are kept", len(h.list))
	}
	if next(b, time.Hour); len(h.list) != 4 || h.list[3] != d {
		t.Error("a picture that is shown again changes its place")
	}
	if file := made("x", 1, 256); h.beside(file, -1) != d || h.beside(file, 1) != nil || new(history).beside(file, -1) != nil {
		t.Error("what was not drawn does not come after the last that was")
	}
	for i := range 3 * mostKept {
		next(made("c", float64(i), 256), time.Hour)
	}
	if len(h.list) != mostKept || h.list[0].Recipe.Seed != 2*mostKept {
		t.Errorf("%d pictures are kept, from seed %v on", len(h.list), h.list[0].Recipe.Seed)
	}
	next(made("d", 1, 4096), time.Hour)
	next(made("d", 2, 4096), time.Hour)
	if len(h.list) != 2 {
		t.Errorf("of the largest, %d are kept", len(h.list))
	}
}
