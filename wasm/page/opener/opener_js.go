package opener

import (
	"fmt"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Opener is the dialog in which published files are chosen, looked at and opened.
type Opener struct {
	app  *app.App
	room func() (free int64, known bool) // what this browser would store

	dialog                  ui.Element
	files, folder           ui.Element // the browser's own choosers, which are not shown
	address, chosen, status ui.Element
	fault                   fault
	found                   *foundView
	keep, keepText, keepBox ui.Element
	keepHint                ui.Element
	load, loadText, why     ui.Element

	entries []entry
	listed  string // what the list shows
	read    func()
	reading bool
	result  *result      // nil until it is read what the files are
	problem *app.Problem // why it could not be
	remark  string       // about the last thing that was added
	seen    string       // what was scrolled to
}

// result is what the chosen files are.
type result struct {
	recipe.Published
	model *app.Model // nil where a network is missing
	offer app.Offer  // what would be loaded
}

// beside reports whether it is an adapter for the model that was chosen.
func (r *result) beside() bool { return r.offer.Adapter != nil }

// New makes the dialog; room tells how much more this browser stores.
func New(a *app.App, room func() (free int64, known bool)) *Opener {
	v := &Opener{
		app: a, room: room,
		files:    ui.El("input", ui.Attrs{{"type", "file"}, {"multiple", ""}, {"hidden", ""}, {"id", "opener-file-input"}}),
		folder:   ui.El("input", ui.Attrs{{"type", "file"}, {"webkitdirectory", ""}, {"hidden", ""}, {"id", "opener-folder-input"}}),
		address:  ui.El("input", ui.Attrs{{"type", "url"}, {"inputmode", "url"}, {"autocomplete", "off"}, {"autocapitalize", "off"}, {"spellcheck", "false"}, {"placeholder", "https://example.org/model.safetensors"}}),
		chosen:   ui.El("ul", ui.Attrs{{"class", "chosen"}, {"aria-label", &words.Text.OpenChosen}}),
		status:   ui.El("p", ui.Attrs{{"role", "status"}, {"id", "opener-status"}, {"class", "strong"}}),
		fault:    newFault(),
		found:    newFoundView(),
		keep:     ui.El("input", ui.Attrs{{"type", "checkbox"}, {"id", "opener-keep"}, {"aria-describedby", "opener-keep-hint"}}),
		keepText: ui.El("span", nil),
		keepHint: ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "opener-keep-hint"}}),
		loadText: ui.El("span", nil),
		why:      ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "opener-why"}}),
	}
	v.listen()
	v.build()
	return v
}

// listen to what people do in it.
func (v *Opener) listen() {
	for _, input := range []ui.Element{v.files, v.folder} {
		ui.On(input, "change", func(ui.Event) { v.chose(input) })
	}
	ui.On(v.address, "keydown", func(e ui.Event) {
		if k, ok := ui.Key(e); ok && k.Key() == "Enter" {
			e.PreventDefault()
			v.addAddress()
		}
	})
	ui.Delegate(v.chosen, "button", func(at ui.Element) { v.remove(at.GetAttribute("data-key")) })
	ui.On(v.keep, "change", func(ui.Event) { v.redraw() })
}

// build puts its parts together.
func (v *Opener) build() {
	pick := ui.IconButton("secondary", "open", &words.Text.OpenFiles, func() { v.files.Click() })
	pick.SetID("opener-files")
	ui.SetFlag(pick, "autofocus", true)
	folder := ui.Button("secondary", &words.Text.OpenFolder, func() { v.folder.Click() })
	folder.SetID("opener-folder")
	add := ui.Button("secondary", &words.Text.OpenAdd, v.addAddress)
	add.SetID("opener-add")
	closes := ui.IconButton("quiet square", "close", &words.Text.Dismiss, v.close)
	closes.SetID("opener-close")
	v.load = ui.Button("primary", "", v.start)
	ui.Append(v.load, v.loadText)
	v.load.SetID("opener-load")
	ui.SetAttr(v.load, "aria-describedby", "opener-why")
	v.keepBox = ui.El("div", ui.Attrs{{"class", "keep"}, {"hidden", ""}}, ui.El("label", ui.Attrs{{"class", "check"}}, v.keep, v.keepText), v.keepHint)
	v.dialog = ui.El("dialog", ui.Attrs{{"class", "opener"}, {"id", "opener"}, {"aria-labelledby", "opener-title"}},
		ui.El("div", ui.Attrs{{"class", "head"}}, ui.El("h2", ui.Attrs{{"id", "opener-title"}}, &words.Text.OpenTitle), closes),
		ui.El("div", ui.Attrs{{"class", "body"}, {"tabindex", "-1"}},
			ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.OpenHint),
			ui.El("div", ui.Attrs{{"class", "choosers"}}, pick, folder, v.files, v.folder),
			ui.El("div", ui.Attrs{{"class", "row"}}, ui.Labelled("opener-address", &words.Text.OpenAddress, v.address), add),
			v.chosen, v.status, v.fault.box, v.found.box),
		ui.El("div", ui.Attrs{{"class", "foot"}}, v.keepBox,
			ui.El("div", ui.Attrs{{"class", "go"}}, v.why, v.load)))
	ui.Document.Get("body").Call("append", v.dialog.Value)
}

// Button is one that opens the dialog.
func (v *Opener) Button(id, class string) ui.Element {
	b := ui.IconButton(class, "open", &words.Text.Open, v.Ask)
	b.SetID(id)
	return b
}

