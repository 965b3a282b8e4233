package page

import (
	"fmt"
	"math"

	"honnef.co/go/js/dom/v2"
)

// guidanceView edits the directions: one at a time, the others stand in a row
// above it.
type guidanceView struct {
	app                *app
	section            element
	row                element   // of the directions, when there are several
	directions         []element // their buttons
	presets            element
	chips              map[string]element // by preset id; "" is off
	body               element
	positive, negative element
	slider, weight     element
	low, top           element // the slider's ends
	schedule           *scheduleView
	vectors            *vectorsView
	another, remove    element
}

func newGuidance(a *app, panel element) *guidanceView {
	words := attrs{"type": "text", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
	v := &guidanceView{
		app:      a,
		row:      el("div", attrs{"class": "directions", "role": "group", "aria-label": &say.Directions}),
		presets:  el("div", attrs{"class": "chips", "role": "group", "aria-label": &say.Guidance}),
		chips:    map[string]element{},
		positive: el("input", words),
		negative: el("input", words),
		slider:   el("input", attrs{"type": "range", "id": "weight-slider", "step": "0.05", "aria-label": &say.Weight}),
		weight:   el("input", attrs{"type": "number", "step": "0.05", "inputmode": "decimal"}),
		low:      el("span", attrs{"class": "low"}),
		top:      el("span", attrs{"class": "top"}),
		schedule: newSchedule(a),
		vectors:  newVectors(),
	}
	v.another = iconButton("quiet", "plus", &say.AddDirection, func() {
		a.edit(true, func(f *form) {
			t := f.terms[f.term]
			t.preset, t.positive, t.negative = "", "", ""
			f.addTerm(t)
		})
		v.positive.Focus()
	})
	v.another.SetID("add-direction")
	v.remove = iconButton("quiet", "close", &say.RemoveDirection, func() { a.edit(true, (*form).removeTerm) })
	v.remove.SetID("remove-direction")
	v.chip("", &say.Off, func(f *form) { f.guided = false })
	v.body = el("div", attrs{"class": "guidance"},
		el("div", attrs{"class": "poles"}, labelled("positive", &say.Towards, v.positive), labelled("negative", &say.Away, v.negative)),
		el("div", attrs{"class": "weight"}, labelled("weight", &say.Weight, v.weight), el("div", attrs{"class": "slider"}, v.slider, v.low, v.top)),
		v.schedule.box,
		v.vectors.box,
		el("div", attrs{"class": "ends"}, v.another, v.remove),
	)
	v.section = el("section", attrs{"class": "card", "id": "guidance", "aria-labelledby": "guidance-title"},
		el("h2", attrs{"id": "guidance-title"}, &say.Guidance), el("p", attrs{"class": "muted"}, &say.GuidanceHint), v.row, v.presets, v.body)
	add(panel, v.section)
	v.listen()
	return v
}

func (v *guidanceView) listen() {
	// Words are read while they are typed, but pictures follow when they are done.
	words := func(field element, change func(t *term, text string)) {
		on(field, "input", func(dom.Event) {
			text := field.Get("value").String()
			v.app.update(func(s *state) { s.form.edit(func(t *term) { change(t, text) }) })
		})
		on(field, "change", func(dom.Event) { v.app.follow(true) })
	}
	words(v.positive, func(t *term, text string) { t.positive, t.preset = text, "" })
	words(v.negative, func(t *term, text string) { t.negative, t.preset = text, "" })
	for _, field := range []element{v.slider, v.weight} {
		on(field, "input", func(dom.Event) {
			v.app.edit(false, func(f *form) { f.edit(func(t *term) { t.weight = number(field) }) })
		})
		on(field, "change", func(dom.Event) { v.app.follow(true) })
	}
}

func (v *guidanceView) chip(id string, name any, choose func(f *form)) {
	c := button("chip", name, func() { v.app.edit(true, choose) })
	setAttr(c, "data-preset", id)
	v.chips[id] = c
	add(v.presets, c)
}

func (v *guidanceView) render(s *state) {
	setFlag(v.section, "inert", s.model == nil) // nothing can be set of what is not known
	if s.model == nil {
		return
	}
	if len(v.chips) == 1 {
		for _, p := range s.model.presets {
			v.chip(p.preset, "", func(f *form) { f.choose(p) })
		}
	}
	for _, p := range s.model.presets {
		setText(v.chips[p.preset], say.title(p))
	}
	f, t := s.form, s.form.terms[s.form.term]
	for id, c := range v.chips {
		setAttr(c, "aria-pressed", fmt.Sprint(id == "" && !f.guided || id != "" && f.guided && id == t.preset))
	}
	v.renderRow(s)
	show(v.body, f.guided)
	setValue(v.positive, t.positive)
	setValue(v.negative, t.negative)
	p, _ := s.model.preset(t.preset)
	v.renderWeight(t.weight, p.low, p.top)
	v.schedule.render(t, p, s.model)
	v.vectors.render(s)
	show(v.another, len(f.terms) < maxTerms)
	show(v.remove, len(f.terms) > 1)
}

func (v *guidanceView) renderWeight(w, low, top float64) {
	setAttr(v.slider, "min", numberText(low))
	setAttr(v.slider, "max", numberText(top))
	setText(v.low, signText(low))
	setText(v.top, signText(top))
	v.slider.Style().SetProperty("--zero", fmt.Sprintf("%.4f", -low/(top-low)), "")
	if !math.IsNaN(w) {
		setValue(v.weight, numberText(w))
		v.slider.Set("value", w)
		v.slider.Style().SetProperty("--at", fmt.Sprintf("%.4f", min(1, max(0, (w-low)/(top-low)))), "")
		setAttr(v.slider, "aria-valuetext", numberText(w))
	}
}

// renderRow shows the directions when there are several.
func (v *guidanceView) renderRow(s *state) {
	f := s.form
	show(v.row, f.guided && len(f.terms) > 1)
	for i := len(v.directions); i < len(f.terms); i++ {
		b := button("direction", "", func() { v.app.update(func(s *state) { s.form.term = i }) })
		v.directions = append(v.directions, b)
		add(v.row, b)
	}
	for i, b := range v.directions {
		show(b, i < len(f.terms))
		if i >= len(f.terms) {
			continue
		}
		t := f.terms[i]
		setText(b, fmt.Sprintf(say.DirectionName, t.name(s.model), signText(t.weight)))
		setAttr(b, "aria-pressed", fmt.Sprint(i == f.term))
	}
}

// name is what a direction is called in a row of them.
func (t term) name(m *model) string {
	if p, ok := m.preset(t.preset); ok {
		return say.title(p)
	}
	for _, words := range []string{t.positive, t.negative} {
		if words != "" {
			return words
		}
	}
	return say.Nameless
}
