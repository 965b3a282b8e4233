package how

import (
	"fmt"
	"strconv"
	"syscall/js"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// View shows what happened inside while the picture was made, in the order in
// which it happened.
type View struct {
	app                *app.App
	box, figure, none  ui.Element
	again              ui.Element
	flow               *flow
	words, padding     ui.Element
	vector             *vectorFigure
	latents            ui.Element
	blocks             *attentionMaps
	over               ui.Canvas // the picture
	overlay            ui.Canvas // darkens it where few look at the word
	caption            ui.Element
	numbers            *numberTable
	final              ui.Canvas
	times, timesNote   ui.Element
	shown              *probe
	language           string
	word, block, draws int // as they are drawn
	now                selection
}

// New makes the view.
func New(a *app.App) *View {
	v := &View{
		app:     a,
		none:    ui.El("p", ui.Attrs{{"class", "empty"}}),
		words:   ui.El("div", ui.Attrs{{"class", "tokens"}, {"role", "radiogroup"}, {"aria-label", &words.Text.HowFollow}}),
		padding: ui.El("p", ui.Attrs{{"class", "muted"}}),
		flow:    newFlow(),
		vector:  newVectorFigure(),
		latents: ui.El("div", ui.Attrs{{"class", "latents"}}),
		over:    ui.NewCanvas(), overlay: ui.NewCanvas(),
		caption: ui.El("figcaption", ui.Attrs{{"class", "muted"}}),
		numbers: newNumberTable(),
		final:   ui.NewCanvas(),
		times:   ui.El("dl", ui.Attrs{{"class", "times"}}), timesNote: ui.El("p", ui.Attrs{{"class", "muted"}}),
	}
	v.again = ui.Button("secondary", &words.Text.HowAgain, func() { a.Update(func(*app.State) { v.now.asked = app.Recipe{} }) })
	v.now.block = -1
	v.blocks = newAttentionMaps(func(block int) { a.Update(func(*app.State) { v.now.block = block }) })
	ui.On(v.words, "change", func(e ui.Event) {
		if w, err := strconv.Atoi(e.Underlying().Get("target").Get("value").String()); err == nil {
			a.Update(func(*app.State) { v.now.word = w })
		}
	})
	ui.SetAttr(v.overlay.Element, "aria-hidden", "true")
	ui.SetAttr(v.overlay.Element, "class", "overlay")
	part := func(title, text *string, children ...any) ui.Element {
		return ui.El("li", nil, append([]any{ui.El("h3", nil, title), ui.El("p", ui.Attrs{{"class", "muted"}}, text)}, children...)...)
	}
	v.figure = ui.El("ol", ui.Attrs{{"hidden", ""}},
		part(&words.Text.HowWords, &words.Text.HowWordsText, v.words, v.padding),
		part(&words.Text.HowVector, &words.Text.HowVectorText, v.vector.box),
		part(&words.Text.HowNoise, &words.Text.HowNoiseText, v.latents),
		part(&words.Text.HowBlocks, &words.Text.HowBlocksText, ui.El("div", ui.Attrs{{"class", "attention"}},
			ui.El("figure", nil, ui.El("div", ui.Attrs{{"class", "over"}}, v.over.Element, v.overlay.Element), v.caption), v.blocks.box), v.numbers.box),
		part(&words.Text.HowDecoder, &words.Text.HowDecoderText, ui.El("div", ui.Attrs{{"class", "end"}}, v.final.Element, ui.El("div", nil, v.times, v.timesNote))),
	)
	v.box = ui.El("div", ui.Attrs{{"class", "how"}},
		ui.El("h2", ui.Attrs{{"class", "unseen"}}, &words.Text.TabHow), ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.HowIntro), v.flow.drawing, v.none, ui.El("div", ui.Attrs{{"class", "bar-row"}}, v.again), v.figure)
	return v
}

// Box is the view's element.
func (v *View) Box() ui.Element { return v.box }

// selection is what the view shows.
type selection struct {
	asked app.Recipe   // what the engine was last asked to look at
	of    *app.Picture // whose inside this is: the picture again, to the bit
	probe *probe
	word  int // the token that is followed
	block int // the block whose attention lies over the picture; −1: all of them
}

