package panel

import (
	"fmt"
	"math"
	"testing"

	"undertone/engine/recipe"
	"undertone/guidance"
)

func TestScale(t *testing.T) {
	s := scaleOf(-1, 3, []float32{0, 3.5, -2})
	if s.low != -2 || s.top != 3.5 {
		t.Errorf("the scale is %+v", s)
	}
	s = scaleOf(-2, 4, nil)
	for w := -2.0; w <= 4; w += 0.25 {
		if got := s.weight(s.at(w)); math.Abs(got-w) > 1e-9 {
			t.Errorf("%v is read as %v", w, got)
		}
	}
	if got := s.weight(s.at(0.1)); got != 0 {
		t.Errorf("close to zero it is %v", got)
	}
	if s.weight(-3) != -2 || s.weight(7) != 4 {
		t.Error("outside of the picture there are other weights")
	}
}

func TestStroke(t *testing.T) {
	if got := fmt.Sprint(stroke(1, 0, 5, 2)); got != "map[1:0 2:0.5 3:1 4:1.5 5:2]" {
		t.Error(got)
	}
	if got := fmt.Sprint(stroke(5, 2, 3, 1)); got != "map[3:1 4:1.5 5:2]" {
		t.Error(got)
	}
	if got := fmt.Sprint(stroke(2, 1, 2, 3)); got != "map[2:3]" {
		t.Error(got)
	}
	for place, want := range map[float64]int{-1: 0, 0: 0, 0.49: 2, 0.5: 3, 0.999: 5, 1: 5, 2: 5} {
		if got := blockAt(place, 6); got != want {
			t.Errorf("%v is in block %d, wanted %d", place, got, want)
		}
	}
}

func TestPaint(t *testing.T) {
	u := recipe.Term{Weight: 2, Schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}}
	paint(&u, map[int]float64{0: 1, 7: -3, 9: 4, -1: 4}, 8)
	if got := fmt.Sprint(curve(u, 8)); got != "[1 2 2 2 2 2 2 -3]" || u.Weight != 2 || u.Schedule.Of != 0 {
		t.Errorf("drawn: %s %+v", got, u)
	}
	paint(&u, map[int]float64{3: 1000}, 8)
	if got := curve(u, 8); got == nil || got[3] != 20 {
		t.Errorf("far out: %v", got)
	}
	for _, w := range []float64{0, math.NaN(), 0.01} {
		v := recipe.Term{Weight: w, Schedule: guidance.Schedule{Kind: "constant"}}
		paint(&v, map[int]float64{1: 0.5}, 3)
		if got := fmt.Sprint(curve(v, 3)); got != "[1 0.5 1]" {
			t.Errorf("at weight %v: %s", w, got)
		}
	}
}

func TestOwnBlocks(t *testing.T) {
	u := recipe.Term{Weight: 3, Schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}}
	before := fmt.Sprint(curve(u, 6))
	ownBlocks(&u, 6)
	if u.Schedule.Of != 0 || u.Schedule.Start != 1 || fmt.Sprint(curve(u, 6)) != before {
		t.Errorf("became %+v", u.Schedule)
	}
	u = recipe.Term{Weight: 3, Schedule: guidance.Schedule{Kind: "window", Start: 20, End: 35, Of: 57}}
	before = fmt.Sprint(curve(u, 8))
	if ownBlocks(&u, 8); fmt.Sprint(curve(u, 8)) != before || u.Schedule.Start != 3 || u.Schedule.End != 4 {
		t.Errorf("became %+v", u.Schedule)
	}
}

func TestCurve(t *testing.T) {
	u := recipe.Term{Weight: 1.5, Schedule: guidance.Schedule{Kind: "step", Start: 1}}
	if c := curve(u, 8); fmt.Sprint(c) != "[0 1.5 1.5 1.5 1.5 1.5 1.5 1.5]" {
		t.Errorf("the curve is %v", c)
	}
	u.Weight = math.NaN()
	if curve(u, 8) != nil {
		t.Error("a weight that is no number has a curve")
	}
}

func TestKind(t *testing.T) {
	u := recipe.Term{Weight: 1.5, Schedule: guidance.Schedule{Kind: "step", Start: 1}}
	u.Schedule.Start = 3
	if setKind(&u, "step", 8); u.Schedule.Start != 3 {
		t.Error("choosing the same kind again changed its start")
	}
	setKind(&u, "table", 8)
	if fmt.Sprint(u.Schedule.Table) != "[0 0 0 1 1 1 1 1]" {
		t.Errorf("as a table: %v", u.Schedule.Table)
	}
	setKind(&u, "window", 8)
	if u.Schedule.Start != 1 || u.Schedule.End != 6 {
		t.Errorf("the window is %+v", u.Schedule)
	}
	for blocks := 1; blocks < 4; blocks++ {
		for _, kind := range guidance.Kinds() {
			setKind(&u, kind, blocks)
			if curve(u, blocks) == nil {
				t.Errorf("%s does not fit a model of %d blocks: %+v", kind, blocks, u.Schedule)
			}
		}
	}
}
