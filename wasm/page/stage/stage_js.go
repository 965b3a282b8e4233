package stage

import (
	"fmt"
	"slices"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Pane is a view of the stage with a tab of its own. It is rendered only while it
// is shown, so it reads everything from the state; its box is built once.
type Pane interface {
	app.View
	Box() ui.Element
}

// reactor is a pane that acts on changes, while it is shown.
type reactor interface{ React(s *app.State) }

// Stage shows one of its panes, chosen by tabs.
type Stage struct {
	app     *app.App
	section ui.Element
	welcome ui.Element
	tabs    ui.Element
	ids     []string
	panes   map[string]Pane
	tab     map[string]ui.Element
	frames  ui.Element
	shown   string
	tone    *app.Picture // whose mean colour the page has
}

// New makes the stage of a section of index.html.
func New(a *app.App, section ui.Element) *Stage {
	v := &Stage{
		app: a, section: section, welcome: ui.ByID("welcome"), frames: ui.ByID("frames"),
		tabs:  ui.El("div", ui.Attrs{{"role", "tablist"}, {"class", "tabs"}, {"aria-label", &words.Text.Views}, {"hidden", ""}}),
		panes: map[string]Pane{}, tab: map[string]ui.Element{},
	}
	section.Call("insertBefore", v.tabs.Value, v.frames.Value)
	ui.On(v.tabs, "keydown", v.key)
	a.React(func(s *app.State) {
		if p, ok := v.panes[s.Tab].(reactor); ok {
			p.React(s)
		}
	})
	a.OnMake = append(a.OnMake, v.reveal)
	return v
}

// Add registers a pane; title is the text of its tab.
func (v *Stage) Add(id string, title *string, p Pane) {
	tab := ui.Button("tab", title, func() { v.choose(id) })
	tab.SetID("tab-" + id)
	ui.SetAttr(tab, "role", "tab")
	ui.SetAttr(tab, "aria-controls", "pane-"+id)
	ui.Append(v.tabs, tab)
	box := p.Box()
	box.SetID("pane-" + id)
	ui.SetAttr(box, "role", "tabpanel")
	ui.SetAttr(box, "aria-labelledby", "tab-"+id)
	ui.Show(box, false)
	ui.Append(v.frames, box)
	v.ids = append(v.ids, id)
	v.panes[id], v.tab[id] = p, tab
}

// reveal shows what is being made: the picture, unless it is watched beside another.
func (v *Stage) reveal() {
	if v.app.State.Tab != "compare" {
		v.choose("picture")
	}
	v.frames.Call("scrollIntoView", map[string]any{"block": "nearest"})
}

func (v *Stage) choose(id string) { v.app.Update(func(s *app.State) { s.Tab = id }) }

// key moves among the tabs as the pattern for tabs asks.
func (v *Stage) key(e ui.Event) {
	k, ok := ui.Key(e)
	if !ok {
		return
	}
	forth := "ArrowRight"
	if ui.Root().Get("dir").String() == "rtl" {
		forth = "ArrowLeft"
	}
	i := slices.Index(v.ids, v.app.State.Tab)
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

// Render draws the tabs and the pane that is shown.
func (v *Stage) Render(s *app.State) {
	shown, _ := s.Shown()
	started := shown != nil || s.Phase == app.Generating
	ui.SetFlag(v.section, "data-started", started)
	ui.SetAttr(v.section, "data-pane", s.Tab)
	ui.Show(v.welcome, s.Phase == app.Waiting || s.Phase == app.Loading)
	if s.Picture != nil && s.Picture != v.tone {
		v.tone = s.Picture
		setTone(s.Picture)
	}
	ui.Show(v.tabs, started || s.Tab != "picture")
	for _, id := range v.ids {
		here := id == s.Tab
		if here && v.shown != id { // on a phone there is no room for all tabs
			v.shown = id
			v.place(id)
			tab := v.tab[id]
			v.tabs.Set("scrollLeft", tab.Get("offsetLeft").Int()-(v.tabs.Get("clientWidth").Int()-tab.Get("offsetWidth").Int())/2)
		}
		ui.SetState(v.tab[id], "aria-selected", here)
		ui.SetAttr(v.tab[id], "tabindex", ui.Either(here, "0", "-1"))
		ui.Show(v.panes[id].Box(), here)
		if here {
			v.panes[id].Render(s)
		}
	}
}

// place puts guidance under the views of one picture, and before those that are long.
func (v *Stage) place(id string) {
	guidance := ui.ByID("guidance")
	under := id == "picture" || id == "compare" || id == "steps"
	switch above := guidance.Get("nextElementSibling").Equal(v.frames.Value); {
	case under && above:
		v.frames.Call("after", guidance.Value)
	case !under && !above:
		v.frames.Call("before", guidance.Value)
	}
}

// setTone gives the page the picture's mean colour; the style sheet decides what
// becomes of it.
func setTone(p *app.Picture) {
	image, ok := p.Image.(js.Value)
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
	ui.Root().Get("style").Call("setProperty", "--undertone", fmt.Sprintf("rgb(%d %d %d)", sum[0]/max(1, n), sum[1]/max(1, n), sum[2]/max(1, n)))
}
