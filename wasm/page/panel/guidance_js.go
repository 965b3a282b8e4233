package panel

import (
	"fmt"
	"math"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Guidance stands under the picture: the presets to choose from, and for every direction
// a row with its weight. What else there is of the direction that is being edited is
// behind Advanced.
type Guidance struct {
	app     *app.App
	section ui.Element
	presets ui.Element
	chips   map[string]ui.Element // by preset id; "" is off
	another ui.Element
	desk    ui.Element
	rows    []*directionRow
	model   *app.Model // whose presets there are
}

// featured is how many presets are shown large: those that the model's maker names first.
const featured = 3

// NewGuidance puts it at the end of the stage.
func NewGuidance(a *app.App, stage ui.Element) *Guidance {
	v := &Guidance{
		app:     a,
		presets: ui.El("div", ui.Attrs{{"class", "chips presets"}, {"role", "group"}, {"aria-labelledby", "guidance-title"}}),
		chips:   map[string]ui.Element{},
		desk:    ui.El("div", ui.Attrs{{"class", "desk"}, {"role", "group"}, {"aria-label", &words.Text.Directions}}),
	}
	v.another = ui.IconButton("chip", "plus", &words.Text.AddDirection, v.add)
	v.another.SetID("add-direction")
	ui.Append(v.presets, v.another)
	v.chip("", "chip", &words.Text.Off, func(f *app.Form) { f.Guided = false })
	v.section = ui.El("section", ui.Attrs{{"id", "guidance"}, {"aria-labelledby", "guidance-title"}},
		ui.El("h2", ui.Attrs{{"id", "guidance-title"}, {"class", "unseen"}}, &words.Text.Guidance), v.presets, v.desk)
	ui.Append(stage, v.section)
	return v
}

// add begins a direction without words; the presets then fill it in.
func (v *Guidance) add() {
	v.app.Update(func(s *app.State) { s.Form.AddTerm(s.Model.Blank()) })
	v.app.Render() // the row is there before it gets the focus
	v.rows[v.app.State.Form.Editing].choice.Focus()
}

// remove takes a direction away; the focus stays among the others.
func (v *Guidance) remove(i int) {
	v.app.Press(func(f *app.Form) { f.RemoveTerm(i) })
	v.rows[v.app.State.Form.Editing].slider.Focus()
}

func (v *Guidance) chip(id, class string, name any, choose func(f *app.Form)) {
	c := ui.Button(class, name, func() { v.app.Press(choose) })
	ui.SetAttr(c, "data-preset", id)
	v.chips[id] = c
	v.another.Call("before", c.Value)
}

// Render draws it.
func (v *Guidance) Render(s *app.State) {
	ui.SetFlag(v.section, "inert", s.Model == nil) // nothing can be set of what is not known
	shown, _ := s.Shown()
	ui.Show(v.section, s.Phase >= app.Ready || shown != nil)
	if s.Model == nil {
		return
	}
	if v.model != s.Model {
		v.model = s.Model
		for id, c := range v.chips {
			if id != "" {
				c.Call("remove")
				delete(v.chips, id)
			}
		}
		for i, p := range s.Model.Directions {
			class := "chip"
			if i < featured {
				class = "chip large"
			}
			v.chip(p.ID, class, "", func(f *app.Form) { f.Choose(p) })
		}
	}
	f, used := s.Form, map[string]bool{}
	for i, t := range f.Guidance {
		if p, ok := s.Model.Preset(t); ok && !f.Silent(i) {
			used[p.ID] = true
		}
	}
	used[""] = !f.Steered().Guides()
	for _, p := range s.Model.Directions {
		ui.SetText(v.chips[p.ID], words.Text.PresetTitle(p.ID, p.Title))
	}
	for id, c := range v.chips {
		ui.SetState(c, "aria-pressed", used[id])
	}
	ui.Show(v.another, len(f.Guidance) < recipe.MaxTerms)
	for len(v.rows) < len(f.Guidance) {
		v.rows = append(v.rows, newDirectionRow(v, len(v.rows)))
	}
	for i, r := range v.rows {
		r.render(s, i)
	}
}

// directionRow is one direction among those that are mixed: its name, its weight as a
// slider and as a number, and whether it is applied.
type directionRow struct {
	box, choice, name ui.Element
	hint              ui.Element // in the place of a weight that does nothing yet
	slide             ui.Element // the slider with its ends
	slider, weight    ui.Element
	low, top          ui.Element
	mute, remove      ui.Element
}

func newDirectionRow(v *Guidance, i int) *directionRow {
	id := ""
	if i > 0 {
		id = fmt.Sprint("-", i)
	}
	r := &directionRow{
		choice: ui.El("input", ui.Attrs{{"type", "radio"}, {"name", "direction"}, {"value", fmt.Sprint(i)}}),
		name:   ui.El("span", ui.Attrs{{"translate", "no"}}), // a preset's title or one's own words
		hint:   ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.DirectionHint),
		slider: ui.El("input", ui.Attrs{{"type", "range"}, {"id", "weight-slider" + id}, {"step", "0.05"}}),
		weight: ui.El("input", ui.Attrs{{"type", "number"}, {"id", "weight" + id}, {"step", "0.05"}, {"inputmode", "decimal"}}),
		low:    ui.El("span", ui.Attrs{{"class", "low"}}), top: ui.El("span", ui.Attrs{{"class", "top"}}),
	}
	a := v.app
	edit := func() { a.Update(func(s *app.State) { s.Form.Editing = i }) }
	ui.On(r.choice, "change", func(ui.Event) { edit() })
	for _, field := range []ui.Element{r.slider, r.weight} {
		ui.On(field, "input", func(ui.Event) {
			a.Edit(false, func(f *app.Form) {
				f.Editing = i
				f.Edit(func(t *recipe.Term) { t.Weight = ui.Number(field) })
			})
		})
		ui.On(field, "change", func(ui.Event) { a.Follow(true) })
	}
	r.mute = ui.IconButton("quiet square", "eye", &words.Text.MuteDirection, func() {
		a.Press(func(f *app.Form) { f.Mute(i, !f.Silent(i)) })
	})
	r.remove = ui.IconButton("quiet square", "close", &words.Text.RemoveDirection, func() { v.remove(i) })
	r.remove.SetID("remove-direction" + id)
	r.slide = ui.El("div", ui.Attrs{{"class", "slider"}}, r.slider, r.low, r.top)
	r.box = ui.El("div", ui.Attrs{{"class", "direction"}},
		ui.El("label", nil, r.choice, r.name), r.hint, r.slide, r.weight, r.mute, r.remove)
	ui.Append(v.desk, r.box)
	return r
}

