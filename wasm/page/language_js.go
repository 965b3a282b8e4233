package page

import (
	"reflect"
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// languageView is the choice of a language, at the foot of the page.
type languageView struct{ field element }

// newLanguage begins with the language that was chosen before, or else with the
// first of the browser's that the page speaks.
func newLanguage(a *app) *languageView {
	wishes := []string{recall("language")}
	if list := js.Global().Get("navigator").Get("languages"); list.Truthy() {
		for i := range list.Length() {
			wishes = append(wishes, list.Index(i).String())
		}
	}
	turnTo(chooseLanguage(wishes))
	followShell()

	v := &languageView{field: el("select", attrs{"id": "language"})}
	for _, l := range languages {
		add(v.field, el("option", attrs{"value": l.tag, "lang": l.tag}, l.name))
	}
	v.field.Set("value", root().Get("lang").String())
	on(v.field, "change", func(dom.Event) {
		tag := v.field.Get("value").String()
		remember("language", tag)
		turnTo(chooseLanguage([]string{tag}))
		// A remark stays in the language in which it was made.
		a.update(func(s *state) { s.note, s.panes.note = "", "" })
	})
	add(byID("language-field"), el("label", attrs{"for": "language"}, &say.Language), v.field)
	return v
}

func (v *languageView) render(*state) {}

// root is the element html.
func root() js.Value { return document.Get("documentElement") }

// turnTo speaks a language and writes every text that stands in the page again.
func turnTo(l language) {
	speak(l)
	root().Set("lang", l.tag)
	root().Set("dir", l.dir)
	for _, write := range following {
		write()
	}
}

// followShell takes over the texts of index.html: an element with data-text holds
// the text of that name, one with data-label has it as its accessible name.
func followShell() {
	texts := reflect.ValueOf(&say).Elem()
	each := func(attribute string, write func(e element, text string)) {
		list := document.Call("querySelectorAll", "["+attribute+"]")
		for i := range list.Length() {
			e := wrap(list.Index(i))
			if text, ok := texts.FieldByName(e.GetAttribute(attribute)).Addr().Interface().(*string); ok {
				follow(text, func(t string) { write(e, t) })
			}
		}
	}
	each("data-text", setText)
	each("data-label", func(e element, text string) { setAttr(e, "aria-label", text) })
}

// storage is one of the window's storages. A sandboxed frame, or a browser that blocks
// them, throws at the mere name: an exception in Get would end the program, one in Call
// is a panic that can be recovered from.
func storage(name string) js.Value { return js.Global().Get("Reflect").Call("get", js.Global(), name) }

// recall reads what remember wrote; it is empty where the browser keeps nothing.
func recall(key string) (value string) {
	defer func() { recover() }()
	if v := storage("localStorage").Call("getItem", "undertone."+key); v.Type() == js.TypeString {
		return v.String()
	}
	return ""
}

// remember keeps a small choice beyond the tab, where the browser allows it.
func remember(key, value string) {
	defer func() { recover() }() // refused: it is asked for again next time
	storage("localStorage").Call("setItem", "undertone."+key, value)
}
