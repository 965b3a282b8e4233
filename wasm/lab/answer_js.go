package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"syscall/js"

	"undertone/wasm/page/ui"
)

// answer is the plot, the table behind it, and what can be saved.
type answer struct {
	box, image, conclusion, table, unkept ui.Element
	address                               string // of the plot's Blob
}

func (a *answer) build(v *view) {
	a.image = ui.El("img", ui.Attrs{{"alt", v.e.Question}, {"width", "720"}, {"height", "420"}})
	a.conclusion = ui.El("p", ui.Attrs{{"class", "conclusion"}})
	a.table = ui.El("div", ui.Attrs{{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", text.Table}})
	a.unkept = ui.El("p", ui.Attrs{{"class", "muted"}}, &text.NotKept)
	exports := ui.El("div", ui.Attrs{{"class", "exports"}})
	for _, kind := range []string{"csv", "json", "svg"} {
		b := ui.Button("secondary", "", func() { v.save(kind) })
		ui.SetText(b, text.Saved+" "+strings.ToUpper(kind))
		b.SetID("save-" + kind)
		ui.Append(exports, b)
	}
	b := ui.Button("secondary", &text.CopyLink, func() {
		js.Global().Get("navigator").Get("clipboard").Call("writeText", js.Global().Get("location").Get("href"))
		ui.SetText(v.said, text.Copied)
		ui.SetText(ui.ByID("live"), text.Copied)
	})
	ui.Append(exports, b)
	details := ui.El("details", nil, ui.El("summary", nil, &text.Table), a.table)
	a.box = ui.El("div", ui.Attrs{{"class", "card answer"}, {"id", "answer"}}, ui.El("h3", nil, &text.Answer), a.conclusion, a.image, details, a.unkept, exports)
	ui.Show(a.box, false)
}

// draw shows what is known.
func (v *view) draw() {
	if len(v.results.Rows) == 0 {
		return
	}
	v.results.Sum()
	a := &v.answer
	said, _ := v.results.Conclude()
	ui.SetText(a.conclusion, said)
	ui.Show(a.conclusion, said != "")
	ui.Show(a.unkept, v.unkept)
	svg := v.file(v.results.WriteSVG)
	former := a.address
	a.address = addressOf(svg, "image/svg+xml")
	a.image.Set("src", a.address)
	if former != "" {
		js.Global().Get("URL").Call("revokeObjectURL", former)
	}
	v.fill()
	ui.Show(a.box, true)
}

// fill writes the table.
func (v *view) fill() {
	r := v.results
	head := ui.El("tr", nil)
	columns := []string{text.Series, r.X, r.Y, text.Interval}
	if r.Price != "" {
		columns = append(columns, r.Price, text.Interval)
	}
	for _, name := range append(columns, text.Count) {
		ui.Append(head, ui.El("th", ui.Attrs{{"scope", "col"}}, name))
	}
	body := ui.El("tbody", nil)
	for _, m := range r.Means {
		cells := []string{fmt.Sprintf("%g", m.X), fmt.Sprintf("%.4g", m.Mean), interval(m.Low, m.High)}
		if m.Unsure() {
			cells[2] += ", " + text.Unsure
		}
		if r.Price != "" {
			cells = append(cells, fmt.Sprintf("%.3g", m.Price), interval(m.PriceLow, m.PriceHigh))
		}
		row := ui.El("tr", nil, ui.El("th", ui.Attrs{{"scope", "row"}}, m.Series))
		for _, c := range append(cells, fmt.Sprint(m.N)) {
			ui.Append(row, ui.El("td", nil, c))
		}
		ui.Append(body, row)
	}
	v.answer.table.Call("replaceChildren", ui.El("table", nil, ui.El("caption", ui.Attrs{{"class", "unseen"}}, r.Question), ui.El("thead", nil, head), body).Value)
}

func interval(low, high float64) string { return fmt.Sprintf("%.4g to %.4g", low, high) }

// file is what a writer writes.
func (v *view) file(write func(io.Writer) error) []byte {
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
		data = v.file(v.results.WriteCSV)
	case "svg":
		data = v.file(v.results.WriteSVG)
	default:
		data = v.file(func(w io.Writer) error {
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
