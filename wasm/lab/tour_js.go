package main

import (
	"context"
	"encoding/json"
	"fmt"

	"undertone/lab"
	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
	"undertone/wasm/promise"
)

// tour is its name in addresses, where number is that of the stop.
const tour = "tour"

// stops are the experiments whose results the site brings along (make tour).
var stops = []string{"pooled", "guidance", "weight", "block"}

// visit shows a stop of the tour: what came out when its question was asked in advance.
func (l *laboratory) visit(ctx context.Context, number int) {
	number = max(0, min(number, len(stops)-1))
	name := stops[number]
	box := ui.ByID("experiment")
	box.Call("replaceChildren")
	e, err := lab.Find(name)
	if err != nil {
		panic(err) // a test finds them all
	}
	ui.Append(box, ui.El("p", ui.Attrs{{"class", "muted"}}, fmt.Sprintf("%s · %d / %d", words.Text.Tour, number+1, len(stops))),
		ui.El("h2", ui.Attrs{{"id", "question"}}, words.Say(e.Question)))
	if number == 0 {
		ui.Append(box, ui.El("p", ui.Attrs{{"class", "muted"}}, words.Text.TourLead))
	}
	ui.Append(box, ui.El("p", ui.Attrs{{"class", "lead"}}, words.Text.Stops[name]))
	shown := ui.El("div", ui.Attrs{{"class", "card answer"}, {"id", "answer"}})
	ui.Append(box, shown)
	r, err := l.recorded(ctx, e)
	if ui.ByID("answer").Value.Equal(shown.Value) { // else another was chosen meanwhile
		if err != nil {
			ui.Append(shown, ui.El("p", nil, words.Text.NotThere))
		} else {
			l.exhibit(shown, e, r)
		}
		ui.Append(box, l.steps(number, r))
	}
}

// recorded are the results of a stop.
func (l *laboratory) recorded(ctx context.Context, e lab.Experiment) (*lab.Results, error) {
	file, err := promise.Await(ctx, l.parts.Call("recorded", e.Name))
	if err != nil {
		return nil, err
	}
	r := &lab.Results{}
	err = json.Unmarshal([]byte(file.String()), r)
	r.Question, r.X, r.Paper, r.Here = e.Question, e.X, e.Paper, e.Here // as they are put today
	return r, err
}

// exhibit shows results as an experiment shows its own.
func (l *laboratory) exhibit(box ui.Element, e lab.Experiment, r *lab.Results) {
	a := answer{image: ui.El("img", ui.Attrs{{"alt", words.Say(e.Question)}}), sheet: newSheet()}
	a.plot(r)
	a.sheet.show(r)
	said, _ := r.Conclude()
	made := fmt.Sprintf(words.Text.Made, len(r.Rows), r.Model)
	if r.Model != l.about.Model || r.Revision != l.about.Revision {
		made += words.Text.MadeOther
	}
	table := ui.El("div", ui.Attrs{{"class", "scroll"}, {"tabindex", "0"}, {"role", "region"}, {"aria-label", words.Text.Table}}, numbers(r))
	ui.Append(box, ui.El("p", ui.Attrs{{"class", "conclusion"}}, words.Say(said)), a.image, a.sheet.box,
		ui.El("details", nil, ui.El("summary", nil, words.Text.Table), table), ui.El("p", ui.Attrs{{"class", "muted"}}, orElse(words.Say(r.Paper), words.Text.Unasked)), ui.El("p", ui.Attrs{{"class", "muted"}}, made))
}

// steps lead to the stops before and after, and to the question itself.
func (l *laboratory) steps(number int, r *lab.Results) ui.Element {
	row := ui.El("div", ui.Attrs{{"class", "run"}})
	if number > 0 {
		ui.Append(row, ui.El("a", ui.Attrs{{"class", "secondary"}, {"href", "#" + lab.Asked{Experiment: tour, Number: number - 1, Seeds: 1}.Query()}}, words.Text.Back))
	}
	if number < len(stops)-1 {
		ui.Append(row, ui.El("a", ui.Attrs{{"class", "primary"}, {"id", "next"}, {"href", "#" + lab.Asked{Experiment: tour, Number: number + 1, Seeds: 1}.Query()}}, words.Text.Next))
	}
	if r != nil {
		again := lab.Asked{Experiment: stops[number], Prompts: r.Prompts, Seeds: len(r.Seeds)}
		ui.Append(row, ui.El("a", ui.Attrs{{"class", "secondary"}, {"id", "ask"}, {"href", "#" + again.Query()}}, words.Text.AskAgain))
	}
	return row
}
