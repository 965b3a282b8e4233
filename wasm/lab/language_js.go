package main

import (
	"context"
	"encoding/json"
	"syscall/js"

	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// speak takes the language that was chosen on any page of the site, else the browser's
// first that there are texts in, and writes the document's texts in it.
func (l *laboratory) speak(ctx context.Context) {
	wishes := []string{ui.Recall("language")}
	list := js.Global().Get("navigator").Get("languages")
	for i := range list.Length() {
		wishes = append(wishes, list.Index(i).String())
	}
	tag := words.Choose(wishes)
	if tag != words.Languages[0].Tag {
		own, err := promise.Await(ctx, l.parts.Call("words", tag))
		if err == nil {
			err = words.Speak([]byte(own.String()))
		}
		if err != nil { // the first needs no file
			tag = words.Languages[0].Tag
		}
	}
	ui.Root().Set("lang", tag)
	l.chooser(tag)
	if tag == words.Languages[0].Tag {
		return
	}
	written := ui.Document.Call("querySelectorAll", "[data-zh]")
	for i := range written.Length() {
		e := written.Index(i)
		e.Set("textContent", e.Get("dataset").Get("zh"))
	}
	// What the page calls the model's presets.
	file, err := promise.Await(ctx, l.parts.Call("texts", tag))
	if err != nil {
		return // they keep their own names
	}
	var page struct{ Titles map[string]string }
	if json.Unmarshal([]byte(file.String()), &page) == nil {
		l.titles = page.Titles
	}
}

// name translates the presets' titles, once the model is known.
func (l *laboratory) name() {
	own := map[string]string{}
	for _, p := range l.about.Presets {
		if title := l.titles[p.ID]; title != "" {
			own[p.Title] = title
		}
	}
	words.Add(own)
}

// chooser offers the languages. Another one is spoken from the next start on, which is at
// once: results are kept.
func (l *laboratory) chooser(tag string) {
	field := ui.El("select", ui.Attrs{{"id", "language"}, {"translate", "no"}})
	for _, known := range words.Languages {
		ui.Append(field, ui.El("option", ui.Attrs{{"value", known.Tag}, {"lang", known.Tag}}, known.Name))
	}
	field.Set("value", tag)
	ui.On(field, "change", func(ui.Event) {
		ui.Remember("language", field.Get("value").String())
		js.Global().Get("location").Call("reload")
	})
	ui.Append(ui.ByID("language-field"), ui.El("label", ui.Attrs{{"for", "language"}}, words.Text.Language), field)
}
