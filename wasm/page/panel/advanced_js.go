package panel

import (
	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Advanced has what guidance is made of, for the direction that is being edited: its
// words, how its weight is spread over the blocks, and how it lies to the prompt. It
// is folded, and stays as people left it.
type Advanced struct {
	box, name          ui.Element
	positive, negative ui.Element
	schedule           *scheduleView
	geometry           *geometryView
}

// NewAdvanced puts it at the end of the panel.
func NewAdvanced(a *app.App, panel ui.Element) *Advanced {
	line := ui.Attrs{{"type", "text"}, {"autocomplete", "off"}, {"autocapitalize", "off"}, {"spellcheck", "false"}}
	v := &Advanced{
		name:     ui.El("span", ui.Attrs{{"class", "muted"}}),
		positive: ui.El("input", line),
		negative: ui.El("input", line),
		schedule: newSchedule(a),
		geometry: newGeometry(),
	}
	// Words are read while they are typed, but pictures follow when they are done.
	typed := func(field ui.Element, change func(t *recipe.Term, text string)) {
		ui.On(field, "input", func(ui.Event) {
			text := field.Get("value").String()
			a.Update(func(s *app.State) { s.Form.Edit(func(t *recipe.Term) { change(t, text) }) })
		})
		ui.On(field, "change", func(ui.Event) { a.Follow(true) })
	}
	typed(v.positive, func(t *recipe.Term, text string) { t.Positive = text })
	typed(v.negative, func(t *recipe.Term, text string) { t.Negative = text })
	v.box = ui.El("details", ui.Attrs{{"id", "advanced"}, {"class", "card"}},
		ui.El("summary", nil, ui.El("h2", nil, &words.Text.Advanced), v.name),
		ui.El("div", ui.Attrs{{"class", "guidance"}},
			ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.GuidanceHint),
			ui.El("div", ui.Attrs{{"class", "poles"}}, ui.Labelled("positive", &words.Text.Towards, v.positive), ui.Labelled("negative", &words.Text.Away, v.negative)),
			v.schedule.box,
			v.geometry.box,
		))
	ui.SetFlag(v.box, "open", ui.Recall("advanced") != "")
	ui.On(v.box, "toggle", func(ui.Event) {
		ui.Remember("advanced", ui.Either(v.box.HasAttribute("open"), "open", ""))
	})
	ui.Append(panel, v.box)
	return v
}

// Render draws it.
func (v *Advanced) Render(s *app.State) {
	ui.SetFlag(v.box, "inert", s.Model == nil)
	if s.Model == nil {
		return
	}
	t := s.Form.Term()
	p, _ := s.Model.Preset(t)
	ui.SetText(v.name, s.Model.TermName(t))
	ui.SetValue(v.positive, t.Positive)
	ui.SetValue(v.negative, t.Negative)
	v.schedule.render(t, p, s.Model)
	v.geometry.render(s)
}
