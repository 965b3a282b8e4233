package app

import (
	"cmp"
	"strings"

	"undertone/engine/recipe"
	"undertone/guidance"
	"undertone/wasm/page/words"
)

// Model is what the page may offer of a model, known before anything is loaded.
type Model struct {
	recipe.Description
	Directions []Preset // of Description.Presets
}

// Offer is a model that can be chosen: one that the site has, the same in several
// precisions, or published files of a person's own.
type Offer struct {
	Address string // of model.json; of files that are kept in this browser "stored:NAME", of others ""
	Files   any    // the files that are not kept, as the API takes them
	Adapter any    // likewise, of a pooled adapter beside the model at Address
	Title   string // of a person's own
	Name    string // likewise: of the file, which tells two of one title apart
	Model   *Model // nil of kept files until they are chosen
}

// storedScheme begins the addresses of published files that are kept.
const storedScheme = "stored:"

// Stored reports whether an address is that of published files that are kept.
func Stored(address string) bool { return strings.HasPrefix(address, storedScheme) }

// Own reports whether it is of a person's own files, not the site's.
func (o Offer) Own() bool { return o.Given() || Stored(o.Address) }

// Given reports whether files of it were given for this visit alone.
func (o Offer) Given() bool { return o.Files != nil || o.Adapter != nil }

// options are those of the API's load and describe that belong to it.
func (o Offer) options(pairs ...any) map[string]any {
	v := Object(pairs...)
	if o.Adapter != nil {
		v["adapter"] = o.Adapter
	}
	return v
}

// source is what the API loads.
func (o Offer) source() any {
	if o.Files != nil {
		return o.Files
	}
	return o.Address
}

// Preset is a direction that the model's maker proposes.
type Preset struct {
	ID, Title string
	Low, High float64 // weights that make clean pictures
	Term      recipe.Term
}

// Weights beyond these make a model of a few blocks come apart; a preset may say
// otherwise, and the box beside the slider, and the API, take more.
const lowWeight, highWeight = -2, 4

// NewModel takes over what a model offers.
func NewModel(d recipe.Description) (*Model, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	m := &Model{Description: d}
	for _, p := range d.Presets {
		t, err := p.Term()
		if err != nil {
			return nil, err
		}
		offer := Preset{ID: p.ID, Title: p.Title, Low: lowWeight, High: highWeight, Term: t}
		if len(p.Range) == 2 {
			// The way back is always there to be looked at, clean or not.
			offer.Low, offer.High = min(p.Range[0], -1), p.Range[1]
		}
		m.Directions = append(m.Directions, offer)
	}
	return m, nil
}

// Preset is the preset that has a direction's words, of several the one that also begins
// where it does; for words of one's own it is an empty one, with the weights that are clean
// for most.
func (m *Model) Preset(t recipe.Term) (Preset, bool) {
	found, ok := Preset{Low: lowWeight, High: highWeight}, false
	for _, p := range m.Directions {
		own := p.Term
		if own.Positive == t.Positive && own.Negative == t.Negative && (!ok || own.Schedule.Start == t.Schedule.Start) {
			found, ok = p, true
		}
	}
	return found, ok
}

// TermName is what a direction is called: as its preset, or by its own words.
func (m *Model) TermName(t recipe.Term) string {
	if p, ok := m.Preset(t); ok {
		return words.Text.PresetTitle(p.ID, p.Title)
	}
	return cmp.Or(t.Positive, t.Negative, words.Text.NewDirection)
}

// Blank is a direction without words, spread over the blocks as the model's maker
// spreads the first of its own.
func (m *Model) Blank() recipe.Term {
	t := recipe.Term{Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}}
	if len(m.Directions) > 0 {
		t.Schedule = m.Directions[0].Term.Schedule
	}
	return t
}

// Depth counts the transformer's blocks of both kinds.
func (m *Model) Depth() int { return m.Blocks.Double + m.Blocks.Single }

// Weights counts all weights of the model.
func (m *Model) Weights() int64 { return m.Parameters.All() }
