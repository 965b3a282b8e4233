package importer

import (
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Importer takes recipes in: from the address, and from links and pictures that
// are dropped or pasted. It fills in the form; nothing ever runs by itself.
type Importer struct {
	app    *app.App
	hint   ui.Element
	says   ui.Element            // in the hint: what may be dropped
	hash   string                // that waits for the model to be known, which says what is possible
	models func(t js.Value) bool // takes over the files of a model
	// Find looks for the picture that an edit was made from. It waits.
	Find func(sha256 string) (image js.Value, ok bool)
}

// New listens to the window. models takes what is dropped or pasted, where that is a model's
// files, and reports whether it did.
func New(a *app.App, models func(t js.Value) bool) *Importer {
	v := &Importer{app: a, models: models, hash: address(), says: ui.El("p", nil)}
	v.hint = ui.El("div", ui.Attrs{{"class", "drop"}, {"aria-hidden", "true"}, {"hidden", ""}}, v.says)
	ui.Document.Get("body").Call("append", v.hint.Value)
	ui.On(ui.Window, "hashchange", func(ui.Event) { a.Update(func(s *app.State) { v.read(s, address()) }) })
	over := func(e ui.Event) {
		if v.carries(e.Underlying().Get("dataTransfer")) {
			e.PreventDefault()
			text := words.Text.DropHere
			if a.State.Editor() >= 0 {
				text = words.Text.DropEdit
			}
			ui.SetText(v.says, text)
			ui.Show(v.hint, true)
		}
	}
	ui.On(ui.Window, "dragenter", over)
	ui.On(ui.Window, "dragover", over)
	ui.On(ui.Window, "dragleave", func(e ui.Event) {
		if e.Underlying().Get("relatedTarget").IsNull() { // out of the window
			ui.Show(v.hint, false)
		}
	})
	ui.On(ui.Window, "drop", func(e ui.Event) {
		ui.Show(v.hint, false)
		if t := e.Underlying().Get("dataTransfer"); v.carries(t) {
			e.PreventDefault()
			if !v.file(t) && !v.link(t) {
				a.Fail(app.FileError(words.Text.DropNothing))
			}
		}
	})
	ui.On(ui.Window, "paste", func(e ui.Event) {
		// Text that is pasted with a picture of itself, as from an editor, stays text.
		t := e.Underlying().Get("clipboardData")
		if v.link(t) || t.Truthy() && t.Call("getData", "text/plain").String() == "" && v.file(t) {
			e.PreventDefault()
		}
	})
	a.React(v.react)
	return v
}

// carries reports whether something dragged could be ours: a file or an address.
func (v *Importer) carries(t js.Value) bool {
	if !t.Truthy() {
		return false
	}
	types := t.Get("types")
	for i := range types.Length() {
		if kind := types.Index(i).String(); kind == "Files" || kind == "text/uri-list" {
			return true
		}
	}
	return false
}

// file takes over a file in t, and reports whether there is one.
func (v *Importer) file(t js.Value) bool {
	if !t.Truthy() || t.Get("files").Length() == 0 {
		return false
	}
	if v.models(t) {
		return true
	}
	files, items := t.Get("files"), t.Get("items")
	var list []js.Value
	for i := range min(files.Length(), maxFiles) {
		list = append(list, files.Index(i))
	}
	// Only now, not later, the browser says which of them are folders.
	folders := make([]bool, len(list))
	for i, n := 0, 0; i < items.Length() && n < len(list); i++ {
		item := items.Index(i)
		if item.Get("kind").String() != "file" {
			continue
		}
		if item.Get("webkitGetAsEntry").Truthy() {
			entry := item.Call("webkitGetAsEntry")
			folders[n] = entry.Truthy() && entry.Get("isDirectory").Bool()
		}
		n++
	}
	v.openOne(list, folders, files.Length())
	return true
}

// link takes over a link of ours in t, and reports whether there is one.
func (v *Importer) link(t js.Value) bool {
	if !t.Truthy() {
		return false
	}
	text := t.Call("getData", "text/plain").String()
	if text == "" {
		text = t.Call("getData", "URL").String()
	}
	hash, ok := linkIn(text)
	if ok {
		v.app.Update(func(s *app.State) { v.read(s, hash) })
	}
	return ok
}

// react reads what came before the model was known.
func (v *Importer) react(s *app.State) {
	if s.Model != nil && v.hash != "" {
		v.read(s, v.hash)
		v.hash = ""
	}
}

func address() string { return js.Global().Get("location").Get("hash").String() }

// read fills in the form from a hash.
func (v *Importer) read(s *app.State, hash string) {
	if s.Model == nil {
		v.hash = hash
		return
	}
	q, notices, ok := recipe.FromHash(hash, s.Model.Request(), s.Limits())
	if !ok {
		return
	}
	says := words.Text.FromLink
	if q.Reference != nil {
		if !v.app.TurnToEditor(func() { v.app.Update(func(s *app.State) { v.read(s, hash) }) }) {
			return
		}
		if s.Phase != app.Waiting { // else it stands above Start
			says = words.Text.FromLinkEdit
		}
	}
	v.app.Later(nil)
	ui.Overwrite()
	s.Form.Restore(app.NewRecipe(q))
	s.Shared = s.Phase == app.Waiting
	s.Say(words.Join(says, NoticesText(notices)))
}
