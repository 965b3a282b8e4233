package stage

import (
	"fmt"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Single is the picture alone, with its previews while it is made.
type Single struct {
	blank  ui.Element // where the first picture will be, and what it will be of
	wish   ui.Element
	doing  ui.Element
	figure *figure
	box    ui.Element
}

// NewSingle makes the view.
func NewSingle() *Single {
	v := &Single{figure: newFigure(), wish: ui.El("p", nil), doing: ui.El("p", ui.Attrs{{"class", "muted"}})}
	v.blank = ui.El("div", ui.Attrs{{"class", "waits"}}, ui.El("div", ui.Attrs{{"class", "blank"}}, v.wish, v.doing))
	v.box = ui.El("div", ui.Attrs{{"class", "single"}}, v.blank, v.figure.figure)
	return v
}

// Box is the view's element.
func (v *Single) Box() ui.Element { return v.box }

// Render draws it.
func (v *Single) Render(s *app.State) {
	p, toEdit := s.Shown()
	v.figure.render(p, s, s.Drawing())
	// The model sees the middle of one that has another shape.
	ui.SetFlag(v.figure.figure, "data-middle", toEdit && s.Form.Size.Width == s.Form.Size.Height)
	blank := p == nil && s.Phase >= app.Ready && s.Running.Preview == nil
	ui.Show(v.blank, blank)
	if blank {
		ui.Show(v.figure.figure, false)
	}
	doing := ""
	if s.Phase == app.Generating {
		doing = words.Text.ReadingPrompt
	}
	if s.Form.Missing() {
		doing = words.Text.ReferenceMissing
	}
	ui.SetText(v.doing, doing)
	wish := words.Text.PromptHint
	if s.Form.Prompt != "" {
		wish = "“" + s.Form.Prompt + "”"
	}
	ui.SetText(v.wish, wish)
}

// Picture is the view of the picture itself and the others of the same press.
type Picture struct {
	*Single
	others *ui.Thumbnails
	bar    *toolbar
	Bar    ui.Element // what can be done with the picture, for a place of its own
	strip  *strip
	Strip  ui.Element // of the session, likewise
}

// NewPicture makes the view; gallery is where pictures are kept, and more are buttons of
// others for the picture.
func NewPicture(a *app.App, gallery Gallery, more ...any) *Picture {
	v := &Picture{Single: NewSingle(), bar: newToolbar(a, gallery, more), strip: newStrip(a)}
	v.others = ui.NewThumbnails("others", &words.Text.Several, func(i int) {
		a.Update(func(s *app.State) {
			if i < len(s.Pictures) {
				s.Picture = s.Pictures[i]
			}
		})
	})
	ui.Append(v.box, v.others.Box)
	v.Bar, v.Strip = v.bar.bar, v.strip.box
	return v
}

// Render draws it.
func (v *Picture) Render(s *app.State) {
	v.Single.Render(s)
	_, toEdit := s.Shown()
	ui.Show(v.others.Box, len(s.Pictures) > 1 && !toEdit)
	v.others.Need(len(s.Pictures))
	for i, t := range v.others.List {
		p := s.Pictures[i]
		t.Draw(p.Image.(js.Value), true)
		t.Label("", fmt.Sprintf(words.Text.Variant, i+1, len(s.Pictures)))
		ui.SetState(t.Button, "aria-pressed", p == s.Picture)
	}
	v.bar.render(s)
	v.strip.render(s)
}
