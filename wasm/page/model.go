package page

import (
	"errors"
	"slices"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/text"
	"undertone/engine/weights"
	"undertone/guidance"
)

// model is model.json, read before anything is loaded: what the page may offer,
// and what a download would cost.
type model struct {
	*weights.Manifest
	dit     dit.FluxConfig
	text    text.Config
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

// parseModel reads model.json as the engine does, and checks what only the
// engine's loading would look into.
func parseModel(data []byte) (*model, error) {
	manifest, err := weights.ParseManifest(data)
	if err != nil {
		return nil, err
	}
	if err := engine.Supports(manifest); err != nil {
		return nil, err
	}
	m := &model{Manifest: manifest}
	for role, into := range map[string]any{weights.RoleTransformer: &m.dit, weights.RoleText: &m.text} {
		c, _ := m.Of(role)
		if err := weights.Decode(c.Config, "model.json", into); err != nil {
			return nil, err
		}
	}
	if m.blocks() < 1 || m.blocks() > guidance.MaxBlocks {
		return nil, errors.New("its number of blocks is out of range")
	}
	for _, p := range m.Presets {
		t := term{preset: p.ID, positive: p.Positive, negative: p.Negative, weight: p.Weight, head: p.Head}
		if err := weights.Decode(p.Schedule, "the schedule of preset "+p.ID, &t.schedule); err != nil {
			return nil, err
		}
		offer := preset{title: p.Title, low: weightLow, top: weightTop, term: t}
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

func (m *model) blocks() int { return m.dit.Depth + m.dit.DepthSingle }

// bits is how many the transformer spends on a weight, without its scales.
func (m *model) bits() int {
	f, _ := m.File("dit")
	each := 8 * float64(f.Bytes) / float64(max(1, m.Parameters().DiT))
	bits := 32
	for float64(bits) > each && bits > 2 {
		bits /= 2
	}
	return bits
}

// parameters counts all weights.
func (m *model) parameters() int64 { return m.Parameters().All() }

// flops is the arithmetic of the first picture with guidance by one direction, in
// floating-point operations; 0 for a model that the engine will refuse to load.
func (m *model) flops() float64 {
	d := m.Defaults
	e, err := engine.EstimateModel(m.Manifest, engine.Request{Steps: d.Steps, Size: d.Size, CFG: d.CFG})
	if err != nil {
		return 0
	}
	return e.FLOPs(d.Steps, 3)
}
