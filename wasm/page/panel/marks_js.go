package panel

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// marks stand under a field of words: the text once more, with the words marked that the
// model does not know, and known ones to put in their place.
type marks struct {
	field, box, near ui.Element
	shown            string // what they were made from
	pieces           []piece
	swaps            []swap
}

// newMarks makes those of a field; set replaces the field's text.
func newMarks(a *app.App, id string, field ui.Element, set func(text string)) *marks {
	v := &marks{
		field: field,
		box:   ui.El("p", ui.Attrs{{"id", id}, {"class", "unknown-words"}, {"translate", "no"}, {"hidden", ""}}),
		near:  ui.El("div", ui.Attrs{{"class", "chips near-words"}, {"translate", "no"}, {"role", "group"}, {"aria-label", &words.Text.Near}, {"hidden", ""}}),
	}
	ui.SetAttr(field, "aria-describedby", id)
	// Marking waits for the end of a word while somebody types, and no longer.
	ui.On(field, "focusout", func(ui.Event) { a.Update(func(*app.State) { v.shown = "" }) })
	ui.Delegate(v.near, "button", func(at ui.Element) {
		for i, s := range v.swaps {
			if v.near.Get("children").Index(i).Equal(at.Value) {
				set(replaced(v.pieces, s))
				field.Focus()
				return
			}
		}
	})
	return v
}

// render draws them, and reports whether the text has no word at all that means something.
func (v *marks) render(s *app.State, text string) (nothing bool) {
	typing := ui.Document.Get("activeElement").Equal(v.field.Value)
	now := fmt.Sprint(typing, len(s.Loaded.Words), ui.Root().Get("lang"), text)
	if now == v.shown {
		return false
	}
	v.shown = now
	pieces, unknown := marked(text, s.Loaded.Words, typing)
	v.pieces = pieces
	if len(s.Loaded.Words) == 0 || len(text) > 400 { // a model of subwords reads everything
		unknown = 0
	}
	ui.Show(v.box, unknown > 0)
	v.box.SetTextContent("")
	v.near.SetTextContent("")
	v.swaps = nil
	if unknown > 0 {
		nothing = nothingKnown(v.pieces, s.Model.Understands, s.Loaded.Words)
		v.swaps = swaps(v.pieces, s.Model.Understands, s.Loaded.Words, 6)
		v.write(nothing)
	}
	ui.Show(v.near, len(v.swaps) > 0)
	for _, w := range v.swaps {
		ui.Append(v.near, ui.El("button", ui.Attrs{{"type", "button"}, {"class", "chip"}}, fmt.Sprintf(words.Text.NearWord, w.from, w.to)))
	}
	return nothing
}

// write repeats the text with its unknown words marked.
func (v *marks) write(nothing bool) {
	says := words.Text.Unknown
	if nothing {
		says = words.Text.NothingKnown
	}
	ui.Append(v.box, ui.El("span", ui.Attrs{{"class", "strong"}, {"translate", "yes"}}, says), " ")
	for _, p := range v.pieces {
		if p.unknown {
			ui.Append(v.box, ui.El("mark", nil, p.text))
		} else {
			ui.Append(v.box, p.text)
		}
	}
}

// DirectionMarks are the marks under the words of a direction.
type DirectionMarks struct{ list []*marks }

// NewDirectionMarks puts them under the fields with these ids.
func NewDirectionMarks(a *app.App, ids ...string) *DirectionMarks {
	v := &DirectionMarks{}
	for _, id := range ids {
		field := ui.ByID(id)
		m := newMarks(a, id+"-unknown", field, func(text string) {
			field.Set("value", text)
			for _, kind := range []string{"input", "change"} { // as if it were typed
				field.Call("dispatchEvent", ui.Window.Get("Event").New(kind))
			}
		})
		field.Call("after", m.box.Value, m.near.Value)
		v.list = append(v.list, m)
	}
	return v
}

// Render draws them.
func (v *DirectionMarks) Render(s *app.State) {
	if s.Model == nil {
		return
	}
	for _, m := range v.list {
		m.render(s, m.field.Get("value").String())
	}
}
