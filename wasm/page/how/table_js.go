package how

import (
	"fmt"
	"strings"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// numberTable has the numbers of every block.
type numberTable struct{ box, head, body ui.Element }

func newNumberTable() *numberTable {
	v := &numberTable{head: ui.El("tr", nil), body: ui.El("tbody", nil)}
	for _, name := range []*string{&words.Text.HowColBlock, &words.Text.HowColWeight, &words.Text.HowColNorm, &words.Text.HowColAngle, &words.Text.HowColShift, &words.Text.HowColScale, &words.Text.HowColGate} {
		ui.Append(v.head, ui.El("th", ui.Attrs{{"scope", "col"}}, name))
	}
	ui.Append(v.head, ui.El("th", ui.Attrs{{"scope", "col"}}, ""))
	v.box = ui.El("details", ui.Attrs{{"class", "numbers"}}, ui.El("summary", nil, &words.Text.HowNumbers), ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.HowNumbersText),
		ui.El("div", ui.Attrs{{"class", "scroll"}, {"role", "region"}, {"tabindex", "0"}, {"aria-label", &words.Text.HowNumbers}}, ui.El("table", nil, ui.El("thead", nil, v.head), v.body)))
	return v
}

func (v *numberTable) draw(p *probe, of *app.Picture, word int) {
	ui.SetText(ui.Wrap(v.head.Get("lastElementChild")), fmt.Sprintf(words.Text.HowShare, tokenName(p.Tokens[word])))
	v.body.Call("replaceChildren")
	for b, block := range p.Blocks {
		shift, scale, gate := p.lengths(b)
		row := []string{"–", words.Number(average(block.Norm)), words.Number(average(block.AngleDegrees)) + "°", words.Number(shift), words.Number(scale), words.Number(gate), "–"}
		name := words.Text.HowHead
		if b < p.blocks() {
			name = fmt.Sprintf(words.Text.HowBlock, b)
			var weights []string
			for _, g := range of.Geometry {
				if b < len(g.Weights) {
					weights = append(weights, words.Number(float64(g.Weights[b])))
				}
			}
			row[0] = strings.Join(append(weights, "0")[:max(1, len(weights))], "; ")
			_, mean, _, _ := extremes(p.mean(word, b))
			row[6] = words.Percent(mean)
		} else {
			row[5] = "–"
		}
		tr := ui.El("tr", nil, ui.El("th", ui.Attrs{{"scope", "row"}}, name))
		for _, text := range row {
			ui.Append(tr, ui.El("td", nil, text))
		}
		ui.Append(v.body, tr)
	}
}
