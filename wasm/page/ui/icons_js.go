package ui

import (
	"fmt"
	"math"
)

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
	"code":    "M8 7l-5 5 5 5 M16 7l5 5-5 5 M13.5 5l-3 14",
	"share":   "M12 15V4 M8 8l4-4 4 4 M5 12v7h14v-7",
	"eye":     "M2 12s3.6-7 10-7 10 7 10 7-3.6 7-10 7S2 12 2 12z M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
	"keep":    "M6 4h12v17l-6-4.5L6 21z",
	"pen":     "M4 20l1-5L16 4l4 4L9 19z",
	"bin":     "M4 7h16 M9 7V4h6v3 M6 7l1 13h10l1-13 M10 11v6 M14 11v6",
	"open":    "M4 19V5h6l2 3h8v11z",
	"undo":    "M9 14L4 9l5-5 M4 9h10a6 6 0 0 1 0 12h-3",
	"redo":    "M15 14l5-5-5-5 M20 9H10a6 6 0 0 0 0 12h3",
	"chip":    "M7 7h10v10H7z M10 3v4 M14 3v4 M10 17v4 M14 17v4 M3 10h4 M3 14h4 M17 10h4 M17 14h4",
}

const svg = "http://www.w3.org/2000/svg"

// Icon is one of them.
func Icon(name string) Element { return Drawing(icons[name]) }

// Drawing is a small line drawing in the colour of the text.
func Drawing(path string) Element {
	s := SVG("svg", Attrs{{"viewBox", "0 0 24 24"}, {"aria-hidden", "true"}, {"class", "icon"}})
	Append(s, SVG("path", Attrs{{"d", path}}))
	return s
}

// SVG makes an element of a drawing.
func SVG(tag string, a Attrs) Element {
	return attributed(Wrap(Document.Call("createElementNS", svg, tag)), a)
}

// IconButton is a button with a picture; text is shown beside it, or, when
// class says "square", only read aloud and shown as a tooltip.
func IconButton(class, name string, text *string, press func()) Element {
	b := Button(class, "", press)
	Append(b, Icon(name), El("span", nil, text))
	Follow(text, func(t string) { b.SetAttribute("title", t) })
	return b
}

// Arrow is the path of an arrow from the origin, turned counter-clockwise.
func Arrow(length, degrees float64) string {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	at := func(x, y float64) string { return fmt.Sprintf("%.1f %.1f", x*cos+y*sin, -x*sin+y*cos) }
	head := math.Min(4, length/2)
	return fmt.Sprintf("M0 0L%s M%s L%s L%s", at(length, 0), at(length-head, head*.7), at(length, 0), at(length-head, -head*.7))
}
