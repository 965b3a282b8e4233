package stage

import (
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/apptest"
	"undertone/wasm/page/words"
)

func model(t *testing.T) *app.Model {
	t.Helper()
	m, err := app.NewModel(apptest.Description(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSweep(t *testing.T) {
	m := model(t)
	f := app.NewForm(m)
	values := func(p sweepPlan) string {
		var list []string
		for _, c := range p.cells(f) {
			list = append(list, words.Number(c.value))
		}
		return strings.Join(list, " ")
	}
	if p := newPlan(m, "weight", f); p.from != -1 || p.to != 3 || values(p) != "-1 -0.5 0 0.5 1 1.5 2 2.5 3" {
		t.Errorf("%+v: %s", p, values(p))
	}
	if p := newPlan(m, "start", f); values(p) != "0 1 2 3 4 5 6 7" {
		t.Errorf("%+v: %s", p, values(p))
	}
	for want, p := range map[string]sweepPlan{
		"0 1 2": {over: "weight", to: 2, count: 3},
		"2 1 0": {over: "weight", from: 2, count: 3},
		"0 2":   {over: "weight", to: 2, count: -5},
		"0 4 7": {over: "start", to: 7, count: 3}, // a start is a whole number
		"1":     {over: "weight", from: 1, to: 1, count: 9},
	} {
		if got := values(p); got != want {
			t.Errorf("%+v: %s, wanted %s", p, got, want)
		}
	}
	if n := len((sweepPlan{over: "weight", to: 20, count: 1 << 30}).cells(f)); n != mostCells {
		t.Errorf("a sheet of %d", n)
	}
	f.Guided = true
	f.AddTerm(m.Directions[1].Term)
	for _, c := range (sweepPlan{over: "start", to: 7, count: 8}).cells(f) {
		if s := c.recipe.Guidance[1].Schedule; s.Kind != "step" || float64(s.Start) != c.value || c.recipe.Seed != f.Seed || c.recipe.Guidance[0].Positive != f.Guidance[0].Positive {
			t.Errorf("at %v: %+v", c.value, c.recipe)
		}
	}
	// Where guidance is off, the direction that is swept is the only one.
	f.Guided = false
	for _, c := range (sweepPlan{over: "weight", from: 1, to: 2, count: 2}).cells(f) {
		if g := c.recipe.Guidance; len(g) != 1 || g[0].Positive != m.Directions[1].Term.Positive || g[0].Weight != c.value {
			t.Errorf("off, at %v: %+v", c.value, g)
		}
	}
	if f.Guided {
		t.Error("a sweep changed the form")
	}
}

// TestPlanFollows: the range is the direction's own, until a person types another.
func TestPlanFollows(t *testing.T) {
	m := model(t)
	f := app.NewForm(m)
	var p sweepPlan
	p.follow(m, f)
	if p.over != "weight" || p.from != -1 || p.to != 3 || m.TermName(p.term) != "Detail" {
		t.Errorf("of the first direction: %+v", p)
	}
	p.to = 1.5
	f.Edit(func(t *recipe.Term) { t.Weight = 2 })
	if p.follow(m, f); p.to != 1.5 {
		t.Errorf("another weight of the same direction: %+v", p)
	}
	f.Choose(m.Directions[1])
	night, _ := m.Preset(f.Term())
	if p.follow(m, f); p.from != night.Low || p.to != night.High || m.TermName(p.term) != "Night" {
		t.Errorf("of another direction: %+v", p)
	}
	p = newPlan(m, "start", f)
	f.Choose(m.Directions[0])
	if p.follow(m, f); p.over != "start" || m.TermName(p.term) != "Detail" {
		t.Errorf("over the blocks, of another direction: %+v", p)
	}
}

// While a picture is edited, the strength is what a sweep begins with; a direction's weight
// and first block can be chosen as ever.
func TestSweepStrength(t *testing.T) {
	m := model(t)
	f := app.NewForm(m)
	var p sweepPlan
	p.follow(m, f)
	f.Refer("pixels")
	f.Prompt, f.Keep = "at night", "keep it"
	if p.follow(m, f); p.over != "strength" || p.from != 0 || p.to != app.MaxStrength || p.count != 9 || name(m, p.over, p.term) != words.Text.OverStrength {
		t.Fatalf("of an edit: %+v", p)
	}
	list := p.cells(f)
	if first := list[0].recipe; len(list) != 9 || first.Guides() || first.Reference != f.Reference {
		t.Errorf("%d pictures, the first of %+v", len(list), first)
	}
	for _, c := range list[1:] {
		if g := c.recipe.Guidance; len(g) != 1 || g[0].Positive != "at night" || g[0].Weight != c.value {
			t.Errorf("at a strength of %v: %+v", c.value, g)
		}
		if f.Restore(c.recipe); f.Strength != c.value || f.Guided {
			t.Errorf("taken over, the strength of %v is %v", c.value, f.Strength)
		}
	}
	if film := p.frames(f, 3); film[1].Guidance[0].Weight != app.MaxStrength/2 {
		t.Errorf("the film is of %+v", film)
	}
	p.to = 2
	f.Choose(m.Directions[1])
	if p.follow(m, f); p.over != "strength" || p.to != 2 {
		t.Errorf("with a direction chosen: %+v", p)
	}
	p = newPlan(m, "weight", f)
	if p.follow(m, f); p.over != "weight" || p.cells(f)[0].recipe.Guidance[0].Positive != m.Directions[1].Term.Positive {
		t.Errorf("over the weight of a direction: %+v", p)
	}
	p = newPlan(m, "strength", f)
	f.EndEdit()
	if p.follow(m, f); p.over != "weight" {
		t.Errorf("after the edit: %+v", p)
	}
}

// A sheet has as many places as its columns and rows can hold, and not a row more.
func TestGrid(t *testing.T) {
	for n := 1; n <= mostCells; n++ {
		for _, shape := range []func(int) (int, int){grid, wide} {
			if columns, rows := shape(n); columns < 1 || columns*rows < n || columns*(rows-1) >= n {
				t.Errorf("%d pictures: %d columns, %d rows", n, columns, rows)
			}
		}
	}
}

func TestPlaces(t *testing.T) {
	for want, r := range map[int][][2]float64{9: {{-1, 3}, {0, 4}, {0, 2}}, 7: {{-2, 4}, {0, 3}, {-0.3, 0.7}}, 6: {{-2, 3}}} {
		for _, r := range r {
			if got := places(r[0], r[1]); got != want {
				t.Errorf("from %v to %v: %d pictures, wanted %d", r[0], r[1], got, want)
			}
		}
	}
}
