package shell

import (
	"fmt"
	"slices"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Models offers what can be loaded, where that is several: the site's model in its
// precisions, and a person's own. Before loading the list is folded away; later it stays,
// and a choice is loaded at once.
type Models struct {
	app     *app.App
	name    string
	Box     ui.Element
	label   ui.Element
	row     ui.Element
	buttons []ui.Element
	texts   []ui.Element // what they say
	after   bool
}

// NewModels makes the row; name is that of its radio buttons, after says that it stands
// where another is loaded later. more stands behind it.
func NewModels(a *app.App, name string, after bool, more ...any) *Models {
	v := &Models{app: a, name: name, after: after, row: ui.El("div", ui.Attrs{{"class", "segments"}, {"role", "radiogroup"}})}
	tag := "details"
	v.label = ui.El("summary", nil)
	if after {
		tag, v.label = "div", ui.El("p", ui.Attrs{{"class", "label"}})
	}
	v.Box = ui.El(tag, ui.Attrs{{"class", "field weights"}, {"hidden", ""}}, v.label, v.row)
	ui.Append(v.Box, more...)
	return v
}

// Render draws it.
func (v *Models) Render(s *app.State) {
	wanted := app.Waiting
	if v.after {
		wanted = app.Ready
	}
	// While pictures are made it keeps its place, and cannot be used.
	ui.Show(v.Box, (len(s.Offers) > 1 || v.after) && s.Model != nil && (s.Phase == wanted || v.after && s.Phase == app.Generating))
	ui.SetFlag(v.row, "inert", s.Phase != wanted)
	label := words.Text.ModelDownload
	own := slices.ContainsFunc(s.Offers, app.Offer.Own)
	if own || len(s.Offers) < 2 {
		label = words.Text.Model
	}
	ui.SetText(v.label, label)
	ui.SetAttr(v.row, "aria-label", label)
	ui.SetFlag(v.row, "data-long", own) // names are longer than sizes
	v.need(len(s.Offers))
	for i, text := range v.texts {
		ui.SetText(text, offerText(s.Offers, i))
		if s.Offers[i].Own() || len(s.Offers) == 1 {
			ui.SetAttr(text, "translate", "no") // a name
		}
	}
	if len(v.buttons) > 0 && s.Model != nil {
		v.buttons[s.Offer].Set("checked", true)
	}
}

// need makes the list n models long.
func (v *Models) need(n int) {
	for i := len(v.buttons); i < n; i++ {
		text := ui.El("span", nil)
		v.texts = append(v.texts, text)
		v.buttons = append(v.buttons, ui.Radio(v.row, v.name, fmt.Sprint(i), text, func() { v.app.Pick(i, v.after) }))
	}
	for i := len(v.buttons) - 1; i >= n; i-- {
		v.buttons[i].Call("closest", "label").Call("remove")
	}
	v.buttons, v.texts = v.buttons[:n], v.texts[:n]
}
