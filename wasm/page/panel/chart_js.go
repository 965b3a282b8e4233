package panel

import (
	"fmt"
	"math"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// weightChart draws the weight of every block as a bar around the line of zero. A pointer
// draws on them; with the keyboard, each bar is a slider, of which one is in the
// order of Tab.
type weightChart struct {
	app      *app.App
	box      ui.Element
	chart    ui.Element
	list     []ui.Element // one for every block
	note     ui.Element
	halves   ui.Element // which blocks are double and which single
	low, top ui.Element
	scale    scale // as it is drawn, where a pointer points
	focus    int
	model    *app.Model // whose blocks there are
	// The last point of the stroke that is being drawn.
	drawing bool
	at      int
	height  float64
}

func newWeightChart(a *app.App) *weightChart {
	v := &weightChart{
		app:    a,
		chart:  ui.El("div", ui.Attrs{{"class", "bars"}, {"id", "bars"}, {"role", "group"}, {"aria-label", &words.Text.BlockWeights}, {"aria-describedby", "bars-note"}}),
		note:   ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "bars-note"}}),
		halves: ui.El("div", ui.Attrs{{"class", "halves"}, {"aria-hidden", "true"}}),
		low:    ui.El("span", ui.Attrs{{"class", "low"}, {"aria-hidden", "true"}}), top: ui.El("span", ui.Attrs{{"class", "top"}, {"aria-hidden", "true"}}),
	}
	v.box = ui.El("div", ui.Attrs{{"class", "curve"}}, ui.El("div", ui.Attrs{{"class", "plot"}}, v.chart, v.top, v.low), v.halves, v.note)
	ui.On(v.chart, "pointerdown", v.press)
	ui.On(v.chart, "pointermove", v.move)
	for _, kind := range []string{"pointerup", "pointercancel"} {
		ui.On(v.chart, kind, func(ui.Event) {
			if v.drawing {
				v.drawing = false
				a.Follow(true)
			}
		})
	}
	ui.On(v.chart, "keydown", v.key)
	return v
}

func (v *weightChart) draw(still bool, weights map[int]float64) {
	v.app.Edit(still, func(f *app.Form) {
		f.Edit(func(t *recipe.Term) { paint(t, weights, v.app.State.Model.Depth()) })
	})
}

// point is the block under a pointer and the weight that its height means.
func (v *weightChart) point(e ui.Event) (block int, weight float64) {
	event := e.Underlying()
	box := v.chart.Call("getBoundingClientRect")
	place := (event.Get("clientX").Float() - box.Get("left").Float()) / box.Get("width").Float()
	if ui.Root().Get("dir").String() == "rtl" {
		place = 1 - place
	}
	height := (box.Get("bottom").Float() - event.Get("clientY").Float()) / box.Get("height").Float()
	return blockAt(place, len(v.list)), v.scale.weight(height)
}

func (v *weightChart) press(e ui.Event) {
	event := e.Underlying()
	if event.Get("button").Int() != 0 || len(v.list) == 0 {
		return
	}
	v.chart.Call("setPointerCapture", event.Get("pointerId"))
	v.drawing = true
	v.at, v.height = v.point(e)
	v.focus = v.at
	v.draw(false, map[int]float64{v.at: v.height})
}

func (v *weightChart) move(e ui.Event) {
	if !v.drawing {
		return
	}
	block, weight := v.point(e)
	if block == v.at && weight == v.height {
		return
	}
	v.draw(false, stroke(v.at, v.height, block, weight))
	v.at, v.height, v.focus = block, weight, block
}

// weights are those of the direction that is being edited. They are the state's, not
// those that were drawn last: two keys may be pressed before the next frame.
func (v *weightChart) weights() []float32 {
	s := &v.app.State
	if s.Model == nil {
		return nil
	}
	return curve(s.Form.Term(), s.Model.Depth())
}

