package page

import (
	"fmt"
	"math"
	"math/rand/v2"

	carried "undertone/engine/recipe"

	"honnef.co/go/js/dom/v2"
)

// settingsView is what remains the same from picture to picture: seed, steps,
// size, how many at once, and whether pictures follow the controls.
type settingsView struct {
	section           element
	seed, lock, steps element
	hint              element
	size, sizeField   element
	each              map[int]element // radio buttons
	live              map[liveMode]element
	pace              element
	weights           *weightsView
}

func newSettings(a *app, panel element) *settingsView {
	v := &settingsView{
		seed:    el("input", attrs{"type": "number", "inputmode": "numeric", "min": "0", "max": "4294967295", "step": "1", "autocomplete": "off"}),
		lock:    el("input", attrs{"type": "checkbox", "id": "lock", "aria-describedby": "lock-hint"}),
		steps:   el("input", attrs{"type": "number", "inputmode": "numeric", "min": "1", "step": "1", "aria-describedby": "steps-hint"}),
		hint:    el("p", attrs{"id": "steps-hint", "class": "muted"}),
		size:    el("select", nil),
		each:    map[int]element{},
		live:    map[liveMode]element{},
		pace:    el("p", attrs{"id": "pace", "class": "muted"}),
		weights: newWeights(a, "weights-after", true),
	}
	dice := iconButton("secondary square", "dice", &say.Dice, func() {
		a.edit(true, func(f *form) { f.seed = float64(rand.Uint32()) })
	})
	dice.SetID("dice")
	for _, n := range []struct {
		field  element
		change func(f *form, x float64)
	}{
		{v.seed, func(f *form, x float64) { f.seed = x }},
		{v.steps, func(f *form, x float64) { f.steps = x }},
	} {
		on(n.field, "input", func(dom.Event) {
			a.edit(false, func(f *form) { n.change(f, number(n.field)) })
		})
		on(n.field, "change", func(dom.Event) { a.follow(true) })
	}
	on(v.lock, "change", func(dom.Event) {
		a.update(func(s *state) { s.form.locked = v.lock.Get("checked").Bool() })
	})
	on(v.size, "change", func(dom.Event) {
		if size, err := carried.ParseSize(v.size.Get("value").String()); err == nil { // every option's value is one
			a.edit(true, func(f *form) { f.size = size })
		}
	})
	v.sizeField = labelled("size", &say.Size, v.size)

	each := el("div", attrs{"class": "segments", "role": "radiogroup", "aria-label": &say.Pictures})
	for _, n := range []int{1, 2, 4} {
		v.each[n] = radio(each, "each", fmt.Sprint(n), fmt.Sprint(n), func() {
			a.update(func(s *state) { s.form.each = n })
		})
	}
	modes := el("div", attrs{"class": "segments", "role": "radiogroup", "aria-label": &say.Live, "aria-describedby": "pace"})
	for _, mode := range []struct {
		mode liveMode
		name *string
	}{{liveAuto, &say.LiveAuto}, {liveAlways, &say.LiveAlways}, {liveOff, &say.LiveOff}} {
		v.live[mode.mode] = radio(modes, "live", string(mode.mode), mode.name, func() {
			a.update(func(s *state) { s.live.mode = mode.mode })
			remember("live", string(mode.mode))
		})
	}
	if mode := liveMode(recall("live")); mode == liveAlways || mode == liveOff {
		a.state.live.mode = mode
	}
	v.section = el("section", attrs{"class": "card", "id": "settings", "aria-labelledby": "settings-title"},
		el("h2", attrs{"id": "settings-title"}, &say.Settings),
		el("div", attrs{"class": "row"}, labelled("seed", &say.Seed, v.seed), dice),
		el("label", attrs{"class": "check"}, v.lock, el("span", nil, &say.Lock)),
		el("p", attrs{"class": "muted", "id": "lock-hint"}, &say.LockHint),
		el("div", attrs{"class": "beside"}, labelled("steps", &say.Steps, v.steps), v.hint),
		v.sizeField,
		el("div", attrs{"class": "field"}, el("p", attrs{"class": "label"}, &say.Pictures), each),
		el("div", attrs{"class": "field"}, el("p", attrs{"class": "label"}, &say.Live), modes, v.pace),
		v.weights.box,
	)
	add(panel, v.section)
	return v
}

// radio adds a radio button to a row of segments.
func radio(row element, name, value string, title any, choose func()) element {
	input := el("input", attrs{"type": "radio", "name": name, "value": value})
	on(input, "change", func(dom.Event) { choose() })
	add(row, el("label", nil, input, el("span", nil, title)))
	return input
}

func (v *settingsView) render(s *state) {
	setFlag(v.section, "inert", s.model == nil)
	if s.model == nil {
		return
	}
	if !math.IsNaN(s.form.seed) {
		setValue(v.seed, fmt.Sprintf("%.0f", s.form.seed))
	}
	if !math.IsNaN(s.form.steps) {
		setValue(v.steps, fmt.Sprintf("%.0f", s.form.steps))
	}
	v.lock.Set("checked", s.form.locked)
	setAttr(v.steps, "max", fmt.Sprint(s.model.MaxSteps))
	setText(v.hint, fmt.Sprintf(say.StepsHint, s.model.Defaults.Steps, s.model.MaxSteps))
	show(v.sizeField, len(s.model.Sizes) > 1)
	if !v.size.HasChildNodes() {
		for _, size := range s.model.Sizes {
			add(v.size, el("option", attrs{"value": size.String()}, sizeText(size)))
		}
	}
	setValue(v.size, s.form.size.String())
	if input, ok := v.each[s.form.each]; ok {
		input.Set("checked", true)
	}
	v.weights.render(s)
	v.live[s.live.mode].Set("checked", true)
	setText(v.pace, paceText(s.live))
}

// paceText says when pictures follow, and why.
func paceText(l live) string {
	switch {
	case l.mode == liveOff:
		return say.PaceOff
	case len(l.recent) == 0:
		return say.PaceUnknown
	case l.pace() == moving:
		return fmt.Sprintf(say.PaceMoving, millisText(l.median()))
	}
	return fmt.Sprintf(say.PaceRelease, millisText(l.median()), millisText(quick))
}
