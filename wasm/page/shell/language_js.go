package shell

import (
	"reflect"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
	"undertone/wasm/promise"
)

// NewLanguage offers the languages at the foot of the page. It begins with the one that
// was chosen before, or else with the first of the browser's that the page has texts in.
func NewLanguage(a *app.App) {
	Begin(ui.Recall("language"))

	field := ui.El("select", ui.Attrs{{"id", "language"}, {"translate", "no"}})
	for _, l := range words.Languages {
		ui.Append(field, ui.El("option", ui.Attrs{{"value", l.Tag}, {"lang", l.Tag}}, l.Name))
	}
	field.Set("value", ui.Root().Get("lang").String())
	ui.On(field, "change", func(ui.Event) {
		tag := field.Get("value").String()
		ui.Remember("language", tag)
		go func() {
			if err := Speak(words.Choose([]string{tag})); err != nil {
				field.Set("value", ui.Root().Get("lang").String())
				a.Fail(app.FileError(words.Text.LanguageMissing))
				return
			}
			// A remark stays in the language in which it was made.
			a.Update(func(s *app.State) { s.Note, s.Remark = "", "" })
		}()
	})
	ui.Append(ui.ByID("language-field"), ui.El("label", ui.Attrs{{"for", "language"}}, &words.Text.Language), field)
}

// Wished is the first language that the page has texts in: first, if it has any in that,
// else one that the browser asks for.
func Wished(first string) words.Language {
	wishes := []string{first}
	if list := js.Global().Get("navigator").Get("languages"); list.Truthy() {
		for i := range list.Length() {
			wishes = append(wishes, list.Index(i).String())
		}
	}
	return words.Choose(wishes)
}

// Begin speaks the wished language, or where its texts cannot be had the one that is
// always there, and takes over the document's texts.
func Begin(first string) {
	if Speak(Wished(first)) != nil {
		_ = Speak(words.Languages[0]) // it needs no file
	}
	followDocument()
}

// wanted is the tag of the language that was asked for last.
var wanted string

// Speak changes the page's language and writes every text that stands in the page again.
// It may wait for the file of texts; of several calls the last counts. On an error the
// language stays as it is.
func Speak(l words.Language) error {
	wanted = l.Tag
	if !l.Here() {
		file, err := promise.Of(js.Global().Get("undertone").Call("texts", l.Tag))
		if wanted != l.Tag {
			return nil // another was asked for meanwhile
		}
		if err != nil {
			return err
		}
		if l, err = l.Supply([]byte(file.String())); err != nil {
			return err
		}
	}
	words.Use(l)
	ui.Root().Set("lang", l.Tag)
	ui.Root().Set("dir", l.Dir)
	ui.Rewrite()
	return nil
}

// followDocument takes over the texts of the document: an element with data-text holds
// the text of that name, one with data-label has it as its accessible name.
func followDocument() {
	texts := reflect.ValueOf(&words.Text).Elem()
	each := func(attribute string, write func(e ui.Element, text string)) {
		list := ui.Document.Call("querySelectorAll", "["+attribute+"]")
		for i := range list.Length() {
			e := ui.Wrap(list.Index(i))
			if text, ok := texts.FieldByName(e.GetAttribute(attribute)).Addr().Interface().(*string); ok {
				ui.Follow(text, func(t string) { write(e, t) })
			}
		}
	}
	each("data-text", ui.SetText)
	each("data-label", func(e ui.Element, text string) { ui.SetAttr(e, "aria-label", text) })
}
