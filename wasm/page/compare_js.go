package page

import (
	"fmt"

	"honnef.co/go/js/dom/v2"
)

// compare shows the picture and the same without guidance: one over the other with
// a divider that moves, or side by side.
type compare struct {
	app                  *app
	box, pair            element
	modes                *segments
	guided, plain        *easel
	range_, handle       element
	none, again, buttons element
}

func newCompare(a *app) *compare {
	v := &compare{app: a, guided: newEasel(), plain: newEasel()}
	a.state.panes.compare.at = 0.5
	v.modes = newSegments("compare-as", &say.CompareAs, func(id string) {
		a.update(func(s *state) { s.panes.compare.pair = id == "pair" })
	}, segment{"slider", &say.AsSlider}, segment{"pair", &say.AsPair})
	v.range_ = el("input", attrs{"type": "range", "min": "0", "max": "100", "step": "1", "id": "divider", "aria-label": &say.Divider, "hidden": ""})
	on(v.range_, "input", func(dom.Event) {
		a.update(func(s *state) { s.panes.compare.at = number(v.range_) / 100 })
	})
	v.handle = el("div", attrs{"class": "handle", "aria-hidden": "true", "hidden": ""})
	// The divider is a place in the picture, which no language turns round.
	v.pair = el("div", attrs{"class": "pair", "dir": "ltr"}, v.plain.figure, v.guided.figure, v.range_, v.handle)
	v.none = el("p", attrs{"class": "muted", "id": "compare-none"}, &say.CompareNone)
	v.again = button("secondary", &say.CompareAgain, func() {
		a.update(func(s *state) { s.panes.compare.asked = recipe{} })
		if a.state.phase == waiting {
			a.enqueue() // says that a model is needed
		}
	})
	v.box = el("div", attrs{"class": "compare"}, v.pair, v.none, el("div", attrs{"class": "bar-row"}, v.modes.box, v.again))
	return v
}

func (v *compare) panel() element { return v.box }

// render asks for the picture without guidance when it is missing.
func (v *compare) render(s *state) {
	c, p := &s.panes.compare, s.picture
	guides := p != nil && p.recipe.guides()
	if guides && !c.fits(p) && s.phase == ready {
		if r := p.recipe.plain(); !c.asked.same(r) {
			c.asked = r
			v.app.enqueue(job{recipe: r, why: forCompare, done: func(s *state, p *picture) {
				if p != nil {
					s.panes.compare.plain = p
				}
			}})
		}
	}
	var plain *picture
	if c.fits(p) {
		plain = c.plain
	}
	making := s.running.why == forCompare
	setAttr(v.box, "data-as", map[bool]string{true: "pair", false: "slider"}[c.pair])
	setFlag(v.box, "data-alone", !guides)
	v.guided.render(p, s, s.working() && s.running.why == forPicture)
	v.plain.render(plain, s, making)
	show(v.plain.figure, guides)
	divided := guides && !c.pair && (plain != nil || making)
	setFlag(v.box, "data-divided", divided)
	show(v.range_, divided)
	show(v.handle, divided)
	show(v.none, p != nil && !guides)
	show(v.modes.box, guides)
	show(v.again, guides && plain == nil && (s.phase == waiting || s.phase == ready && c.asked.same(p.recipe.plain())))
	v.modes.choose(map[bool]string{true: "pair", false: "slider"}[c.pair])
	if !guides {
		v.guided.caption("")
		return
	}
	v.guided.caption(guidedText(p.recipe))
	v.plain.caption(say.PlainLabel)
	setValue(v.range_, fmt.Sprintf("%.0f", c.at*100))
	setAttr(v.range_, "aria-valuetext", fmt.Sprintf(say.DividerAt, c.at*100))
	v.pair.Style().SetProperty("--at", fmt.Sprintf("%.3f", c.at), "")
}

// guidedText names the weight, or how many directions there are.
func guidedText(r recipe) string {
	if t := r.acting(); len(t) == 1 {
		return fmt.Sprintf(say.GuidedLabel, signText(t[0].weight))
	}
	return fmt.Sprintf(say.GuidedMany, len(r.acting()))
}

// segment is one choice of several.
type segment struct {
	id   string
	text *string
}

// segments is a row of choices of which one is taken.
type segments struct {
	box    element
	fields map[string]element
}

func newSegments(name string, label *string, choose func(id string), list ...segment) *segments {
	v := &segments{box: el("div", attrs{"class": "segments", "role": "radiogroup", "aria-label": label}), fields: map[string]element{}}
	for _, s := range list {
		f := el("input", attrs{"type": "radio", "name": name, "value": s.id})
		on(f, "change", func(dom.Event) { choose(s.id) })
		add(v.box, el("label", nil, f, el("span", nil, s.text)))
		v.fields[s.id] = f
	}
	return v
}

func (v *segments) choose(id string) { v.fields[id].Set("checked", true) }
