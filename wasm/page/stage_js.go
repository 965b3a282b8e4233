package page

import (
	"fmt"
	"syscall/js"
)

// stage shows the picture, its previews while it is made, and beside it, on
// request, the same picture without guidance.
type stage struct {
	section     element
	main, plain *easel
	welcome     element
}

func newStage() *stage {
	s := &stage{section: byID("stage"), welcome: byID("welcome"), main: newEasel(), plain: newEasel()}
	frames := byID("frames")
	add(frames, s.main.figure, s.plain.figure)
	return s
}

func (v *stage) render(s *state) {
	started := s.picture != nil || s.phase == generating
	setFlag(v.section, "data-started", started)
	show(v.welcome, s.phase == waiting || s.phase == loading)
	comparing := s.plain != nil || s.phase == generating && s.comparing
	setFlag(v.section, "data-comparing", comparing)
	show(v.main.figure, started)
	show(v.plain.figure, comparing)

	v.main.render(s.picture, s, s.phase == generating && !s.comparing)
	v.plain.render(s.plain, s, s.phase == generating && s.comparing)
	if comparing && s.picture != nil {
		v.main.say(fmt.Sprintf(say.GuidedLabel, numberText(s.picture.form.weight)))
		v.plain.say(say.PlainLabel)
	} else {
		v.main.say("")
	}
}

// easel is one picture with its caption.
type easel struct {
	figure  element
	canvas  element
	caption element
	bar     element
	shown   js.Value // what is on the canvas
}

func newEasel() *easel {
	e := &easel{
		canvas:  el("canvas", attrs{"role": "img", "width": "256", "height": "256"}),
		caption: el("figcaption", nil),
		bar:     el("div", attrs{"class": "bar", "aria-hidden": "true"}),
		shown:   js.Undefined(),
	}
	e.figure = el("figure", attrs{"class": "easel", "hidden": ""}, e.canvas, e.bar, e.caption)
	return e
}

// render shows the preview while the picture is made, and otherwise the last
// finished one, which also stays until the first preview is there.
func (e *easel) render(p *picture, s *state, working bool) {
	setFlag(e.figure, "data-working", working)
	show(e.bar, working)
	if working {
		e.bar.Style().SetProperty("--done", fmt.Sprintf("%.3f", float64(s.step)/float64(max(1, s.steps))), "")
	}
	preview, ok := s.preview.(js.Value)
	switch {
	case working && ok:
		setAttr(e.canvas, "aria-label", fmt.Sprintf(say.PreviewLabel, s.step, s.steps))
		e.draw(preview, p == nil)
	case p != nil:
		setAttr(e.canvas, "aria-label", fmt.Sprintf(say.PictureLabel, p.form.prompt))
		e.draw(p.image.(js.Value), true)
	case working:
		setAttr(e.canvas, "aria-label", say.Step0)
	}
}

// draw puts an ImageData on the canvas; a preview is enlarged to the canvas,
// which keeps the size of the last finished picture.
func (e *easel) draw(image js.Value, resize bool) {
	if e.shown.Equal(image) {
		return
	}
	e.shown = image
	w, h := image.Get("width").Int(), image.Get("height").Int()
	if resize && w >= 64 && (e.size("width") != w || e.size("height") != h) {
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

func (e *easel) say(caption string) {
	setText(e.caption, caption)
	show(e.caption, caption != "")
}
