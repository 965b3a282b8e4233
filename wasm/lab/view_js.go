package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"undertone/engine/recipe"
	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// view is one experiment on the page: the question, what is asked, and the answer.
type view struct {
	l *laboratory
	e lab.Experiment
	fields
	run, pause, again ui.Element
	progress, said    ui.Element
	ballot            *ballot
	answer            answer
	results           *lab.Results
	key               string     // under which they are kept
	left              int        // comparisons to make, where results are not whole
	unkept            bool       // the browser does not keep them
	own               ui.Element // the presets of one's own
}

// fields are what people fill in.
type fields struct {
	prompts, seeds, direction, positive, negative, weight, device, look, distance ui.Element
	drawn                                                                         *drawing
}

const ownWords = "own"

// show builds the view in the place of the one before.
func (l *laboratory) show(e lab.Experiment) *view {
	v := &view{l: l, e: e, ballot: newBallot()}
	box := ui.ByID("experiment")
	box.Call("replaceChildren")
	paper := ui.El("div", nil, ui.El("h3", nil, &words.Text.Paper), ui.El("p", nil, orElse(words.Say(e.Paper), words.Text.Unasked)))
	here := ui.El("div", nil, ui.El("h3", nil, &words.Text.Here), ui.El("p", nil, words.Say(e.Here)))
	told := ui.El("div", ui.Attrs{{"class", "told"}}, paper, here)
	if e.Judged {
		ui.Append(told, ui.El("div", nil, ui.El("h3", nil, &words.Text.TheJudge), ui.El("p", nil, l.judge())))
	}
	v.answer.build(v)
	ui.Append(box,
		ui.El("h2", ui.Attrs{{"id", "question"}}, words.Say(e.Question)),
		ui.El("p", ui.Attrs{{"class", "lead"}}, words.Say(e.Plain)),
		told, v.form(), v.buttons(), v.ballot.box, v.answer.box)
	if e.Voted {
		ui.Append(box, v.merging())
	}
	v.own = ui.El("div", ui.Attrs{{"class", "own"}})
	if e.Name == "settings" {
		ui.Append(v.own, l.mine())
	}
	ui.Append(box, v.own)
	return v
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// judge tells what the model's judge can say, with how often it was right.
func (l *laboratory) judge() string {
	if l.about.Judge == nil {
		return words.Text.NoJudge
	}
	var sure, unsure []string
	for _, a := range l.about.Judge.Attributes {
		if a.Judged() {
			sure = append(sure, fmt.Sprintf("%s %.1f %%", words.Say(a.Name), 100*a.Accuracy))
		} else {
			unsure = append(unsure, fmt.Sprintf("%s (%.1f %%)", words.Say(a.Name), 100*a.Accuracy))
		}
	}
	said := fmt.Sprintf(words.Text.Judge, strings.Join(sure, ", "))
	if len(unsure) > 0 {
		said += fmt.Sprintf(words.Text.Unjudged, strings.Join(unsure, ", "))
	}
	return said
}

// form is what can be asked. It is read when the experiment is run.
func (v *view) form() ui.Element {
	a, about := v.l.asked, &v.l.about
	setting, _ := a.Setting(*about, about.Request()) // what is wrong is said when it runs
	v.prompts = ui.El("textarea", ui.Attrs{{"rows", "4"}, {"spellcheck", "false"}})
	v.prompts.Set("value", strings.Join(setting.Prompts, "\n"))
	v.seeds = number(a.Seeds, 1, lab.MostSeeds)
	v.direction = ui.El("select", nil)
	for _, p := range about.Presets {
		ui.Append(v.direction, ui.El("option", ui.Attrs{{"value", p.ID}}, words.Say(p.Title)))
	}
	ui.Append(v.direction, ui.El("option", ui.Attrs{{"value", ownWords}}, &words.Text.Own))
	v.positive, v.negative = ui.El("input", nil), ui.El("input", nil)
	v.weight = ui.El("input", ui.Attrs{{"type", "number"}, {"step", "0.5"}, {"min", strconv.Itoa(-recipe.MaxWeight)}, {"max", strconv.Itoa(recipe.MaxWeight)}})
	switch {
	case a.Positive != "" || a.Negative != "" || len(about.Presets) == 0:
		v.direction.Set("value", ownWords)
	case a.Preset != "":
		v.direction.Set("value", a.Preset)
	}
	v.positive.Set("value", setting.Direction.Positive)
	v.negative.Set("value", setting.Direction.Negative)
	v.weight.Set("value", strconv.FormatFloat(setting.Direction.Weight, 'g', -1, 64))
	v.device = ui.El("select", nil, ui.El("option", ui.Attrs{{"value", "auto"}}, &words.Text.GPU), ui.El("option", ui.Attrs{{"value", "cpu"}}, &words.Text.CPU))
	prompts := ui.Labelled("prompts", &words.Text.Prompts, v.prompts)
	prompts.Get("classList").Call("add", "wide")
	ui.Append(prompts, ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.PromptsHint))
	seeds := ui.Labelled("seeds", &words.Text.Seeds, v.seeds)
	ui.Append(seeds, ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.SeedsHint))
	rows := ui.El("div", ui.Attrs{{"class", "asked"}}, prompts, seeds)
	if v.e.Steers() {
		own := []ui.Element{ui.Labelled("positive", &words.Text.Positive, v.positive), ui.Labelled("negative", &words.Text.Negative, v.negative)}
		adapt := func() {
			id := v.direction.Get("value").String()
			if i := slices.IndexFunc(about.Presets, func(p recipe.Preset) bool { return p.ID == id }); i >= 0 {
				p := about.Presets[i]
				v.positive.Set("value", p.Positive)
				v.negative.Set("value", p.Negative)
				v.weight.Set("value", strconv.FormatFloat(p.Weight, 'g', -1, 64))
			}
		}
		ui.On(v.direction, "change", func(ui.Event) { adapt() })
		for _, e := range []ui.Element{v.positive, v.negative} {
			ui.On(e, "input", func(ui.Event) { v.direction.Set("value", ownWords) })
		}
		ui.Append(rows, ui.Labelled("direction", &words.Text.Direction, v.direction), own[0], own[1])
		if v.e.Name != "settings" {
			ui.Append(rows, ui.Labelled("weight", &words.Text.Weight, v.weight))
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
	v.distance = ui.El("select", nil)
	for _, name := range lab.Distances {
		ui.Append(v.distance, ui.El("option", ui.Attrs{{"value", name}}, words.Text.Distances[name]))
	}
	v.distance.Set("value", cmp.Or(setting.Distance, lab.Distances[0]))
	if v.e.Compares() {
		ui.Append(rows, ui.Labelled("distance", &words.Text.Distance, v.distance))
	}
	ui.Append(rows, ui.Labelled("computes", &words.Text.Device, v.device))
	return ui.El("div", ui.Attrs{{"class", "card"}}, ui.El("h3", nil, &words.Text.Asked), rows)
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
	a.Preset = v.direction.Get("value").String()
	if a.Preset == ownWords {
		a.Preset, a.Positive, a.Negative = "", v.positive.Get("value").String(), v.negative.Get("value").String()
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

// buttons run, pause and begin anew, with how far it is beside them.
func (v *view) buttons() ui.Element {
	v.run = ui.Button("primary", &words.Text.Run, func() { go v.start(false) })
	v.run.SetID("run")
	v.pause = ui.Button("secondary", &words.Text.Pause, func() {
		if v.l.stop != nil {
			v.l.stop()
		}
	})
	v.pause.SetID("pause")
	v.again = ui.Button("quiet", &words.Text.Again, func() { go v.start(true) })
	v.again.SetID("again")
	v.progress = ui.El("progress", ui.Attrs{{"max", "1"}, {"aria-label", words.Say(v.e.Question)}})
	v.said = ui.El("p", ui.Attrs{{"class", "muted"}, {"id", "said"}})
	for _, e := range []ui.Element{v.pause, v.again, v.progress} {
		ui.Show(e, false)
	}
	return ui.El("div", ui.Attrs{{"class", "run"}}, v.run, v.pause, v.progress, v.said, v.again)
}
