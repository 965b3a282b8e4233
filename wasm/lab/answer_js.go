package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall/js"

	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// answer is the plot, the table behind it, and what can be saved.
type answer struct {
	box, image, conclusion, table, unkept ui.Element
	proposal                              ui.Element // a preset that can be saved
	sheet                                 *sheet
	address                               string // of the plot's Blob
}

func (a *answer) build(v *view) {
	a.image = ui.El("img", ui.Attrs{{"alt", words.Say(v.e.Question)}})
	a.conclusion = ui.El("p", ui.Attrs{{"class", "conclusion"}})
	a.table = ui.El("div", ui.Attrs{{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", words.Text.Table}})
	a.unkept = ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.NotKept)
	exports := ui.El("div", ui.Attrs{{"class", "exports"}})
	for _, kind := range []string{"csv", "json", "svg"} {
		b := ui.Button("secondary", "", func() { v.save(kind) })
		ui.SetText(b, fmt.Sprintf(words.Text.Saved, strings.ToUpper(kind)))
		b.SetID("save-" + kind)
		ui.Append(exports, b)
	}
	b := ui.Button("secondary", &words.Text.CopyLink, func() {
		js.Global().Get("navigator").Get("clipboard").Call("writeText", js.Global().Get("location").Get("href"))
		ui.SetText(v.said, words.Text.Copied)
		ui.SetText(ui.ByID("live"), words.Text.Copied)
	})
	ui.Append(exports, b)
	details := ui.El("details", nil, ui.El("summary", nil, &words.Text.Table), a.table)
	a.sheet = newSheet()
	a.proposal = ui.El("div", ui.Attrs{{"class", "exports"}})
	a.box = ui.El("div", ui.Attrs{{"class", "card answer"}, {"id", "answer"}}, ui.El("h3", nil, &words.Text.Answer),
		a.conclusion, a.proposal, a.image, details, a.sheet.box, a.unkept, exports)
	ui.Show(a.box, false)
}

// draw shows what is known.
func (v *view) draw() {
	if len(v.results.Rows) == 0 {
		return
	}
	v.results.Sum()
	a := &v.answer
	said, preset := v.results.Conclude()
	ui.SetText(a.conclusion, words.Say(said))
	ui.Show(a.conclusion, said != "")
	ui.Show(a.unkept, v.unkept)
	v.propose(preset, said)
	a.plot(v.results)
	a.table.Call("replaceChildren", numbers(v.results).Value)
	a.sheet.show(v.results)
	ui.Show(a.box, true)
}

// plot shows the plot, as wide as there is room for.
func (a *answer) plot(r *lab.Results) {
	look := lab.Look{Say: words.Say}
	if js.Global().Call("matchMedia", "(max-width: 40rem)").Get("matches").Bool() {
		look.Width = lab.NarrowWidth
	}
	former := a.address
	a.address = addressOf(file(func(w io.Writer) error { return r.Draw(w, look) }), "image/svg+xml")
	a.image.Set("src", a.address)
	if former != "" {
		js.Global().Get("URL").Call("revokeObjectURL", former)
	}
}

// numbers is the table behind a plot.
func numbers(r *lab.Results) ui.Element {
	head := ui.El("tr", nil)
	columns := []string{words.Text.Series, words.Say(r.X), words.Say(r.Y), words.Text.Interval}
	if r.Price != "" {
		columns = append(columns, words.Say(r.Price), words.Text.Interval)
	}
	for _, name := range append(columns, words.Text.Count) {
		ui.Append(head, ui.El("th", ui.Attrs{{"scope", "col"}}, name))
	}
	body := ui.El("tbody", nil)
	for _, m := range r.Means {
		cells := []string{fmt.Sprintf("%g", m.X), fmt.Sprintf("%.4g", m.Mean), interval(m.Low, m.High)}
		if m.Unsure() {
			cells[2] += ", " + words.Text.Unsure
		}
		if r.Price != "" {
			cells = append(cells, fmt.Sprintf("%.3g", m.Price), interval(m.PriceLow, m.PriceHigh))
		}
		row := ui.El("tr", nil, ui.El("th", ui.Attrs{{"scope", "row"}}, words.Say(m.Series)))
		for _, c := range append(cells, fmt.Sprint(m.N)) {
			ui.Append(row, ui.El("td", nil, c))
		}
		ui.Append(body, row)
	}
	return ui.El("table", nil, ui.El("caption", ui.Attrs{{"class", "unseen"}}, words.Say(r.Question)), ui.El("thead", nil, head), body)
}

func interval(low, high float64) string {
	return fmt.Sprintf(words.Text.To, fmt.Sprintf("%.4g", low), fmt.Sprintf("%.4g", high))
}

// file is what a writer writes.
func file(write func(io.Writer) error) []byte {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

// addressOf is that of a Blob, to be revoked.
func addressOf(data []byte, kind string) string {
	bytes := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(bytes, data)
	blob := js.Global().Get("Blob").New([]any{bytes}, map[string]any{"type": kind})
	return js.Global().Get("URL").Call("createObjectURL", blob).String()
}

// save offers the results as a file.
func (v *view) save(kind string) {
	var data []byte
	switch kind {
	case "csv":
		data = file(v.results.WriteCSV)
	case "svg":
		data = file(v.results.WriteSVG)
	default:
		data = file(func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(v.results)
		})
	}
	address := addressOf(data, map[string]string{"csv": "text/csv", "svg": "image/svg+xml", "json": "application/json"}[kind])
	a := ui.El("a", ui.Attrs{{"href", address}, {"download", v.e.Name + "." + kind}})
	a.Call("click")
	js.Global().Get("URL").Call("revokeObjectURL", address)
}
