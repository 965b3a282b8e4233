package page

import (
	"fmt"
	"math"
	"strings"

	"honnef.co/go/js/dom/v2"

	"undertone/guidance"
)

// scheduleView shows how a direction's weight is spread over the blocks, and lets
// people choose a shape or draw one.
type scheduleView struct {
	app         *app
	box         element
	kinds       map[string]element // radio buttons
	name        element            // of the chosen kind
	first, last element
	width       element
	center      [2]element
	fields      map[string]element // with their labels
	bars        *bars
}

// shapes are the kinds as small drawings.
var shapes = map[string]string{
	"constant":  "M2 8h20",
	"step":      "M2 19h7V8h13",
	"window":    "M2 19h5V8h9v11h6",
	"bumps":     "M2 19c4 0 3-11 5.5-11s1.5 11 5 11 2.5-11 5-11 1 11 4.5 11",
	"intervals": "M2 19h3V7h7v6h6v6h4",
	"table":     "M4 19v-5 M8 19V7 M12 19v-8 M16 19V9 M20 19v-3",
}

func newSchedule(a *app) *scheduleView {
	v := &scheduleView{app: a, kinds: map[string]element{}, fields: map[string]element{}, name: el("span", attrs{"class": "muted"}), bars: newBars(a)}
	kinds := el("div", attrs{"class": "segments shapes", "role": "radiogroup", "aria-label": &say.Schedule})
	for _, kind := range guidance.Kinds() {
		add(kinds, v.radio(kind, kindName(kind)))
	}
	whole := attrs{"type": "number", "inputmode": "numeric", "min": "0", "step": "1"}
	v.first, v.last = el("input", whole), el("input", whole)
	v.width = el("input", attrs{"type": "number", "inputmode": "decimal", "min": "0.1", "step": "0.1"})
	row := el("div", attrs{"class": "blocks"})
	field := func(id string, title *string, input element, change func(t *term, x float64)) {
		on(input, "input", func(dom.Event) {
			v.edit(false, func(t *term) { t.own(a.state.model.blocks()); change(t, number(input)) })
		})
		on(input, "change", func(dom.Event) { a.follow(true) })
		v.fields[id] = labelled(id, title, input)
		add(row, v.fields[id])
	}
	field("first", &say.FirstBlock, v.first, func(t *term, x float64) { t.schedule.Start = asBlock(x) })
	field("last", &say.LastBlock, v.last, func(t *term, x float64) { t.schedule.End = asBlock(x) })
	for i, title := range []*string{&say.FirstBump, &say.SecondBump} {
		v.center[i] = el("input", whole)
		field(fmt.Sprintf("center-%d", i), title, v.center[i], func(t *term, x float64) {
			c := centers(*t, a.state.model.blocks())
			c[i] = x
			t.schedule.Centers, t.schedule.Of = c[:], 0
		})
	}
	field("width", &say.BumpWidth, v.width, func(t *term, x float64) {
		c := centers(*t, a.state.model.blocks())
		t.schedule.Centers, t.schedule.Of, t.schedule.Width = c[:], 0, x
	})
	v.box = el("div", attrs{"class": "field schedule"},
		el("p", attrs{"class": "label"}, &say.Schedule, " ", v.name), kinds, row, v.bars.box)
	return v
}

// centers are the two middles of the bumps, in blocks of this model.
func centers(t term, blocks int) (c [2]float64) {
	if len(t.schedule.Centers) == 2 && t.schedule.Of == 0 {
		return [2]float64(t.schedule.Centers)
	}
	for i, of57 := range []float64{20, 50} {
		c[i] = math.Floor(of57 * float64(blocks) / 57)
	}
	return c
}

// asBlock is a typed number as a block; what is none becomes −1, which the
// schedule refuses.
func asBlock(x float64) int {
	if x == math.Trunc(x) && math.Abs(x) < 1e9 {
		return int(x)
	}
	return -1
}

func kindName(kind string) *string {
	return map[string]*string{"constant": &say.Constant, "step": &say.Step, "window": &say.Window, "bumps": &say.Bumps,
		"intervals": &say.Intervals, "table": &say.Table}[kind]
}

func (v *scheduleView) edit(still bool, change func(t *term)) {
	v.app.edit(still, func(f *form) { f.edit(change) })
}

func (v *scheduleView) radio(kind string, name *string) element {
	input := el("input", attrs{"type": "radio", "name": "schedule", "value": kind, "aria-label": name})
	v.kinds[kind] = input
	on(input, "change", func(dom.Event) { v.edit(true, func(t *term) { t.kind(kind, v.app.state.model.blocks()) }) })
	label := el("label", nil, input, drawing(shapes[kind]))
	follow(name, func(text string) { setAttr(label, "title", text) })
	return label
}

func (v *scheduleView) render(t term, p preset, m *model) {
	kind := t.schedule.Kind
	if kind == "" {
		kind = "constant"
	}
	if input, known := v.kinds[kind]; known {
		input.Set("checked", true)
		setText(v.name, strings.ToLower(*kindName(kind)))
	}
	show(v.fields["first"], kind == "step" || kind == "window")
	show(v.fields["last"], kind == "window")
	for _, id := range []string{"center-0", "center-1", "width"} {
		show(v.fields[id], kind == "bumps")
	}
	last := fmt.Sprint(m.blocks() - 1)
	for _, field := range []element{v.first, v.last, v.center[0], v.center[1]} {
		setAttr(field, "max", last)
	}
	first, end := t.span(m.blocks())
	setValue(v.first, fmt.Sprint(first))
	setValue(v.last, fmt.Sprint(end))
	c := centers(t, m.blocks())
	for i := range v.center {
		if !math.IsNaN(c[i]) {
			setValue(v.center[i], numberText(c[i]))
		}
	}
	width := t.schedule.Width
	if width == 0 {
		width = 5 // guidance's own
	}
	if !math.IsNaN(width) {
		setValue(v.width, numberText(width))
	}
	v.bars.render(t.curve(m.blocks()), scaleOf(p.low, p.top, t.curve(m.blocks())), m)
}
