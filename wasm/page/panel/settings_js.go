package panel

import (
	"fmt"
	"math"
	"math/rand/v2"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Settings is what remains the same from picture to picture: seed, steps,
// size, how many at once, and whether pictures follow the controls.
type Settings struct {
	section           ui.Element
	seed, lock, steps ui.Element
	hint              ui.Element
	size, sizeField   ui.Element
	model             *app.Model         // whose sizes there are
	each              map[int]ui.Element // radio buttons
	live              map[app.LiveMode]ui.Element
	pace              ui.Element
}

// NewSettings puts them at the end of the panel; more stands behind them.
func NewSettings(a *app.App, panel ui.Element, more ...any) *Settings {
	v := &Settings{
		seed:  ui.El("input", ui.Attrs{{"type", "number"}, {"inputmode", "numeric"}, {"min", "0"}, {"max", "4294967295"}, {"step", "1"}, {"autocomplete", "off"}}),
		lock:  ui.El("input", ui.Attrs{{"type", "checkbox"}, {"id", "lock"}, {"aria-describedby", "lock-hint"}}),
		steps: ui.El("input", ui.Attrs{{"type", "number"}, {"inputmode", "numeric"}, {"min", "1"}, {"step", "1"}, {"aria-describedby", "steps-hint"}}),
		hint:  ui.El("p", ui.Attrs{{"id", "steps-hint"}, {"class", "muted"}}),
		size:  ui.El("select", nil),
		each:  map[int]ui.Element{},
		live:  map[app.LiveMode]ui.Element{},
		pace:  ui.El("p", ui.Attrs{{"id", "pace"}, {"class", "muted"}}),
	}
	dice := ui.IconButton("secondary square", "dice", &words.Text.NewSeed, func() {
		a.Edit(true, func(f *app.Form) { f.Seed = float64(rand.Uint32()) })
	})
	dice.SetID("dice")
	for _, n := range []struct {
		field  ui.Element
		change func(f *app.Form, x float64)
	}{
		{v.seed, func(f *app.Form, x float64) { f.Seed = x }},
		{v.steps, func(f *app.Form, x float64) { f.Steps = x }},
	} {
		ui.On(n.field, "input", func(ui.Event) {
			a.Edit(false, func(f *app.Form) { n.change(f, ui.Number(n.field)) })
		})
		ui.On(n.field, "change", func(ui.Event) { a.Follow(true) })
	}
	ui.On(v.lock, "change", func(ui.Event) {
		a.Update(func(s *app.State) { s.Form.Locked = v.lock.Get("checked").Bool() })
	})
	ui.On(v.size, "change", func(ui.Event) {
		if size, err := recipe.ParseSize(v.size.Get("value").String()); err == nil { // every option's value is one
			a.Edit(true, func(f *app.Form) { f.Size = size })
		}
	})
	v.sizeField = ui.Labelled("size", &words.Text.Size, v.size)

	each := ui.El("div", ui.Attrs{{"class", "segments"}, {"role", "radiogroup"}, {"aria-label", &words.Text.Pictures}})
	for _, n := range []int{1, 2, 4} {
		v.each[n] = ui.Radio(each, "each", fmt.Sprint(n), fmt.Sprint(n), func() {
			a.Update(func(s *app.State) { s.Form.Each = n })
		})
	}
	modes := ui.El("div", ui.Attrs{{"class", "segments"}, {"role", "radiogroup"}, {"aria-label", &words.Text.Live}, {"aria-describedby", "pace"}})
	for _, mode := range []struct {
		mode app.LiveMode
		name *string
	}{{app.LiveAuto, &words.Text.LiveAuto}, {app.LiveAlways, &words.Text.LiveAlways}, {app.LiveOff, &words.Text.LiveOff}} {
		v.live[mode.mode] = ui.Radio(modes, "live", string(mode.mode), mode.name, func() {
			a.Update(func(s *app.State) { s.Live.Mode = mode.mode })
			ui.Remember("live", string(mode.mode))
		})
	}
	if mode := app.LiveMode(ui.Recall("live")); mode == app.LiveAlways || mode == app.LiveOff {
		a.State.Live.Mode = mode
	}
	v.section = ui.El("section", ui.Attrs{{"class", "card"}, {"id", "settings"}, {"aria-labelledby", "settings-title"}},
		ui.El("h2", ui.Attrs{{"id", "settings-title"}}, &words.Text.Settings),
		ui.El("div", ui.Attrs{{"class", "row"}}, ui.Labelled("seed", &words.Text.Seed, v.seed), dice),
		ui.El("label", ui.Attrs{{"class", "check"}}, v.lock, ui.El("span", nil, &words.Text.KeepSeed)),
		ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "lock-hint"}}, &words.Text.SeedHint),
		ui.El("div", ui.Attrs{{"class", "beside"}}, ui.Labelled("steps", &words.Text.Steps, v.steps), v.hint),
		v.sizeField,
		ui.El("div", ui.Attrs{{"class", "field"}}, ui.El("p", ui.Attrs{{"class", "label"}}, &words.Text.Pictures), each),
		ui.El("div", ui.Attrs{{"class", "field"}}, ui.El("p", ui.Attrs{{"class", "label"}}, &words.Text.Live), modes, v.pace),
	)
	ui.Append(v.section, more...)
	ui.Append(panel, v.section)
	return v
}

// Render draws them.
func (v *Settings) Render(s *app.State) {
	ui.SetFlag(v.section, "inert", s.Model == nil)
	if s.Model == nil {
		return
	}
	if !math.IsNaN(s.Form.Seed) {
		ui.SetValue(v.seed, fmt.Sprintf("%.0f", s.Form.Seed))
	}
	if !math.IsNaN(s.Form.Steps) {
		ui.SetValue(v.steps, fmt.Sprintf("%.0f", s.Form.Steps))
	}
	v.lock.Set("checked", s.Form.Locked)
	ui.SetAttr(v.steps, "max", fmt.Sprint(s.Model.MaxSteps))
	ui.SetText(v.hint, fmt.Sprintf(words.Text.StepsHint, s.Model.Defaults.For(s.Form.Reference != nil), s.Model.MaxSteps))
	ui.Show(v.sizeField, len(s.Model.Sizes) > 1)
	if v.model != s.Model {
		v.model = s.Model
		v.size.Call("replaceChildren")
		for _, size := range s.Model.Sizes {
			ui.Append(v.size, ui.El("option", ui.Attrs{{"value", size.String()}}, words.Size(size)))
		}
	}
	ui.SetValue(v.size, s.Form.Size.String())
	if input, ok := v.each[s.Form.Each]; ok {
		input.Set("checked", true)
	}
	v.live[s.Live.Mode].Set("checked", true)
	ui.SetText(v.pace, paceText(s.Live))
}

// paceText says when pictures follow, and why.
func paceText(l app.Live) string {
	switch {
	case l.Mode == app.LiveOff:
		return words.Text.PaceOff
	case len(l.Recent) == 0:
		return words.Text.PaceUnknown
	case l.Pace() == app.Moving:
		return fmt.Sprintf(words.Text.PaceMoving, words.Milliseconds(l.Median()))
	}
	return fmt.Sprintf(words.Text.PaceRelease, words.Milliseconds(l.Median()), words.Milliseconds(app.Quick))
}
