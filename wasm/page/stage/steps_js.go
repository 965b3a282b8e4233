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
	plain              *Plain
	of                 *app.Picture // whose steps these are
	at                 int          // 0 … len(of.Previews), which is the picture itself
	box, shown         ui.Element
	left, right        *figure // without guidance, and the picture
	slider             ui.Element
	strip              *ui.Thumbnails
	none, make_, about ui.Element
}

// NewSteps makes the view; plain makes the pictures without guidance.
func NewSteps(a *app.App, plain *Plain) *Steps {
	v := &Steps{app: a, plain: plain, left: newFigure(), right: newFigure()}
	v.slider = ui.El("input", ui.Attrs{{"type", "range"}, {"min", "0"}, {"step", "1"}, {"id", "step-scrub"}, {"aria-label", &words.Text.StepsScrub}})
	ui.On(v.slider, "input", func(ui.Event) {
		a.Update(func(*app.State) { v.at = int(ui.Number(v.slider)) })
	})
	v.strip = ui.NewThumbnails("strip", &words.Text.TabSteps, func(i int) {
		a.Update(func(*app.State) { v.at = i })
	})
	v.make_ = ui.Button("secondary", &words.Text.StepsShow, v.again)
	v.make_.SetID("steps-show")
	v.none = ui.El("div", ui.Attrs{{"class", "empty"}}, ui.El("p", nil, &words.Text.StepsNone), v.make_)
	v.about = ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.StepsAbout)
	v.shown = ui.El("div", ui.Attrs{{"class", "steps-view"}}, ui.El("div", ui.Attrs{{"class", "both"}}, v.left.figure, v.right.figure), ui.El("div", ui.Attrs{{"class", "slider"}}, v.slider), v.strip.Box, v.about)
	v.box = ui.El("div", ui.Attrs{{"class", "steps"}}, v.shown, v.none)
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
	if hasSteps(s.Picture) {
		v.plain.ask(s)
	}
}

// hasSteps reports whether a picture was looked at while it was made.
func hasSteps(p *app.Picture) bool { return p != nil && len(p.Previews) > 0 && p.Previews[0] != nil }

// afterStep is a picture after step i, counted from 0, and at last itself; false where
// nobody looked.
func afterStep(p *app.Picture, i int) (image js.Value, ok bool) {
	if i < len(p.Previews) {
		image, ok = p.Previews[i].(js.Value)
		return image, ok
	}
	return p.Image.(js.Value), true
}

// Render draws it.
func (v *Steps) Render(s *app.State) {
	p := s.Picture
	has := hasSteps(p)
	ui.Show(v.shown, has)
	ui.Show(v.none, !has)
	ui.SetFlag(v.make_, "disabled", s.Phase != app.Ready)
	if !has {
		return
	}
	n := len(p.Previews)
	at := min(max(v.at, 0), n)
	says := func(i int) string {
		if i == n {
			return words.Text.StepsFinal
		}
		return fmt.Sprintf(words.Text.StepsAfter, i+1, n)
	}
	v.strip.Need(n + 1)
	for i, t := range v.strip.List {
		if picture, ok := afterStep(p, i); ok {
			t.Draw(picture, i == n)
		}
		short := fmt.Sprint(i + 1)
		if i == n {
			short = words.Text.StepsFinal
		}
		t.Label(short, says(i))
		ui.SetState(t.Button, "aria-pressed", i == at)
	}
	v.draw(v.right, p, at, says(at), guidedText(p.Recipe, s.Model))
	twin := v.plain.of(p)
	ui.Show(v.left.figure, p.Recipe.Guides() && (hasSteps(twin) || s.Running.Why == forCompare))
	if hasSteps(twin) {
		v.draw(v.left, twin, at, says(at), words.Text.PlainLabel)
	}
	ui.SetAttr(v.slider, "max", fmt.Sprint(n))
	v.slider.Set("value", at)
	v.slider.Style().SetProperty("--at", fmt.Sprintf("%.4f", float64(at)/float64(n)), "")
	ui.SetAttr(v.slider, "aria-valuetext", says(at))
}

// draw shows one of the two pictures after a step.
func (v *Steps) draw(e *figure, p *app.Picture, at int, says, of string) {
	finished := p.Image.(js.Value)
	e.Fit(finished.Get("width").Int(), finished.Get("height").Int())
	if picture, ok := afterStep(p, at); ok {
		e.Draw(picture, at == len(p.Previews))
	}
	ui.Show(e.figure, true)
	ui.Show(e.bar, false)
	ui.SetAttr(e.Canvas.Element, "aria-label", fmt.Sprintf("%s · %s", says, of))
	e.caption(fmt.Sprintf("%s · %s", says, of))
}
