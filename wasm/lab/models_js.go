package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"syscall/js"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// source is a model that questions can be put to.
type source struct {
	address, title string
	about          *recipe.Description // nil until it is known
}

// sources lists the site's models, and the others that are kept whole on this device, such
// as published ones that were opened on the page.
func (l *laboratory) sources(ctx context.Context, addresses []string) {
	for _, a := range addresses {
		a = js.Global().Get("URL").New(a, ui.Document.Get("baseURI")).Get("href").String()
		m := source{address: a, title: a}
		if about, err := beside(ctx, a); err == nil {
			m.about, m.title = &about, about.Title
		}
		l.models = append(l.models, m)
	}
	kept, err := promise.Await(ctx, l.parts.Get("Undertone").Call("storage"))
	if err != nil {
		return // it never rejects
	}
	list := kept.Get("models")
	for i := range list.Length() {
		m := list.Index(i)
		s := source{address: m.Get("address").String(), title: cmp.Or(m.Get("title").String(), m.Get("name").String())}
		whole := m.Get("stored").Int() >= m.Get("bytes").Int()
		if whole && !slices.ContainsFunc(l.models, func(had source) bool { return had.address == s.address }) {
			l.models = append(l.models, s)
		}
	}
}

// named is the model of that address: the first, where the address is of none that is listed.
func (l *laboratory) named(address string) source {
	for _, m := range l.models {
		if m.address == address {
			return m
		}
	}
	return l.models[0]
}

// understand has what the chosen model offers, which takes the engine where the site has no
// description of it.
func (l *laboratory) understand(ctx context.Context) error {
	m := l.named(l.asked.Model)
	if m.address == l.chosen.address {
		return nil
	}
	if m.about == nil {
		told, err := promise.Await(ctx, l.parts.Get("Undertone").Call("describe", m.address))
		if err != nil {
			return err
		}
		m.about = &recipe.Description{}
		if err := json.Unmarshal([]byte(stringify(told)), m.about); err != nil {
			return err
		}
	}
	l.chosen, l.about = m, *m.about
	l.name()
	return nil
}

// beside is the site's description of a model.
func beside(ctx context.Context, address string) (about recipe.Description, err error) {
	response, err := promise.Await(ctx, js.Global().Call("fetch", strings.TrimSuffix(address, "model.json")+recipe.DescriptionName))
	if err != nil {
		return about, err
	}
	if !response.Get("ok").Bool() {
		return about, fault.New(fault.WeightsMissing, "%s has no description beside it", address)
	}
	body, err := promise.Await(ctx, response.Call("text"))
	if err != nil {
		return about, err
	}
	return recipe.ParseDescription([]byte(body.String()))
}

// choice asks which model is asked. Another one has directions and examples of its own.
func (v *view) choice() ui.Element {
	field := ui.El("select", nil)
	for _, m := range v.l.models {
		ui.Append(field, ui.El("option", ui.Attrs{{"value", m.address}}, m.title))
	}
	field.Set("value", v.l.chosen.address)
	ui.On(field, "change", func(ui.Event) {
		asked := first(v.e)
		if address := field.Get("value").String(); address != v.l.models[0].address {
			asked.Model = address
		}
		js.Global().Get("location").Set("hash", asked.Query())
	})
	return ui.Labelled("model", &words.Text.Model, field)
}

// load has the model on the device that was chosen.
func (l *laboratory) load(ctx context.Context, device string) error {
	key := l.chosen.address + " " + device
	if l.loaded == key {
		return nil
	}
	if l.loaded != "" {
		l.model.Call("close")
		l.loaded = ""
	}
	options := map[string]any{"device": device, "store": true}
	model, err := promise.Await(ctx, l.parts.Get("Undertone").Call("load", l.chosen.address, options))
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

// first is what is proposed to ask: few pictures, for a first answer within a minute or
// two. Directions belong to no seed.
func first(e lab.Experiment) lab.Asked {
	a := lab.Asked{Experiment: e.Name, Seeds: 2, Number: 4}
	if e.Alone {
		a.Seeds = 1
	}
	return a
}