// fits reports whether it is of this picture.
func (l *selection) fits(p *app.Picture) bool {
	return l.probe != nil && p != nil && l.of.Recipe.Same(p.Recipe)
}

// forProbe is the purpose of a picture that is made once more to look on.
const forProbe app.Purpose = "probe"

// React asks to look on when this has not been done for the picture.
func (v *View) React(s *app.State) {
	h, p := &v.now, s.Picture
	if p != nil && !h.fits(p) && s.Phase == app.Ready && !h.asked.Same(p.Recipe) {
		h.asked = p.Recipe
		v.app.Enqueue(app.Job{Recipe: p.Recipe, Why: forProbe, Quiet: true, More: map[string]any{"probe": map[string]any{}}, Done: v.done})
	}
}

// Render draws what was seen.
func (v *View) Render(s *app.State) {
	h, p := &v.now, s.Picture
	v.flow.render(s)
	fits := h.fits(p)
	failed := p != nil && !fits && s.Phase == app.Ready && h.asked.Same(p.Recipe)
	switch {
	case fits:
	case p == nil && s.Phase != app.Generating:
		ui.SetText(v.none, words.Text.HowNone)
	case s.Phase == app.Waiting || s.Phase == app.Loading:
		ui.SetText(v.none, words.Text.HowFile)
	default:
		ui.SetText(v.none, words.Text.HowWaits)
	}
	ui.Show(v.none, !fits && !failed)
	ui.Show(v.again, failed)
	ui.Show(v.figure, fits)
	if fits {
		of := h.of
		if watched(p.Timings) { // as the picture was first made, its words read then
			of = p
		}
		v.draw(h, of)
	}
}

// done takes over what was seen.
func (v *View) done(s *app.State, p *app.Picture) {
	if p == nil {
		return
	}
	q, err := probeOf(p)
	if err != nil {
		s.Problem = &app.Problem{Code: "internal", Message: err.Error(), Advice: words.Text.ReloadPage}
		return
	}
	h := &v.now
	text := ""
	if h.probe != nil && h.word < len(h.probe.Tokens) {
		text = h.probe.Tokens[h.word].Text
	}
	h.of, h.probe, h.word = p, q, q.mostInformative()
	for i, t := range q.Tokens { // a word that was followed is followed again
		if text != "" && t.Text == text {
			h.word = i
		}
	}
	if h.block >= q.blocks() {
		h.block = -1
	}
}

// probeOf reads the probe of a picture.
func probeOf(p *app.Picture) (*probe, error) {
	seen := p.Result.(js.Value).Get("probe")
	plain := js.Global().Get("Object").Call("assign", js.Global().Get("Object").New(), seen, map[string]any{"attention": nil, "latents": nil})
	q := &probe{}
	if err := app.Decode(plain, q); err != nil {
		return nil, err
	}
	attention := seen.Get("attention")
	raw := make([]byte, attention.Get("byteLength").Int())
	js.CopyBytesToGo(raw, js.Global().Get("Uint8Array").New(attention.Get("buffer"), attention.Get("byteOffset"), len(raw)))
	return q, q.take(raw)
}

// draw shows what was seen, and the times of a picture of the same recipe.
func (v *View) draw(h *selection, of *app.Picture) {
	p := h.probe
	language := ui.Root().Get("lang").String()
	if v.shown != p || v.language != language {
		v.shown, v.language, v.draws = p, language, 0
		v.tokens(p)
		v.vector.draw(p)
		v.way(h.of)
		v.blocks.build(p)
		v.time(of, h.of.ProbeMs)
		v.over.Draw(h.of.Image.(js.Value), true)
		v.final.Draw(h.of.Image.(js.Value), true)
		ui.SetAttr(v.final.Element, "aria-label", fmt.Sprintf(words.Text.PictureLabel, h.of.Recipe.Prompt))
	}
	if v.draws > 0 && v.word == h.word && v.block == h.block {
		return
	}
	v.word, v.block, v.draws = h.word, h.block, v.draws+1
	if field := v.words.Call("querySelector", fmt.Sprintf(`[value="%d"]`, h.word)); field.Truthy() {
		field.Set("checked", true)
	}
	m := p.mean(h.word, h.block)
	_, mean, most, at := extremes(m)
	v.overlay.Draw(image(p.Cols, p.Rows, overlay(m)), true)
	where := words.Text.HowAllBlocks
	if h.block >= 0 {
		where = fmt.Sprintf(words.Text.HowBlock, h.block)
	}
	text := fmt.Sprintf(words.Text.HowOver, tokenName(p.Tokens[h.word]), where, words.Percent(mean), words.Percent(most), at/p.Cols+1, at%p.Cols+1, p.Rows, p.Cols)
	ui.SetText(v.caption, text)
	ui.SetAttr(v.over.Element, "aria-label", text)
	v.blocks.draw(p, h.word, h.block)
	v.numbers.draw(p, h.of, h.word)
}

