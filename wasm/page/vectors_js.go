package page

import (
	"fmt"
	"math"
)

// vectorsView draws how the last picture's direction δ lies to the vector y of its
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
	v.drawing = svgElement("svg", map[string]string{"class": "vectors", "aria-hidden": "true", "preserveAspectRatio": "xMinYMid"})
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
	setText(v.length, fmt.Sprintf(say.Lengths, fmt.Sprintf("%.1f", g.NormY), fmt.Sprintf("%.1f", g.NormDelta), numberText(math.Round(g.AngleDegrees))))
	setText(v.turn, fmt.Sprintf(say.LengthsHint, numberText(math.Round(g.NormDelta/math.Max(g.NormY, 1e-9)*100))))
	if v.shown == p && v.term == i {
		return
	}
	v.shown, v.term = p, i
	// To scale: δ goes out from where y ends, and the picture is as large as both need.
	longest := math.Max(g.NormY, g.NormDelta)
	y, delta := 100*g.NormY/longest, 100*g.NormDelta/longest
	sin, cos := math.Sincos(g.AngleDegrees * math.Pi / 180)
	left, right, top := math.Min(0, y+delta*cos)-2, math.Max(y, y+delta*cos)+2, -delta*sin-3
	setAttr(v.drawing, "viewBox", fmt.Sprintf("%.1f %.1f %.1f %.1f", left, top, right-left, 4-top))
	setAttr(v.y, "d", arrow(y, 0))
	setAttr(v.delta, "d", arrow(delta, g.AngleDegrees))
	setAttr(v.delta, "transform", fmt.Sprintf("translate(%.1f)", y))
}

// arrow is the path of an arrow from the origin, turned counter-clockwise.
func arrow(length, degrees float64) string {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	at := func(x, y float64) string { return fmt.Sprintf("%.1f %.1f", x*cos+y*sin, -x*sin+y*cos) }
	head := math.Min(4, length/2)
	return fmt.Sprintf("M0 0L%s M%s L%s L%s", at(length, 0), at(length-head, head*.7), at(length, 0), at(length-head, -head*.7))
}
