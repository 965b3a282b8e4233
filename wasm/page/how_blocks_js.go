package page

import (
	"fmt"
	"math"
	"strings"
)

// blockMaps shows, for every block, the attention to a word at every step.
type blockMaps struct {
	box, head, scale element
	rows             element
	list             []*blockRow // all blocks together first
}

type blockRow struct {
	print
	button, share element
}

func newBlockMaps(choose func(block int)) *blockMaps {
	v := &blockMaps{
		head:  el("div", attrs{"class": "steps", "aria-hidden": "true"}),
		rows:  el("div", attrs{"class": "rows", "role": "group", "aria-label": &say.HowBlocks}),
		scale: el("p", attrs{"class": "muted scale"}, el("i", attrs{"aria-hidden": "true"}), el("span", nil)),
	}
	v.box = el("div", attrs{"class": "maps"}, v.head, v.rows, v.scale)
	delegate(v.rows, "button", func(at element) {
		for i, r := range v.list {
			if r.button.Equal(at.Value) {
				choose(i - 1)
			}
		}
	})
	return v
}

func (v *blockMaps) build(p *probe) {
	v.head.Call("replaceChildren")
	for s := range p.steps() {
		add(v.head, el("span", nil, fmt.Sprint(s+1)))
	}
	v.rows.Call("replaceChildren")
	v.list = nil
	for b := -1; b < p.blocks(); b++ {
		name, kind := say.HowAllBlocks, ""
		if b >= 0 {
			name = fmt.Sprintf(say.HowBlock, b)
			kind = map[string]string{"double": say.HowDouble, "single": say.HowSingle}[p.Blocks[b].Kind]
		}
		r := &blockRow{print: newPrint(), share: el("span", attrs{"class": "share"})}
		r.button = el("button", attrs{"type": "button"}, el("span", nil, name), el("small", nil, kind))
		v.list = append(v.list, r)
		add(v.rows, el("div", attrs{"class": "block"}, r.button, r.canvas, r.share))
	}
}

func (v *blockMaps) draw(p *probe, word, block int) {
	bright := p.bright(word)
	for i, r := range v.list {
		b := i - 1
		var maps [][]float32
		for s := range p.steps() {
			if b >= 0 {
				maps = append(maps, p.cell(word, s, b))
			} else {
				maps = append(maps, p.step(word, s))
			}
		}
		w, h, rgba := strip(maps, p.Rows, p.Cols, bright)
		r.draw(image(w, h, rgba), true)
		_, mean, top, _ := extremes(p.mean(word, b))
		setAttr(r.canvas, "aria-label", fmt.Sprintf(say.HowMap, p.Tokens[word].name(), percent(mean), percent(top)))
		setText(r.share, percent(mean))
		r.share.Style().SetProperty("--share", fmt.Sprintf("%.4f", math.Min(1, mean/bright)), "")
		setAttr(r.button, "aria-pressed", fmt.Sprint(b == block))
	}
	setText(wrap(v.scale.Get("lastElementChild")), fmt.Sprintf(say.HowScale, percent(bright), percent(p.prompt)))
}

// vectorFigure draws what guidance makes of y in the block that it turns furthest.
type vectorFigure struct {
	box, drawing, note element
	y, hat, shift      element
	names              [2]element
}

func newVectorFigure() *vectorFigure {
	v := &vectorFigure{note: el("figcaption", attrs{"class": "muted"})}
	v.drawing = svgElement("svg", map[string]string{"class": "turn", "aria-hidden": "true"})
	for _, line := range []struct {
		at    *element
		class string
	}{{&v.shift, "shift"}, {&v.y, "y"}, {&v.hat, "hat"}} {
		*line.at = svgElement("path", map[string]string{"class": line.class})
		add(v.drawing, *line.at)
	}
	for i, name := range []string{"y", "ŷ"} {
		v.names[i] = svgElement("text", nil)
		add(v.names[i], name)
		add(v.drawing, v.names[i])
	}
	v.box = el("figure", attrs{"class": "vector"}, v.drawing, v.note)
	return v
}

