package how

import (
	"fmt"
	"math"

	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// attentionMaps shows, for every block, the attention to a word at every step.
type attentionMaps struct {
	box, head, scale ui.Element
	rows             ui.Element
	list             []*blockRow // all blocks together first
}

type blockRow struct {
	ui.Canvas
	button, share ui.Element
}

func newAttentionMaps(choose func(block int)) *attentionMaps {
	v := &attentionMaps{
		head:  ui.El("div", ui.Attrs{{"class", "steps"}, {"aria-hidden", "true"}}),
		rows:  ui.El("div", ui.Attrs{{"class", "rows"}, {"role", "group"}, {"aria-label", &words.Text.HowBlocks}}),
		scale: ui.El("p", ui.Attrs{{"class", "muted scale"}}, ui.El("i", ui.Attrs{{"aria-hidden", "true"}}), ui.El("span", nil)),
	}
	v.box = ui.El("div", ui.Attrs{{"class", "maps"}}, v.head, v.rows, v.scale)
	ui.Delegate(v.rows, "button", func(at ui.Element) {
		for i, r := range v.list {
			if r.button.Equal(at.Value) {
				choose(i - 1)
			}
		}
	})
	return v
}

func (v *attentionMaps) build(p *probe) {
	v.head.Call("replaceChildren")
	for s := range p.steps() {
		ui.Append(v.head, ui.El("span", nil, fmt.Sprint(s+1)))
	}
	v.rows.Call("replaceChildren")
	v.list = nil
	for b := -1; b < p.blocks(); b++ {
		name, kind := words.Text.HowAllBlocks, ""
		if b >= 0 {
			name = fmt.Sprintf(words.Text.HowBlock, b)
			kind = map[string]string{"double": words.Text.HowDouble, "single": words.Text.HowSingle}[p.Blocks[b].Kind]
		}
		r := &blockRow{Canvas: ui.NewCanvas(), share: ui.El("span", ui.Attrs{{"class", "share"}})}
		r.button = ui.El("button", ui.Attrs{{"type", "button"}}, ui.El("span", nil, name), ui.El("small", nil, kind))
		v.list = append(v.list, r)
		ui.Append(v.rows, ui.El("div", ui.Attrs{{"class", "block"}}, r.button, r.Element, r.share))
	}
}

func (v *attentionMaps) draw(p *probe, word, block int) {
	scale := p.topShare(word)
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
		w, h, rgba := strip(maps, p.Rows, p.Cols, scale)
		r.Draw(image(w, h, rgba), true)
		_, mean, top, _ := extremes(p.mean(word, b))
		ui.SetAttr(r.Element, "aria-label", fmt.Sprintf(words.Text.HowMap, tokenName(p.Tokens[word]), words.Percent(mean), words.Percent(top)))
		ui.SetText(r.share, words.Percent(mean))
		r.share.Style().SetProperty("--share", fmt.Sprintf("%.4f", math.Min(1, mean/scale)), "")
		ui.SetState(r.button, "aria-pressed", b == block)
	}
	ui.SetText(ui.Wrap(v.scale.Get("lastElementChild")), fmt.Sprintf(words.Text.HowScale, words.Percent(scale), words.Percent(p.prompt)))
}
