package page

import (
	"fmt"
	"slices"
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// pane is a view of the stage with a tab of its own. It is rendered only while it
// is shown, so it reads everything from the state; panel is built once.
type pane interface {
	view
	panel() element
}

// stage shows one of its panes, chosen by tabs.
type stage struct {
	app     *app
	section element
	welcome element
	tabs    element
	ids     []string
	panes   map[string]pane
	tab     map[string]element
	frames  element
	shown   string
	tinted  *picture // whose undertone the page has
}

func newStage(a *app, section element) *stage {
	v := &stage{
		app: a, section: section, welcome: byID("welcome"), frames: byID("frames"),
		tabs:  el("div", attrs{"role": "tablist", "class": "tabs", "aria-label": &say.Views, "hidden": ""}),
		panes: map[string]pane{}, tab: map[string]element{},
	}
	section.Call("insertBefore", v.tabs.Value, v.frames.Value)
	on(v.tabs, "keydown", v.key)
	return v
}

// add registers a pane; title is the text of its tab.
func (v *stage) add(id string, title *string, p pane) {
	tab := button("tab", title, func() { v.choose(id) })
	tab.SetID("tab-" + id)
	setAttr(tab, "role", "tab")
	setAttr(tab, "aria-controls", "pane-"+id)
	add(v.tabs, tab)
	box := p.panel()
	box.SetID("pane-" + id)
	setAttr(box, "role", "tabpanel")
	setAttr(box, "aria-labelledby", "tab-"+id)
	show(box, false)
	add(v.frames, box)
	v.ids = append(v.ids, id)
	v.panes[id], v.tab[id] = p, tab
}

func (v *stage) choose(id string) { v.app.update(func(s *state) { s.pane = id }) }

// key moves among the tabs as the pattern for tabs asks.
func (v *stage) key(e dom.Event) {
	k, ok := e.(*dom.KeyboardEvent)
	if !ok {
		return
	}
	forth := "ArrowRight"
	if root().Get("dir").String() == "rtl" {
		forth = "ArrowLeft"
	}
	i := slices.Index(v.ids, v.app.state.pane)
	switch k.Key() {
	case "ArrowRight", "ArrowLeft":
		if k.Key() == forth {
			i++
		} else {
			i += len(v.ids) - 1
		}
		i %= len(v.ids)
	case "Home":
		i = 0
	case "End":
		i = len(v.ids) - 1
	default:
		return
	}
	e.PreventDefault()
	v.choose(v.ids[i])
	v.tab[v.ids[i]].Focus()
}

func (v *stage) render(s *state) {
	started := s.picture != nil || s.phase == generating
	setFlag(v.section, "data-started", started)
	setAttr(v.section, "data-pane", s.pane)
	show(v.welcome, s.phase == waiting || s.phase == loading)
	if s.picture != nil && s.picture != v.tinted {
		v.tinted = s.picture
		tint(s.picture)
	}
	show(v.tabs, started || s.pane != "picture")
	for _, id := range v.ids {
		here := id == s.pane
		if here && v.shown != id { // on a phone there is no room for all tabs
			v.shown = id
			tab := v.tab[id]
			v.tabs.Set("scrollLeft", tab.Get("offsetLeft").Int()-(v.tabs.Get("clientWidth").Int()-tab.Get("offsetWidth").Int())/2)
		}
		setAttr(v.tab[id], "aria-selected", fmt.Sprint(here))
		setAttr(v.tab[id], "tabindex", map[bool]string{true: "0", false: "-1"}[here])
		show(v.panes[id].panel(), here)
		if here {
			v.panes[id].render(s)
		}
	}
}

// tint gives the page the picture's mean colour; the style sheet decides what
// becomes of it.
func tint(p *picture) {
	image, ok := p.image.(js.Value)
	if !ok {
		return
	}
	data := image.Get("data")
	pixels := make([]byte, data.Length())
	js.CopyBytesToGo(pixels, data)
	var sum [3]int
	const apart = 37 // pixels between two that are looked at
	n := 0
	for i := 0; i+3 < len(pixels); i += 4 * apart {
		for c := range sum {
			sum[c] += int(pixels[i+c])
		}
		n++
	}
	root().Get("style").Call("setProperty", "--undertone", fmt.Sprintf("rgb(%d %d %d)", sum[0]/max(1, n), sum[1]/max(1, n), sum[2]/max(1, n)))
}
