package panel

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Prompt is the prompt with its helpers, and the buttons that start and stop
// a picture.
type Prompt struct {
	app        *app.App
	field, ask ui.Element // and the label that asks for it
	marks      *marks     // of the words that are not known
	suggested  string     // what the suggestions are for
	known      ui.Element // the list of all words
	suggest    ui.Element
	examples   ui.Element
	words      ui.Element
	generate   ui.Element
	says, keys ui.Element
	stop       ui.Element
	another    ui.Element // the same with another seed
	lucky      ui.Element // makes up a prompt of the words that the model was trained on
	note       ui.Element
	undrawn    ui.Element
	said       ui.Element // both of them
	edit       *edit
	editing    bool       // there are examples of edits
	model      *app.Model // whose examples and words there are
}

// NewPrompt puts them at the end of the panel.
func NewPrompt(a *app.App, panel ui.Element) *Prompt {
	v := &Prompt{
		app:      a,
		edit:     newEdit(a),
		field:    ui.El("textarea", ui.Attrs{{"rows", "2"}, {"spellcheck", "false"}, {"autocapitalize", "off"}}),
		ask:      ui.El("label", ui.Attrs{{"for", "prompt"}}),
		suggest:  ui.El("div", ui.Attrs{{"id", "suggestions"}, {"class", "chips"}, {"translate", "no"}, {"role", "group"}, {"aria-label", &words.Text.Suggestions}, {"hidden", ""}}),
		examples: ui.El("div", ui.Attrs{{"id", "prompt-examples"}, {"class", "chips"}, {"translate", "no"}, {"role", "group"}, {"aria-label", &words.Text.Examples}}),
		words:    ui.El("div", ui.Attrs{{"class", "words"}, {"translate", "no"}}), // the model reads no other language
		says:     ui.El("span", nil),
		keys:     ui.El("kbd", nil, generateKeys()),
		stop:     ui.Button("secondary", &words.Text.Stop, func() { a.Stop() }),
		// For the eyes: what is said to screen readers is in the live region.
		note:    ui.El("p", ui.Attrs{{"id", "note"}, {"aria-hidden", "true"}}),
		undrawn: ui.El("p", ui.Attrs{{"id", "undrawn"}, {"class", "strong"}, {"hidden", ""}}, &words.Text.Undrawn),
	}
	v.field.SetID("prompt")
	v.said = ui.El("div", ui.Attrs{{"class", "outcome"}}, ui.El("div", ui.Attrs{{"class", "muted"}}, v.undrawn, v.note), v.stop)
	v.generate = ui.Button("primary", "", a.Generate)
	v.generate.SetID("generate")
	ui.Append(v.generate, v.says, v.keys)
	v.stop.SetID("stop")
	ui.Append(v.stop, ui.El("kbd", nil, &words.Text.StopKeys))
	v.another = ui.IconButton("secondary", "dice", &words.Text.Another, func() {
		if !a.State.Working() {
			a.State.Form.Seed = float64(rand.Uint32())
			a.Generate()
		}
	})
	v.another.SetID("another")
	v.lucky = ui.IconButton("secondary square", "spark", &words.Text.Surprise, v.surprise)
	v.lucky.SetID("surprise")
	ui.On(v.field, "input", func(e ui.Event) {
		change := func(f *app.Form) { f.Prompt = v.field.Get("value").String() }
		if e.Get("isComposing").Truthy() { // half a word of an input method: no picture follows it
			a.Update(func(s *app.State) { change(&s.Form) })
			return
		}
		a.Edit(false, change)
	})
	ui.On(v.field, "compositionend", func(ui.Event) { a.Follow(false) })
	ui.On(v.field, "focusout", func(ui.Event) { a.Update(func(*app.State) { v.suggested = "" }) })
	ui.Delegate(v.suggest, "button", func(at ui.Element) {
		v.set(complete(a.State.Form.Prompt, at.TextContent()))
		v.field.Focus()
	})
	v.marks = newMarks(a, "unknown-words", v.field, v.set)
	v.known = ui.El("details", ui.Attrs{{"id", "understands"}}, ui.El("summary", nil, &words.Text.Understands), ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.UnderstandsHint), v.words)
	ui.Append(panel, ui.El("section", ui.Attrs{{"class", "card"}, {"id", "ask"}},
		v.edit.box,
		ui.El("div", ui.Attrs{{"class", "field"}}, v.ask, v.field),
		v.marks.box, v.marks.near, v.suggest,
		ui.El("div", ui.Attrs{{"class", "actions"}}, v.generate, v.another, v.lucky),
		v.said,
		v.examples,
		v.known,
	))
	return v
}

// generateKeys are those that Generate has, as this device's keyboard has them.
func generateKeys() *string {
	if strings.HasPrefix(js.Global().Get("navigator").Get("platform").String(), "Mac") {
		return &words.Text.GenerateKeysMac
	}
	return &words.Text.GenerateKeys
}

