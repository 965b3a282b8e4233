package stage

import (
	"fmt"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Steps shows how the picture came out of the noise: a preview after every
// step, and the finished picture.
type Steps struct {
	app                *app.App
	of                 *app.Picture // whose steps these are
	at                 int          // 0 … len(of.Previews), which is the picture itself
	box, shown         ui.Element
	large              ui.Canvas
	caption, slider    ui.Element
	strip              *ui.Thumbnails
	none, make_, about ui.Element
}

// NewSteps makes the view.
func NewSteps(a *app.App) *Steps {
	v := &Steps{app: a, large: ui.NewCanvas()}
	v.caption = ui.El("figcaption", nil)
	v.slider = ui.El("input", ui.Attrs{"type": "range", "min": "0", "step": "1", "id": "step-scrub", "aria-label": &words.Text.StepsScrub})
	ui.On(v.slider, "input", func(ui.Event) {
		a.Update(func(*app.State) { v.at = int(ui.Number(v.slider)) })
	})
	v.strip = ui.NewThumbnails("strip", &words.Text.TabSteps, func(i int) {
		a.Update(func(*app.State) { v.at = i })
	})
	v.make_ = ui.Button("secondary", &words.Text.StepsShow, v.again)
	v.make_.SetID("steps-show")
	v.none = ui.El("div", ui.Attrs{"class": "empty"}, ui.El("p", nil, &words.Text.StepsNone), v.make_)
	v.about = ui.El("p", ui.Attrs{"class": "muted"}, &words.Text.StepsAbout)
	v.shown = ui.El("div", ui.Attrs{"class": "steps-view"}, ui.El("figure", ui.Attrs{"class": "picture"}, v.large.Element, v.caption), ui.El("div", ui.Attrs{"class": "slider"}, v.slider), v.strip.Box, v.about)
	v.box = ui.El("div", ui.Attrs{"class": "steps"}, v.shown, v.none)
	return v
}

// Box is the view's element.
func (v *Steps) Box() ui.Element { return v.box }

// again makes the picture once more, which gives the same, to look at its steps:
// one that followed a moving control was made without previews.
func (v *Steps) again() {
	p := v.app.State.Picture
	if p == nil {
		v.app.Generate()
		return
	}
	v.app.Enqueue(app.Job{Recipe: p.Recipe, Why: forSteps, Done: func(s *app.State, p *app.Picture) {
		if p != nil {
			s.Show(p)
		}
	}})
}

// forSteps is the purpose of a picture that is made once more for its steps.
const forSteps app.Purpose = "steps"

// React goes to the end of another picture.
func (v *Steps) React(s *app.State) {
	if p := s.Picture; p != v.of {
		v.of, v.at = p, 0
		if p != nil {
			v.at = len(p.Previews)
		}
	}
}

// Render draws it.
func (v *Steps) Render(s *app.State) {
	p := s.Picture
	has := p != nil && len(p.Previews) > 0 && p.Previews[0] != nil
	ui.Show(v.shown, has)
	ui.Show(v.none, !has)
	ui.SetFlag(v.make_, "disabled", s.Phase != app.Ready)
	if !has {
		return
	}
	n := len(p.Previews)
	at := min(max(v.at, 0), n)
	image := func(i int) (js.Value, bool) {
		if i < n {
			preview, ok := p.Previews[i].(js.Value)
			return preview, ok
		}
		return p.Image.(js.Value), true
	}
	says := func(i int) string {
		if i == n {
			return words.Text.StepsFinal
		}
		return fmt.Sprintf(words.Text.StepsAfter, i+1, n)
	}
	v.strip.Need(n + 1)
	for i, t := range v.strip.List {
		if picture, ok := image(i); ok {
			t.Draw(picture, i == n)
		}
		short := fmt.Sprint(i + 1)
		if i == n {
			short = words.Text.StepsFinal
		}
		t.Label(short, says(i))
		ui.SetAttr(t.Button, "aria-pressed", fmt.Sprint(i == at))
	}
	finished := p.Image.(js.Value)
	v.large.Fit(finished.Get("width").Int(), finished.Get("height").Int())
	if picture, ok := image(at); ok {
		v.large.Draw(picture, at == n)
	}
	ui.SetAttr(v.large.Element, "aria-label", says(at))
	ui.SetText(v.caption, says(at))
	ui.SetAttr(v.slider, "max", fmt.Sprint(n))
	v.slider.Set("value", at)
	v.slider.Style().SetProperty("--at", fmt.Sprintf("%.4f", float64(at)/float64(n)), "")
	ui.SetAttr(v.slider, "aria-valuetext", says(at))
}
