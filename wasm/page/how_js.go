package page

import (
	"fmt"
	"strconv"
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// howPane shows what happened inside while the picture was made, in the order in
// which it happened.
type howPane struct {
	app                *app
	box, figure, none  element
	again              element
	words, padding     element
	vector             *vectorFigure
	latents            element
	blocks             *blockMaps
	over               print // the picture
	veil               print // darkens it where few look at the word
	caption            element
	numbers            *numberTable
	final              print
	times, timesNote   element
	shown              *probe
	language           string
	word, block, looks int
}

func newHow(a *app) *howPane {
	v := &howPane{
		app:     a,
		none:    el("p", attrs{"class": "empty"}),
		again:   button("secondary", &say.HowAgain, func() { a.update(func(s *state) { s.panes.how.asked = recipe{} }) }),
		words:   el("div", attrs{"class": "tokens", "role": "radiogroup", "aria-label": &say.HowFollow}),
		padding: el("p", attrs{"class": "muted"}),
		vector:  newVectorFigure(),
		latents: el("div", attrs{"class": "latents"}),
		over:    newPrint(), veil: newPrint(),
		caption: el("figcaption", attrs{"class": "muted"}),
		numbers: newNumberTable(),
		final:   newPrint(),
		times:   el("dl", attrs{"class": "times"}), timesNote: el("p", attrs{"class": "muted"}),
	}
	a.state.panes.how.block = -1
	v.blocks = newBlockMaps(func(block int) { a.update(func(s *state) { s.panes.how.block = block }) })
	on(v.words, "change", func(e dom.Event) {
		if w, err := strconv.Atoi(e.Underlying().Get("target").Get("value").String()); err == nil {
			a.update(func(s *state) { s.panes.how.word = w })
		}
	})
	setAttr(v.veil.canvas, "aria-hidden", "true")
	setAttr(v.veil.canvas, "class", "veil")
	part := func(title, text *string, children ...any) element {
		return el("li", nil, append([]any{el("h3", nil, title), el("p", attrs{"class": "muted"}, text)}, children...)...)
	}
	v.figure = el("ol", attrs{"hidden": ""},
		part(&say.HowWords, &say.HowWordsText, v.words, v.padding),
		part(&say.HowVector, &say.HowVectorText, v.vector.box),
		part(&say.HowNoise, &say.HowNoiseText, v.latents),
		part(&say.HowBlocks, &say.HowBlocksText, el("div", attrs{"class": "looking"},
			el("figure", nil, el("div", attrs{"class": "over"}, v.over.canvas, v.veil.canvas), v.caption), v.blocks.box), v.numbers.box),
		part(&say.HowDecoder, &say.HowDecoderText, el("div", attrs{"class": "end"}, v.final.canvas, el("div", nil, v.times, v.timesNote))),
	)
	v.box = el("div", attrs{"class": "how"},
		el("h2", attrs{"class": "unseen"}, &say.TabHow), el("p", attrs{"class": "muted"}, &say.HowIntro), v.none, el("div", attrs{"class": "bar-row"}, v.again), v.figure)
	return v
}

func (v *howPane) panel() element { return v.box }

// render asks to look on when this has not been done for the picture.
func (v *howPane) render(s *state) {
	h, p := &s.panes.how, s.picture
	fits := h.probe != nil && p != nil && h.of.recipe.same(p.recipe)
	if p != nil && !fits && s.phase == ready && !h.asked.same(p.recipe) {
		h.asked = p.recipe
		v.app.enqueue(job{recipe: p.recipe, why: forProbe, quiet: true, more: map[string]any{"probe": map[string]any{}}, done: v.done})
	}
	failed := p != nil && !fits && s.phase == ready && h.asked.same(p.recipe)
	switch {
	case fits:
	case p == nil && s.phase != generating:
		setText(v.none, say.HowNone)
	case s.phase == waiting || s.phase == loading:
		setText(v.none, say.HowFile)
	default:
		setText(v.none, say.HowWaits)
	}
	show(v.none, !fits && !failed)
	show(v.again, failed)
	show(v.figure, fits)
	if fits {
		of := h.of
		if p.timings.watched() { // as the picture was first made, its words read then
			of = p
		}
		v.draw(h, of)
	}
}

// done takes over what was seen.
func (v *howPane) done(s *state, p *picture) {
	if p == nil {
		return
	}
	q, err := probeOf(p)
	if err != nil {
		s.problem = &problem{code: "internal", message: err.Error(), advice: say.ReloadPage}
		return
	}
	h := &s.panes.how
	text := ""
	if h.probe != nil && h.word < len(h.probe.Tokens) {
		text = h.probe.Tokens[h.word].Text
	}
	h.of, h.probe, h.word = p, q, q.telling()
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
func probeOf(p *picture) (*probe, error) {
	seen := p.result.(js.Value).Get("probe")
	plain := js.Global().Get("Object").Call("assign", js.Global().Get("Object").New(), seen, map[string]any{"attention": nil, "latents": nil})
	q := &probe{}
	if err := decode(plain, q); err != nil {
		return nil, err
	}
	attention := seen.Get("attention")
	raw := make([]byte, attention.Get("byteLength").Int())
	js.CopyBytesToGo(raw, js.Global().Get("Uint8Array").New(attention.Get("buffer"), attention.Get("byteOffset"), len(raw)))
	return q, q.take(raw)
}

// draw shows what was seen, and the times of a picture of the same recipe.
func (v *howPane) draw(h *how, of *picture) {
	p := h.probe
	language := root().Get("lang").String()
	if v.shown != p || v.language != language {
		v.shown, v.language, v.looks = p, language, 0
		v.tokens(p)
		v.vector.draw(p)
		v.way(h.of)
		v.blocks.build(p)
		v.time(of, h.of.ProbeMs)
		v.over.draw(h.of.image.(js.Value), true)
		v.final.draw(h.of.image.(js.Value), true)
		setAttr(v.final.canvas, "aria-label", fmt.Sprintf(say.PictureLabel, h.of.recipe.prompt))
	}
	if v.looks > 0 && v.word == h.word && v.block == h.block {
		return
	}
	v.word, v.block, v.looks = h.word, h.block, v.looks+1
	if field := v.words.Call("querySelector", fmt.Sprintf(`[value="%d"]`, h.word)); field.Truthy() {
		field.Set("checked", true)
	}
	m := p.mean(h.word, h.block)
	_, mean, most, at := extremes(m)
	v.veil.draw(image(p.Cols, p.Rows, veil(m)), true)
	where := say.HowAllBlocks
	if h.block >= 0 {
		where = fmt.Sprintf(say.HowBlock, h.block)
	}
	text := fmt.Sprintf(say.HowOver, p.Tokens[h.word].name(), where, percent(mean), percent(most), at/p.Cols+1, at%p.Cols+1, p.Rows, p.Cols)
	setText(v.caption, text)
	setAttr(v.over.canvas, "aria-label", text)
	v.blocks.draw(p, h.word, h.block)
	v.numbers.draw(p, h.of, h.word)
}

// name is how a token is called in a sentence.
func (t token) name() string {
	switch t.Kind {
	case "start":
		return say.HowStart
	case "end":
		return say.HowEnd
	}
	return t.Text
}

// tokens shows what the model read, each to be chosen.
func (v *howPane) tokens(p *probe) {
	v.words.Call("replaceChildren")
	for i, t := range p.Tokens {
		name := fmt.Sprintf(say.HowToken, t.name(), t.ID)
		field := el("input", attrs{"type": "radio", "name": "how-word", "value": strconv.Itoa(i), "aria-label": name})
		if p.column(i) < 0 {
			setFlag(field, "disabled", true)
		}
		below := strconv.Itoa(t.ID)
		if t.Kind == "unknown" {
			below = say.HowUnknown
			setAttr(field, "aria-label", name+", "+below)
		}
		add(v.words, el("label", attrs{"class": "token", "data-kind": t.Kind}, field, el("span", attrs{"dir": "auto"}, t.name()), el("small", nil, below)))
	}
	setText(v.padding, fmt.Sprintf(say.HowPadding, len(p.Tokens), len(p.Tokens)+p.Padding))
}

// way shows the latent before every step and after the last.
func (v *howPane) way(of *picture) {
	list := of.result.(js.Value).Get("probe").Get("latents")
	v.latents.Call("replaceChildren")
	for i, t := range v.shown.Times {
		text := fmt.Sprintf(say.HowLatent, numberText(t))
		if i == v.shown.steps() {
			text = say.HowLatentLast
		}
		c := newPrint()
		c.draw(list.Index(i), true)
		setAttr(c.canvas, "aria-label", text)
		add(v.latents, el("figure", nil, c.canvas, el("figcaption", attrs{"aria-hidden": "true"}, text)))
	}
}

// time shows what each part of the picture took.
func (v *howPane) time(of *picture, probeMs float64) {
	v.times.Call("replaceChildren")
	for _, p := range of.parts() {
		share := p.ms / max(of.whole(), 1e-9)
		bar := el("i", attrs{"aria-hidden": "true"})
		bar.Style().SetProperty("--share", fmt.Sprintf("%.4f", share), "")
		add(v.times, el("div", nil, el("dt", nil, *p.name), el("dd", nil, bar, fmt.Sprintf(say.HowPercent, millisText(p.ms), share*100))))
	}
	setText(v.timesNote, fmt.Sprintf(say.HowTimeText, millisText(of.whole()), millisText(probeMs)))
}

// image makes an ImageData.
func image(w, h int, rgba []byte) js.Value {
	pixels := js.Global().Get("Uint8ClampedArray").New(len(rgba))
	js.CopyBytesToJS(pixels, rgba)
	return js.Global().Get("ImageData").New(pixels, w, h)
}

// percent writes a share of one.
func percent(x float64) string {
	if x < 0.0995 {
		return fmt.Sprintf("%.1f\u00a0%%", x*100)
	}
	return fmt.Sprintf("%.0f\u00a0%%", x*100)
}
