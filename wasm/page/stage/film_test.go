package stage

import (
	"math"
	"testing"

	"undertone/wasm/page/app"
)

func TestFrameCount(t *testing.T) {
	for each, want := range map[float64]int{0: 24, 10: 48, 1250: 48, 1500: 40, 2500: 24, 90_000: 24} {
		if got := frameCount(each); got != want {
			t.Errorf("at %v ms a picture a film has %d pictures, wanted %d", each, got, want)
		}
	}
}

// TestFrames: a film begins and ends exactly where it should, goes one way only, and is
// slowest at its ends.
func TestFrames(t *testing.T) {
	f := app.NewForm(model(t))
	frames := func(f app.Form, from, to float64, n int) []app.Recipe {
		return sweepPlan{over: "weight", from: from, to: to}.frames(f, n)
	}
	list := frames(f, -1, 3, 25)
	weight := func(i int) float64 { return list[i].Guidance[0].Weight }
	if len(list) != 25 || weight(0) != -1 || weight(12) != 1 || weight(24) != 3 {
		t.Fatalf("%d pictures from %v by %v to %v", len(list), weight(0), weight(12), weight(24))
	}
	for i := range 24 {
		step, mirrored := weight(i+1)-weight(i), weight(24-i)-weight(23-i)
		if step <= 0 || math.Abs(step-mirrored) > 2e-4 {
			t.Errorf("from picture %d the weight goes on by %v, and %v before the end", i, step, mirrored)
		}
		if i < 11 && weight(i+2)-weight(i+1) <= step {
			t.Errorf("the film is no faster at picture %d", i+1)
		}
		if list[i].Seed != f.Seed || list[i].Guidance[0].Positive != f.Guidance[0].Positive {
			t.Errorf("picture %d is %+v", i, list[i])
		}
	}
	if !sameFrames(list, frames(f, -1, 3, 25)) || sameFrames(list, frames(f, -1, 3, 24)) || sameFrames(list, frames(f, -1, 2, 25)) {
		t.Error("films are compared by something else than their pictures")
	}
	f.Seed++
	if sameFrames(list, frames(f, -1, 3, 25)) {
		t.Error("another seed is the same film")
	}
	if down := frames(f, 2, 0, 3); down[0].Guidance[0].Weight != 2 || down[1].Guidance[0].Weight != 1 || down[2].Guidance[0].Weight != 0 {
		t.Errorf("the way down is %+v", down)
	}
}

// A strength of 0 leaves an edit's direction out, at either end of a film; others stay beside it.
func TestChange(t *testing.T) {
	f := app.NewForm(model(t))
	f.Reference, f.Prompt, f.Guided = &app.Reference{Image: "pixels"}, "at night", true
	for _, guided := range []int{0, 1} {
		f.Guided = guided == 1
		for _, ends := range [][2]float64{{0, 4}, {4, 0}, {1, 3}} {
			list := sweepPlan{over: "strength", from: ends[0], to: ends[1]}.frames(f, 3)
			if at, from, to := change(list[0], list[2]); at != guided || from != ends[0] || to != ends[1] {
				t.Errorf("%v beside %d directions: of direction %d it is from %g to %g", ends, guided, at, from, to)
			}
		}
	}
	if at, from, to := change(f.Plain(), f.Plain()); at != 0 || from != 0 || to != 0 {
		t.Errorf("where nothing changes, it is direction %d from %g to %g", at, from, to)
	}
}
