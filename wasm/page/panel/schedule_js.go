package panel

import (
	"fmt"
	"math"
	"strings"

	"undertone/engine/recipe"
	"undertone/guidance"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// scheduleView shows how a direction's weight is spread over the blocks, and lets
// people choose a shape or draw one.
type scheduleView struct {
	app         *app.App
	box         ui.Element
	kinds       map[string]ui.Element // radio buttons
	name        ui.Element            // of the chosen kind
	first, last ui.Element
	width       ui.Element
	center      [2]ui.Element
	fields      map[string]ui.Element // with their labels
	chart       *weightChart
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

func newSchedule(a *app.App) *scheduleView {
	v := &scheduleView{app: a, kinds: map[string]ui.Element{}, fields: map[string]ui.Element{}, name: ui.El("span", ui.Attrs{{"class", "muted"}}), chart: newWeightChart(a)}
	kinds := ui.El("div", ui.Attrs{{"class", "segments shapes"}, {"role", "radiogroup"}, {"aria-label", &words.Text.Schedule}})
	for _, kind := range guidance.Kinds() {
		ui.Append(kinds, v.radio(kind, kindName(kind)))
	}
	whole := ui.Attrs{{"type", "number"}, {"inputmode", "numeric"}, {"min", "0"}, {"step", "1"}}
	v.first, v.last = ui.El("input", whole), ui.El("input", whole)
	v.width = ui.El("input", ui.Attrs{{"type", "number"}, {"inputmode", "decimal"}, {"min", "0.1"}, {"step", "0.1"}})
	row := ui.El("div", ui.Attrs{{"class", "blocks"}})
	field := func(id string, title *string, input ui.Element, change func(t *recipe.Term, x float64)) {
		ui.On(input, "input", func(ui.Event) {
			v.edit(false, func(t *recipe.Term) { ownBlocks(t, a.State.Model.Depth()); change(t, ui.Number(input)) })
		})
		ui.On(input, "change", func(ui.Event) { a.Follow(true) })
		v.fields[id] = ui.Labelled(id, title, input)
		ui.Append(row, v.fields[id])
	}
	field("first", &words.Text.FirstBlock, v.first, func(t *recipe.Term, x float64) { t.Schedule.Start = asBlock(x) })
	field("last", &words.Text.LastBlock, v.last, func(t *recipe.Term, x float64) { t.Schedule.End = asBlock(x) })
	for i, title := range []*string{&words.Text.FirstBump, &words.Text.SecondBump} {
		v.center[i] = ui.El("input", whole)
		field(fmt.Sprintf("center-%d", i), title, v.center[i], func(t *recipe.Term, x float64) {
			c := centers(*t, a.State.Model.Depth())
			c[i] = x
			t.Schedule.Centers, t.Schedule.Of = c[:], 0
		})
	}
	field("width", &words.Text.BumpWidth, v.width, func(t *recipe.Term, x float64) {
		c := centers(*t, a.State.Model.Depth())
		t.Schedule.Centers, t.Schedule.Of, t.Schedule.Width = c[:], 0, x
	})
	v.box = ui.El("div", ui.Attrs{{"class", "field schedule"}},
		ui.El("p", ui.Attrs{{"class", "label"}}, &words.Text.Schedule, " · ", v.name), kinds, row, v.chart.box)
	return v
}

// centers are the two middles of the bumps, in blocks of this model.
func centers(t recipe.Term, blocks int) (c [2]float64) {
	if len(t.Schedule.Centers) == 2 && t.Schedule.Of == 0 {
		return [2]float64(t.Schedule.Centers)
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
	return map[string]*string{"constant": &words.Text.Constant, "step": &words.Text.Step, "window": &words.Text.Window, "bumps": &words.Text.Bumps,
		"intervals": &words.Text.Intervals, "table": &words.Text.Table}[kind]
}

func (v *scheduleView) edit(still bool, change func(t *recipe.Term)) {
	v.app.Edit(still, func(f *app.Form) { f.Edit(change) })
}

func (v *scheduleView) radio(kind string, name *string) ui.Element {
	input := ui.El("input", ui.Attrs{{"type", "radio"}, {"name", "schedule"}, {"value", kind}, {"aria-label", name}})
	v.kinds[kind] = input
	ui.On(input, "change", func(ui.Event) { v.edit(true, func(t *recipe.Term) { setKind(t, kind, v.app.State.Model.Depth()) }) })
	label := ui.El("label", nil, input, ui.Drawing(shapes[kind]))
	ui.Follow(name, func(text string) { ui.SetAttr(label, "title", text) })
	return label
}

func (v *scheduleView) render(t recipe.Term, p app.Preset, m *app.Model) {
	kind := t.Schedule.Kind
	if kind == "" {
		kind = "constant"
	}
	if input, known := v.kinds[kind]; known {
		input.Set("checked", true)
		ui.SetText(v.name, strings.ToLower(*kindName(kind)))
	}
	ui.Show(v.fields["first"], kind == "step" || kind == "window")
	ui.Show(v.fields["last"], kind == "window")
	for _, id := range []string{"center-0", "center-1", "width"} {
		ui.Show(v.fields[id], kind == "bumps")
	}
	last := fmt.Sprint(m.Depth() - 1)
	for _, field := range []ui.Element{v.first, v.last, v.center[0], v.center[1]} {
		ui.SetAttr(field, "max", last)
	}
	first, end := span(t, m.Depth())
	ui.SetValue(v.first, fmt.Sprint(first))
	ui.SetValue(v.last, fmt.Sprint(end))
	c := centers(t, m.Depth())
	for i := range v.center {
		if !math.IsNaN(c[i]) {
			ui.SetValue(v.center[i], words.Number(c[i]))
		}
	}
	width := t.Schedule.Width
	if width == 0 {
		width = 5 // guidance's own
	}
	if !math.IsNaN(width) {
		ui.SetValue(v.width, words.Number(width))
	}
	v.chart.render(curve(t, m.Depth()), scaleOf(p.Low, p.High, curve(t, m.Depth())), m)
}