// Ask opens the dialog.
func (v *Opener) Ask() {
	if !v.open() {
		v.dialog.Call("showModal")
	}
	v.redraw()
}

func (v *Opener) open() bool { return v.dialog.HasAttribute("open") }

func (v *Opener) close() { v.dialog.Call("close") }

func (v *Opener) redraw() { v.app.Update(func(*app.State) {}) }

// Render draws it.
func (v *Opener) Render(s *app.State) {
	if !v.open() {
		return
	}
	v.renderChosen()
	switch {
	case v.reading:
		ui.SetText(v.status, words.Text.OpenReading)
	case v.result != nil:
		variant := v.result.Variant
		switch {
		case v.result.beside():
			variant = words.Text.PartAdapter + " · " + v.result.model.Title
		case variant == "":
			variant = words.Text.OpenNoModel
		}
		ui.SetText(v.status, words.Join(v.remark, fmt.Sprintf(words.Text.OpenFound, variant)))
	default:
		ui.SetText(v.status, v.remark)
	}
	v.fault.render(v.problem)
	v.found.render(v.result, s)
	ui.SetFlag(v.found.box, "data-old", v.reading)
	v.renderKeep()
	v.renderLoad(s)
	v.show()
}

// show scrolls to what has just been said of the files.
func (v *Opener) show() {
	now := fmt.Sprintf("%p %p", v.result, v.problem)
	if now == v.seen || v.reading {
		return
	}
	v.seen = now
	at := v.status
	if v.problem != nil {
		at = v.fault.alert
	}
	at.Call("scrollIntoView", map[string]any{"block": "nearest"})
}

// renderChosen lists what was chosen, anew only when that has changed.
func (v *Opener) renderChosen() {
	now := words.Text.OpenRemove
	for _, e := range v.entries {
		now += "\n" + e.key
	}
	if now == v.listed {
		return
	}
	v.listed = now
	v.chosen.Call("replaceChildren")
	for _, e := range v.entries {
		b := ui.El("button", ui.Attrs{{"type", "button"}, {"class", "quiet square"}, {"data-key", e.key}, {"aria-label", fmt.Sprintf(words.Text.OpenRemove, e.name)}}, ui.Icon("close"))
		ui.Append(v.chosen, ui.El("li", nil, ui.El("span", ui.Attrs{{"translate", "no"}}, e.text()), b))
	}
	ui.Show(v.chosen, len(v.entries) > 0)
}

// bytes are those of the files that would be kept.
func (v *Opener) bytes() int64 {
	if v.result == nil {
		return 0
	}
	if v.result.model != nil && !v.result.beside() {
		return v.result.model.Bytes
	}
	return totals(v.result.Parts).DiskBytes
}

// renderKeep offers to keep the model, where there is room for it.
func (v *Opener) renderKeep() {
	ui.Show(v.keepBox, v.result != nil && complete(v.result.Published) && !v.result.beside())
	n := v.bytes()
	ui.SetText(v.keepText, fmt.Sprintf(words.Text.OpenKeep, words.Bytes(n)))
	free, known := v.room()
	can := known && free > n
	switch {
	case can:
		ui.SetText(v.keepHint, fmt.Sprintf(words.Text.OpenKeepHint, words.Bytes(free)))
	case known:
		ui.SetText(v.keepHint, fmt.Sprintf(words.Text.OpenKeepLow, words.Bytes(max(0, free))))
	default:
		ui.SetText(v.keepHint, words.Text.OpenKeepNo)
	}
	ui.SetFlag(v.keep, "disabled", !can)
}

// ready reports whether the chosen model can be loaded now, and why not.
func (v *Opener) ready(s *app.State) (why string, ok bool) {
	switch {
	case v.result == nil || v.reading:
		return "", false
	case v.result.model == nil || !complete(v.result.Published):
		return words.Text.OpenIncomplete, false
	case s.Phase != app.Waiting && s.Phase != app.Ready:
		return words.Text.OpenBusy, false
	}
	return "", true
}

// renderLoad says what the button does, or why it does nothing.
func (v *Opener) renderLoad(s *app.State) {
	why, ok := v.ready(s)
	ui.Show(v.load, v.result != nil)
	ui.SetText(v.why, why)
	// Not disabled, so that a keyboard finds it, and what it waits for is read with it.
	ui.SetState(v.load, "aria-disabled", !ok)
	ui.SetText(v.loadText, fmt.Sprintf(words.Text.OpenLoad, words.Bytes(v.bytes())))
}

// start loads what was found. What was chosen stays, so that it can be tried again, until
// it is loaded.
func (v *Opener) start() {
	s := &v.app.State
	if _, ok := v.ready(s); !ok {
		return
	}
	m, device := *v.result.model, "auto"
	if f := v.result.Fits; f != nil && !f.OK && f.Size != nil {
		m.Defaults.Size = *f.Size
	}
	if s.Device.Known && !s.Device.WebGPU {
		device = "cpu"
	}
	keep := v.result.beside() || v.keep.Get("checked").Bool() && !v.keep.Get("disabled").Bool()
	v.close()
	o := v.result.offer
	if o.Title, o.Name, o.Model = m.Title, m.Model, &m; o.Adapter != nil {
		o.Name = v.entries[0].name
	}
	v.app.Open(o, keep, device, func(loaded bool) {
		if loaded {
			v.entries, v.result, v.problem, v.remark = nil, nil, nil, ""
		}
	})
}