func (v *vectorFigure) draw(p *probe) {
	const width = 100.0
	b := p.turned()
	y := average(p.NormY)
	hat, angle := y, 0.0
	text := fmt.Sprintf(say.HowVectorPlain, numberText(y))
	if b >= 0 {
		hat, angle = average(p.Blocks[b].Norm), average(p.Blocks[b].AngleDegrees)
		text = fmt.Sprintf(say.HowVectorBlock, b, numberText(y), numberText(hat), numberText(p.Blocks[b].NormShift), numberText(math.Round(angle)))
	}
	setText(v.note, text)
	scale := width / math.Max(math.Max(y, hat), 1e-9)
	sin, cos := math.Sincos(angle * math.Pi / 180)
	x1, x2, y2 := y*scale, hat*scale*cos, -hat*scale*sin
	setAttr(v.y, "d", arrow(x1, 0))
	setAttr(v.hat, "d", arrow(hat*scale, angle))
	setAttr(v.shift, "d", fmt.Sprintf("M%.1f 0L%.1f %.1f", x1, x2, y2))
	show(v.hat, b >= 0)
	show(v.shift, b >= 0)
	show(v.names[1], b >= 0)
	place := func(e element, x, y float64) {
		setAttr(e, "x", fmt.Sprintf("%.1f", x))
		setAttr(e, "y", fmt.Sprintf("%.1f", y))
	}
	place(v.names[0], x1+4, 4)
	place(v.names[1], x2+4, y2-3)
	left, top := math.Min(0, x2)-6, math.Min(0, y2)-16
	setAttr(v.drawing, "viewBox", fmt.Sprintf("%.1f %.1f %.1f %.1f", left, top, math.Max(x1, x2)+20-left, 12-top))
}

// numberTable has the numbers of every block.
type numberTable struct{ box, head, body element }

func newNumberTable() *numberTable {
	v := &numberTable{head: el("tr", nil), body: el("tbody", nil)}
	for _, name := range []*string{&say.HowColBlock, &say.HowColWeight, &say.HowColNorm, &say.HowColAngle, &say.HowColShift, &say.HowColScale, &say.HowColGate} {
		add(v.head, el("th", attrs{"scope": "col"}, name))
	}
	add(v.head, el("th", attrs{"scope": "col"}, ""))
	v.box = el("details", attrs{"class": "numbers"}, el("summary", nil, &say.HowNumbers), el("p", attrs{"class": "muted"}, &say.HowNumbersText),
		el("div", attrs{"class": "scroll", "role": "region", "tabindex": "0", "aria-label": &say.HowNumbers}, el("table", nil, el("thead", nil, v.head), v.body)))
	return v
}

func (v *numberTable) draw(p *probe, of *picture, word int) {
	setText(wrap(v.head.Get("lastElementChild")), fmt.Sprintf(say.HowShare, p.Tokens[word].name()))
	v.body.Call("replaceChildren")
	for b, block := range p.Blocks {
		shift, scale, gate := p.lengths(b)
		row := []string{"–", numberText(average(block.Norm)), numberText(average(block.AngleDegrees)) + "°", numberText(shift), numberText(scale), numberText(gate), "–"}
		name := say.HowHead
		if b < p.blocks() {
			name = fmt.Sprintf(say.HowBlock, b)
			var weights []string
			for _, g := range of.geometry {
				if b < len(g.Weights) {
					weights = append(weights, numberText(g.Weights[b]))
				}
			}
			row[0] = strings.Join(append(weights, "0")[:max(1, len(weights))], "; ")
			_, mean, _, _ := extremes(p.mean(word, b))
			row[6] = percent(mean)
		} else {
			row[5] = "–"
		}
		tr := el("tr", nil, el("th", attrs{"scope": "row"}, name))
		for _, text := range row {
			add(tr, el("td", nil, text))
		}
		add(v.body, tr)
	}
}