// tokenName is how a token is called in a sentence.
func tokenName(t recipe.Token) string {
	switch t.Kind {
	case "start":
		return words.Text.HowStart
	case "end":
		return words.Text.HowEnd
	}
	return t.Text
}

// tokens shows what the model read, each to be chosen.
func (v *View) tokens(p *probe) {
	v.words.Call("replaceChildren")
	for i, t := range p.Tokens {
		name := fmt.Sprintf(words.Text.HowToken, tokenName(t), t.ID)
		field := ui.El("input", ui.Attrs{{"type", "radio"}, {"name", "how-word"}, {"value", strconv.Itoa(i)}, {"aria-label", name}})
		if p.column(i) < 0 {
			ui.SetFlag(field, "disabled", true)
		}
		below := strconv.Itoa(int(t.ID))
		if t.Kind == "unknown" {
			below = words.Text.HowUnknown
			ui.SetAttr(field, "aria-label", name+", "+below)
		}
		ui.Append(v.words, ui.El("label", ui.Attrs{{"class", "token"}, {"data-kind", t.Kind}}, field, ui.El("span", ui.Attrs{{"dir", "auto"}}, tokenName(t)), ui.El("small", nil, below)))
	}
	ui.SetText(v.padding, fmt.Sprintf(words.Text.HowPadding, len(p.Tokens), len(p.Tokens)+p.Padding))
}

// way shows the latent before every step and after the last.
func (v *View) way(of *app.Picture) {
	list := of.Result.(js.Value).Get("probe").Get("latents")
	v.latents.Call("replaceChildren")
	for i, t := range v.shown.Times {
		text := fmt.Sprintf(words.Text.HowLatent, words.Number(t))
		if i == v.shown.steps() {
			text = words.Text.HowLatentLast
		}
		c := ui.NewCanvas()
		c.Draw(list.Index(i), true)
		ui.SetAttr(c.Element, "aria-label", text)
		ui.Append(v.latents, ui.El("figure", nil, c.Element, ui.El("figcaption", ui.Attrs{{"aria-hidden", "true"}}, text)))
	}
}

// time shows what each part of the picture took.
func (v *View) time(of *app.Picture, probeMs float64) {
	v.times.Call("replaceChildren")
	for _, p := range parts(of.Timings) {
		share := p.ms / max(whole(of.Timings), 1e-9)
		bar := ui.El("i", ui.Attrs{{"aria-hidden", "true"}})
		bar.Style().SetProperty("--share", fmt.Sprintf("%.4f", share), "")
		ui.Append(v.times, ui.El("div", nil, ui.El("dt", nil, *p.name), ui.El("dd", nil, bar, fmt.Sprintf(words.Text.HowPercent, words.Milliseconds(p.ms), share*100))))
	}
	ui.SetText(v.timesNote, fmt.Sprintf(words.Text.HowTimeText, words.Milliseconds(whole(of.Timings)), words.Milliseconds(probeMs)))
}

// image makes an ImageData.
func image(w, h int, rgba []byte) js.Value {
	pixels := js.Global().Get("Uint8ClampedArray").New(len(rgba))
	js.CopyBytesToJS(pixels, rgba)
	return js.Global().Get("ImageData").New(pixels, w, h)
}
