package page

import (
	"context"
	"fmt"
	"strings"
	"syscall/js"
	"time"

	carried "undertone/engine/recipe"
	"undertone/wasm/host"
	"undertone/wasm/promise"
)

// toolbar lies under the picture: how it was made, and what can be done with it.
type toolbar struct {
	bar                  element
	times, notices, note element
	save, keep           element
	image, link, share   element
	keepSays             element
	canCopy, canShare    bool
}

func newToolbar(a *app) *toolbar {
	v := &toolbar{
		times:   el("p", attrs{"id": "times", "class": "muted"}),
		notices: el("p", attrs{"id": "notices"}),
		note:    el("p", attrs{"id": "action-note", "class": "muted"}),
	}
	v.canCopy = host.Get("navigator", "clipboard").Truthy()
	v.canShare = host.Get("navigator", "share").Truthy()
	v.save = iconButton("secondary", "save", &say.Save, a.save)
	v.save.SetID("save")
	v.keep = iconButton("secondary", "keep", &say.Keep, func() {
		if p := a.state.picture; p != nil && !a.state.panes.gallery.has(p) {
			a.keep(p)
		}
	})
	v.keep.SetID("keep")
	v.keepSays = wrap(v.keep.Get("lastChild"))
	v.image = iconButton("secondary", "copy", &say.CopyImage, a.copyImage)
	v.image.SetID("copy-image")
	v.link = iconButton("secondary", "link", &say.CopyLink, a.copyLink)
	v.link.SetID("copy-link")
	v.share = iconButton("secondary", "share", &say.Share, a.share)
	v.share.SetID("share")
	v.bar = el("div", attrs{"class": "toolbar", "hidden": ""},
		el("div", attrs{"class": "said"}, v.notices, v.times, v.note),
		el("div", attrs{"class": "buttons"}, v.save, v.keep, v.image, v.link, v.share))
	return v
}

func (v *toolbar) render(s *state) {
	p := s.picture
	show(v.bar, p != nil)
	if p == nil {
		return
	}
	text := say.FromFile
	if p.file == nil {
		text = p.summary()
	}
	setText(v.times, text)
	setText(v.notices, strings.Join(p.notices, " "))
	setText(v.note, s.panes.note)
	show(v.note, s.panes.note != "")
	setFlag(v.save, "disabled", s.working())
	keep := say.Keep
	has := s.panes.gallery.has(p)
	if has {
		keep = say.Kept
	}
	setText(v.keepSays, keep)
	setAttr(v.keep, "title", keep)
	setAttr(v.keep, "aria-disabled", fmt.Sprint(has))
	show(v.image, v.canCopy && host.Get("ClipboardItem").Truthy())
	show(v.link, v.canCopy)
	show(v.share, v.canShare)
}

// summary says in a line how the picture was made; what each part took is shown in
// the view "how it works".
func (p *picture) summary() string {
	took := millisText(p.TotalMs)
	if p.PrepareMs > p.TotalMs/20 {
		took = fmt.Sprintf(say.Prepared, took, millisText(p.PrepareMs))
	}
	return fmt.Sprintf(say.Times, took, len(p.StepsMs), p.recipe.size.Width, p.recipe.size.Height, p.recipe.seed)
}

// remark says under the picture what became of an action; it goes after a while.
func (a *app) remark(text string) {
	a.update(func(s *state) { s.panes.note = text })
	time.AfterFunc(6*time.Second, func() {
		a.update(func(s *state) {
			if s.panes.note == text {
				s.panes.note = ""
			}
		})
	})
}

// done says whether a promise of the browser came true.
func (a *app) done(p js.Value, good string) {
	go func() {
		if _, err := promise.Await(context.Background(), p); err != nil {
			a.remark(say.CopyRefused)
			return
		}
		a.remark(good)
	}()
}

// promised is the picture as a Blob, as a promise: the clipboard and the share sheet
// want to be asked while a button is being pressed, not when the file is ready.
func (p *picture) promised() js.Value {
	if file, ok := p.file.(js.Value); ok {
		return js.Global().Get("Promise").Call("resolve", file.Call("slice", 0, file.Get("size"), "image/png"))
	}
	return p.result.(js.Value).Call("blob", "image/png")
}

// withFile hands over a picture's file, when that is made; use may wait.
func (a *app) withFile(p *picture, use func(blob js.Value)) {
	if p == nil {
		return
	}
	go func() {
		blob, err := promise.Await(context.Background(), p.promised())
		if err != nil {
			a.fail(err)
			return
		}
		use(blob)
	}()
}

// fail says what went wrong, in the place of what was said to have gone well before.
func (a *app) fail(err error) {
	a.update(func(s *state) {
		if s.problem = problemOf(err); s.problem != nil {
			s.note = ""
		}
	})
}

// save writes the picture to the person's downloads.
func (a *app) save() {
	p := a.state.picture
	a.withFile(p, func(blob js.Value) {
		url := js.Global().Get("URL").Call("createObjectURL", blob)
		el("a", attrs{"href": url.String(), "download": fileName(p.recipe)}).Click()
		// The browser reads the address while it starts the download.
		time.Sleep(10 * time.Second)
		js.Global().Get("URL").Call("revokeObjectURL", url)
	})
}

// copyImage puts the picture on the clipboard.
func (a *app) copyImage() {
	p := a.state.picture
	if p == nil {
		return
	}
	defer a.refusedCopy()
	item := host.Get("ClipboardItem").New(map[string]any{"image/png": p.promised()})
	a.done(host.Get("navigator", "clipboard").Call("write", []any{item}), say.Copied)
}

// address is a link that fills in what made the picture. Of the page's own address it
// has no query: the page reads none, and what others put there (utm_source, fbclid)
// tells where a person came from.
func address(r recipe) string {
	here := js.Global().Get("location")
	return here.Get("origin").String() + here.Get("pathname").String() + carried.Hash(r.carried())
}

// copyLink puts the link to the picture on the clipboard.
func (a *app) copyLink() {
	if p := a.state.picture; p != nil {
		a.copyText(address(p.recipe), say.CopiedLink)
	}
}

func (a *app) copyText(text, good string) {
	defer a.refusedCopy()
	a.done(host.Get("navigator", "clipboard").Call("writeText", text), good)
}

// refusedCopy is deferred where something is copied: there may be no clipboard, or
// none for pictures.
func (a *app) refusedCopy() {
	if recover() != nil {
		a.remark(say.CopyRefused)
	}
}

// share opens the system's own sheet, with the file where it takes files.
func (a *app) share() {
	p := a.state.picture
	a.withFile(p, func(blob js.Value) {
		file := js.Global().Get("File").New([]any{blob}, fileName(p.recipe), map[string]any{"type": "image/png"})
		what := map[string]any{"title": "Undertone", "text": p.recipe.prompt, "files": []any{file}}
		navigator := js.Global().Get("navigator")
		if !navigator.Get("canShare").Truthy() || !navigator.Call("canShare", what).Bool() {
			delete(what, "files")
			what["url"] = address(p.recipe)
		}
		// Closing the sheet rejects too, and needs no remark.
		promise.Await(context.Background(), navigator.Call("share", what))
	})
}
