package panel

import (
	"fmt"
	"math"
	"slices"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// geometryView draws how the last picture's direction δ lies to the vector y of its
// prompt: both as arrows, with their lengths and the angle between them.
type geometryView struct {
	box          ui.Element
	drawing      ui.Element
	y, delta     ui.Element // lines
	length, turn ui.Element // what stands beside
	shown        *app.Picture
	term         int
}

func newGeometry() *geometryView {
	v := &geometryView{length: ui.El("p", nil), turn: ui.El("p", ui.Attrs{{"class", "muted"}})}
	v.drawing = ui.SVG("svg", ui.Attrs{{"class", "vectors"}, {"aria-hidden", "true"}, {"preserveAspectRatio", "xMinYMid"}})
	v.y = ui.SVG("path", ui.Attrs{{"class", "y"}})
	v.delta = ui.SVG("path", ui.Attrs{{"class", "delta"}})
	ui.Append(v.drawing, v.y, v.delta)
	v.box = ui.El("div", ui.Attrs{{"class", "lie"}, {"hidden", ""}}, v.drawing, ui.El("div", ui.Attrs{{"class", "numbers"}}, v.length, v.turn))
	return v
}

func (v *geometryView) render(s *app.State) {
	p, now, i := s.Picture, s.Form.Term(), -1
	if p != nil { // the picture's directions may have been others
		i = slices.IndexFunc(p.Recipe.Guidance, func(t recipe.Term) bool { return t.Positive == now.Positive && t.Negative == now.Negative })
	}
	known := i >= 0 && i < len(p.Geometry)
	ui.Show(v.box, known)
	if !known {
		return
	}
	g := p.Geometry[i]
	ui.SetText(v.length, fmt.Sprintf(words.Text.Lengths, fmt.Sprintf("%.1f", g.NormY), fmt.Sprintf("%.1f", g.NormDelta), words.Number(math.Round(g.AngleDegrees))))
	ui.SetText(v.turn, fmt.Sprintf(words.Text.LengthsHint, words.Number(math.Round(g.NormDelta/math.Max(g.NormY, 1e-9)*100))))
	if v.shown == p && v.term == i {
		return
	}
	v.shown, v.term = p, i
	// To scale: δ goes out from where y ends, and the picture is as large as both need.
	longest := math.Max(g.NormY, g.NormDelta)
	y, delta := 100*g.NormY/longest, 100*g.NormDelta/longest
	sin, cos := math.Sincos(g.AngleDegrees * math.Pi / 180)
	left, right, top := math.Min(0, y+delta*cos)-2, math.Max(y, y+delta*cos)+2, -delta*sin-3
	ui.SetAttr(v.drawing, "viewBox", fmt.Sprintf("%.1f %.1f %.1f %.1f", left, top, right-left, 4-top))
	ui.SetAttr(v.y, "d", ui.Arrow(y, 0))
	ui.SetAttr(v.delta, "d", ui.Arrow(delta, g.AngleDegrees))
	ui.SetAttr(v.delta, "transform", fmt.Sprintf("translate(%.1f)", y))
}
