package main

import (
	"fmt"
	"slices"
	"strconv"

	"undertone/wasm/lab/words"
	"undertone/wasm/page/ui"
)

// drawing is a schedule by hand: a slider for the weight's factor in each block. A pointer
// that is drawn across them sets all that it passes.
type drawing struct {
	box     ui.Element
	sliders []ui.Element
}

const lowFactor, highFactor = -1, 2

func newDrawing(blocks int, factors []float64) *drawing {
	bars := ui.El("div", ui.Attrs{{"class", "drawn"}, {"id", "drawn"}, {"role", "group"}, {"aria-label", words.Text.Drawn}})
	d := &drawing{}
	for i := range blocks {
		s := ui.El("input", ui.Attrs{{"type", "range"}, {"min", strconv.Itoa(lowFactor)}, {"max", strconv.Itoa(highFactor)}, {"step", "0.25"}})
		if len(factors) == blocks {
			s.Set("value", strconv.FormatFloat(factors[i], 'g', -1, 64))
		} else {
			s.Set("value", "0")
		}
		d.sliders = append(d.sliders, s)
		d.name(i)
		ui.On(s, "input", func(ui.Event) { d.name(i) })
		ui.Append(bars, s)
	}
	ui.On(bars, "pointermove", func(e ui.Event) { d.draw(bars, e) })
	clear := ui.Button("quiet", words.Text.Clear, func() {
		for i, s := range d.sliders {
			s.Set("value", "0")
			d.name(i)
		}
	})
	d.box = ui.El("div", ui.Attrs{{"class", "field wide"}}, ui.El("p", ui.Attrs{{"class", "label"}}, words.Text.Drawn), bars, ui.El("p", ui.Attrs{{"class", "muted"}}, words.Text.DrawnHint), clear)
	return d
}

// name tells a slider's block and factor.
func (d *drawing) name(i int) {
	value := d.sliders[i].Get("value").String()
	said := fmt.Sprintf(words.Text.Block, i, value)
	d.sliders[i].SetAttribute("aria-label", said)
	d.sliders[i].SetAttribute("title", said)
}

// draw sets the slider under a pointer that is pressed.
func (d *drawing) draw(bars ui.Element, e ui.Event) {
	event := e.Underlying()
	if event.Get("buttons").Int() != 1 {
		return
	}
	box := bars.Call("getBoundingClientRect")
	place := (event.Get("clientX").Float() - box.Get("left").Float()) / box.Get("width").Float()
	height := (box.Get("bottom").Float() - event.Get("clientY").Float()) / box.Get("height").Float()
	i := max(0, min(int(place*float64(len(d.sliders))), len(d.sliders)-1))
	d.sliders[i].Set("value", lowFactor+height*(highFactor-lowFactor)) // which is brought to the slider's steps
	d.name(i)
}

// factors are what is drawn, nil where nothing is.
func (d *drawing) factors() []float64 {
	list := make([]float64, len(d.sliders))
	for i, s := range d.sliders {
		list[i] = ui.Number(s)
	}
	if !slices.ContainsFunc(list, func(f float64) bool { return f != 0 }) {
		return nil
	}
	return list
}
