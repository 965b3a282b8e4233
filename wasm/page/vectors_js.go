package page

import (
	"fmt"
	"math"
)

// vectorsView draws how the last picture's direction lies to the vector of its
// prompt: both as arrows, with their lengths and the angle between them.
type vectorsView struct {
	box          element
	drawing      element
	y, delta     element // lines
	length, turn element // what stands beside
	shown        *picture
	term         int
}

func newVectors() *vectorsView {
	v := &vectorsView{length: el("p", nil), turn: el("p", attrs{"class": "muted"})}
	v.drawing = svgElement("svg", map[string]string{"class": "vectors", "aria-hidden": "true"})
	v.y = svgElement("path", map[string]string{"class": "y"})
	v.delta = svgElement("path", map[string]string{"class": "delta"})
	add(v.drawing, v.y, v.delta)
	v.box = el("div", attrs{"class": "lie", "hidden": ""}, v.drawing, el("div", attrs{"class": "numbers"}, v.length, v.turn))
	return v
}

func (v *vectorsView) render(s *state) {
	p, i := s.picture, s.form.term
	known := p != nil && i < len(p.geometry) && i < len(p.recipe.terms)
	if known { // the picture's direction may have been another one
		made, now := p.recipe.terms[i], s.form.terms[i]
		known = made.positive == now.positive && made.negative == now.negative
	}
	show(v.box, known)
	if !known {
		return
	}
	g := p.geometry[i]
	setText(v.length, fmt.Sprintf(say.Lengths, numberText(g.NormY), numberText(g.NormDelta), numberText(math.Round(g.AngleDegrees))))
	setText(v.turn, fmt.Sprintf(say.LengthsHint, numberText(math.Round(g.NormDelta/math.Max(g.NormY, 1e-9)*100))))
	if v.shown == p && v.term == i {
		return
	}
	v.shown, v.term = p, i
	// The picture is as wide as the two arrows need.
	left := math.Min(0, 40*math.Cos(g.AngleDegrees*math.Pi/180)) - 4
	setAttr(v.drawing, "viewBox", fmt.Sprintf("%.1f -44 %.1f 50", left, 44-left))
	longest := math.Max(g.NormY, g.NormDelta)
	setAttr(v.y, "d", arrow(40*g.NormY/longest, 0))
	setAttr(v.delta, "d", arrow(40*g.NormDelta/longest, g.AngleDegrees))
}

// arrow is the path of an arrow from the origin, turned counter-clockwise.
func arrow(length, degrees float64) string {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	at := func(x, y float64) string { return fmt.Sprintf("%.1f %.1f", x*cos+y*sin, -x*sin+y*cos) }
	head := math.Min(6, length/2)
	return fmt.Sprintf("M0 0L%s M%s L%s L%s", at(length, 0), at(length-head, head*.7), at(length, 0), at(length-head, -head*.7))
}
