package panel

import (
	"fmt"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// edit is the picture to edit, above the prompt, of a model that edits: how it is chosen and
// left out again, and how strongly it is changed.
type edit struct {
	app               *app.App
	box, with         ui.Element
	canvas            ui.Canvas
	hint, choose      ui.Element
	strength, display ui.Element
}

func newEdit(a *app.App) *edit {
	v := &edit{app: a, canvas: ui.NewCanvas(), hint: ui.El("p", ui.Attrs{{"class", "muted"}}), display: ui.El("output", nil)}
	file := ui.El("input", ui.Attrs{{"type", "file"}, {"accept", "image/*"}, {"class", "unseen"}, {"id", "edit-file"}, {"tabindex", "-1"}, {"aria-hidden", "true"}})
	ui.On(file, "change", func(ui.Event) {
		if files := file.Get("files"); files.Length() > 0 {
			a.ReferTo(files.Index(0))
		}
		file.Set("value", "")
	})
	v.choose = ui.IconButton("quiet", "open", &words.Text.EditChoose, func() { file.Call("click") })
	v.choose.SetID("edit-choose")
	v.strength = ui.El("input", ui.Attrs{{"type", "range"}, {"min", "0"}, {"max", "4"}, {"step", "0.1"}})
	ui.On(v.strength, "input", func(ui.Event) { a.Edit(false, func(f *app.Form) { f.Strength = ui.Number(v.strength) }) })
	ui.On(v.strength, "change", func(ui.Event) { a.Follow(true) })
	end := ui.IconButton("quiet", "close", &words.Text.EditEnd, func() {
		a.Update(func(s *app.State) { s.Form.Reference, s.Form.Strength = nil, 0 })
		a.Render()
		v.choose.Focus() // what was pressed is gone
	})
	end.SetID("edit-end")
	v.with = ui.El("div", ui.Attrs{{"class", "edit"}}, v.canvas.Element,
		ui.El("div", nil, v.hint, ui.Labelled("edit-strength", &words.Text.EditStrength, v.strength), v.display, end))
	v.box = ui.El("div", ui.Attrs{{"id", "editing"}}, v.with, v.choose, file)
	return v
}

func (v *edit) render(s *app.State) {
	ui.Show(v.box, s.Model != nil && s.Model.Edits != nil)
	r := s.Form.Reference
	ui.Show(v.with, r != nil)
	if r == nil || s.Model == nil {
		return
	}
	hint := words.Text.ReferenceMissing
	image, ok := r.Image.(js.Value)
	ui.Show(v.canvas.Element, ok)
	ui.SetAttr(v.canvas.Element, "aria-label", words.Text.Reference)
	if ok {
		v.canvas.Draw(image, true)
		hint = ""
		if list := s.Model.Suggestions(); len(list) > 0 {
			hint = fmt.Sprintf(words.Text.EditHint, list[0])
		}
	}
	ui.SetText(v.hint, hint)
	ui.SetValue(v.strength, fmt.Sprint(s.Form.Strength))
	ui.SetText(v.display, words.Number(s.Form.Strength))
}
