package panel

import (
	"fmt"
	"math"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Guidance edits the directions: one at a time, the others stand in a row
// above it.
type Guidance struct {
	app                *app.App
	section            ui.Element
	row                ui.Element   // of the directions, when there are several
	directions         []ui.Element // their buttons
	presets            ui.Element
	chips              map[string]ui.Element // by preset id; "" is off
	body               ui.Element
	positive, negative ui.Element
	slider, weight     ui.Element
	low, top           ui.Element // the slider's ends
	schedule           *scheduleView
	geometry           *geometryView
	another, remove    ui.Element
}

// NewGuidance puts them at the end of the panel.
func NewGuidance(a *app.App, panel ui.Element) *Guidance {
	line := ui.Attrs{"type": "text", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
	v := &Guidance{
		app:      a,
		row:      ui.El("div", ui.Attrs{"class": "directions", "role": "group", "aria-label": &words.Text.Directions}),
		presets:  ui.El("div", ui.Attrs{"class": "chips", "role": "group", "aria-label": &words.Text.Guidance}),
		chips:    map[string]ui.Element{},
		positive: ui.El("input", line),
		negative: ui.El("input", line),
		slider:   ui.El("input", ui.Attrs{"type": "range", "id": "weight-slider", "step": "0.05", "aria-label": &words.Text.WeightSlider}),
		weight:   ui.El("input", ui.Attrs{"type": "number", "step": "0.05", "inputmode": "decimal"}),
		low:      ui.El("span", ui.Attrs{"class": "low"}),
		top:      ui.El("span", ui.Attrs{"class": "top"}),
		schedule: newSchedule(a),
		geometry: newGeometry(),
	}
	v.another = ui.IconButton("quiet", "plus", &words.Text.AddDirection, func() {
		a.Edit(true, func(f *app.Form) {
			t := f.Term()
			t.Positive, t.Negative = "", ""
			f.AddTerm(t)
		})
		v.positive.Focus()
	})
	v.another.SetID("add-direction")
	v.remove = ui.IconButton("quiet", "close", &words.Text.RemoveDirection, func() { a.Edit(true, (*app.Form).RemoveTerm) })
	v.remove.SetID("remove-direction")
	v.chip("", &words.Text.Off, func(f *app.Form) { f.Guided = false })
	v.body = ui.El("div", ui.Attrs{"class": "guidance"},
		ui.El("div", ui.Attrs{"class": "poles"}, ui.Labelled("positive", &words.Text.Towards, v.positive), ui.Labelled("negative", &words.Text.Away, v.negative)),
		ui.El("div", ui.Attrs{"class": "weight"}, ui.Labelled("weight", &words.Text.Weight, v.weight), ui.El("div", ui.Attrs{"class": "slider"}, v.slider, v.low, v.top)),
		v.schedule.box,
		v.geometry.box,
		ui.El("div", ui.Attrs{"class": "ends"}, v.another, v.remove),
	)
	v.section = ui.El("section", ui.Attrs{"class": "card", "id": "guidance", "aria-labelledby": "guidance-title"},
		ui.El("h2", ui.Attrs{"id": "guidance-title"}, &words.Text.Guidance), ui.El("p", ui.Attrs{"class": "muted"}, &words.Text.GuidanceHint), v.row, v.presets, v.body)
	ui.Append(panel, v.section)
	v.listen()
	return v
}

func (v *Guidance) listen() {
	// Words are read while they are typed, but pictures follow when they are done.
	typed := func(field ui.Element, change func(t *recipe.Term, text string)) {
		ui.On(field, "input", func(ui.Event) {
			text := field.Get("value").String()
			v.app.Update(func(s *app.State) { s.Form.Edit(func(t *recipe.Term) { change(t, text) }) })
		})
		ui.On(field, "change", func(ui.Event) { v.app.Follow(true) })
	}
	typed(v.positive, func(t *recipe.Term, text string) { t.Positive = text })
	typed(v.negative, func(t *recipe.Term, text string) { t.Negative = text })
	for _, field := range []ui.Element{v.slider, v.weight} {
		ui.On(field, "input", func(ui.Event) {
			v.app.Edit(false, func(f *app.Form) { f.Edit(func(t *recipe.Term) { t.Weight = ui.Number(field) }) })
		})
		ui.On(field, "change", func(ui.Event) { v.app.Follow(true) })
	}
}

func (v *Guidance) chip(id string, name any, choose func(f *app.Form)) {
	c := ui.Button("chip", name, func() { v.app.Press(choose) })
	ui.SetAttr(c, "data-preset", id)
	v.chips[id] = c
	ui.Append(v.presets, c)
}

// Render draws them.
func (v *Guidance) Render(s *app.State) {
	ui.SetFlag(v.section, "inert", s.Model == nil) // nothing can be set of what is not known
	if s.Model == nil {
		return
	}
	if len(v.chips) == 1 {
		for _, p := range s.Model.Directions {
			v.chip(p.ID, "", func(f *app.Form) { f.Choose(p) })
		}
	}
	for _, p := range s.Model.Directions {
		ui.SetText(v.chips[p.ID], words.Text.PresetTitle(p.ID, p.Title))
	}
	f, t := s.Form, s.Form.Term()
	p, _ := s.Model.Preset(t)
	for id, c := range v.chips {
		ui.SetAttr(c, "aria-pressed", fmt.Sprint(id == "" && !f.Guided || id != "" && f.Guided && id == p.ID))
	}
	v.renderRow(s)
	ui.Show(v.body, f.Guided)
	ui.SetValue(v.positive, t.Positive)
	ui.SetValue(v.negative, t.Negative)
	v.renderWeight(t.Weight, p.Low, p.High)
	v.schedule.render(t, p, s.Model)
	v.geometry.render(s)
	ui.Show(v.another, len(f.Guidance) < recipe.MaxTerms)
	ui.Show(v.remove, len(f.Guidance) > 1)
}

func (v *Guidance) renderWeight(w, low, top float64) {
	ui.SetAttr(v.slider, "min", words.Number(low))
	ui.SetAttr(v.slider, "max", words.Number(top))
	ui.SetText(v.low, words.Signed(low))
	ui.SetText(v.top, words.Signed(top))
	v.slider.Style().SetProperty("--zero", fmt.Sprintf("%.4f", -low/(top-low)), "")
	if !math.IsNaN(w) {
		ui.SetValue(v.weight, words.Number(w))
		v.slider.Set("value", w)
		v.slider.Style().SetProperty("--at", fmt.Sprintf("%.4f", min(1, max(0, (w-low)/(top-low)))), "")
		ui.SetAttr(v.slider, "aria-valuetext", words.Number(w))
	}
}

// renderRow shows the directions when there are several.
func (v *Guidance) renderRow(s *app.State) {
	f := s.Form
	ui.Show(v.row, f.Guided && len(f.Guidance) > 1)
	for i := len(v.directions); i < len(f.Guidance); i++ {
		b := ui.Button("direction", "", func() { v.app.Update(func(s *app.State) { s.Form.Editing = i }) })
		v.directions = append(v.directions, b)
		ui.Append(v.row, b)
	}
	for i, b := range v.directions {
		ui.Show(b, i < len(f.Guidance))
		if i >= len(f.Guidance) {
			continue
		}
		t := f.Guidance[i]
		ui.SetText(b, fmt.Sprintf(words.Text.DirectionName, s.Model.TermName(t), words.Signed(t.Weight)))
		ui.SetAttr(b, "aria-pressed", fmt.Sprint(i == f.Editing))
	}
}
