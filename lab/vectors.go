package lab

import (
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

var noPresets = fault.New(fault.RequestInvalid, "the experiment is of presets, and the model has none")

// turnTrials steer along each preset, looking on.
func turnTrials(s Setting) ([]Trial, error) {
	if len(s.Model.Presets) == 0 {
		return nil, noPresets
	}
	return s.each(func(base recipe.Request, add add) error {
		base.Probe = &recipe.ProbeRequest{}
		for _, p := range s.Model.Presets {
			for _, w := range []float64{-2, -1, 0, 1, 2, 4} {
				base.Guidance = []recipe.Term{{Positive: p.Positive, Negative: p.Negative, Weight: w, Schedule: guidance.Schedule{Kind: "constant"}}}
				add(p.Title, w, base, recipe.Request{})
			}
		}
		return nil
	})
}

// mapTrials steer along each two presets at once, looking on. Directions belong to no
// prompt and no seed: one of each is enough.
func mapTrials(s Setting) ([]Trial, error) {
	if len(s.Model.Presets) < 2 {
		return nil, fault.New(fault.RequestInvalid, "the experiment compares presets, and the model has %d", len(s.Model.Presets))
	}
	s.Prompts, s.Seeds = s.Prompts[:min(1, len(s.Prompts))], s.Seeds[:min(1, len(s.Seeds))]
	return s.each(func(base recipe.Request, add add) error {
		base.Probe = &recipe.ProbeRequest{}
		for _, p := range s.Model.Presets {
			for j, q := range s.Model.Presets {
				one := guidance.Schedule{Kind: "constant"}
				base.Guidance = []recipe.Term{
					{Positive: p.Positive, Negative: p.Negative, Weight: 1, Schedule: one},
					{Positive: q.Positive, Negative: q.Negative, Weight: 1, Schedule: one},
				}
				add(p.Title, float64(j+1), base, recipe.Request{})
			}
		}
		return nil
	})
}

// turns is the angle between a block's vector with and without guidance, the mean over
// those blocks and steps, the first of which is 1, that of says. With a schedule that is the
// same for all blocks, it is of each.
func turns(of func(t Trial, block, step int) bool) func(Setting) []Measure {
	return func(Setting) []Measure {
		return []Measure{{Label: "angle between the vectors with and without guidance (degrees)", Of: func(t Trial, made, _ Seen) float64 {
			var list []float64
			for block, b := range made.Probe.Blocks {
				for step, angle := range b.AngleDegrees {
					if b.Kind != "head" && of(t, block, step+1) {
						list = append(list, angle)
					}
				}
			}
			return mean(list)
		}}}
	}
}

func ofAll(Trial, int, int) bool { return true }

// cosines is that of two directions, which follows from their lengths and that of their
// sum: ‖a + b‖² = ‖a‖² + ‖b‖² + 2·a·b.
func cosines(Setting) []Measure {
	return []Measure{{Label: "cosine with the other preset", Of: func(_ Trial, made, _ Seen) float64 {
		a, b, both := made.Geometry[0].NormDelta, made.Geometry[1].NormDelta, made.Probe.Blocks[0].NormShift
		if a == 0 || b == 0 {
			return 0
		}
		return max(-1, min((both*both-a*a-b*b)/(2*a*b), 1))
	}}}
}

// The series of normTrials: the vector, and what a block makes of it.
const (
	vectorSeries = "the vector"
	shiftSeries  = "its shift"
	scaleSeries  = "its scale"
	gateSeries   = "its gate"
)

// normTrials look at each block's vector, and at what the block makes of it.
func normTrials(s Setting) ([]Trial, error) {
	blocks, err := s.steered()
	if err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		base.Probe = &recipe.ProbeRequest{}
		made := s.guided(base, s.Direction.Weight, s.Direction.Schedule)
		for _, series := range []string{vectorSeries, shiftSeries, scaleSeries, gateSeries} {
			for b := range blocks {
				add(series, float64(b), made, base)
			}
		}
		return nil
	})
}

// presetTrials steer along each preset as it is proposed, and look at a number of places
// along the axis.
func (s Setting) presetTrials(first, places int) ([]Trial, error) {
	if len(s.Model.Presets) == 0 {
		return nil, noPresets
	}
	return s.each(func(base recipe.Request, add add) error {
		base.Probe = &recipe.ProbeRequest{}
		for _, p := range s.Model.Presets {
			t, err := p.Term()
			if err != nil {
				return err
			}
			base.Guidance = []recipe.Term{t}
			for i := range places {
				add(p.Title, float64(first+i), base, recipe.Request{})
			}
		}
		return nil
	})
}

// angleTrials have the block as their axis, steadyTrials the step.
func angleTrials(s Setting) ([]Trial, error) {
	return s.presetTrials(0, s.Model.Blocks.Double+s.Model.Blocks.Single)
}

func steadyTrials(s Setting) ([]Trial, error) { return s.presetTrials(1, s.Base.Steps) }

// norms is how much longer a block's vector, or its shift, scale or gate, becomes with
// guidance: of the mean over the block's places and the steps.
func norms(Setting) []Measure {
	return []Measure{{Label: "change of the length with guidance (%)", Of: func(t Trial, made, base Seen) float64 {
		return 100 * (lengthOf(t, made.Probe)/lengthOf(t, base.Probe) - 1)
	}}}
}

func lengthOf(t Trial, p *recipe.Probe) float64 {
	block := int(t.X)
	if t.Series == vectorSeries {
		return mean(p.Blocks[block].Norm)
	}
	var all []float64
	for _, m := range p.Modulation {
		if m.Block == block {
			all = append(all, map[string][]float64{shiftSeries: m.Shift, scaleSeries: m.Scale, gateSeries: m.Gate}[t.Series]...)
		}
	}
	return mean(all)
}
