package page

import (
	"fmt"
	"syscall/js"
)

// easelPane is the picture itself, with its previews while it is made, and the
// others of the same press.
type easelPane struct {
	box    element
	blank  element // where the first picture will be, and what it will be of
	wish   element
	easel  *easel
	others *tiles
	bar    *toolbar
}

func newEaselPane(a *app) *easelPane {
	v := &easelPane{easel: newEasel(), bar: newToolbar(a)}
	v.others = newTiles("others", &say.Several, func(i int) {
		a.update(func(s *state) {
			if i < len(s.pictures) {
				s.picture = s.pictures[i]
			}
		})
	})
	v.wish = el("p", nil)
	v.blank = el("div", attrs{"class": "blank"}, v.wish, button("primary", &say.Generate, a.generate))
	v.box = el("div", attrs{"class": "single"}, v.blank, v.easel.figure, v.others.box, v.bar.bar)
	return v
}

func (v *easelPane) panel() element { return v.box }

func (v *easelPane) render(s *state) {
	v.easel.render(s.picture, s, s.working() && (s.running.why == forPicture || s.running.why == forLive))
	show(v.blank, s.picture == nil && s.phase == ready)
	wish := say.PromptHint
	if s.form.prompt != "" {
		wish = "“" + s.form.prompt + "”"
	}
	setText(v.wish, wish)
	show(v.others.box, len(s.pictures) > 1)
	v.others.need(len(s.pictures))
	for i, t := range v.others.list {
		p := s.pictures[i]
		t.draw(p.image.(js.Value), true)
		t.label("", fmt.Sprintf(say.Variant, i+1, len(s.pictures)))
		setAttr(t.button, "aria-pressed", fmt.Sprint(p == s.picture))
	}
	v.bar.render(s)
}

// easel is one picture with its caption.
type easel struct {
	print
	figure element
	text   element
	bar    element
}

func newEasel() *easel {
	e := &easel{
		print: newPrint(),
		text:  el("figcaption", nil),
		bar:   el("div", attrs{"class": "bar", "aria-hidden": "true"}),
	}
	e.figure = el("figure", attrs{"class": "easel", "hidden": ""}, e.canvas, e.bar, e.text)
	return e
}

// render shows the preview while the picture is made, and otherwise the last
// finished one, which also stays until the first preview is there.
func (e *easel) render(p *picture, s *state, working bool) {
	show(e.figure, p != nil || working)
	setFlag(e.figure, "data-working", working)
	show(e.bar, working)
	run := s.running
	if working {
		e.bar.Style().SetProperty("--done", fmt.Sprintf("%.3f", float64(run.step)/float64(max(1, run.steps))), "")
	}
	preview, ok := run.preview.(js.Value)
	switch {
	case working && ok:
		setAttr(e.canvas, "aria-label", fmt.Sprintf(say.PreviewLabel, run.step, run.steps))
		e.draw(preview, false)
	case p != nil:
		setAttr(e.canvas, "aria-label", fmt.Sprintf(say.PictureLabel, p.recipe.prompt))
		e.draw(p.image.(js.Value), true)
	case working:
		setAttr(e.canvas, "aria-label", say.Step0)
	}
}

func (e *easel) caption(text string) {
	setText(e.text, text)
	show(e.text, text != "")
}
