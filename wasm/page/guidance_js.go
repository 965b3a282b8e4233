package page

import (
	"fmt"
	"math"
	"strings"

	"honnef.co/go/js/dom/v2"
)

// guidanceView edits one direction: its words, its weight, and to which blocks
// it is applied.
type guidanceView struct {
	app                *app
	presets            element
	chips              map[string]element // by preset id; "" is off
	body               element
	positive, negative element
	slider, weight     element
	kinds              map[string]element // radio buttons
	own                element            // the radio button of a preset's special schedule
	first, last        element
	firstBox, lastBox  element // with their labels
	curve              *curve
}

func newGuidance(a *app, panel element) *guidanceView {
	number := attrs{"type": "number", "inputmode": "numeric", "min": "0", "step": "1"}
	v := &guidanceView{
		app:      a,
		presets:  el("div", attrs{"class": "chips", "role": "group", "aria-label": &say.Guidance}),
		chips:    map[string]element{},
		positive: el("input", attrs{"type": "text", "autocomplete": "off", "spellcheck": "false"}),
		negative: el("input", attrs{"type": "text", "autocomplete": "off", "spellcheck": "false"}),
		slider:   el("input", attrs{"type": "range", "min": "-2", "max": "4", "step": "0.05", "aria-label": &say.Weight}),
		weight:   el("input", attrs{"type": "number", "step": "0.05", "inputmode": "decimal"}),
		kinds:    map[string]element{},
		first:    el("input", number), last: el("input", number),
		curve: newCurve(),
	}
	v.chip("", &say.Off, func(f *form) { f.guided = false })
	kinds := el("div", attrs{"class": "segments", "role": "radiogroup", "aria-label": &say.Schedule})
	for _, k := range []struct {
		kind string
		name *string
	}{{"constant", &say.Constant}, {"step", &say.Step}, {"window", &say.Window}} {
		add(kinds, v.radio(k.kind, k.name))
	}
	v.firstBox, v.lastBox = labelled("first", &say.FirstBlock, v.first), labelled("last", &say.LastBlock, v.last)
	v.own = v.radio("own", &say.OfPreset)
	add(kinds, v.own)
	v.body = el("div", attrs{"class": "guidance"},
		labelled("positive", &say.Towards, v.positive),
		labelled("negative", &say.Away, v.negative),
		el("div", attrs{"class": "weight"}, labelled("weight", &say.Weight, v.weight), v.slider),
		el("div", attrs{"class": "field"}, el("span", attrs{"class": "label"}, &say.Schedule), kinds),
		el("div", attrs{"class": "blocks"}, v.firstBox, v.lastBox),
		v.curve.box,
	)
	v.slider.SetID("weight-slider")
	add(panel, el("section", attrs{"class": "card"},
		el("h2", nil, &say.Guidance), el("p", attrs{"class": "muted"}, &say.GuidanceHint), v.presets, v.body))
	v.listen()
	return v
}

func (v *guidanceView) listen() {
	edit := func(field element, change func(t *term, text string)) {
		on(field, "input", func(dom.Event) {
			text := field.Get("value").String()
			v.app.edit(false, func(f *form) { f.edit(func(t *term) { change(t, text) }) })
		})
	}
	edit(v.positive, func(t *term, text string) { t.positive, t.preset = text, "" })
	edit(v.negative, func(t *term, text string) { t.negative, t.preset = text, "" })
	edit(v.slider, func(t *term, _ string) { t.weight = number(v.slider) })
	edit(v.weight, func(t *term, _ string) { t.weight = number(v.weight) })
	edit(v.first, func(t *term, _ string) { t.schedule.Start = whole(v.first) })
	edit(v.last, func(t *term, _ string) { t.schedule.End = whole(v.last) })
}

// whole is what a number field holds; what is no number becomes −1, which the
// schedule refuses.
func whole(field element) int {
	if x := number(field); x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return int(x)
	}
	return -1
}

func (v *guidanceView) chip(id string, name any, choose func(f *form)) {
	c := button("chip", name, func() { v.app.edit(true, choose) })
	setAttr(c, "data-preset", id)
	v.chips[id] = c
	add(v.presets, c)
}

func (v *guidanceView) radio(kind string, name *string) element {
	input := el("input", attrs{"type": "radio", "name": "schedule", "value": kind})
	v.kinds[kind] = input
	on(input, "change", func(dom.Event) {
		v.app.edit(true, func(f *form) { f.edit(func(t *term) { t.kind(kind, v.app.state.model.blocks()) }) })
	})
	return el("label", nil, input, el("span", nil, name))
}

func (v *guidanceView) render(s *state) {
	if s.model == nil {
		return
	}
	if len(v.chips) == 1 {
		for _, p := range s.model.presets {
			v.chip(p.preset, p.title, func(f *form) { f.choose(p) })
		}
	}
	f, t := s.form, s.form.terms[s.form.term]
	for id, c := range v.chips {
		setAttr(c, "aria-pressed", fmt.Sprint(id == "" && !f.guided || id != "" && f.guided && id == t.preset))
	}
	show(v.body, f.guided)
	setValue(v.positive, t.positive)
	setValue(v.negative, t.negative)
	if !math.IsNaN(t.weight) {
		setValue(v.weight, numberText(t.weight))
		v.slider.Set("value", t.weight)
		setAttr(v.slider, "aria-valuetext", numberText(t.weight))
	}
	kind := t.schedule.Kind
	if _, known := v.kinds[kind]; !known {
		kind = "own"
	}
	v.kinds[kind].Set("checked", true)
	show(v.own, kind == "own")
	show(v.firstBox, kind == "step" || kind == "window")
	show(v.lastBox, kind == "window")
	last := fmt.Sprint(s.model.blocks() - 1)
	setAttr(v.first, "max", last)
	setAttr(v.last, "max", last)
	setValue(v.first, fmt.Sprint(t.schedule.Start))
	setValue(v.last, fmt.Sprint(t.schedule.End))
	v.curve.render(t.curve(s.model.blocks()), s.model)
}

// curve draws the weight of every block as bars around a line.
type curve struct {
	box, chart, note element
	bars             []element // one for every block
}

func newCurve() *curve {
	c := &curve{chart: el("div", attrs{"class": "bars", "role": "img"}), note: el("p", attrs{"class": "muted"})}
	c.box = el("div", attrs{"class": "curve"}, c.chart, c.note)
	return c
}

func (c *curve) render(weights []float32, m *model) {
	setText(c.note, fmt.Sprintf(say.BlocksCounted, m.blocks()))
	if weights == nil {
		setText(c.note, say.CurveNone)
	}
	for i := len(c.bars); i < m.blocks(); i++ {
		bar := el("span", nil)
		setFlag(bar, "data-double", i < m.dit.Depth)
		add(c.chart, bar)
		c.bars = append(c.bars, bar)
	}
	// The tallest bar fills its part, but small weights stay small.
	top := 2.0
	for _, w := range weights {
		top = math.Max(top, math.Max(float64(w), -2*float64(w)))
	}
	values := make([]string, len(weights))
	for i, bar := range c.bars {
		w := 0.0
		if weights != nil {
			w = float64(weights[i])
			values[i] = numberText(w)
		}
		bar.Style().SetProperty("--up", fmt.Sprintf("%.3f", math.Max(0, w)/top), "")
		bar.Style().SetProperty("--down", fmt.Sprintf("%.3f", math.Max(0, -2*w)/top), "")
	}
	setAttr(c.chart, "aria-label", fmt.Sprintf(say.Curve, strings.Join(values, ", ")))
}
