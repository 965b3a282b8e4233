package stage

import (
	"fmt"
	"syscall/js"
	"time"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// strip shows the session's pictures, and goes back and forth among them: with a picture
// come its settings.
type strip struct {
	history
	app        *app.App
	box        ui.Element
	undo, redo ui.Element
	tiles      *ui.Thumbnails
	shown      *app.Picture
}

func newStrip(a *app.App) *strip {
	v := &strip{app: a}
	v.undo = ui.IconButton("quiet square", "undo", &words.Text.Undo, func() { v.move(-1) })
	v.undo.SetID("undo")
	v.redo = ui.IconButton("quiet square", "redo", &words.Text.Redo, func() { v.move(1) })
	v.redo.SetID("redo")
	v.tiles = ui.NewThumbnails("session", &words.Text.SessionPictures, func(i int) { a.Take(v.list[i], "", "") })
	v.box = ui.El("div", ui.Attrs{{"id", "session"}, {"class", "session-row"}, {"hidden", ""}}, v.undo, v.tiles.Box, v.redo)
	a.React(v.react)
	ui.On(ui.Window, "keydown", v.key)
	return v
}

// react takes in what was drawn. What was read from a file has a place of its own: there.
func (v *strip) react(s *app.State) {
	for _, p := range s.Pictures {
		if p.Result != nil {
			v.add(p, time.Now())
		}
	}
}

// key goes back with Ctrl+Z, and forth with Ctrl+Y or Ctrl+Shift+Z. In a field they are the
// field's own.
func (v *strip) key(e ui.Event) {
	k, ok := ui.Key(e)
	if !ok || !k.CtrlKey() && !k.MetaKey() || k.AltKey() || e.Get("target").Call("matches", `textarea, input:not([type="range"], [type="radio"], [type="checkbox"])`).Bool() {
		return
	}
	places := 0
	switch k.Key() {
	case "z":
		places = -1
	case "y", "Z":
		places = 1
	default:
		return
	}
	if v.move(places) {
		e.Call("preventDefault")
	}
}

// move shows the picture before or after the one that is shown, and reports whether there is one.
func (v *strip) move(places int) bool {
	shown, _ := v.app.State.Shown()
	p := v.beside(shown, places)
	if p != nil {
		v.app.Take(p, "", "")
	}
	return p != nil
}

func (v *strip) render(s *app.State) {
	ui.Show(v.box, len(v.list) > 0) // of one picture too, so that nothing moves for the second
	shown, _ := s.Shown()
	ui.SetState(v.undo, "aria-disabled", v.beside(shown, -1) == nil)
	ui.SetState(v.redo, "aria-disabled", v.beside(shown, 1) == nil)
	v.tiles.Need(len(v.list))
	for i, t := range v.tiles.List {
		p := v.list[i]
		t.Draw(p.Image.(js.Value), true)
		t.Label("", fmt.Sprintf(words.Text.SessionPicture, i+1, len(v.list), p.Recipe.Prompt))
		ui.SetState(t.Button, "aria-pressed", p == shown)
		if p == shown && p != v.shown {
			v.tiles.Box.Set("scrollLeft", t.Button.Get("offsetLeft").Int()-v.tiles.Box.Get("clientWidth").Int()/2)
		}
	}
	v.shown = shown
}