// Render draws them.
func (v *Prompt) Render(s *app.State) {
	v.edit.render(s)
	if editing := s.Form.Reference != nil; s.Model != nil && (v.model != s.Model || v.editing != editing) {
		v.editing = editing
		v.fill(s.Model)
	}
	ask, hint, generate := words.Text.Prompt, words.Text.PromptHint, words.Text.Generate
	if v.editing {
		ask, hint, generate = words.Text.EditAsk, words.Text.EditHint, words.Text.EditMake
	}
	ui.SetText(v.ask, ask)
	ui.SetAttr(v.field, "placeholder", hint)
	ui.SetValue(v.field, s.Form.Prompt)
	v.renderWords(s)
	v.renderNote(s)
	working := s.Working()
	ui.Show(v.stop, working)
	ui.Show(v.another, s.Picture != nil)
	ui.SetState(v.another, "aria-disabled", working)
	ui.Show(v.keys, !working)
	// Not disabled, so that a keyboard stays on it; a press then says why nothing happens.
	ui.SetState(v.generate, "aria-disabled", working || s.Phase == app.Waiting || s.Phase == app.Loading)
	switch {
	case !working:
		ui.SetText(v.says, generate)
	case s.Running.Step == 0:
		ui.SetText(v.says, words.Text.Starting)
	default:
		ui.SetText(v.says, fmt.Sprintf(words.Text.Working, s.Running.Step, s.Running.Steps))
	}
}

// renderNote says how the last thing went, and whether the form is ahead of the picture.
// Its box is as high as it ever was, so that nothing below moves while a picture is made.
func (v *Prompt) renderNote(s *app.State) {
	undrawn := s.Undrawn()
	if undrawn != v.undrawn.HasAttribute("hidden") && v.note.TextContent() == s.Note {
		return
	}
	v.said.Style().SetProperty("min-height", fmt.Sprintf("%dpx", v.said.Get("offsetHeight").Int()), "")
	ui.SetText(v.note, s.Note)
	// What was said of the picture before is no longer so.
	old := s.Note == "" || s.Note == words.Text.Done || s.Note == words.Text.SamePicture || s.Note == words.Text.Ready
	there := s.Form.Missing() && s.Note == words.Text.ReferenceMissing // above the prompt
	ui.Show(v.note, !(undrawn && old) && !there)
	ui.Show(v.undrawn, undrawn)
	ui.SetAttr(v.generate, "aria-describedby", ui.Either(undrawn, "undrawn", ""))
}

// renderWords marks the words that the model does not know, and suggests how a word that
// was begun goes on. Where nothing is known at all, the list of what is opens.
func (v *Prompt) renderWords(s *app.State) {
	if s.Model == nil {
		return
	}
	if v.marks.render(s, s.Form.Prompt) {
		v.known.Set("open", true)
	}
	typing := ui.Document.Get("activeElement").Equal(v.field.Value)
	now := fmt.Sprint(typing, s.Form.Prompt)
	if now == v.suggested {
		return
	}
	v.suggested = now
	var phrases []string
	if typing {
		phrases = suggestions(s.Form.Prompt, s.Model.Understands, 6)
	}
	v.suggest.SetTextContent("")
	for _, phrase := range phrases {
		ui.Append(v.suggest, ui.El("button", ui.Attrs{{"type", "button"}, {"class", "chip"}}, phrase))
	}
	ui.Show(v.suggest, len(phrases) > 0)
}

func (v *Prompt) fill(m *app.Model) {
	v.model = m
	v.examples.Call("replaceChildren")
	v.words.Call("replaceChildren")
	examples := m.Examples[:min(3, len(m.Examples))] // the others would push the controls away
	if v.editing {
		examples = m.Suggestions()
	}
	for _, example := range examples {
		ui.Append(v.examples, ui.Button("chip", example, func() {
			v.set(example)
			v.app.Follow(true)
		}))
	}
	u := m.Understands
	for _, group := range []struct {
		name  *string
		words []string
	}{
		{&words.Text.Objects, u.Objects}, {&words.Text.Colours, u.Colours}, {&words.Text.Counts, u.Counts}, {&words.Text.Places, u.Places},
		{&words.Text.Styles, u.Styles}, {&words.Text.Relations, u.Relations}, {&words.Text.Quality, u.Quality},
	} {
		if len(group.words) == 0 {
			continue
		}
		chips := ui.El("div", ui.Attrs{{"class", "chips"}, {"role", "group"}, {"aria-label", group.name}})
		for _, word := range group.words {
			ui.Append(chips, ui.Button("chip small", word, func() { v.append(word) }))
		}
		ui.Append(v.words, ui.El("p", ui.Attrs{{"class", "group"}, {"translate", "yes"}}, group.name), chips)
	}
	ui.Show(v.known, v.words.HasChildNodes())          // published files have no list of what they were trained on
	ui.Show(v.lucky, len(u.Objects) > 0 && !v.editing) // it makes up whole scenes
}

// set replaces the prompt as if it were typed, so that Ctrl+Z in the field brings back
// what stood there; where fingers type, a keyboard would slide up for it.
func (v *Prompt) set(prompt string) {
	at := ui.Document.Get("activeElement")
	if !ui.Coarse() {
		v.field.Call("focus", map[string]any{"preventScroll": true})
		v.field.Call("select")
		ui.Document.Call("execCommand", "insertText", false, prompt)
		at.Call("focus", map[string]any{"preventScroll": true})
	}
	if v.field.Get("value").String() != prompt {
		v.field.Set("value", prompt)
	}
	v.app.Edit(false, func(f *app.Form) { f.Prompt = prompt })
}

// append adds words to the end of the prompt.
func (v *Prompt) append(words string) {
	prompt := strings.TrimSpace(v.app.State.Form.Prompt)
	if prompt != "" {
		prompt += " "
	}
	v.set(prompt + words)
}

// surprise makes up a prompt, takes another seed, and makes the picture if it can.
func (v *Prompt) surprise() {
	s := &v.app.State
	if s.Model == nil || len(s.Model.Understands.Objects) == 0 || s.Working() {
		return
	}
	v.set(surprise(s.Model.Understands, s.Loaded.Words))
	s.Form.Seed = float64(rand.Uint32())
	v.app.Generate()
}
