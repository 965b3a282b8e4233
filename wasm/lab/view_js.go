package main

import (
	"fmt"
	"strings"

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
