package how

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// flow draws the way from the words to the picture, with what the controls add to it now.
type flow struct {
	drawing, blocks, adds, bars ui.Element
}

// The drawing is 320 units wide. Boxes are places for text: left, top, right, bottom.
var boxes = []struct {
	x, y, right, bottom float64
	text                *string
}{
	{2, 2, 148, 40, &words.Text.FieldPrompt}, {172, 2, 318, 40, &words.Text.FlowTokens},
	{2, 72, 148, 110, &words.Text.FlowPooled},
	{2, 252, 148, 290, &words.Text.HowDecoder}, {172, 252, 318, 290, &words.Text.TabPicture},
}

// Arrows: to the right from the prompt and the decoder; down from the tokens to the
// vector and to the blocks, from the vector to the blocks, and on to the decoder.
const arrows = "M150 21h19m-5-4l5 4l-5 4 M150 271h19m-5-4l5 4l-5 4 " +
	"M200 42v14h-125v13m-4-5l4 5l4-5 M295 42v105m-4-5l4 5l4-5 M75 112v35m-4-5l4 5l4-5 M75 224v25m-4-5l4 5l4-5"

func newFlow() *flow {
	v := &flow{drawing: ui.SVG("svg", ui.Attrs{{"viewBox", "0 0 320 292"}, {"class", "flow"}, {"role", "img"}})}
	add := func(tag string, a ui.Attrs) ui.Element {
		e := ui.SVG(tag, a)
		ui.Append(v.drawing, e)
		return e
	}
	text := func(x, y float64, class string) ui.Element {
		return add("text", ui.Attrs{{"x", fmt.Sprint(x)}, {"y", fmt.Sprint(y)}, {"class", class}})
	}
	frame := func(x, y, right, bottom float64) {
		add("rect", ui.Attrs{{"x", fmt.Sprint(x)}, {"y", fmt.Sprint(y)}, {"width", fmt.Sprint(right - x)}, {"height", fmt.Sprint(bottom - y)}, {"rx", "9"}})
	}
	add("path", ui.Attrs{{"d", arrows}})
	for _, b := range boxes {
		frame(b.x, b.y, b.right, b.bottom)
		ui.Append(text((b.x+b.right)/2, b.y+24, "middle"), b.text)
	}
	frame(2, 150, 318, 222)
	v.blocks = text(12, 171, "")
	v.bars = add("path", ui.Attrs{{"class", "bars"}})
	v.adds = text(88, 135, "adds")
	return v
}

func (v *flow) render(s *app.State) {
	ui.Show(v.drawing, s.Model != nil)
	if s.Model == nil {
		return
	}
	r, blocks := s.Form.Made(), s.Model.Depth()
	adds := added(r, s.Model)
	ui.SetAttr(v.drawing, "aria-label", fmt.Sprintf(words.Text.FlowLabel, blocks, adds))
	ui.SetText(v.blocks, fmt.Sprintf(words.Text.FlowBlocks, blocks))
	if r.Guides() {
		adds = "+ " + adds
	}
	ui.SetText(v.adds, adds)
	ui.SetAttr(v.bars, "d", bars(pushes(r, blocks), 10, 310, 216, 34))
}
