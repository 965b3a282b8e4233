package page

import (
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// element is an element of the page. The package dom finds the Go type of every
// kind of element by itself, but a program that lets it do so carries all of
// them: a fifth of its size. So elements are wrapped here, as what they share,
// and the few properties that only one kind has are reached by name.
type element = *dom.BasicHTMLElement

func wrap(v js.Value) element {
	return &dom.BasicHTMLElement{BasicElement: &dom.BasicElement{BasicNode: &dom.BasicNode{Value: v}}}
}

// document is set by Run: in the worker, which runs the same program, there is none.
var document js.Value

// byID finds an element of index.html.
func byID(id string) element { return wrap(document.Call("getElementById", id)) }

// attrs are the attributes of a new element: strings, of which an empty one sets a
// bare attribute, or texts of the page (&say.Off), which follow the language.
type attrs map[string]any

// el makes an element. Children are elements, strings, which become text, or texts
// of the page (&say.Off), which follow the language: for the skeleton of the page,
// since they are kept for ever. Nothing in the page is ever parsed as HTML.
func el(tag string, a attrs, children ...any) element {
	e := wrap(document.Call("createElement", tag))
	for name, value := range a {
		switch value := value.(type) {
		case string:
			e.SetAttribute(name, value)
		case *string:
			follow(value, func(text string) { e.SetAttribute(name, text) })
		}
	}
	add(e, children...)
	return e
}

func add(parent element, children ...any) {
	for _, c := range children {
		switch child := c.(type) {
		case element:
			c = child.Value
		case *string:
			node := document.Call("createTextNode", "")
			follow(child, func(text string) { node.Set("data", text) })
			c = node
		}
		parent.Call("append", c)
	}
}

// following are the places where texts of the page stand.
var following []func()

// follow writes a text now and whenever the language changes.
func follow(text *string, write func(string)) {
	now := func() { write(*text) }
	now()
	following = append(following, now)
}

// button makes a button that says text (a string or a text of the page) and calls press.
func button(class string, text any, press func()) element {
	b := el("button", attrs{"type": "button", "class": class}, text)
	on(b, "click", func(dom.Event) { press() })
	return b
}

// on calls f for every event of that kind. The listeners live as long as the page.
func on(e dom.EventTarget, kind string, f func(dom.Event)) { e.AddEventListener(kind, false, f) }

// delegate listens to clicks on what matches the selector inside a box, now and
// later: for lists whose members come and go.
func delegate(box element, selector string, press func(at element)) {
	on(box, "click", func(e dom.Event) {
		if at := e.Underlying().Get("target").Call("closest", selector); at.Truthy() {
			press(wrap(at))
		}
	})
}

// setText changes an element's text only where it differs, so that screen readers
// do not read it again.
func setText(e element, text string) {
	if e.TextContent() != text {
		e.SetTextContent(text)
	}
}

// show hides or shows an element.
func show(e element, visible bool) { setFlag(e, "hidden", !visible) }

// setFlag sets or removes a bare attribute.
func setFlag(e element, name string, set bool) {
	if set == e.HasAttribute(name) {
		return
	}
	if set {
		e.SetAttribute(name, "")
	} else {
		e.RemoveAttribute(name)
	}
}

// setAttr changes an attribute where it differs.
func setAttr(e element, name, value string) {
	if !e.HasAttribute(name) || e.GetAttribute(name) != value {
		e.SetAttribute(name, value)
	}
}

// fresh lets the next rendering write into the field that has the cursor too: what
// it held was replaced by something that people dropped, pasted or chose.
var fresh bool

// setValue changes what a field shows, but not under the hands of somebody who is
// typing in it.
func setValue(e element, value string) {
	if e.Get("value").String() != value && (fresh || !document.Get("activeElement").Equal(e.Value)) {
		e.Set("value", value)
	}
}

// number is what a number field holds, NaN when that is no number.
func number(e element) float64 { return e.Get("valueAsNumber").Float() }

// icons are drawn on a 24-unit grid with a line in the colour of the text.
var icons = map[string]string{
	"dice":    "M6 3h12a3 3 0 0 1 3 3v12a3 3 0 0 1-3 3H6a3 3 0 0 1-3-3V6a3 3 0 0 1 3-3z M8.5 8.5h.01 M15.5 8.5h.01 M12 12h.01 M8.5 15.5h.01 M15.5 15.5h.01",
	"save":    "M12 4v11 M7 11l5 5 5-5 M5 20h14",
	"compare": "M12 3v18 M4 6h5v12H4z M15 6h5v12h-5z",
	"plus":    "M12 5v14 M5 12h14",
	"spark":   "M12 3l2 6.5L20.5 12 14 14l-2 7-2-7-6.5-2L10 9.5z M19 3v4 M17 5h4",
	"close":   "M6 6l12 12 M18 6L6 18",
	"copy":    "M9 9h11v11H9z M5 15H4V4h11v1",
	"link":    "M10 14a4.5 4.5 0 0 0 6.4 0l3-3A4.5 4.5 0 0 0 13 4.6l-1 1 M14 10a4.5 4.5 0 0 0-6.4 0l-3 3A4.5 4.5 0 0 0 11 19.4l1-1",
	"share":   "M12 15V4 M8 8l4-4 4 4 M5 12v7h14v-7",
	"keep":    "M6 4h12v17l-6-4.5L6 21z",
	"bin":     "M4 7h16 M9 7V4h6v3 M6 7l1 13h10l1-13 M10 11v6 M14 11v6",
	"open":    "M4 19V5h6l2 3h8v11z",
	"chip":    "M7 7h10v10H7z M10 3v4 M14 3v4 M10 17v4 M14 17v4 M3 10h4 M3 14h4 M17 10h4 M17 14h4",
}

const svg = "http://www.w3.org/2000/svg"

func icon(name string) element { return drawing(icons[name]) }

// drawing is a small line drawing in the colour of the text.
func drawing(path string) element {
	s := svgElement("svg", map[string]string{"viewBox": "0 0 24 24", "aria-hidden": "true", "class": "icon"})
	add(s, svgElement("path", map[string]string{"d": path}))
	return s
}

// svgElement makes an element of a drawing.
func svgElement(tag string, a map[string]string) element {
	e := wrap(document.Call("createElementNS", svg, tag))
	for name, value := range a {
		e.SetAttribute(name, value)
	}
	return e
}

// iconButton is a button with a picture; text is shown beside it, or, when
// class says "square", only read aloud and shown as a tooltip.
func iconButton(class, name string, text *string, press func()) element {
	b := button(class, "", press)
	add(b, icon(name), el("span", nil, text))
	follow(text, func(t string) { b.SetAttribute("title", t) })
	return b
}

// labelled puts a label before a field.
func labelled(id string, text any, field element) element {
	field.SetID(id)
	return el("div", attrs{"class": "field"}, el("label", attrs{"for": id}, text), field)
}
