package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// laboratory is the page: one experiment at a time.
type laboratory struct {
	parts  js.Value // web/lab.js
	models []string // addresses of the models that the site offers
	about  recipe.Description
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
	l.models = strings.Fields(ui.ByID("app").GetAttribute("data-models"))
	ctx := context.Background()
	l.speak(ctx)
	if err := l.describe(ctx); err != nil {
		panic(err) // web/boot.js says that the page is not whole
	}
	l.name()
	l.list()
	ui.On(ui.Window, "hashchange", func(ui.Event) { go l.open(ctx) })
	l.open(ctx)
	ui.Root().Get("dataset").Set("state", "running")
	select {}
}

// describe reads what the first model offers, which takes no engine where the site has a
// description of it.
func (l *laboratory) describe(ctx context.Context) error {
	address := js.Global().Get("URL").New(l.models[0], ui.Document.Get("baseURI")).Get("href").String()
	l.models[0] = address
	beside := strings.TrimSuffix(address, "model.json") + recipe.DescriptionName
	response, err := promise.Await(ctx, js.Global().Call("fetch", beside))
	if err == nil && response.Get("ok").Bool() {
		body, err := promise.Await(ctx, response.Call("text"))
		if err == nil {
			l.about, err = recipe.ParseDescription([]byte(body.String()))
		}
		if err == nil {
			return nil
		}
	}
	told, err := promise.Await(ctx, l.parts.Get("Undertone").Call("describe", address))
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(stringify(told)), &l.about)
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

// first is what is proposed to ask: few pictures, for a first answer within a minute or
// two. Directions belong to no seed.
func first(e lab.Experiment) lab.Asked {
	a := lab.Asked{Experiment: e.Name, Seeds: 2, Number: 4}
	if e.Alone {
		a.Seeds = 1
	}
	return a
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
	l.view = l.show(e)
	l.view.recall(ctx)
}

// load has the model on the device that was chosen.
func (l *laboratory) load(ctx context.Context, device string) error {
	key := l.models[0] + " " + device
	if l.loaded == key {
		return nil
	}
	if l.loaded != "" {
		l.model.Call("close")
		l.loaded = ""
	}
	options := map[string]any{"device": device, "store": true}
	model, err := promise.Await(ctx, l.parts.Get("Undertone").Call("load", l.models[0], options))
	if err != nil {
		return err
	}
	l.model, l.loaded = model, key
	if err := json.Unmarshal([]byte(stringify(model.Get("info"))), &l.info); err != nil {
		return err
	}
	bar := ui.ByID("device")
	ui.SetText(bar, fmt.Sprintf("%s · %s", l.info.Title, l.info.Backend))
	ui.Show(bar, true)
	return nil
}