// render draws the i-th direction, where there is one.
func (r *directionRow) render(s *app.State, i int) {
	f := s.Form
	ui.Show(r.box, i < len(f.Guidance))
	if i >= len(f.Guidance) {
		return
	}
	t, several := f.Guidance[i], len(f.Guidance) > 1
	p, _ := s.Model.Preset(t)
	name := s.Model.TermName(t)
	ui.SetText(r.name, name)
	r.choice.Set("checked", i == f.Editing)
	for _, e := range []ui.Element{r.choice, r.mute, r.remove} {
		ui.Show(e, several)
	}
	ui.SetFlag(r.box, "data-several", several)
	ui.SetFlag(r.box, "data-silent", f.Silent(i))
	ui.SetState(r.mute, "aria-pressed", f.Silent(i))
	blank := t.Positive == "" && t.Negative == ""
	ui.Show(r.hint, blank)
	ui.Show(r.slide, !blank)
	label := func(e ui.Element, text string) { ui.SetAttr(e, "aria-label", fmt.Sprintf(text, name)) }
	label(r.slider, words.Text.WeightSlider)
	label(r.weight, words.Text.WeightOf)
	label(r.mute, words.Text.MuteOf)
	label(r.remove, words.Text.RemoveOf)
	r.renderWeight(t.Weight, p.Low, p.High)
}

// renderWeight shows the weight in its range.
func (r *directionRow) renderWeight(w, low, top float64) {
	ui.SetAttr(r.slider, "min", words.Number(low))
	ui.SetAttr(r.slider, "max", words.Number(top))
	ui.SetText(r.low, words.Signed(low))
	ui.SetText(r.top, words.Signed(top))
	r.slider.Style().SetProperty("--zero", fmt.Sprintf("%.4f", -low/(top-low)), "")
	if !math.IsNaN(w) {
		ui.SetValue(r.weight, words.Number(w))
		r.slider.Set("value", w)
		r.slider.Style().SetProperty("--at", fmt.Sprintf("%.4f", min(1, max(0, (w-low)/(top-low)))), "")
		ui.SetAttr(r.slider, "aria-valuetext", words.Number(w))
	}
}
