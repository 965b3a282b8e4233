package stage

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Compare shows the picture and the same without guidance: one over the other with
// a divider that moves, or side by side.
type Compare struct {
	comparison
	app              *app.App
	box, both        ui.Element
	modes            *ui.Segments
	guided, unguided *figure
	range_, handle   ui.Element
	none, again      ui.Element
}

// NewCompare makes the view.
func NewCompare(a *app.App) *Compare {
	v := &Compare{app: a, guided: newFigure(), unguided: newFigure(), comparison: comparison{at: 0.5}}
	v.modes = ui.NewSegments("compare-as", &words.Text.CompareAs, func(id string) {
		a.Update(func(*app.State) { v.pair = id == "pair" })
	}, ui.Segment{ID: "slider", Text: &words.Text.AsSlider}, ui.Segment{ID: "pair", Text: &words.Text.AsPair})
	v.range_ = ui.El("input", ui.Attrs{"type": "range", "min": "0", "max": "100", "step": "1", "id": "divider", "aria-label": &words.Text.Divider, "hidden": ""})
	ui.On(v.range_, "input", func(ui.Event) {
		a.Update(func(*app.State) { v.at = ui.Number(v.range_) / 100 })
	})
	v.handle = ui.El("div", ui.Attrs{"class": "handle", "aria-hidden": "true", "hidden": ""})
	// The divider is a place in the picture, which no language turns round.
	v.both = ui.El("div", ui.Attrs{"class": "pair", "dir": "ltr"}, v.unguided.figure, v.guided.figure, v.range_, v.handle)
	v.none = ui.El("p", ui.Attrs{"class": "muted", "id": "compare-none"}, &words.Text.CompareNone)
	v.again = ui.Button("secondary", &words.Text.CompareAgain, func() {
		a.Update(func(*app.State) { v.asked = app.Recipe{} })
		if a.State.Phase == app.Waiting {
			a.Enqueue() // says that a model is needed
		}
	})
	v.box = ui.El("div", ui.Attrs{"class": "compare"}, v.both, v.none, ui.El("div", ui.Attrs{"class": "bar-row"}, v.modes.Box, v.again))
	return v
}

// Box is the view's element.
func (v *Compare) Box() ui.Element { return v.box }

// forCompare is the purpose of a picture without guidance.
const forCompare app.Purpose = "compare"

// React asks for the picture without guidance when it is missing.
func (v *Compare) React(s *app.State) {
	p := s.Picture
	if p == nil || !p.Recipe.Guides() || v.fits(p) || s.Phase != app.Ready {
		return
	}
	if r := p.Recipe.Plain(); !v.asked.Same(r) {
		v.asked = r
		v.app.Enqueue(app.Job{Recipe: r, Why: forCompare, Aside: true, Done: func(s *app.State, p *app.Picture) {
			if p != nil {
				v.plain = p
			}
		}})
	}
}

// Render draws it.
func (v *Compare) Render(s *app.State) {
	p := s.Picture
	guides := p != nil && p.Recipe.Guides()
	var plain *app.Picture
	if v.fits(p) {
		plain = v.plain
	}
	making := s.Running.Why == forCompare
	ui.SetAttr(v.box, "data-as", map[bool]string{true: "pair", false: "slider"}[v.pair])
	ui.SetFlag(v.box, "data-alone", !guides)
	v.guided.render(p, s, s.Working() && s.Running.Why == app.ForPicture)
	v.unguided.render(plain, s, making)
	ui.Show(v.unguided.figure, guides)
	divided := guides && !v.pair && (plain != nil || making)
	ui.SetFlag(v.box, "data-divided", divided)
	ui.Show(v.range_, divided)
	ui.Show(v.handle, divided)
	ui.Show(v.none, p != nil && !guides)
	ui.Show(v.modes.Box, guides)
	ui.Show(v.again, guides && plain == nil && (s.Phase == app.Waiting || s.Phase == app.Ready && v.asked.Same(p.Recipe.Plain())))
	v.modes.Choose(map[bool]string{true: "pair", false: "slider"}[v.pair])
	if !guides {
		v.guided.caption("")
		return
	}
	v.guided.caption(guidedText(p.Recipe))
	v.unguided.caption(words.Text.PlainLabel)
	ui.SetValue(v.range_, fmt.Sprintf("%.0f", v.at*100))
	ui.SetAttr(v.range_, "aria-valuetext", fmt.Sprintf(words.Text.DividerAt, v.at*100))
	v.both.Style().SetProperty("--at", fmt.Sprintf("%.3f", v.at), "")
}

// guidedText names the weight, or how many directions there are.
func guidedText(r app.Recipe) string {
	if t := r.Acting(); len(t) == 1 {
		return fmt.Sprintf(words.Text.GuidedLabel, words.Signed(t[0].Weight))
	}
	return fmt.Sprintf(words.Text.GuidedMany, len(r.Acting()))
}
