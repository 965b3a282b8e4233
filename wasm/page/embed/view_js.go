package embed

import (
	"fmt"
	"math/rand/v2"

	"undertone/wasm/page/app"
	"undertone/wasm/page/importer"
	"undertone/wasm/page/stage"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// view is the picture with what stands beside it.
type view struct {
	embed     *Embed
	section   ui.Element
	welcome   ui.Element
	caption   ui.Element
	guidance  ui.Element
	single    *stage.Single
	divided   *stage.Compare
	comparing bool
	another   ui.Element
	compare   ui.Element
	stop      ui.Element
	note      ui.Element
	open      ui.Element
	forget    ui.Element // deletes the model
}

func newView(e *Embed, section ui.Element) *view {
	a := e.app
	v := &view{
		embed: e, section: section, welcome: ui.ByID("welcome"), caption: ui.ByID("caption"), open: ui.ByID("open"),
		single: stage.NewSingle(), divided: stage.NewDivided(a, stage.NewPlain(a)),
		guidance: ui.El("div", nil), note: ui.El("p", ui.Attrs{{"id", "note"}, {"class", "muted"}, {"aria-hidden", "true"}}),
	}
	v.another = ui.IconButton("secondary", "dice", &words.Text.Another, func() {
		if !a.State.Working() {
			a.State.Form.Seed = float64(rand.Uint32())
			a.Generate()
		}
	})
	v.another.SetID("another")
	v.compare = ui.IconButton("secondary", "compare", &words.Text.TabCompare, func() {
		a.Update(func(*app.State) { v.comparing = !v.comparing })
		if v.comparing && a.State.Resting {
			a.Enqueue() // the other picture takes the engine
		}
	})
	v.compare.SetID("compare")
	v.stop = ui.Button("secondary", &words.Text.Stop, e.stop)
	v.stop.SetID("stop")
	v.forget = ui.Button("quiet", &words.Text.Forget, e.forget)
	v.forget.SetID("forget")
	v.open.Call("before", v.forget.Value)
	ui.Append(ui.ByID("frames"), v.single.Box(), v.divided.Box())
	ui.Append(ui.ByID("controls"), v.guidance, ui.El("div", ui.Attrs{{"class", "actions"}}, v.another, v.compare, v.stop), v.note)
	ui.On(ui.Window, "keydown", func(e ui.Event) {
		if k, ok := ui.Key(e); ok && k.Key() == "Escape" && a.State.Busy() {
			v.embed.stop()
		}
	})
	return v
}

// react asks for the picture without guidance while both are shown.
func (v *view) react(s *app.State) {
	if v.comparing && !v.embed.app.Wanted {
		v.divided.React(s)
	}
}

// Render draws it.
func (v *view) Render(s *app.State) {
	given := v.embed.given
	started := s.Picture != nil || s.Phase == app.Generating
	ui.SetFlag(v.section, "data-started", started)
	ui.Show(v.welcome, s.Phase == app.Loading || s.Phase == app.Waiting && !s.Resting)
	divided := v.comparing && s.Picture != nil
	ui.Show(v.single.Box(), !divided)
	ui.Show(v.divided.Box(), divided)
	if divided {
		v.divided.Render(s)
	} else {
		v.single.Render(s)
	}
	if v.embed.read {
		caption := "“" + s.Form.Prompt + "”"
		if s.Form.Prompt == "" {
			caption = words.Text.PromptHint
		}
		ui.SetText(v.caption, caption)
		ui.SetAttr(v.open, "href", "."+s.Form.Made().Link())
	}
	working := s.Working()
	ui.Show(v.guidance, given.shows(controlGuidance))
	ui.Show(v.another, s.Picture != nil && given.shows(controlAnother))
	ui.SetState(v.another, "aria-disabled", working)
	ui.Show(v.compare, s.Picture != nil && given.shows(controlCompare))
	ui.SetState(v.compare, "aria-pressed", v.comparing)
	ui.Show(v.stop, working)
	ui.Show(v.open, given.shows(controlOpen))
	ui.Show(v.forget, given.shows(controlOpen) && v.embed.forgettable(s))
	ui.SetText(v.note, v.says(s))
}

// says is the line under the controls.
func (v *view) says(s *app.State) string {
	switch {
	case s.Working() && s.Running.Step > 0:
		return fmt.Sprintf(words.Text.Working, s.Running.Step, s.Running.Steps)
	case s.Working():
		return words.Text.Starting
	case len(v.embed.notices) > 0:
		return importer.NoticesText(v.embed.notices)
	case v.comparing && s.Picture != nil && !s.Picture.Recipe.Guides():
		return words.Text.CompareNone
	}
	return s.Note
}
