package main

import (
	"fmt"
	"syscall/js"

	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// sheet is the contact sheet: a picture for each point, as a table.
type sheet struct {
	box, hint, unchanged, table ui.Element
	pictures                    int      // that are shown
	addresses                   []string // of their Blobs
}

func newSheet() *sheet {
	s := &sheet{hint: ui.El("p", ui.Attrs{{"class", "muted"}}), unchanged: ui.El("p", ui.Attrs{{"class", "muted"}})}
	s.table = ui.El("div", ui.Attrs{{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", words.Text.Sheet}})
	s.box = ui.El("div", ui.Attrs{{"class", "sheet"}, {"id", "sheet"}}, ui.El("h3", nil, words.Text.Sheet), s.hint, s.unchanged, s.table)
	ui.Show(s.box, false)
	return s
}

// show builds the table anew where there are other pictures than before.
func (s *sheet) show(r *lab.Results) {
	if len(r.Thumbs) == s.pictures {
		return
	}
	for _, address := range s.addresses {
		js.Global().Get("URL").Call("revokeObjectURL", address)
	}
	s.pictures, s.addresses = len(r.Thumbs), nil
	ui.Show(s.box, s.pictures > 0)
	if s.pictures == 0 {
		return
	}
	ui.SetText(s.hint, fmt.Sprintf(words.Text.SheetHint, r.Prompts[0], r.Seeds[0], words.Say(r.X)))
	list := r.Sheet()
	s.unchanged.Call("replaceChildren")
	if list.Unchanged != nil {
		ui.Append(s.unchanged, s.picture(list.Unchanged, words.Say(lab.Unchanged)), words.Say(lab.Unchanged))
	}
	head := ui.El("tr", nil, ui.El("td", nil))
	for _, x := range list.Columns {
		ui.Append(head, ui.El("th", ui.Attrs{{"scope", "col"}}, fmt.Sprintf("%g", x)))
	}
	body := ui.El("tbody", nil)
	for _, row := range list.Rows {
		name := words.Say(row.Series)
		line := ui.El("tr", nil, ui.El("th", ui.Attrs{{"scope", "row"}}, name))
		for i, data := range row.JPEG {
			cell := ui.El("td", nil)
			if data != nil {
				ui.Append(cell, s.picture(data, fmt.Sprintf(words.Text.SheetAlt, name, fmt.Sprintf("%g", list.Columns[i]))))
			}
			ui.Append(line, cell)
		}
		ui.Append(body, line)
	}
	s.table.Call("replaceChildren", ui.El("table", nil, ui.El("caption", ui.Attrs{{"class", "unseen"}}, words.Text.Sheet), ui.El("thead", nil, head), body).Value)
}

// picture shows a small picture.
func (s *sheet) picture(data []byte, alt string) ui.Element {
	address := addressOf(data, "image/jpeg")
	s.addresses = append(s.addresses, address)
	return ui.El("img", ui.Attrs{{"src", address}, {"width", "96"}, {"alt", alt}})
}
