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

// film makes a sweep into a short film. Its pictures go to web/film.js one by one, which
// keeps them as the file will; one that was stopped goes on from there.
type film struct {
	app              *app.App
	box, press, says ui.Element
	bar, shown, save ui.Element
	plan             func() sweepPlan // of the next film
	recipes          []app.Recipe     // of the film that is made
	done             int              // of them, in writer
	writer           js.Value         // see web/film.js; undefined before the first picture
	last             *app.Picture     // which says what the film was made with
	opening          bool             // the writer is
	address          string           // of the finished file
	bytes            int64            // of it
}

// forFilm is the purpose of a film's pictures.
const forFilm app.Purpose = "film"

func newFilm(a *app.App, plan func() sweepPlan) *film {
	v := &film{app: a, plan: plan, says: ui.El("span", nil), save: ui.El("span", nil)}
	v.press = ui.Button("secondary", v.says, v.start)
	v.press.SetID("film-go")
	v.bar = ui.El("progress", ui.Attrs{{"aria-label", &words.Text.Film}, {"hidden", ""}})
	v.shown = ui.El("figure", ui.Attrs{{"id", "film"}, {"hidden", ""}})
	v.box = ui.El("div", ui.Attrs{{"class", "film"}}, v.press, v.bar, v.shown)
	return v
}

// render says how many pictures a press makes, and how long that takes.
func (v *film) render(s *app.State) {
	making := s.Running.Why == forFilm
	each := s.Live.Median()
	n := frameCount(each)
	text := fmt.Sprintf(words.Text.FilmGo, n)
	switch {
	case making:
		text = fmt.Sprintf(words.Text.FilmStop, v.done, len(v.recipes))
	case v.done > 0 && v.address == "" && sameFrames(v.recipes, v.plan().frames(s.Form, len(v.recipes))):
		text = fmt.Sprintf(words.Text.FilmOn, v.done, len(v.recipes))
	case each > 0:
		text = fmt.Sprintf(words.Text.FilmGoTime, n, words.Duration(float64(n)*each/1000))
	}
	ui.SetText(v.says, text)
	ui.SetState(v.press, "aria-disabled", !making && s.Phase != app.Ready || v.opening)
	ui.Show(v.bar, making)
	v.bar.Set("max", max(1, len(v.recipes)))
	v.bar.Set("value", v.done)
	ui.Show(v.shown, v.address != "")
	ui.SetText(v.save, fmt.Sprintf(words.Text.FilmSave, words.Bytes(v.bytes)))
}

// start begins a film, goes on with one that was stopped, or stops it.
func (v *film) start() {
	s := &v.app.State
	if s.Running.Why == forFilm {
		v.app.Stop()
		return
	}
	if s.Working() || v.opening {
		return
	}
	if s.Phase == app.Waiting {
		v.app.Enqueue() // says that a model is needed
		return
	}
	plan := v.plan()
	if plan.asks(v.app) {
		return
	}
	n := frameCount(s.Live.Median())
	if left := len(v.recipes); v.address == "" && v.done > 0 && sameFrames(v.recipes, plan.frames(s.Form, left)) {
		n = left // how fast the device is may have changed meanwhile
	} else {
		v.release()
	}
	v.recipes = plan.frames(s.Form, n)
	v.opening = true
	go func() {
		err := v.open()
		v.app.Update(func(*app.State) { v.opening = false })
		if err != nil {
			v.app.Fail(err)
			return
		}
		v.enqueue()
	}()
}

// release forgets a film, and gives its memory back.
func (v *film) release() {
	if v.writer.Truthy() {
		v.writer.Call("rest")
	}
	if v.address != "" {
		js.Global().Get("URL").Call("revokeObjectURL", v.address)
	}
	v.shown.Call("replaceChildren")
	v.recipes, v.done, v.writer, v.last, v.address = nil, 0, js.Undefined(), nil, ""
}

// open sees to it that there is a writer. It waits.
func (v *film) open() error {
	if v.writer.Truthy() {
		return nil
	}
	size := v.recipes[0].Size
	module, err := promise.Of(js.Global().Get("undertone").Call("film"))
	if err == nil {
		v.writer, err = promise.Of(module.Call("open", size.Width, size.Height))
	}
	return err
}

// enqueue makes the pictures that are missing.
func (v *film) enqueue() {
	var jobs []app.Job
	for _, r := range v.recipes[v.done:] {
		jobs = append(jobs, app.Job{Recipe: r, Why: forFilm, Quiet: true, Done: v.take})
	}
	v.app.Enqueue(jobs...)
}

// take adds a picture to the film; without one the film waits to be gone on with.
func (v *film) take(_ *app.State, p *app.Picture) {
	if p == nil {
		v.writer.Call("rest")
		return
	}
	v.writer.Call("add", p.Image)
	v.done, v.last = v.done+1, p
	if v.done == len(v.recipes) {
		go v.finish()
	}
}

// finish writes the file and shows the film. It waits.
func (v *film) finish() {
	of := v.recipes
	file, err := promise.Of(v.writer.Call("file", oneWay, v.parameters()))
	if err != nil {
		v.release()
		v.app.Fail(err)
		return
	}
	v.writer, v.last = js.Undefined(), nil
	v.app.Update(func(s *app.State) {
		v.address = js.Global().Get("URL").Call("createObjectURL", file).String()
		v.bytes = int64(file.Get("size").Int())
		s.Note = words.Text.FilmDone
		v.show(of[0], file.Get("type").String())
	})
	v.app.Render()
	v.shown.Call("scrollIntoView", map[string]any{"block": "nearest"})
}

// parameters are what the film was made from: those of its last picture, with all
// directions, and the weights of the first and the last.
func (v *film) parameters() js.Value {
	said := v.recipes[len(v.recipes)-1]
	at, from, to := change(v.recipes[0], said)
	if to == 0 { // it may be left out there
		said = v.recipes[0]
	}
	object := js.Global().Get("Object")
	return object.Call("assign", object.New(), v.last.Result.(js.Value).Get("parameters"), app.Object(
		"guidance", said.Value()["guidance"],
		"film", app.Object("direction", at, "from", from, "to", to, "pictures", len(v.recipes), "seconds", 2*oneWay),
	))
}

// show puts the film on the page, with a link that saves it.
func (v *film) show(r app.Recipe, kind string) {
	moving := ui.El("video", ui.Attrs{{"src", v.address}, {"loop", ""}, {"muted", ""}, {"playsinline", ""}, {"controls", ""}, {"aria-label", words.Text.Film}})
	extension := "." + strings.TrimPrefix(kind, "video/")
	if kind == "image/png" {
		extension = ".png"
		moving = ui.El("img", ui.Attrs{{"src", v.address}, {"alt", words.Text.Film}})
	} else if moving.Set("muted", true); !js.Global().Call("matchMedia", "(prefers-reduced-motion: reduce)").Get("matches").Bool() {
		moving.Set("autoplay", true)
	}
	name := strings.TrimSuffix(r.FileName(), ".png") + extension
	save := ui.El("a", ui.Attrs{{"id", "film-save"}, {"href", v.address}, {"download", name}, {"class", "secondary"}}, ui.Icon("save"), v.save)
	ui.Append(v.shown, moving, ui.El("figcaption", nil, save))
}
