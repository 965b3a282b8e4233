package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// fields are what people fill in.
type fields struct {
	prompts, seeds, direction, positive, negative, weight, device, look, distance ui.Element
	drawn                                                                         *drawing
	from                                                                          *int // see lab.Asked.Start, of a preset of one's own
}

const ownWords = "own"

// form is what can be asked. It is read when the experiment is run.
func (v *view) form() ui.Element {
	a, about := v.l.asked, &v.l.about
	setting, _ := a.Setting(*about, about.Request()) // what is wrong is said when it runs
	v.prompts = ui.El("textarea", ui.Attrs{{"rows", "4"}, {"spellcheck", "false"}})
	v.prompts.Set("value", strings.Join(setting.Prompts, "\n"))
	v.seeds = number(a.Seeds, 1, lab.MostSeeds)
	v.device = ui.El("select", nil, ui.El("option", ui.Attrs{{"value", "auto"}}, &words.Text.GPU), ui.El("option", ui.Attrs{{"value", "cpu"}}, &words.Text.CPU))
	prompts := ui.Labelled("prompts", &words.Text.Prompts, v.prompts)
	prompts.Get("classList").Call("add", "wide")
	ui.Append(prompts, ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.PromptsHint))
	seeds := ui.Labelled("seeds", &words.Text.Seeds, v.seeds)
	ui.Append(seeds, ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.SeedsHint))
	rows := ui.El("div", ui.Attrs{{"class", "asked"}}, prompts, seeds)
	if len(v.l.models) > 1 {
		ui.Append(rows, v.choice())
	}
	steering := v.steering(setting)
	if v.e.Steers() {
		for _, e := range steering {
			ui.Append(rows, e)
		}
	}
	v.look = ui.El("input", nil)
	v.look.Set("value", strings.Join(a.Words, " "))
	if v.e.Looks {
		look := ui.Labelled("look", &words.Text.Look, v.look)
		ui.Append(look, ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.LookHint))
		ui.Append(rows, look)
	}
	v.drawn = newDrawing(about.Blocks.Double+about.Blocks.Single, a.Drawn)
	if v.e.Draws {
		ui.Append(rows, v.drawn.box)
	}
	if distance := v.comparing(setting); v.e.Compares() {
		ui.Append(rows, distance)
	}
	ui.Append(rows, ui.Labelled("computes", &words.Text.Device, v.device))
	return ui.El("div", ui.Attrs{{"class", "card"}}, ui.El("h3", nil, &words.Text.Asked), rows)
}

// steering asks for a direction: the model's presets, those of one's own, or words.
func (v *view) steering(setting lab.Setting) []ui.Element {
	a, about := v.l.asked, &v.l.about
	v.direction = ui.El("select", nil)
	for _, p := range about.Presets {
		ui.Append(v.direction, ui.El("option", ui.Attrs{{"value", p.ID}}, words.Say(p.Title)))
	}
	for _, p := range v.l.presets() {
		ui.Append(v.direction, ui.El("option", ui.Attrs{{"value", p.ID}}, p.Title))
	}
	ui.Append(v.direction, ui.El("option", ui.Attrs{{"value", ownWords}}, &words.Text.Own))
	v.positive, v.negative = ui.El("input", nil), ui.El("input", nil)
	v.weight = ui.El("input", ui.Attrs{{"type", "number"}, {"step", "0.5"}, {"min", strconv.Itoa(-recipe.MaxWeight)}, {"max", strconv.Itoa(recipe.MaxWeight)}})
	switch {
	case a.Positive != "" || a.Negative != "" || len(about.Presets) == 0:
		v.direction.Set("value", ownWords)
		v.from = a.Start
	case a.Preset != "":
		v.direction.Set("value", a.Preset)
	}
	v.positive.Set("value", setting.Direction.Positive)
	v.negative.Set("value", setting.Direction.Negative)
	v.weight.Set("value", strconv.FormatFloat(setting.Direction.Weight, 'g', -1, 64))
	take := func(p recipe.Preset) {
		v.positive.Set("value", p.Positive)
		v.negative.Set("value", p.Negative)
		v.weight.Set("value", strconv.FormatFloat(p.Weight, 'g', -1, 64))
	}
	ui.On(v.direction, "change", func(ui.Event) {
		id := v.direction.Get("value").String()
		v.from = nil
		if i := slices.IndexFunc(about.Presets, func(p recipe.Preset) bool { return p.ID == id }); i >= 0 {
			take(about.Presets[i])
		}
		for _, p := range v.l.presets() {
			if p.ID != id {
				continue
			}
			take(p.Preset)
			if t, err := p.Term(); err == nil {
				v.from = &t.Schedule.Start
			}
		}
	})
	for _, e := range []ui.Element{v.positive, v.negative} {
		ui.On(e, "input", func(ui.Event) { v.direction.Set("value", ownWords) })
	}
	rows := []ui.Element{ui.Labelled("direction", &words.Text.Direction, v.direction),
		ui.Labelled("positive", &words.Text.Positive, v.positive), ui.Labelled("negative", &words.Text.Negative, v.negative)}
	if v.e.Name != "settings" {
		rows = append(rows, ui.Labelled("weight", &words.Text.Weight, v.weight))
	}
	return rows
}

// comparing asks for the distance between pictures.
func (v *view) comparing(setting lab.Setting) ui.Element {
	v.distance = ui.El("select", nil)
	for _, name := range lab.Distances {
		if name == lab.DistanceFeatures && v.l.about.Edits == nil {
			continue // it has no encoder
		}
		ui.Append(v.distance, ui.El("option", ui.Attrs{{"value", name}}, words.Text.Distances[name]))
	}
	v.distance.Set("value", cmp.Or(setting.Distance, lab.Distances[0]))
	return ui.Labelled("distance", &words.Text.Distance, v.distance)
}

func number(value, low, high int) ui.Element {
	e := ui.El("input", ui.Attrs{{"type", "number"}, {"min", strconv.Itoa(low)}, {"max", strconv.Itoa(high)}, {"step", "1"}})
	e.Set("value", strconv.Itoa(value))
	return e
}

// read is what the form asks.
func (v *view) read() lab.Asked {
	a := lab.Asked{Experiment: v.e.Name, Prompts: lab.Lines(v.prompts.Get("value").String()), Seeds: 1}
	if n := ui.Number(v.seeds); n >= 1 {
		a.Seeds = int(min(n, lab.MostSeeds))
	}
	a.Preset, a.Model = v.direction.Get("value").String(), v.l.asked.Model
	if !slices.ContainsFunc(v.l.about.Presets, func(p recipe.Preset) bool { return p.ID == a.Preset }) { // of one's own
		a.Preset, a.Positive, a.Negative, a.Start = "", v.positive.Get("value").String(), v.negative.Get("value").String(), v.from
	}
	if v.e.Looks {
		a.Words = strings.Fields(v.look.Get("value").String())
	}
	if d := v.distance.Get("value").String(); v.e.Compares() && d != cmp.Or(v.e.Distance, lab.Distances[0]) {
		a.Distance = d
	}
	if v.e.Draws {
		a.Drawn = v.drawn.factors()
	}
	if w := ui.Number(v.weight); !math.IsNaN(w) {
		a.Weight = max(-recipe.MaxWeight, min(w, recipe.MaxWeight))
	}
	return a
}
