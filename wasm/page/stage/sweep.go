package stage

import (
	"cmp"
	"math"
	"slices"

	"undertone/engine/recipe"
	"undertone/guidance"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// sweepPlan says what changes from picture to picture of a contact sheet.
type sweepPlan struct {
	over     string // "weight", "start", or "strength", which edits alone have
	from, to float64
	count    int
	term     recipe.Term // the direction that it was planned for
	edits    bool        // it was planned while a picture was edited
}

// sheet is a contact sheet: pictures of one seed that differ in one value.
type sheet struct {
	plan  sweepPlan   // of the next sheet
	over  string      // what this one was made over
	term  recipe.Term // and its direction
	cells []cell
}

// cell is a place on the sheet.
type cell struct {
	value   float64
	recipe  app.Recipe
	picture *app.Picture // nil until it is made
}

// newPlan is what a sweep begins with.
func newPlan(m *app.Model, over string, f app.Form) sweepPlan {
	plan := sweepPlan{over: over, term: f.Term(), edits: f.Reference != nil}
	switch p, _ := m.Preset(f.Term()); over {
	case "start":
		plan.to, plan.count = float64(m.Depth()-1), min(9, m.Depth())
	case "strength":
		plan.to, plan.count = app.MaxStrength, places(0, app.MaxStrength)
	default:
		plan.from, plan.to, plan.count = p.Low, p.High, places(p.Low, p.High)
	}
	return plan
}

// follow plans anew when another direction is edited: each has weights of its own that
// make clean pictures. What was typed for one stays with it. Of an edit it is the strength
// at first.
func (p *sweepPlan) follow(m *app.Model, f app.Form) {
	t := f.Term()
	switch edits := f.Reference != nil; {
	case edits && !p.edits:
		*p = newPlan(m, "strength", f)
	case !edits && p.over == "strength":
		*p = newPlan(m, "weight", f)
	case p.over == "" || p.over != "strength" && (t.Positive != p.term.Positive || t.Negative != p.term.Negative):
		*p = newPlan(m, cmp.Or(p.over, "weight"), f)
	}
	p.edits = f.Reference != nil
}

// name is what is swept: a direction, or the strength of an edit.
func name(m *app.Model, over string, t recipe.Term) string {
	if over == "strength" {
		return words.Text.OverStrength
	}
	return m.TermName(t)
}

// places are how many weights a sweep begins with: as many as have round numbers
// with 0 among them.
func places(low, top float64) int {
	for n := 9; n > 4; n-- {
		step := (top - low) / float64(n-1)
		if step*4 == math.Trunc(step*4) && math.Mod(low, step) == 0 {
			return n
		}
	}
	return 7
}

// mostCells is how many pictures a sheet may have.
const mostCells = 12

// cells are the pictures of a plan. The direction that is being edited is swept,
// all else stays as it is; a value is there once.
func (p sweepPlan) cells(f app.Form) (list []cell) {
	n := min(max(p.count, 2), mostCells)
	var values []float64
	for i := range n {
		v := p.from + (p.to-p.from)*float64(i)/float64(n-1)
		if p.over == "start" {
			v = math.Round(v)
		} else {
			v = math.Round(v*100) / 100
		}
		if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	for _, v := range values {
		list = append(list, cell{value: v, recipe: p.set(f, v)})
	}
	return list
}

// set is the recipe of a form in which what is swept has a value.
func (p sweepPlan) set(f app.Form, v float64) app.Recipe {
	switch p.over {
	case "strength":
		f.Strength = v
	case "start":
		f.Edit(func(t *recipe.Term) { t.Schedule = guidance.Schedule{Kind: "step", Start: int(v)} })
	default:
		f.Edit(func(t *recipe.Term) { t.Weight = v })
	}
	return f.Made()
}

// wide is how many columns and rows a sheet has where it is wide.
func wide(n int) (columns, rows int) {
	rows = 1 + (n-1)/6
	return (n + rows - 1) / rows, rows
}

// grid is how many columns and rows a sheet of at least one picture has, so that its
// last row is full or nearly so.
func grid(n int) (columns, rows int) {
	columns = 4
	switch {
	case n <= 4:
		columns = n
	case n == 5, n == 6, n == 9:
		columns = 3
	}
	return columns, (n + columns - 1) / columns
}
