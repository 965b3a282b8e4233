package main

import (
	"context"
	"strings"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// laboratory is the page: one experiment at a time.
type laboratory struct {
	parts  js.Value // web/lab.js
	models []source
	chosen source             // of these
	about  recipe.Description // it
	asked  lab.Asked

	model  js.Value // an Undertone, once loaded
	loaded string   // the address and device of which
	info   recipe.Info

	titles map[string]string // of presets, by id, in the page's language

	view *view
	stop context.CancelFunc // of the run; nil where none is
}

func main() {
	l := &laboratory{parts: js.Global().Get("undertone")}
	ctx := context.Background()
	l.speak(ctx)
	l.sources(ctx, strings.Fields(ui.ByID("app").GetAttribute("data-models")))
	if err := l.understand(ctx); err != nil {
		panic(err) // web/boot.js says that the page is not whole
	}
	l.list()
	ui.On(ui.Window, "hashchange", func(ui.Event) { go l.open(ctx) })
	l.open(ctx)
	ui.Root().Get("dataset").Set("state", "running")
	select {}
}

func stringify(v js.Value) string { return js.Global().Get("JSON").Call("stringify", v).String() }

// list shows the experiments.
func (l *laboratory) list() {
	items := ui.El("ul", nil)
	ui.Append(items, ui.El("li", nil, ui.El("a", ui.Attrs{{"href", "#" + lab.Asked{Experiment: tour, Seeds: 1}.Query()}, {"data-name", tour}}, words.Text.Tour)))
	for _, e := range lab.Experiments {
		a := ui.El("a", ui.Attrs{{"href", "#" + first(e).Query()}, {"data-name", e.Name}}, words.Say(e.Question))
		ui.Append(items, ui.El("li", nil, a))
	}
	ui.ByID("questions").SetAttribute("aria-label", words.Text.Questions)
	ui.Append(ui.ByID("questions"), items)
}

// open shows the experiment that the address names, or a stop of the tour, the first where
// it names neither. A run of another one is paused.
func (l *laboratory) open(ctx context.Context) {
	asked := lab.ParseQuery(strings.TrimPrefix(js.Global().Get("location").Get("hash").String(), "#"))
	e, err := lab.Find(asked.Experiment)
	if err != nil {
		asked.Experiment = tour
	}
	if l.stop != nil {
		l.stop()
	}
	l.asked = asked
	links := ui.Document.Call("querySelectorAll", "#questions a")
	for i := range links.Length() {
		at := ui.Wrap(links.Index(i))
		if at.GetAttribute("data-name") == asked.Experiment {
			at.SetAttribute("aria-current", "true")
			list := at.Call("closest", "ul") // which is scrolled where the page is narrow
			from := func(v js.Value) float64 { return v.Call("getBoundingClientRect").Get("left").Float() }
			list.Set("scrollLeft", list.Get("scrollLeft").Float()+from(at.Value)-from(list))
		} else {
			at.RemoveAttribute("aria-current")
		}
	}
	if l.view = nil; err != nil {
		l.visit(ctx, asked.Number)
		return
	}
	refused := l.understand(ctx)
	if l.asked.Experiment != asked.Experiment || l.asked.Model != asked.Model {
		return // another was chosen meanwhile
	}
	l.view = l.show(e)
	if refused != nil { // it is still the model from before
		ui.SetText(l.view.said, message(refused))
		return
	}
	l.view.recall(ctx)
}
