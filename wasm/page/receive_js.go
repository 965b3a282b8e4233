package page

import (
	"syscall/js"

	"honnef.co/go/js/dom/v2"

	"undertone/engine/fault"
	carried "undertone/engine/recipe"
)

// receiver takes recipes in: from the address, and from links and pictures that
// are dropped or pasted. It fills in the form; nothing ever runs by itself.
type receiver struct {
	app    *app
	hint   element
	hashed bool // the address was read
}

func newReceiver(a *app) *receiver {
	v := &receiver{app: a, hint: el("div", attrs{"class": "drop", "aria-hidden": "true", "hidden": ""}, el("p", nil, &say.DropHere))}
	document.Get("body").Call("append", v.hint.Value)
	w := dom.GetWindow()
	on(w, "hashchange", func(dom.Event) { a.update(func(s *state) { v.address(s) }) })
	over := func(e dom.Event) {
		if v.carries(e.Underlying().Get("dataTransfer")) {
			e.PreventDefault()
			show(v.hint, true)
		}
	}
	on(w, "dragenter", over)
	on(w, "dragover", over)
	on(w, "dragleave", func(e dom.Event) {
		if e.Underlying().Get("relatedTarget").IsNull() { // out of the window
			show(v.hint, false)
		}
	})
	on(w, "drop", func(e dom.Event) {
		show(v.hint, false)
		if t := e.Underlying().Get("dataTransfer"); v.carries(t) {
			e.PreventDefault()
			if !v.file(t) && !v.link(t) {
				a.fail(readable(say.DropNothing))
			}
		}
	})
	on(w, "paste", func(e dom.Event) {
		// Text that is pasted with a picture of itself, as from an editor, stays text.
		t := e.Underlying().Get("clipboardData")
		if v.link(t) || t.Truthy() && t.Call("getData", "text/plain").String() == "" && v.file(t) {
			e.PreventDefault()
		}
	})
	return v
}

// carries reports whether something dragged could be ours: a file or an address.
func (v *receiver) carries(t js.Value) bool {
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
func (v *receiver) file(t js.Value) bool {
	if !t.Truthy() || t.Get("files").Length() == 0 {
		return false
	}
	files, items := t.Get("files"), t.Get("items")
	var list []js.Value
	for i := range min(files.Length(), mostFiles) {
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
	v.app.openOne(list, folders, files.Length())
	return true
}

// link takes over a link of ours in t, and reports whether there is one.
func (v *receiver) link(t js.Value) bool {
	if !t.Truthy() {
		return false
	}
	text := t.Call("getData", "text/plain").String()
	if text == "" {
		text = t.Call("getData", "URL").String()
	}
	hash, ok := linkIn(text)
	if ok {
		v.app.update(func(s *state) { v.read(s, hash) })
	}
	return ok
}

// render reads the address once the model is known, which says what is possible.
func (v *receiver) render(s *state) {
	if s.model != nil && !v.hashed {
		v.hashed = true
		v.app.update(func(s *state) { v.address(s) })
	}
}

func (v *receiver) address(s *state) { v.read(s, js.Global().Get("location").Get("hash").String()) }

// read fills in the form from a hash.
func (v *receiver) read(s *state, hash string) {
	if s.model == nil {
		return
	}
	q, notices, ok := carried.FromHash(hash, s.model.base(), s.model.limits())
	if !ok {
		return
	}
	fresh = true
	s.form.restore(s.model.recipeOf(q))
	s.note = joined(say.FromLink, noticesText(notices))
	if s.problem != nil && s.problem.code == string(fault.PictureInvalid) {
		s.problem = nil // of what was dropped before
	}
}
