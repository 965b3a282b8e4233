package page

import (
	"fmt"
	"math"
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// sweepPane is a contact sheet: the same picture with one value changed from place
// to place.
type sweepPane struct {
	app              *app
	box              element
	over             *segments
	from, to, count  element
	start, says      element
	unit, none, hint element
	sheet            *tiles
}

func newSweep(a *app) *sweepPane {
	v := &sweepPane{app: a}
	v.over = newSegments("sweep-over", &say.SweepOver, func(id string) {
		a.update(func(s *state) {
			if s.model != nil {
				s.panes.sweep.plan = s.model.plan(id, s.form)
			}
		})
	}, segment{"weight", &say.OverWeight}, segment{"start", &say.OverStart})
	field := func(set func(p *sweepPlan, x float64)) element {
		f := el("input", attrs{"type": "number", "inputmode": "decimal", "step": "any", "autocomplete": "off"})
		on(f, "input", func(dom.Event) {
			if x := number(f); !math.IsNaN(x) {
				a.update(func(s *state) { set(&s.panes.sweep.plan, x) })
			}
		})
		return f
	}
	v.from = field(func(p *sweepPlan, x float64) { p.from = x })
	v.to = field(func(p *sweepPlan, x float64) { p.to = x })
	v.count = field(func(p *sweepPlan, x float64) { p.count = int(min(max(x, 2), mostCells)) })
	setAttr(v.count, "min", "2")
	setAttr(v.count, "max", fmt.Sprint(mostCells))
	setAttr(v.count, "step", "1")
	v.says = el("span", nil)
	v.start = button("primary", v.says, v.go_)
	v.start.SetID("sweep-go")
	v.hint = el("p", attrs{"class": "muted"}, &say.SweepHint)
	v.none = el("p", attrs{"class": "muted"}, &say.SweepNone)
	v.sheet = newTiles("sheet", &say.TabSweep, v.use)
	v.box = el("div", attrs{"class": "sweep"}, el("div", attrs{"class": "plan"},
		v.over.box, labelled("sweep-from", &say.SweepFrom, v.from), labelled("sweep-to", &say.SweepTo, v.to),
		labelled("sweep-count", &say.SweepCount, v.count), v.start), v.none, v.hint, v.sheet.box)
	return v
}

func (v *sweepPane) panel() element { return v.box }

// go_ makes the sheet, from the form as it is now.
func (v *sweepPane) go_() {
	s := &v.app.state
	if s.working() {
		return
	}
	cells := s.panes.sweep.plan.cells(s.form)
	jobs := make([]job, len(cells))
	for i, c := range cells {
		jobs[i] = job{recipe: c.recipe, why: forSweep, quiet: true, done: func(_ *state, p *picture) { cells[i].picture = p }}
	}
	if v.app.enqueue(jobs...) {
		v.app.update(func(s *state) { s.panes.sweep.over, s.panes.sweep.cells = s.panes.sweep.plan.over, cells })
	}
}

// use takes over the recipe of a picture of the sheet, and the picture.
func (v *sweepPane) use(i int) {
	v.app.update(func(s *state) {
		if i >= len(s.panes.sweep.cells) || s.panes.sweep.cells[i].picture == nil {
			return
		}
		c := s.panes.sweep.cells[i]
		fresh = true
		s.form.restore(c.recipe)
		s.picture, s.pictures, s.pane = c.picture, []*picture{c.picture}, "picture"
	})
}

func (v *sweepPane) render(s *state) {
	if s.model == nil {
		return
	}
	if s.panes.sweep.plan.over == "" {
		s.panes.sweep.plan = s.model.plan("weight", s.form)
	}
	p := s.panes.sweep.plan
	v.over.choose(p.over)
	setValue(v.from, numberText(p.from))
	setValue(v.to, numberText(p.to))
	setValue(v.count, fmt.Sprint(p.count))
	making := s.running.why == forSweep
	done := 0
	for _, c := range s.panes.sweep.cells {
		if c.picture != nil {
			done++
		}
	}
	setAttr(v.start, "aria-disabled", fmt.Sprint(s.phase != ready))
	if making {
		setText(v.says, fmt.Sprintf(say.SweepWaits, done, len(s.panes.sweep.cells)))
	} else {
		setText(v.says, fmt.Sprintf(say.SweepGo, len(p.cells(s.form))))
	}
	show(v.none, len(s.panes.sweep.cells) == 0)
	show(v.hint, len(s.panes.sweep.cells) > 0)
	cells, over := s.panes.sweep.cells, s.panes.sweep.over
	if len(cells) == 0 { // what a press would make
		cells, over = p.cells(s.form), p.over
	}
	v.sheet.need(len(cells))
	columns, rows := grid(len(cells))
	v.sheet.box.Style().SetProperty("--columns", fmt.Sprint(columns), "")
	v.sheet.box.Style().SetProperty("--rows", fmt.Sprint(rows), "")
	for i, t := range v.sheet.list {
		c := cells[i]
		value := signText(c.value)
		text := fmt.Sprintf(say.SweepCell, value)
		if over == "start" {
			text = fmt.Sprintf(say.SweepStart, value)
		}
		t.label(text, fmt.Sprintf(say.SweepUse, text))
		setFlag(t.button, "disabled", c.picture == nil)
		setFlag(t.button, "data-empty", c.picture == nil)
		setFlag(t.button, "data-working", making && c.picture == nil && s.running.recipe.same(c.recipe))
		if c.picture != nil {
			t.draw(c.picture.image.(js.Value), true)
		}
		setAttr(t.button, "aria-pressed", fmt.Sprint(c.picture != nil && c.picture == s.picture))
	}
}
