package app

import (
	"testing"

	"undertone/engine/recipe"
)

func TestLive(t *testing.T) {
	l := Live{Mode: LiveAuto}
	if l.Pace() != Never {
		t.Error("pictures follow before one was measured")
	}
	l.Measured(recipe.Timings{TotalMs: 900, PrepareMs: 850})
	if l.Pace() != Moving {
		t.Error("the first picture's compiling counts")
	}
	for range 5 {
		l.Measured(recipe.Timings{TotalMs: 400})
	}
	if l.Pace() != Moving || !l.Smooth() {
		t.Errorf("at %v ms, of which more than two are in a second, it is %v", l.Median(), l.Pace())
	}
	for range 3 {
		l.Measured(recipe.Timings{TotalMs: 500})
	}
	if l.Pace() != Release || l.Median() != 500 {
		t.Errorf("at %v ms it is %v", l.Median(), l.Pace())
	}
	for range 20 {
		l.Measured(recipe.Timings{TotalMs: 40})
	}
	l.Measured(recipe.Timings{TotalMs: 4000}) // one slow picture decides nothing
	if l.Pace() != Moving || len(l.Recent) > 8 {
		t.Errorf("at %v ms it is %v", l.Median(), l.Pace())
	}
	l.Mode = LiveOff
	if l.Pace() != Never {
		t.Error("off, and it follows")
	}
	l.Mode, l.Recent = LiveAlways, []float64{5000}
	if l.Pace() != Moving || l.Smooth() {
		t.Error("always, and it does not follow, or its work is hidden")
	}
}
