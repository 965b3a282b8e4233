package how

import (
	"fmt"
	"math"

	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// vectorFigure draws what guidance makes of y in the block that it turns furthest.
type vectorFigure struct {
	box, drawing, note ui.Element
	y, hat, shift      ui.Element
	names              [2]ui.Element
}

func newVectorFigure() *vectorFigure {
	v := &vectorFigure{note: ui.El("figcaption", ui.Attrs{{"class", "muted"}})}
	v.drawing = ui.SVG("svg", ui.Attrs{{"class", "turn"}, {"aria-hidden", "true"}})
	for _, line := range []struct {
		at    *ui.Element
		class string
	}{{&v.shift, "shift"}, {&v.y, "y"}, {&v.hat, "hat"}} {
		*line.at = ui.SVG("path", ui.Attrs{{"class", line.class}})
		ui.Append(v.drawing, *line.at)
	}
	for i, name := range []string{"y", "ŷ"} {
		v.names[i] = ui.SVG("text", nil)
		ui.Append(v.names[i], name)
		ui.Append(v.drawing, v.names[i])
	}
	v.box = ui.El("figure", ui.Attrs{{"class", "vector"}}, v.drawing, v.note)
	return v
}

func (v *vectorFigure) draw(p *probe) {
	const width = 100.0
	b := p.mostTurned()
	y := average(p.NormY)
	hat, angle := y, 0.0
	text := fmt.Sprintf(words.Text.HowVectorPlain, words.Number(y))
	if b >= 0 {
		hat, angle = average(p.Blocks[b].Norm), average(p.Blocks[b].AngleDegrees)
		text = fmt.Sprintf(words.Text.HowVectorBlock, b, words.Number(y), words.Number(hat), words.Number(p.Blocks[b].NormShift), words.Number(math.Round(angle)))
	}
	ui.SetText(v.note, text)
	scale := width / math.Max(math.Max(y, hat), 1e-9)
	sin, cos := math.Sincos(angle * math.Pi / 180)
	x1, x2, y2 := y*scale, hat*scale*cos, -hat*scale*sin
	ui.SetAttr(v.y, "d", ui.Arrow(x1, 0))
	ui.SetAttr(v.hat, "d", ui.Arrow(hat*scale, angle))
	ui.SetAttr(v.shift, "d", fmt.Sprintf("M%.1f 0L%.1f %.1f", x1, x2, y2))
	ui.Show(v.hat, b >= 0)
	ui.Show(v.shift, b >= 0)
	ui.Show(v.names[1], b >= 0)
	place := func(e ui.Element, x, y float64) {
		ui.SetAttr(e, "x", fmt.Sprintf("%.1f", x))
		ui.SetAttr(e, "y", fmt.Sprintf("%.1f", y))
	}
	place(v.names[0], x1+4, 4)
	place(v.names[1], x2+4, y2-3)
	left, top := math.Min(0, x2)-6, math.Min(0, y2)-16
	ui.SetAttr(v.drawing, "viewBox", fmt.Sprintf("%.1f %.1f %.1f %.1f", left, top, math.Max(x1, x2)+20-left, 12-top))
}
