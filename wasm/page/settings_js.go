package page

import (
	"fmt"
	"math"
	"math/rand/v2"

	"honnef.co/go/js/dom/v2"
)

// settingsView is what remains the same from picture to picture: seed, steps, size.
type settingsView struct {
	seed, lock, steps element
	hint              element
	size, sizeField   element
}

func newSettings(a *app, panel element) *settingsView {
	v := &settingsView{
		seed:  el("input", attrs{"type": "number", "inputmode": "numeric", "min": "0", "max": "4294967295", "step": "1", "autocomplete": "off"}),
		lock:  el("input", attrs{"type": "checkbox", "id": "lock"}),
		steps: el("input", attrs{"type": "number", "inputmode": "numeric", "min": "1", "step": "1", "aria-describedby": "steps-hint"}),
		hint:  el("p", attrs{"id": "steps-hint", "class": "muted"}),
		size:  el("select", nil),
	}
	dice := iconButton("secondary square", "dice", &say.Dice, func() {
		a.edit(true, func(f *form) { f.seed = float64(rand.Uint32()) })
	})
	dice.SetID("dice")
	on(v.seed, "input", func(dom.Event) { a.edit(false, func(f *form) { f.seed = number(v.seed) }) })
	on(v.lock, "change", func(dom.Event) {
		a.update(func(s *state) { s.form.locked = v.lock.Get("checked").Bool() })
	})
	on(v.steps, "input", func(dom.Event) { a.edit(false, func(f *form) { f.steps = number(v.steps) }) })
	on(v.size, "change", func(dom.Event) {
		a.update(func(s *state) { fmt.Sscan(v.size.Get("value").String(), &s.form.size) })
	})
	v.sizeField = labelled("size", &say.Size, v.size)
	add(panel, el("section", attrs{"class": "card"},
		el("h2", nil, &say.Settings),
		el("div", attrs{"class": "row"}, labelled("seed", &say.Seed, v.seed), dice, labelled("steps", &say.Steps, v.steps)),
		el("label", attrs{"class": "check"}, v.lock, el("span", nil, &say.Lock)),
		el("p", attrs{"class": "muted"}, &say.LockHint), v.hint,
		v.sizeField,
	))
	return v
}

func (v *settingsView) render(s *state) {
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
			add(v.size, el("option", attrs{"value": fmt.Sprint(size)}, fmt.Sprintf("%d × %d", size, size)))
		}
	}
	setValue(v.size, fmt.Sprint(s.form.size))
}
