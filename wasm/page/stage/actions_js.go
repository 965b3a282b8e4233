package stage

import (
	"fmt"
	"strings"
	"syscall/js"

	"undertone/wasm/host"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// toolbar lies under the picture: how it was made, and what can be done with it.
type toolbar struct {
	bar                  ui.Element
	times, notices, note ui.Element
	paper                ui.Element // what a printed page says besides
	save, keep, edit     ui.Element
	image, link, share   ui.Element
	keepSays             ui.Element
	canCopy, canShare    bool
	app                  *app.App
	gallery              Gallery
}

// Gallery keeps pictures.
type Gallery interface {
	Has(p *app.Picture) bool
	Keep(p *app.Picture)
}

func newToolbar(a *app.App, gallery Gallery, more []any) *toolbar {
	v := &toolbar{
		app: a, gallery: gallery,
		times:   ui.El("p", ui.Attrs{{"id", "times"}, {"class", "muted"}}),
		notices: ui.El("p", ui.Attrs{{"id", "notices"}}),
		note:    ui.El("p", ui.Attrs{{"id", "action-note"}, {"class", "muted"}}),
		paper:   ui.El("p", ui.Attrs{{"class", "paper"}, {"translate", "no"}}),
	}
	v.canCopy = host.Get("navigator", "clipboard").Truthy()
	v.canShare = host.Get("navigator", "share").Truthy()
	v.save = ui.IconButton("secondary", "save", &words.Text.Save, v.download)
	v.save.SetID("save")
	v.keep = ui.IconButton("secondary", "keep", &words.Text.Keep, func() {
		if p := v.app.State.Picture; p != nil && !gallery.Has(p) {
			gallery.Keep(p)
		}
	})
	v.keep.SetID("keep")
	v.keepSays = ui.Wrap(v.keep.Get("lastChild"))
	v.edit = ui.IconButton("secondary", "pen", &words.Text.Edit, func() { a.Refer(a.State.Picture.Image, false) })
	v.edit.SetID("edit")
	v.image = ui.IconButton("secondary", "copy", &words.Text.CopyImage, v.copyImage)
	v.image.SetID("copy-image")
	v.link = ui.IconButton("secondary", "link", &words.Text.CopyLink, v.copyLink)
	v.link.SetID("copy-link")
	v.share = ui.IconButton("secondary", "share", &words.Text.Share, v.openShare)
	v.share.SetID("share")
	v.bar = ui.El("div", ui.Attrs{{"class", "toolbar"}, {"hidden", ""}},
		ui.El("div", ui.Attrs{{"class", "said"}}, v.paper, v.notices, v.times, v.note),
		ui.El("div", ui.Attrs{{"class", "buttons"}}, append([]any{v.edit, v.save, v.keep, v.image, v.link, v.share}, more...)...))
	return v
}

func (v *toolbar) render(s *app.State) {
	p, toEdit := s.Shown()
	ui.Show(v.bar, p != nil && !toEdit)
	if p == nil || toEdit {
		return
	}
	ui.SetText(v.times, summary(p))
	ui.SetText(v.paper, paperText(p.Recipe))
	ui.SetText(v.notices, strings.Join(p.Notices, " "))
	ui.SetText(v.note, s.Remark)
	ui.Show(v.note, s.Remark != "")
	ui.SetFlag(v.save, "disabled", s.Working())
	ui.SetFlag(v.edit, "disabled", s.Drawing()) // another takes its place
	keep := words.Text.Keep
	has := v.gallery.Has(p)
	if has {
		keep = words.Text.Kept
	}
	ui.SetText(v.keepSays, keep)
	ui.SetAttr(v.keep, "title", keep)
	ui.SetState(v.keep, "aria-disabled", has)
	ui.Show(v.image, v.canCopy && host.Get("ClipboardItem").Truthy())
	ui.Show(v.link, v.canCopy)
	ui.Show(v.share, v.canShare)
	i := s.Editor()
	if ui.Show(v.edit, i >= 0); i >= 0 {
		title := words.Text.Edit
		if m := s.Offers[i].Model; i != s.Offer {
			title += " (" + m.Title + " · " + words.Bytes(m.Bytes) + ")" // which is fetched then
		}
		ui.SetAttr(v.edit, "title", title)
	}
}

// summary says in a line how the picture was made; what each part took is shown in
// the view "how it works".
func summary(p *app.Picture) string {
	if p.File != nil && p.Saved == 0 && !p.Back {
		return words.Text.FromFile
	}
	if p.Recipe.Returns() {
		return words.Text.Reference
	}
	text := fmt.Sprintf(words.Text.Times, int(p.Recipe.Steps), p.Recipe.Size.Width, p.Recipe.Size.Height, p.Recipe.Seed)
	if p.Result == nil {
		return text // nobody knows how long it took
	}
	took := words.Milliseconds(p.TotalMs)
	if p.PrepareMs > p.TotalMs/20 {
		took = fmt.Sprintf(words.Text.Prepared, took, words.Milliseconds(p.PrepareMs))
	}
	return took + " · " + text
}

// download writes the picture to the person's downloads.
func (v *toolbar) download() {
	p := v.app.State.Picture
	if p != nil {
		v.app.Download(p.Blob(), p.Recipe.FileName())
		if p.Own {
			v.app.Say(words.Text.SavedOwn)
		}
	}
}

// copyImage puts the picture on the clipboard.
func (v *toolbar) copyImage() {
	p := v.app.State.Picture
	if p == nil {
		return
	}
	v.app.Copy(func(clipboard js.Value) js.Value {
		item := host.Get("ClipboardItem").New(map[string]any{"image/png": p.Blob()})
		return clipboard.Call("write", []any{item})
	}, words.Text.Copied)
}

// address is a link that fills in what made the picture. Of the page's own address it
// has no query: the page reads none, and what others put there (utm_source, fbclid)
// tells where a person came from.
func address(r app.Recipe) string {
	here := js.Global().Get("location")
	return here.Get("origin").String() + here.Get("pathname").String() + r.Link()
}

// copyLink puts the link to the picture on the clipboard.
func (v *toolbar) copyLink() {
	if p := v.app.State.Picture; p != nil {
		says := words.Text.CopiedLink
		if p.Own {
			says = words.Text.CopiedLinkOwn
		} else if p.Recipe.Reference != nil {
			says = words.Text.CopiedLinkEdit
		}
		v.app.CopyText(address(p.Recipe), says)
	}
}

// openShare opens the system's own sheet, with the file where it takes files.
func (v *toolbar) openShare() {
	p := v.app.State.Picture
	v.app.WithFile(p, func(blob js.Value) {
		file := js.Global().Get("File").New([]any{blob}, p.Recipe.FileName(), map[string]any{"type": "image/png"})
		what := app.Object("title", "Undertone", "text", p.Recipe.Prompt, "files", []any{file})
		navigator := js.Global().Get("navigator")
		if !navigator.Get("canShare").Truthy() || !navigator.Call("canShare", what).Bool() {
			delete(what, "files")
			what["url"] = address(p.Recipe)
		}
		// Closing the sheet rejects too, and needs no remark.
		promise.Of(navigator.Call("share", what))
	})
}
