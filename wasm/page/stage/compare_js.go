package stage

import (
	"fmt"
	"strings"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Compare shows the picture and another one: the same without guidance, or one that is
// held. One lies over the other with a divider that moves, or they stand side by side.
type Compare struct {
	comparison
	app            *app.App
	plain          *Plain
	box, both      ui.Element
	modes          *ui.Segments
	left, right    *figure
	range_, handle ui.Element
	none, again    ui.Element
	hold, zoom     ui.Element
	save, pan      ui.Element
	across, down   ui.Element
}

// NewCompare makes the view; plain makes the pictures without guidance.
func NewCompare(a *app.App, plain *Plain) *Compare {
	v := NewDivided(a, plain)
	ui.Append(v.box, v.pan, v.none,
		ui.El("div", ui.Attrs{{"class", "bar-row"}}, v.modes.Box, v.hold, v.zoom, v.save, v.again))
	return v
}

// NewDivided makes the two pictures with the divider alone.
func NewDivided(a *app.App, plain *Plain) *Compare {
	v := &Compare{app: a, plain: plain, left: newFigure(), right: newFigure(), comparison: comparison{at: 0.5}}
	v.modes = ui.NewSegments("compare-as", &words.Text.CompareAs, func(id string) {
		a.Update(func(*app.State) { v.pair = id == "pair" })
	}, ui.Segment{ID: "slider", Text: &words.Text.AsSlider}, ui.Segment{ID: "pair", Text: &words.Text.AsPair})
	v.range_ = v.slider("divider", &words.Text.Divider, &v.at)
	v.across, v.down = v.slider("compare-across", &words.Text.CompareAcross, &v.comparison.across), v.slider("compare-down", &words.Text.CompareDown, &v.comparison.down)
	v.handle = ui.El("div", ui.Attrs{{"class", "handle"}, {"aria-hidden", "true"}, {"hidden", ""}})
	// The divider is a place in the picture, which no language turns round.
	v.both = ui.El("div", ui.Attrs{{"class", "pair"}, {"dir", "ltr"}}, v.left.figure, v.right.figure, v.range_, v.handle)
	v.none = ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "compare-none"}})
	v.again = ui.Button("secondary", &words.Text.CompareAgain, plain.again)
	v.hold = ui.Button("secondary", &words.Text.CompareHold, func() {
		a.Update(func(s *app.State) {
			if v.held == nil {
				v.held = s.Picture
			} else {
				v.held = nil
			}
		})
	})
	v.hold.SetID("compare-hold")
	v.zoom = ui.Button("secondary", "1:1", func() { a.Update(func(*app.State) { v.exact = !v.exact }) })
	v.zoom.SetID("compare-zoom")
	v.save = ui.IconButton("secondary", "save", &words.Text.CompareSave, v.download)
	v.save.SetID("compare-save")
	v.pan = ui.El("div", ui.Attrs{{"class", "pan"}}, ui.El("label", nil, ui.El("span", nil, &words.Text.CompareAcross), v.across), ui.El("label", nil, ui.El("span", nil, &words.Text.CompareDown), v.down))
	v.box = ui.El("div", ui.Attrs{{"class", "compare"}}, v.both)
	return v
}

// slider moves a share, 0 … 1.
func (v *Compare) slider(id string, label *string, share *float64) ui.Element {
	e := ui.El("input", ui.Attrs{{"type", "range"}, {"min", "0"}, {"max", "100"}, {"step", "1"}, {"id", id}, {"aria-label", label}})
	ui.On(e, "input", func(ui.Event) { v.app.Update(func(*app.State) { *share = ui.Number(e) / 100 }) })
	return e
}

// Box is the view's element.
func (v *Compare) Box() ui.Element { return v.box }

// React asks for the picture without guidance when it is missing.
func (v *Compare) React(s *app.State) {
	if v.held == nil && (s.Picture == nil || s.Picture.Reference() == nil) {
		v.plain.ask(s)
	}
}

// other is what stands on the left of p.
func (v *Compare) other(p *app.Picture) *app.Picture {
	if v.held != nil {
		return v.held
	}
	if r := p.Reference(); r != nil {
		return r
	}
	return v.plain.of(p)
}

