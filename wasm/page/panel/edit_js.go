package panel

import (
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// edit is the picture to edit, above the prompt, of a model that edits: how it is chosen and
// left out again, and how strongly it is changed. Its elements stand in index.html.
type edit struct {
	box, hint, strength ui.Element
	choose              ui.Element // a file of the picture to edit
	at                  ui.Element // how strong, as a number for the eyes
	canvas              ui.Canvas
}

func newEdit(a *app.App) *edit {
	v := &edit{box: ui.ByID("editing"), hint: ui.ByID("edit-hint"), strength: ui.ByID("edit-strength"), at: ui.ByID("edit-at"), canvas: ui.NewCanvas()}
	file := ui.ByID("edit-file")
	ui.On(file, "change", func(ui.Event) {
		if files := file.Get("files"); files.Length() > 0 {
			a.ReferTo(files.Index(0))
		}
		file.Set("value", "")
	})
	v.choose = ui.ByID("edit-choose")
	ui.On(v.choose, "click", func(ui.Event) { file.Call("click") })
	ui.On(v.strength, "input", func(ui.Event) { a.Edit(false, func(f *app.Form) { f.Strength = ui.Number(v.strength) }) })
	ui.On(v.strength, "change", func(ui.Event) { a.Follow(true) })
	ui.On(ui.ByID("edit-end"), "click", func(ui.Event) {
		a.Update(func(s *app.State) { s.Form.EndEdit() })
		v.choose.Focus() // what was pressed goes
	})
	ui.Follow(&words.Text.Reference, func(text string) { ui.SetAttr(v.canvas.Element, "aria-label", text) })
	ui.ByID("edit-with").Call("prepend", v.canvas.Element.Value)
	return v
}

func (v *edit) render(s *app.State) {
	ui.Show(v.box, s.Model != nil && s.Model.Edits != nil)
	r := s.Form.Reference
	ui.SetFlag(v.box, "data-with", r != nil)
	text := words.Text.EditChoose
	if s.Form.Missing() {
		text = words.Text.EditFind
	}
	ui.SetText(v.choose, text)
	ui.SetAttr(v.choose, "class", ui.Either(s.Form.Missing(), "primary", "quiet"))
	if r == nil {
		return
	}
	image, ok := r.Image.(js.Value)
	ui.Show(v.canvas.Element, ok)
	ui.Show(v.hint, !ok)
	if ok {
		v.canvas.Draw(image, true)
	}
	at := words.Number(s.Form.Strength)
	ui.SetValue(v.strength, at)
	ui.SetText(v.at, at)
}