func (v *weightChart) key(e ui.Event) {
	k, ok := ui.Key(e)
	weights := v.weights()
	if !ok || len(weights) == 0 || k.CtrlKey() || k.MetaKey() || k.AltKey() {
		return
	}
	forth := 1
	if ui.Root().Get("dir").String() == "rtl" {
		forth = -1
	}
	focus, change := v.focus, 0.0
	switch k.Key() {
	case "ArrowRight":
		focus += forth
	case "ArrowLeft":
		focus -= forth
	case "Home":
		focus = 0
	case "End":
		focus = len(v.list) - 1
	case "ArrowUp":
		change = 0.1
	case "ArrowDown":
		change = -0.1
	case "PageUp":
		change = 1
	case "PageDown":
		change = -1
	case "0", "Delete", "Backspace":
		change = -float64(weights[v.focus])
	default:
		return
	}
	e.PreventDefault()
	if focus = min(len(v.list)-1, max(0, focus)); focus != v.focus {
		v.focus = focus
		v.list[focus].Focus()
		v.app.Update(func(*app.State) {})
		return
	}
	if change != 0 {
		v.draw(true, map[int]float64{v.focus: math.Round((float64(weights[v.focus])+change)*100) / 100})
	}
}

// build makes a bar for every block, and the line that says which are double.
func (v *weightChart) build(m *app.Model) {
	v.model, v.list, v.focus = m, nil, 0
	v.chart.Call("replaceChildren")
	v.halves.Call("replaceChildren")
	for i := range m.Depth() {
		bar := ui.El("span", ui.Attrs{{"role", "slider"}, {"aria-orientation", "vertical"}}, ui.El("i", nil))
		ui.SetFlag(bar, "data-double", i < m.Blocks.Double)
		ui.On(bar, "focus", func(ui.Event) {
			if v.focus != i {
				v.focus = i
				v.app.Update(func(*app.State) {})
			}
		})
		v.list = append(v.list, bar)
		ui.Append(v.chart, bar)
	}
	for _, half := range []struct {
		blocks int
		text   *string
		class  string
	}{{m.Blocks.Double, &words.Text.DoubleBlocks, "double"}, {m.Blocks.Single, &words.Text.SingleBlocks, "single"}} {
		if half.blocks == 0 {
			continue
		}
		e := ui.El("span", ui.Attrs{{"class", half.class}}, "")
		ui.Follow(half.text, func(text string) { ui.SetText(e, fmt.Sprintf(text, half.blocks)) })
		e.Style().SetProperty("flex-grow", fmt.Sprint(half.blocks), "")
		ui.Append(v.halves, e)
	}
}

func (v *weightChart) render(weights []float32, s scale, m *app.Model) {
	if v.model != m {
		v.build(m)
	}
	v.scale = s
	set := func(e ui.Element, name string, x float64) { e.Style().SetProperty(name, fmt.Sprintf("%.4f", x), "") }
	set(v.chart, "--zero", s.at(0))
	ui.SetText(v.low, words.Signed(s.low))
	ui.SetText(v.top, words.Signed(s.top))
	for i, bar := range v.list {
		w := 0.0
		if weights != nil {
			w = float64(weights[i])
		}
		set(bar, "--up", math.Max(0, w)/(s.top-s.low))
		set(bar, "--down", math.Max(0, -w)/(s.top-s.low))
		ui.SetAttr(bar, "aria-label", v.title(i, m))
		ui.SetAttr(bar, "aria-valuemin", words.Number(s.low))
		ui.SetAttr(bar, "aria-valuemax", words.Number(s.top))
		ui.SetAttr(bar, "aria-valuenow", words.Number(w))
		ui.SetAttr(bar, "tabindex", ui.Either(i == v.focus, "0", "-1"))
	}
	keys := words.Text.ArrowKeys
	if ui.Coarse() {
		keys = "" // a phone has none
	}
	switch active := ui.Document.Get("activeElement"); {
	case weights == nil:
		ui.SetText(v.note, words.Text.CurveNone)
	case v.drawing || active.Truthy() && v.chart.Call("contains", active).Bool():
		ui.SetText(v.note, words.Join(fmt.Sprintf(words.Text.BlockWeight, v.title(v.focus, m), words.Signed(float64(weights[v.focus]))), keys))
	default:
		ui.SetText(v.note, words.Join(words.Text.DrawHint, keys))
	}
}

// title names a block: "Block 3, single".
func (v *weightChart) title(i int, m *app.Model) string {
	if i < m.Blocks.Double {
		return fmt.Sprintf(words.Text.BlockDouble, i)
	}
	return fmt.Sprintf(words.Text.BlockSingle, i)
}
