package ui

import (
	"syscall/js"
	"time"

	"honnef.co/go/js/dom/v2"
)

// Element is an element of the page. The package dom finds the Go type of every
// kind of element by itself, but a program that lets it do so carries all of
// them: a fifth of its size. So elements are wrapped here, as what they share,
// and the few properties that only one kind has are reached by name.
type Element = *dom.BasicHTMLElement

// Wrap is the element that JavaScript gave.
func Wrap(v js.Value) Element {
	return &dom.BasicHTMLElement{BasicElement: &dom.BasicElement{BasicNode: &dom.BasicNode{Value: v}}}
}

// Window is the page's window.
var Window = js.Global()

// Document is the page's document.
var Document = js.Global().Get("document")

// Root is the element html.
func Root() js.Value { return Document.Get("documentElement") }

// ByID finds an element of index.html.
func ByID(id string) Element { return Wrap(Document.Call("getElementById", id)) }

// Attrs are the attributes of a new element, each with its name and its value: a string,
// of which an empty one sets a bare attribute, or a text of the page (&words.Text.Off),
// which follows the language. (A map would be set up by code, which is ten times the size
// of this list, and there are hundreds.)
type Attrs [][2]any

// El makes an element. Children are elements, strings, which become text, or texts
// of the page (&words.Text.Off), which follow the language: for the skeleton of the page,
// since they are kept for ever. Nothing in the page is ever parsed as HTML.
func El(tag string, a Attrs, children ...any) Element {
	e := attributed(Wrap(Document.Call("createElement", tag)), a)
	Append(e, children...)
	return e
}

// attributed is an element with its attributes set.
func attributed(e Element, a Attrs) Element {
	for _, attr := range a {
		name := attr[0].(string)
		switch value := attr[1].(type) {
		case string:
			e.SetAttribute(name, value)
		case *string:
			Follow(value, func(text string) { e.SetAttribute(name, text) })
		}
	}
	return e
}

// Append puts children, as El takes them, at the end of an element.
func Append(parent Element, children ...any) {
	for _, c := range children {
		switch child := c.(type) {
		case Element:
			c = child.Value
		case *string:
			node := Document.Call("createTextNode", "")
			Follow(child, func(text string) {
				// A browser that translates pages puts <font> elements in the place of texts.
				if font := parent.Call("querySelector", ":scope > font"); !node.Get("parentNode").Truthy() && font.Truthy() {
					font.Call("replaceWith", node)
				}
				node.Set("data", text)
			})
			c = node
		}
		parent.Call("append", c)
	}
}

// following write the texts of the page that follow its language.
var following []func()

// Follow writes a text now, and again whenever Rewrite is called.
func Follow(text *string, write func(string)) {
	now := func() { write(*text) }
	now()
	following = append(following, now)
}

// Rewrite writes every text of the page again, after the language has changed.
func Rewrite() {
	for _, write := range following {
		write()
	}
}

// Button makes a button that says text (a string or a text of the page) and calls press.
func Button(class string, text any, press func()) Element {
	b := El("button", Attrs{{"type", "button"}, {"class", class}}, text)
	On(b, "click", func(Event) { press() })
	return b
}

// Target is what events happen to: an Element, or the Window.
type Target interface {
	Call(method string, arguments ...any) js.Value
}

// Event is what happened. Its Go type is always this one: the package dom finds that of
// every kind of event by itself, which takes its time, and carries all of them into the
// program, with all that their methods name.
type Event = *dom.BasicEvent

// On calls f for every event of that kind. The listeners live as long as the page.
func On(target Target, kind string, f func(Event)) {
	target.Call("addEventListener", kind, js.FuncOf(func(_ js.Value, args []js.Value) any {
		f(&dom.BasicEvent{Value: args[0]})
		return nil
	}))
}

// keyboardEvent is the class of the events of keys.
var keyboardEvent = js.Global().Get("KeyboardEvent")