// Render draws it.
func (v *Compare) Render(s *app.State) {
	p := s.Picture
	two := p != nil && (v.held != nil || p.Recipe.Guides() || p.Reference() != nil)
	left := v.other(p)
	making := s.Running.Why == forCompare && v.held == nil
	as := ui.Either(v.pair, "pair", "slider")
	ui.SetAttr(v.box, "data-as", as)
	v.modes.Choose(as)
	ui.SetFlag(v.box, "data-alone", !two)
	ui.SetFlag(v.box, "data-exact", v.exact)
	v.right.render(p, s, s.Drawing())
	v.left.render(left, s, making)
	ui.Show(v.left.figure, two)
	divided := two && !v.pair && (left != nil || making)
	ui.SetFlag(v.box, "data-divided", divided)
	ui.Show(v.range_, divided)
	ui.Show(v.handle, divided)
	edit := v.held == nil && p.Reference() != nil
	ui.SetFlag(v.box, "data-edit", edit)
	if edit {
		v.both.Style().SetProperty("--shape", fmt.Sprintf("%d/%d", p.Recipe.Size.Width, p.Recipe.Size.Height), "")
	}
	v.renderButtons(s, two, left)
	v.renderCaptions(s, two, left)
	for _, share := range []struct {
		e    ui.Element
		name string
		at   float64
	}{{v.range_, "--at", v.at}, {v.across, "--across", v.comparison.across}, {v.down, "--down", v.comparison.down}} {
		ui.SetValue(share.e, fmt.Sprintf("%.0f", share.at*100))
		v.both.Style().SetProperty(share.name, fmt.Sprintf("%.3f", share.at), "")
	}
	ui.SetAttr(v.range_, "aria-valuetext", fmt.Sprintf(words.Text.DividerAt, v.at*100))
}

func (v *Compare) renderButtons(s *app.State, two bool, left *app.Picture) {
	ui.Show(v.modes.Box, two)
	ui.Show(v.hold, s.Picture != nil)
	ui.SetState(v.hold, "aria-pressed", v.held != nil)
	ui.Show(v.zoom, s.Picture != nil)
	ui.SetState(v.zoom, "aria-pressed", v.exact)
	ui.Show(v.save, left != nil && two)
	ui.Show(v.again, two && left == nil && (s.Phase == app.Waiting || v.plain.failed(s)))
	canvas := v.right.Canvas.Element
	ui.Show(v.pan, v.exact && s.Picture != nil && canvas.Get("width").Int() > canvas.Get("clientWidth").Int())
}

func (v *Compare) renderCaptions(s *app.State, two bool, left *app.Picture) {
	p := s.Picture
	none := words.Text.CompareNone
	if v.held != nil {
		none = words.Text.CompareHeld
	}
	ui.SetText(v.none, none)
	ui.Show(v.none, p != nil && (!two || v.held == p))
	if !two {
		v.right.caption("")
		return
	}
	of := p.Recipe.Plain()
	if left != nil {
		of = left.Recipe
	}
	l, r := captions(of, p.Recipe, s.Model)
	if v.held == nil && p.Reference() != nil {
		l, r = of.Prompt, "“"+p.Recipe.Prompt+"”"
	}
	v.left.caption(l)
	v.right.caption(r)
}

// download writes both pictures, side by side with their captions, as one file. What it
// says of itself is the right picture's.
func (v *Compare) download() {
	p := v.app.State.Picture
	left := v.other(p)
	if p == nil || left == nil {
		return
	}
	parameters := func(p *app.Picture) any {
		if result, ok := p.Result.(js.Value); ok {
			return result.Get("parameters")
		}
		return p.Recipe.Value()
	}
	l, r := captions(left.Recipe, p.Recipe, v.app.State.Model)
	go func() {
		module, err := promise.Of(js.Global().Get("undertone").Call("comparison"))
		if err != nil {
			v.app.Fail(err)
			return
		}
		file := module.Call("comparison", []any{left.Image, p.Image}, []any{l, r}, parameters(p), parameters(left))
		v.app.Download(file, strings.Replace(p.Recipe.FileName(), "undertone-", "undertone-compare-", 1))
	}()
}
