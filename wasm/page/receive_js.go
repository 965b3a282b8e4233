package page

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"syscall/js"

	"honnef.co/go/js/dom/v2"

	carried "undertone/engine/recipe"
	"undertone/wasm/promise"
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
			if !v.file(t) {
				v.link(t)
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

// file takes over the first file in t, and reports whether there is one.
func (v *receiver) file(t js.Value) bool {
	if !t.Truthy() || t.Get("files").Length() == 0 {
		return false
	}
	v.app.open(t.Get("files").Index(0), 0)
	return true
}

// link takes over a link of ours in t, and reports whether there is one.
func (v *receiver) link(t js.Value) bool {
	if !t.Truthy() {
		return false
	}
	hash, ok := linkIn(t.Call("getData", "text/plain").String())
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
	s.note = strings.TrimSpace(say.FromLink + " " + noticesText(notices))
}

// mostFile is the largest file that is read, in bytes: far beyond a picture of ours.
const mostFile = 32 << 20

// open takes over a picture with its parameters from a file; kept is its number in
// the gallery, 0 when it is not from there.
func (a *app) open(file js.Value, kept int) {
	go func() {
		if size := file.Get("size").Float(); size > mostFile {
			a.update(func(s *state) {
				s.problem = &problem{code: "picture-invalid", message: fmt.Sprintf(say.FileTooLarge, bytesText(int64(size)), bytesText(mostFile))}
			})
			return
		}
		buffer, err := promise.Await(context.Background(), file.Call("arrayBuffer"))
		if err != nil {
			a.fail(err)
			return
		}
		data := make([]byte, buffer.Get("byteLength").Int())
		js.CopyBytesToGo(data, js.Global().Get("Uint8Array").New(buffer))
		m := a.state.model
		if m == nil {
			return
		}
		p, notices, err := carried.FromPNG(data, m.base(), m.limits())
		if err != nil {
			a.fail(err)
			return
		}
		note := strings.TrimSpace(say.Restored + " " + noticesText(notices))
		if p.Model != "" && (p.Model != m.Name || p.Revision != m.Revision) {
			note += " " + fmt.Sprintf(say.OtherModel, strings.TrimSpace(p.Model+" "+p.Revision), m.Name+" "+m.Revision)
		}
		r := m.recipeOf(p.Request)
		image, ok := pixels(file, data)
		a.update(func(s *state) {
			fresh = true
			s.form.restore(r)
			s.note, s.problem = note, nil
			if ok && s.phase != generating {
				s.picture = &picture{recipe: r, image: image, file: file, kept: kept}
				s.pictures, s.pane = []*picture{s.picture}, "picture"
			}
		})
	}()
}

// pixels decodes a PNG of a sensible size: what a file claims to hold is looked at
// before the browser makes room for it.
func pixels(file js.Value, data []byte) (image js.Value, ok bool) {
	const most = 4096 // pixels of a side
	w, h := binary.BigEndian.Uint32(data[16:]), binary.BigEndian.Uint32(data[20:])
	if w == 0 || h == 0 || w > most || h > most {
		return image, false
	}
	ctx := context.Background()
	bitmap, err := promise.Await(ctx, js.Global().Call("createImageBitmap", file, map[string]any{
		"premultiplyAlpha": "none", "colorSpaceConversion": "none", // the very bytes
	}))
	if err != nil {
		return image, false
	}
	defer bitmap.Call("close")
	canvas := js.Global().Get("OffscreenCanvas").New(w, h)
	c := canvas.Call("getContext", "2d")
	c.Call("drawImage", bitmap, 0, 0)
	return c.Call("getImageData", 0, 0, w, h), true
}