// Key is an event as that of a key, if it is one for the page. Where browsers fill in a
// field, they send others of the same name. And keys that an input method takes, as for
// Chinese and Japanese, are its own: those that compose a word have isComposing, and in
// Safari the one that ends it has code 229 alone.
func Key(e Event) (k *dom.KeyboardEvent, ok bool) {
	const composed = 229
	return &dom.KeyboardEvent{BasicEvent: e}, e.InstanceOf(keyboardEvent) && !e.Get("isComposing").Bool() && e.Get("keyCode").Int() != composed
}

// KeepFromWheel leaves the wheel to the page: a number field that has the cursor would
// count up and down with it, while somebody only wants to scroll on. A field that
// cannot be written does not count. (A timer of no time at all would end within the event.)
func KeepFromWheel() {
	On(Window, "wheel", func(e Event) {
		field := e.Get("target")
		if field.Get("type").Equal(js.ValueOf("number")) && field.Equal(Document.Get("activeElement")) && !field.Get("readOnly").Bool() {
			field.Set("readOnly", true)
			time.AfterFunc(100*time.Millisecond, func() { field.Set("readOnly", false) })
		}
	})
}

// Coarse reports whether what points is a finger: there is no keyboard then, as a rule.
func Coarse() bool {
	return js.Global().Call("matchMedia", "(pointer: coarse)").Get("matches").Bool()
}

// Delegate listens to clicks on what matches the selector inside a box, now and
// later: for lists whose members come and go.
func Delegate(box Element, selector string, press func(at Element)) {
	On(box, "click", func(e Event) {
		if at := e.Underlying().Get("target").Call("closest", selector); at.Truthy() {
			press(Wrap(at))
		}
	})
}

// SetText changes an element's text only where it differs from what was set before, so that
// screen readers do not read it again, and a browser that translates pages keeps its own.
func SetText(e Element, text string) {
	if set := e.Get("setText"); set.Type() == js.TypeString && set.String() == text || set.IsUndefined() && e.TextContent() == text {
		return
	}
	e.Set("setText", text)
	e.SetTextContent(text)
}

// Show hides or shows an element.
func Show(e Element, visible bool) { SetFlag(e, "hidden", !visible) }

// SetFlag sets or removes a bare attribute.
func SetFlag(e Element, name string, set bool) {
	if set == e.HasAttribute(name) {
		return
	}
	if set {
		e.SetAttribute(name, "")
	} else {
		e.RemoveAttribute(name)
	}
}

// SetAttr changes an attribute where it differs.
func SetAttr(e Element, name, value string) {
	if !e.HasAttribute(name) || e.GetAttribute(name) != value {
		e.SetAttribute(name, value)
	}
}

// SetState sets an attribute to "true" or "false" where it differs.
func SetState(e Element, name string, on bool) { SetAttr(e, name, Either(on, "true", "false")) }

// Either is the first of two values, or the second.
func Either(first bool, one, other string) string {
	if first {
		return one
	}
	return other
}

// overwrite lets SetValue write into the field that has the cursor too.
var overwrite bool

// Overwrite lets the next rendering write into the field that has the cursor too: what
// it held was replaced by something that people dropped, pasted or chose.
func Overwrite() { overwrite = true }

// Rendered ends a rendering.
func Rendered() { overwrite = false }

// SetValue changes what a field shows, but not under the hands of somebody who is
// typing in it.
func SetValue(e Element, value string) {
	if e.Get("value").String() != value && (overwrite || !Document.Get("activeElement").Equal(e.Value)) {
		e.Set("value", value)
	}
}

// Number is what a number field holds, NaN when that is no number.
func Number(e Element) float64 { return e.Get("valueAsNumber").Float() }

// Labelled puts a label before a field.
func Labelled(id string, text any, field Element) Element {
	field.SetID(id)
	return El("div", Attrs{{"class", "field"}}, El("label", Attrs{{"for", id}}, text), field)
}
