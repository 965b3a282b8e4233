package page

import (
	"slices"

	carried "undertone/engine/recipe"
)

// model is what the page may offer of a model, known before anything is loaded.
type model struct {
	carried.Description
	presets []preset
}

// offer is a model that the site has: the same one in several precisions.
type offer struct {
	address string // of model.json
	model   *model
}

// preset is a direction that the model's maker proposes.
type preset struct {
	title    string
	low, top float64 // weights that make clean pictures
	term
}

// Weights beyond these make a model of a few blocks come apart; a preset may say
// otherwise, and the box beside the slider, and the API, take more.
const weightLow, weightTop = -2, 4

// newModel takes over what a model offers.
func newModel(d carried.Description) (*model, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	m := &model{Description: d}
	for _, p := range d.Presets {
		t, err := p.Term()
		if err != nil {
			return nil, err
		}
		offer := preset{title: p.Title, low: weightLow, top: weightTop,
			term: term{preset: p.ID, positive: t.Positive, negative: t.Negative, weight: t.Weight, head: t.Head, schedule: t.Schedule}}
		if len(p.Range) == 2 {
			// The way back is always there to be looked at, clean or not.
			offer.low, offer.top = min(p.Range[0], -1), p.Range[1]
		}
		m.presets = append(m.presets, offer)
	}
	return m, nil
}

// preset finds a preset by its id.
func (m *model) preset(id string) (preset, bool) {
	i := slices.IndexFunc(m.presets, func(p preset) bool { return p.term.preset == id })
	if i < 0 {
		return preset{low: weightLow, top: weightTop}, false
	}
	return m.presets[i], true
}

func (m *model) blocks() int { return m.Blocks.Double + m.Blocks.Single }

// parameters counts all weights.
func (m *model) parameters() int64 { return m.Parameters.All() }
