package page

import (
	"fmt"
	"math"

	"honnef.co/go/js/dom/v2"
)

// bars draw the weight of every block as a bar around the line of zero. A pointer
// draws on them; with the keyboard, each bar is a slider, of which one is in the
// order of Tab.
type bars struct {
	app      *app
	box      element
	chart    element
	list     []element // one for every block
	note     element
	halves   element // which blocks are double and which single
	low, top element
	scale    scale // as it is drawn, where a pointer points
	focus    int
	// The last point of the stroke that is being drawn.
	drawing bool
	at      int
	height  float64
}

func newBars(a *app) *bars {
	v := &bars{
		app:    a,
		chart:  el("div", attrs{"class": "bars", "id": "bars", "role": "group", "aria-label": &say.Curve, "aria-describedby": "bars-note"}),
		note:   el("p", attrs{"class": "muted", "id": "bars-note"}),
		halves: el("div", attrs{"class": "halves", "aria-hidden": "true"}),
		low:    el("span", attrs{"class": "low", "aria-hidden": "true"}), top: el("span", attrs{"class": "top", "aria-hidden": "true"}),
	}
	v.box = el("div", attrs{"class": "curve"}, el("div", attrs{"class": "plot"}, v.chart, v.top, v.low), v.halves, v.note)
	on(v.chart, "pointerdown", v.press)
	on(v.chart, "pointermove", v.move)
	for _, kind := range []string{"pointerup", "pointercancel"} {
		on(v.chart, kind, func(dom.Event) {
			if v.drawing {
				v.drawing = false
				a.follow(true)
			}
		})
	}
	on(v.chart, "keydown", v.key)
	return v
}

func (v *bars) draw(still bool, weights map[int]float64) {
	v.app.edit(still, func(f *form) {
		f.edit(func(t *term) { t.draw(weights, v.app.state.model.blocks()) })
	})
}

// point is the block under a pointer and the weight that its height means.
func (v *bars) point(e dom.Event) (block int, weight float64) {
	event := e.Underlying()
	box := v.chart.Call("getBoundingClientRect")
	place := (event.Get("clientX").Float() - box.Get("left").Float()) / box.Get("width").Float()
	if root().Get("dir").String() == "rtl" {
		place = 1 - place
	}
	height := (box.Get("bottom").Float() - event.Get("clientY").Float()) / box.Get("height").Float()
	return blockAt(place, len(v.list)), v.scale.weight(height)
}

func (v *bars) press(e dom.Event) {
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

func (v *bars) move(e dom.Event) {
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
func (v *bars) weights() []float32 {
	s := &v.app.state
	if s.model == nil {
		return nil
	}
	return s.form.terms[s.form.term].curve(s.model.blocks())
}

func (v *bars) key(e dom.Event) {
	k, ok := e.(*dom.KeyboardEvent)
	weights := v.weights()
	if !ok || len(weights) == 0 || k.CtrlKey() || k.MetaKey() || k.AltKey() {
		return
	}
	forth := 1
	if root().Get("dir").String() == "rtl" {
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
		v.app.update(func(*state) {})
		return
	}
	if change != 0 {
		v.draw(true, map[int]float64{v.focus: math.Round((float64(weights[v.focus])+change)*100) / 100})
	}
}

// build makes a bar for every block, and the line that says which are double.
func (v *bars) build(m *model) {
	for i := range m.blocks() {
		bar := el("span", attrs{"role": "slider", "aria-orientation": "vertical"}, el("i", nil))
		setFlag(bar, "data-double", i < m.Blocks.Double)
		on(bar, "focus", func(dom.Event) {
			if v.focus != i {
				v.focus = i
				v.app.update(func(*state) {})
			}
		})
		v.list = append(v.list, bar)
		add(v.chart, bar)
	}
	for _, half := range []struct {
		blocks int
		text   *string
		class  string
	}{{m.Blocks.Double, &say.DoubleBlocks, "double"}, {m.Blocks.Single, &say.SingleBlocks, "single"}} {
		if half.blocks == 0 {
			continue
		}
		e := el("span", attrs{"class": half.class}, "")
		follow(half.text, func(text string) { setText(e, fmt.Sprintf(text, half.blocks)) })
		e.Style().SetProperty("flex-grow", fmt.Sprint(half.blocks), "")
		add(v.halves, e)
	}
}

func (v *bars) render(weights []float32, s scale, m *model) {
	if len(v.list) == 0 {
		v.build(m)
	}
	v.scale = s
	set := func(e element, name string, x float64) { e.Style().SetProperty(name, fmt.Sprintf("%.4f", x), "") }
	set(v.chart, "--zero", s.at(0))
	setText(v.low, signText(s.low))
	setText(v.top, signText(s.top))
	for i, bar := range v.list {
		w := 0.0
		if weights != nil {
			w = float64(weights[i])
		}
		set(bar, "--up", math.Max(0, w)/(s.top-s.low))
		set(bar, "--down", math.Max(0, -w)/(s.top-s.low))
		setAttr(bar, "aria-label", v.title(i, m))
		setAttr(bar, "aria-valuemin", numberText(s.low))
		setAttr(bar, "aria-valuemax", numberText(s.top))
		setAttr(bar, "aria-valuenow", numberText(w))
		setAttr(bar, "tabindex", map[bool]string{true: "0", false: "-1"}[i == v.focus])
	}
	switch active := document.Get("activeElement"); {
	case weights == nil:
		setText(v.note, say.CurveNone)
	case v.drawing || active.Truthy() && v.chart.Call("contains", active).Bool():
		setText(v.note, fmt.Sprintf(say.BlockWeight, v.title(v.focus, m), signText(float64(weights[v.focus]))))
	default:
		setText(v.note, say.DrawHint)
	}
}

// title names a block: "Block 3, single".
func (v *bars) title(i int, m *model) string {
	if i < m.Blocks.Double {
		return fmt.Sprintf(say.BlockDouble, i)
	}
	return fmt.Sprintf(say.BlockSingle, i)
}
