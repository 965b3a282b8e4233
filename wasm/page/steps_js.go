package page

import (
	"fmt"
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// stepsPane shows how the picture came out of the noise: a preview after every
// step, and the finished picture.
type stepsPane struct {
	app                *app
	box, shown         element
	hero               print
	caption, slider    element
	strip              *tiles
	none, make_, about element
}

func newSteps(a *app) *stepsPane {
	v := &stepsPane{app: a, hero: newPrint()}
	v.caption = el("figcaption", nil)
	v.slider = el("input", attrs{"type": "range", "min": "0", "step": "1", "id": "step-scrub", "aria-label": &say.StepsScrub})
	on(v.slider, "input", func(dom.Event) {
		a.update(func(s *state) { s.panes.steps.at = int(number(v.slider)) })
	})
	v.strip = newTiles("strip", &say.TabSteps, func(i int) {
		a.update(func(s *state) { s.panes.steps.at = i })
	})
	v.make_ = button("secondary", &say.StepsShow, v.again)
	v.make_.SetID("steps-show")
	v.none = el("div", attrs{"class": "empty"}, el("p", nil, &say.StepsNone), v.make_)
	v.about = el("p", attrs{"class": "muted"}, &say.StepsAbout)
	v.shown = el("div", attrs{"class": "way"}, el("figure", attrs{"class": "easel"}, v.hero.canvas, v.caption), el("div", attrs{"class": "slider"}, v.slider), v.strip.box, v.about)
	v.box = el("div", attrs{"class": "steps"}, v.shown, v.none)
	return v
}

func (v *stepsPane) panel() element { return v.box }

// again makes the picture once more, which gives the same, to look at its steps:
// one that followed a moving control was made without previews.
func (v *stepsPane) again() {
	p := v.app.state.picture
	if p == nil {
		v.app.generate()
		return
	}
	v.app.enqueue(job{recipe: p.recipe, why: forSteps, done: func(s *state, p *picture) {
		if p != nil {
			s.picture, s.pictures = p, []*picture{p}
		}
	}})
}

func (v *stepsPane) render(s *state) {
	p := s.picture
	if p != s.panes.steps.of {
		s.panes.steps.of, s.panes.steps.at = p, 0
		if p != nil {
			s.panes.steps.at = len(p.previews)
		}
	}
	has := p != nil && len(p.previews) > 0 && p.previews[0] != nil
	show(v.shown, has)
	show(v.none, !has)
	setFlag(v.make_, "disabled", s.phase != ready)
	if !has {
		return
	}
	n := len(p.previews)
	at := min(max(s.panes.steps.at, 0), n)
	image := func(i int) (js.Value, bool) {
		if i < n {
			preview, ok := p.previews[i].(js.Value)
			return preview, ok
		}
		return p.image.(js.Value), true
	}
	says := func(i int) string {
		if i == n {
			return say.StepsFinal
		}
		return fmt.Sprintf(say.StepsAfter, i+1, n)
	}
	v.strip.need(n + 1)
	for i, t := range v.strip.list {
		if picture, ok := image(i); ok {
			t.draw(picture, i == n)
		}
		short := fmt.Sprint(i + 1)
		if i == n {
			short = say.StepsFinal
		}
		t.label(short, says(i))
		setAttr(t.button, "aria-pressed", fmt.Sprint(i == at))
	}
	finished := p.image.(js.Value)
	v.hero.fit(finished.Get("width").Int(), finished.Get("height").Int())
	if picture, ok := image(at); ok {
		v.hero.draw(picture, at == n)
	}
	setAttr(v.hero.canvas, "aria-label", says(at))
	setText(v.caption, says(at))
	setAttr(v.slider, "max", fmt.Sprint(n))
	v.slider.Set("value", at)
	v.slider.Style().SetProperty("--at", fmt.Sprintf("%.4f", float64(at)/float64(n)), "")
	setAttr(v.slider, "aria-valuetext", says(at))
}
