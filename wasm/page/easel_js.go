package page

import (
	"fmt"
	"syscall/js"
)

// easelPane is the picture itself, with its previews while it is made.
type easelPane struct {
	box   element
	easel *easel
	bar   *toolbar
}

func newEaselPane(a *app) *easelPane {
	v := &easelPane{easel: newEasel(), bar: newToolbar(a)}
	v.box = el("div", attrs{"class": "single"}, v.easel.figure, v.bar.bar)
	return v
}

func (v *easelPane) panel() element { return v.box }

func (v *easelPane) render(s *state) {
	v.easel.render(s.picture, s, s.working() && (s.running.why == forPicture || s.running.why == forLive))
	v.bar.render(s)
}

// easel is one picture with its caption.
type easel struct {
	figure element
	canvas element
	text   element
	bar    element
	shown  js.Value // what is on the canvas
}

func newEasel() *easel {
	e := &easel{
		canvas: el("canvas", attrs{"role": "img", "width": "256", "height": "256"}),
		text:   el("figcaption", nil),
		bar:    el("div", attrs{"class": "bar", "aria-hidden": "true"}),
		shown:  js.Undefined(),
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

// draw puts an ImageData on the canvas, which takes the size of finished pictures;
// previews are enlarged to it.
func (e *easel) draw(image js.Value, finished bool) {
	if e.shown.Equal(image) {
		return
	}
	e.shown = image
	w, h := image.Get("width").Int(), image.Get("height").Int()
	if finished && (e.size("width") != w || e.size("height") != h) {
		e.canvas.Set("width", w)
		e.canvas.Set("height", h)
	}
	context := e.canvas.Call("getContext", "2d")
	if w == e.size("width") && h == e.size("height") {
		context.Call("putImageData", image, 0, 0)
		return
	}
	small := js.Global().Get("OffscreenCanvas").New(w, h)
	small.Call("getContext", "2d").Call("putImageData", image, 0, 0)
	context.Set("imageSmoothingQuality", "high")
	context.Call("drawImage", small, 0, 0, e.size("width"), e.size("height"))
}

func (e *easel) size(side string) int { return e.canvas.Get(side).Int() }

func (e *easel) caption(text string) {
	setText(e.text, text)
	show(e.text, text != "")
}
