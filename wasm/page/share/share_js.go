package share

import (
	"fmt"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// Dialog gives the picture that is shown to other pages.
type Dialog struct {
	app               *app.App
	Button            ui.Element // opens it
	dialog            ui.Element // nil before it is opened for the first time
	preview           ui.Element // holds the element while it is open
	code, says, where ui.Element
	kinds             *ui.Segments
	markdown          bool
	picture           *app.Picture
	tag               recipe.Tag
	poster            js.Value // address of the picture's file
}

// New makes the button; what it opens is made when it is pressed.
func New(a *app.App) *Dialog {
	v := &Dialog{app: a}
	v.Button = ui.IconButton("secondary", "code", &words.Text.Embed, v.open)
	v.Button.SetID("embed")
	return v
}

// build makes the dialog.
func (v *Dialog) build() {
	t := &words.Text
	v.preview = ui.El("div", ui.Attrs{{"class", "preview"}})
	v.code = ui.El("pre", ui.Attrs{{"id", "embed-code"}, {"class", "code"}, {"tabindex", "0"}, {"aria-label", &t.EmbedCode}, {"translate", "no"}})
	v.says = ui.El("p", ui.Attrs{{"role", "status"}, {"class", "muted"}})
	v.where = ui.El("p", ui.Attrs{{"class", "muted"}})
	v.kinds = ui.NewSegments("embed-kind", &t.EmbedCode, func(id string) {
		v.markdown = id == "markdown"
		v.write()
	}, ui.Segment{ID: "html", Text: &t.EmbedPage}, ui.Segment{ID: "markdown", Text: &t.EmbedReadme})
	closes := ui.IconButton("quiet square", "close", &t.Dismiss, func() { v.dialog.Call("close") })
	save := ui.IconButton("secondary", "save", &t.EmbedPoster, func() { v.app.Download(v.picture.Blob(), v.tag.Poster) })
	save.SetID("embed-poster")
	copies := ui.IconButton("primary", "copy", &t.EmbedCopy, func() { v.app.CopyText(v.code.TextContent(), words.Text.Copied) })
	copies.SetID("embed-copy")
	v.dialog = ui.El("dialog", ui.Attrs{{"class", "opener share-embed"}, {"id", "embed-dialog"}, {"aria-labelledby", "embed-title"}},
		ui.El("div", ui.Attrs{{"class", "head"}}, ui.El("h2", ui.Attrs{{"id", "embed-title"}}, &t.EmbedTitle), closes),
		ui.El("div", ui.Attrs{{"class", "body"}, {"tabindex", "-1"}}, ui.El("p", ui.Attrs{{"class", "muted"}}, &t.EmbedHint), v.preview, v.kinds.Box, v.code),
		ui.El("div", ui.Attrs{{"class", "foot"}}, v.where, ui.El("div", ui.Attrs{{"class", "go"}}, v.says, save, copies)))
	ui.On(v.dialog, "close", func(ui.Event) {
		v.preview.Call("replaceChildren") // with the frame, and all that it runs
		js.Global().Get("URL").Call("revokeObjectURL", v.poster)
	})
	ui.Document.Get("body").Call("append", v.dialog.Value)
}

// open shows the picture as an element, and what another page needs of it.
func (v *Dialog) open() {
	s := &v.app.State
	p := s.Picture
	if !shows(s, p) {
		return
	}
	if v.dialog == nil {
		v.build()
	}
	v.app.WithFile(p, func(file js.Value) {
		if v.dialog.HasAttribute("open") {
			return // pressed twice
		}
		here := js.Global().Get("location")
		v.picture = p
		v.tag = tag(s, p, folder(here.Get("origin").String(), here.Get("pathname").String()))
		v.poster = js.Global().Get("URL").Call("createObjectURL", file)
		attributes := ui.Attrs{{"poster", v.poster.String()}}
		for _, a := range v.tag.Attributes {
			attributes = append(attributes, [2]any{a.Name, a.Value})
		}
		image := ui.El("img", ui.Attrs{{"src", v.poster.String()}, {"alt", v.tag.Request.Prompt}})
		ui.Append(v.preview, ui.El("undertone-demo", attributes, image))
		v.kinds.Choose("html")
		v.markdown = false
		v.write()
		v.dialog.Call("showModal")
		// Where the element does not arrive, as without a network, the picture stands there.
		promise.Of(js.Global().Get("undertone").Call("element"))
	})
}

// write shows the lines for the chosen kind of page.
func (v *Dialog) write() {
	text := v.tag.HTML()
	if v.markdown {
		text = v.tag.Markdown()
	}
	v.code.SetTextContent(text)
	v.where.SetTextContent(fmt.Sprintf(words.Text.EmbedWhere, v.tag.Poster))
}

// Render draws it.
func (v *Dialog) Render(s *app.State) {
	ui.Show(v.Button, shows(s, s.Picture))
	if v.dialog != nil {
		ui.SetText(v.says, s.Remark)
	}
}
