package page

import (
	"fmt"
	"math"
	"testing"

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

func TestDraw(t *testing.T) {
	u := term{weight: 2, schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}}
	u.draw(map[int]float64{0: 1, 7: -3, 9: 4, -1: 4}, 8)
	if got := fmt.Sprint(u.curve(8)); got != "[1 2 2 2 2 2 2 -3]" || u.weight != 2 || u.schedule.Of != 0 {
		t.Errorf("drawn: %s %+v", got, u)
	}
	u.draw(map[int]float64{3: 1000}, 8)
	if got := u.curve(8); got == nil || got[3] != 20 {
		t.Errorf("far out: %v", got)
	}
	for _, w := range []float64{0, math.NaN(), 0.01} {
		v := term{weight: w, schedule: guidance.Schedule{Kind: "constant"}}
		v.draw(map[int]float64{1: 0.5}, 3)
		if got := fmt.Sprint(v.curve(3)); got != "[1 0.5 1]" {
			t.Errorf("at weight %v: %s", w, got)
		}
	}
}

func TestOwn(t *testing.T) {
	u := term{weight: 3, schedule: guidance.Schedule{Kind: "step", Start: 5, Of: 57}}
	before := fmt.Sprint(u.curve(6))
	u.own(6)
	if u.schedule.Of != 0 || u.schedule.Start != 1 || fmt.Sprint(u.curve(6)) != before {
		t.Errorf("became %+v", u.schedule)
	}
	u = term{weight: 3, schedule: guidance.Schedule{Kind: "window", Start: 20, End: 35, Of: 57}}
	before = fmt.Sprint(u.curve(8))
	if u.own(8); fmt.Sprint(u.curve(8)) != before || u.schedule.Start != 3 || u.schedule.End != 4 {
		t.Errorf("became %+v", u.schedule)
	}
}
