package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Precision offers the precisions of the weights with their sizes, where there
// are several: before loading, where it is folded away, and later to load others.
type Precision struct {
	app     *app.App
	name    string
	Box     ui.Element
	row     ui.Element
	buttons []ui.Element
	texts   []ui.Element // what they say
	after   bool
}

// NewPrecision makes the row; name is that of its radio buttons, after says that it
// stands where another is loaded later.
func NewPrecision(a *app.App, name string, after bool) *Precision {
	v := &Precision{app: a, name: name, after: after, row: ui.El("div", ui.Attrs{"class": "segments", "role": "radiogroup", "aria-label": &words.Text.ModelDownload})}
	tag, label := "details", ui.El("summary", nil, &words.Text.ModelDownload)
	if after {
		tag, label = "div", ui.El("p", ui.Attrs{"class": "label"}, &words.Text.ModelDownload)
	}
	v.Box = ui.El(tag, ui.Attrs{"class": "field weights", "hidden": ""}, label, v.row)
	return v
}

// Render draws it.
func (v *Precision) Render(s *app.State) {
	wanted := app.Waiting
	if v.after {
		wanted = app.Ready
	}
	// While pictures are made it keeps its place, and cannot be used.
	ui.Show(v.Box, len(s.Offers) > 1 && (s.Phase == wanted || v.after && s.Phase == app.Generating))
	ui.SetFlag(v.row, "inert", s.Phase != wanted)
	for i := len(v.buttons); i < len(s.Offers); i++ {
		text := ui.El("span", nil)
		v.texts = append(v.texts, text)
		v.buttons = append(v.buttons, ui.Radio(v.row, v.name, fmt.Sprint(i), text, func() {
			v.app.Update(func(s *app.State) { s.Choose(i) })
			if v.after {
				v.app.Load(map[bool]string{true: "cpu", false: "auto"}[v.app.State.Loaded.Backend == "cpu"])
			}
		}))
	}
	for i, text := range v.texts {
		ui.SetText(text, offerText(s.Offers, i))
	}
	if len(v.buttons) > 0 {
		v.buttons[s.Offer].Set("checked", true)
	}
}
