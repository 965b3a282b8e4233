package page

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"honnef.co/go/js/dom/v2"
)

// promptView is the prompt with its helpers, and the buttons that start and stop
// a picture.
type promptView struct {
	app        *app
	field      element
	mirror     element // the prompt once more, with the words marked that are not known
	mirrored   string
	suggest    element
	examples   element
	words      element
	generate   element
	says, keys element
	stop       element
	note       element
	filled     bool // examples and words are there
}

func newPrompt(a *app, panel element) *promptView {
	v := &promptView{
		app: a,
		field: el("textarea", attrs{"rows": "2", "spellcheck": "false", "autocapitalize": "off", "placeholder": &say.PromptHint,
			"aria-describedby": "mirror"}),
		mirror:   el("p", attrs{"id": "mirror", "class": "mirror", "hidden": ""}),
		suggest:  el("div", attrs{"id": "suggestions", "class": "chips", "role": "group", "aria-label": &say.Suggestions, "hidden": ""}),
		examples: el("div", attrs{"id": "prompt-examples", "class": "chips", "role": "group", "aria-label": &say.Examples}),
		words:    el("div", attrs{"class": "words"}),
		says:     el("span", nil, &say.Generate),
		keys:     el("kbd", nil, &say.GenerateKeys),
		stop:     button("secondary", &say.Stop, a.stop),
		// For the eyes: what is said to screen readers is in the live region.
		note: el("p", attrs{"id": "note", "class": "muted", "aria-hidden": "true"}),
	}
	v.generate = button("primary", "", a.generate)
	v.generate.SetID("generate")
	add(v.generate, v.says, v.keys)
	v.stop.SetID("stop")
	add(v.stop, el("kbd", nil, &say.StopKeys))
	lucky := iconButton("secondary square", "spark", &say.Surprise, v.surprise)
	lucky.SetID("surprise")
	on(v.field, "input", func(dom.Event) {
		a.update(func(s *state) { s.form.prompt = v.field.Get("value").String() })
	})
	// Marking waits for the end of a word while somebody types, and no longer.
	on(v.field, "focusout", func(dom.Event) { a.update(func(*state) { v.mirrored = "" }) })
	delegate(v.suggest, "button", func(at element) {
		v.set(complete(a.state.form.prompt, at.TextContent()))
		v.field.Focus()
	})
	add(panel, el("section", attrs{"class": "card", "id": "ask"},
		labelled("prompt", &say.Prompt, v.field),
		v.mirror, v.suggest,
		el("div", attrs{"class": "actions"}, v.generate, v.stop, lucky),
		v.note,
		v.examples,
		el("details", attrs{"id": "understands"}, el("summary", nil, &say.Understands), el("p", attrs{"class": "muted"}, &say.UnderstandsHint), v.words),
	))
	return v
}

func (v *promptView) render(s *state) {
	if s.model != nil && !v.filled {
		v.fill(s.model)
	}
	setValue(v.field, s.form.prompt)
	v.renderMirror(s)
	setText(v.note, s.note)
	show(v.note, s.note != "")
	working := s.working()
	show(v.stop, working)
	show(v.keys, !working)
	// Not disabled, so that a keyboard stays on it; a press then says why nothing happens.
	setAttr(v.generate, "aria-disabled", fmt.Sprint(working || s.phase == waiting || s.phase == loading))
	switch {
	case !working:
		setText(v.says, say.Generate)
	case s.running.step == 0:
		setText(v.says, say.Starting)
	default:
		setText(v.says, fmt.Sprintf(say.Working, s.running.step, s.running.steps))
	}
}

// renderMirror repeats the prompt when it has words that the model does not know.
func (v *promptView) renderMirror(s *state) {
	typing := document.Get("activeElement").Equal(v.field.Value)
	now := fmt.Sprint(typing, len(s.info.words), root().Get("lang"), s.form.prompt)
	if s.model == nil || now == v.mirrored {
		return
	}
	v.mirrored = now
	var phrases []string
	if typing {
		phrases = suggestions(s.form.prompt, s.model.Understands, 6)
	}
	v.suggest.SetTextContent("")
	for _, phrase := range phrases {
		add(v.suggest, el("button", attrs{"type": "button", "class": "chip"}, phrase))
	}
	show(v.suggest, len(phrases) > 0)

	pieces, unknown := marked(s.form.prompt, s.info.words, typing)
	if s.info.words == nil || len(s.form.prompt) > 400 {
		unknown = 0
	}
	show(v.mirror, unknown > 0)
	v.mirror.SetTextContent("")
	if unknown == 0 {
		return
	}
	add(v.mirror, el("span", attrs{"class": "strong"}, say.Unknown), " ")
	for _, p := range pieces {
		if p.unknown {
			add(v.mirror, el("mark", nil, p.text))
		} else {
			add(v.mirror, p.text)
		}
	}
}

func (v *promptView) fill(m *model) {
	v.filled = true
	const shown = 3 // the others would push the controls away
	for _, example := range m.Examples[:min(shown, len(m.Examples))] {
		add(v.examples, button("chip", example, func() { v.set(example) }))
	}
	u := m.Understands
	for _, group := range []struct {
		name  *string
		words []string
	}{
		{&say.Objects, u.Objects}, {&say.Colours, u.Colours}, {&say.Counts, u.Counts}, {&say.Places, u.Places},
		{&say.Styles, u.Styles}, {&say.Relations, u.Relations}, {&say.Quality, u.Quality},
	} {
		if len(group.words) == 0 {
			continue
		}
		chips := el("div", attrs{"class": "chips", "role": "group", "aria-label": group.name})
		for _, word := range group.words {
			add(chips, button("chip small", word, func() { v.append(word) }))
		}
		add(v.words, el("p", attrs{"class": "group"}, group.name), chips)
	}
}

// set replaces the prompt.
func (v *promptView) set(prompt string) {
	v.field.Set("value", prompt)
	v.app.update(func(s *state) { s.form.prompt = prompt })
}

// append adds words to the end of the prompt.
func (v *promptView) append(words string) {
	prompt := strings.TrimSpace(v.app.state.form.prompt)
	if prompt != "" {
		prompt += " "
	}
	v.set(prompt + words)
}

// surprise makes up a prompt, takes another seed, and makes the picture if it can.
func (v *promptView) surprise() {
	s := &v.app.state
	if s.model == nil || len(s.model.Understands.Objects) == 0 || s.working() {
		return
	}
	v.set(surprise(s.model.Understands, s.info.words))
	s.form.seed = float64(rand.Uint32())
	v.app.generate()
}
