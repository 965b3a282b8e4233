package stage

import (
	"fmt"
	"math"
	"strings"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Sweep is a contact sheet: the same picture with one value changed from place
// to place.
type Sweep struct {
	sheet
	app             *app.App
	box             ui.Element
	by              *ui.Segments
	strength        ui.Element // of by
	from, to, count ui.Element
	start, says     ui.Element
	hint, of        ui.Element
	grid            *ui.Thumbnails
	film            *film
}

// NewSweep makes the view.
func NewSweep(a *app.App) *Sweep {
	v := &Sweep{app: a}
	v.by = ui.NewSegments("sweep-over", &words.Text.SweepOver, func(id string) {
		a.Update(func(s *app.State) {
			if s.Model != nil {
				v.plan = newPlan(s.Model, id, s.Form)
			}
		})
	}, ui.Segment{ID: "strength", Text: &words.Text.OverStrength}, ui.Segment{ID: "weight", Text: &words.Text.OverWeight}, ui.Segment{ID: "start", Text: &words.Text.OverStart})
	v.strength = ui.Wrap(v.by.Box.Get("firstChild"))
	field := func(set func(p *sweepPlan, x float64)) ui.Element {
		f := ui.El("input", ui.Attrs{{"type", "number"}, {"inputmode", "decimal"}, {"step", "any"}, {"autocomplete", "off"}})
		ui.On(f, "input", func(ui.Event) {
			if x := ui.Number(f); !math.IsNaN(x) {
				a.Update(func(*app.State) { set(&v.plan, x) })
			}
		})
		return f
	}
	v.from = field(func(p *sweepPlan, x float64) { p.from = x })
	v.to = field(func(p *sweepPlan, x float64) { p.to = x })
	v.count = field(func(p *sweepPlan, x float64) { p.count = int(min(max(x, 2), mostCells)) })
	ui.SetAttr(v.count, "min", "2")
	ui.SetAttr(v.count, "max", fmt.Sprint(mostCells))
	ui.SetAttr(v.count, "step", "1")
	v.says = ui.El("span", nil)
	v.start = ui.Button("primary", v.says, v.make)
	v.start.SetID("sweep-go")
	v.hint = ui.El("p", ui.Attrs{{"class", "muted"}})
	v.of = ui.El("h2", ui.Attrs{{"id", "sweep-of"}})
	v.grid = ui.NewThumbnails("sheet", &words.Text.TabSweep, v.use)
	v.film = newFilm(a, func() sweepPlan { return v.plan })
	v.box = ui.El("div", ui.Attrs{{"class", "sweep"}}, ui.El("div", ui.Attrs{{"class", "plan"}},
		v.by.Box, ui.Labelled("sweep-from", &words.Text.SweepFrom, v.from), ui.Labelled("sweep-to", &words.Text.SweepTo, v.to),
		ui.Labelled("sweep-count", &words.Text.SweepCount, v.count), v.start), v.hint, v.of, v.grid.Box, v.film.box)
	return v
}

// Box is the view's element.
func (v *Sweep) Box() ui.Element { return v.box }

// make makes the sheet, from the form as it is now.
func (v *Sweep) make() {
	s := &v.app.State
	if s.Working() {
		return
	}
	if v.plan.asks(v.app) {
		return
	}
	cells := v.plan.cells(s.Form)
	var jobs []app.Job
	for i, c := range cells {
		jobs = append(jobs, app.Job{Recipe: c.recipe, Why: forSweep, Quiet: true, Done: func(_ *app.State, p *app.Picture) { cells[i].picture = p }})
	}
	if v.app.Enqueue(jobs...) {
		v.app.Update(func(*app.State) { v.over, v.term, v.cells = v.plan.over, v.plan.term, cells })
	}
}

// asks asks for an instruction, and reports whether it did: without one, no strength of an
// edit changes anything.
func (p sweepPlan) asks(a *app.App) bool {
	if p.over != "strength" || strings.TrimSpace(a.State.Form.Prompt) != "" {
		return false
	}
	a.Update(func(s *app.State) { s.Note = words.Text.EditAsk })
	ui.ByID("prompt").Focus()
	return true
}

// use takes over the recipe of a picture of the sheet, and the picture.
func (v *Sweep) use(i int) {
	if i < len(v.cells) && v.cells[i].picture != nil {
		v.app.Take(v.cells[i].picture, "", "picture")
	}
}

// forSweep is the purpose of a sheet's pictures.
const forSweep app.Purpose = "sweep"

// React plans the next sheet, once the model is known.
func (v *Sweep) React(s *app.State) {
	if s.Model != nil {
		v.plan.follow(s.Model, s.Form)
	}
}

// Render draws it.
func (v *Sweep) Render(s *app.State) {
	if s.Model == nil {
		return
	}
	p := v.plan
	v.by.Choose(p.over)
	ui.Show(v.strength, s.Form.Reference != nil)
	ui.SetValue(v.from, words.Number(p.from))
	ui.SetValue(v.to, words.Number(p.to))
	ui.SetValue(v.count, fmt.Sprint(p.count))
	ui.Show(v.film.box, p.over != "start")
	v.film.render(s)
	making := s.Running.Why == forSweep
	done := 0
	for _, c := range v.cells {
		if c.picture != nil {
			done++
		}
	}
	ui.SetState(v.start, "aria-disabled", s.Phase != app.Ready)
	if making {
		ui.SetText(v.says, fmt.Sprintf(words.Text.SweepWaits, done, len(v.cells)))
	} else {
		ui.SetText(v.says, fmt.Sprintf(words.Text.SweepGo, name(s.Model, p.over, p.term), len(p.cells(s.Form))))
	}
	cells, over, term := v.cells, v.over, v.term
	if len(cells) == 0 { // what a press would make
		cells, over, term = p.cells(s.Form), p.over, p.term
	}
	hint := words.Text.SweepHint
	switch {
	case over == "strength":
		hint = words.Text.SweepHintStrength
	case len(v.cells) == 0:
		hint = words.Text.SweepNone
	}
	ui.SetText(v.hint, hint)
	of := name(s.Model, over, term)
	if prompt := cells[0].recipe.Prompt; over == "strength" && prompt != "" {
		of = "“" + prompt + "”" // each picture says its strength
	}
	ui.SetText(v.of, of)
	v.grid.Need(len(cells))
	columns, rows := grid(len(cells))
	many, few := wide(len(cells))
	for _, p := range []struct {
		name  string
		value int
	}{{"--columns", columns}, {"--rows", rows}, {"--wide", many}, {"--few", few}} {
		v.grid.Box.Style().SetProperty(p.name, fmt.Sprint(p.value), "")
	}
	for i, t := range v.grid.List {
		c := cells[i]
		value := words.Signed(c.value)
		says := words.Text.SweepCell
		switch over {
		case "start":
			says = words.Text.SweepStart
		case "strength":
			says = words.Text.SweepStrength
		}
		text := fmt.Sprintf(says, value)
		t.Label(text, fmt.Sprintf(words.Text.SweepUse, fmt.Sprintf(words.Text.GalleryOf, of, text)))
		ui.SetFlag(t.Button, "disabled", c.picture == nil)
		ui.SetFlag(t.Button, "data-empty", c.picture == nil)
		ui.SetFlag(t.Button, "data-working", making && c.picture == nil && s.Running.Recipe.Same(c.recipe))
		if c.picture != nil {
			t.Draw(c.picture.Image.(js.Value), true)
		}
		ui.SetState(t.Button, "aria-pressed", c.picture != nil && c.picture == s.Picture)
	}
}
