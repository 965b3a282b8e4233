package lab

import (
	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// guidanceTrials vary the weight for the paper's schedules and the one that is drawn, and for what guidance has to
// do more than: a random direction, the words in the prompt and, where the model has it,
// classifier-free guidance.
func guidanceTrials(s Setting) ([]Trial, error) {
	blocks, err := s.steered()
	if err != nil {
		return nil, err
	}
	type schedule struct {
		series string
		guidance.Schedule
	}
	schedules := []schedule{
		{"every block", guidance.Schedule{Kind: "constant"}},
		{"second half", guidance.Schedule{Kind: "step", Start: blocks / 2}},
		{"middle third", guidance.Schedule{Kind: "window", Start: blocks / 3, End: max(blocks/3, 2*blocks/3-1)}},
		{"two bumps", guidance.Schedule{Kind: "bumps"}},
	}
	if s.Drawn != nil {
		schedules = append(schedules, schedule{"drawn by hand", guidance.Schedule{Kind: "table", Table: s.Drawn}})
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, factor := range []float64{0.5, 1, 1.5, 2} {
			w := s.times(factor)
			for _, schedule := range schedules {
				add(schedule.series, w, s.guided(base, w, schedule.Schedule), base)
			}
			random := s.guided(base, w, guidance.Schedule{Kind: "constant"})
			random.Guidance[0].Random = true
			add(randomSeries, w, random, base)
		}
		if s.Direction.Positive != "" {
			words := base
			words.Prompt += ", " + s.Direction.Positive
			add("words in the prompt", 0, words, base)
		}
		if own := s.Model.Defaults.CFG; own != 1 {
			for _, factor := range []float64{0.5, 1.5, 2} {
				scaled := base
				scaled.CFG = min(factor*own, recipe.MaxCFG)
				add("classifier-free guidance, by its scale", scaled.CFG, scaled, base)
			}
		}
		return nil
	})
}

// settingsTrials search weights and first blocks.
func settingsTrials(s Setting) ([]Trial, error) {
	blocks, err := s.steered()
	if err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, start := range firstBlocks(0, blocks/4, blocks/2) {
			for _, w := range []float64{0.5, 1, 1.5, 2, 3, 4, 6} {
				add(startOf(start), w, s.guided(base, w, guidance.Schedule{Kind: "step", Start: start}), base)
			}
		}
		return nil
	})
}

// peopleTrials are the direction's weight and half of it.
func peopleTrials(s Setting) ([]Trial, error) {
	if _, err := s.steered(); err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, factor := range []float64{0.5, 1} {
			w := s.times(factor)
			add("guidance", w, s.guided(base, w, s.Direction.Schedule), base)
		}
		return nil
	})
}

// turnTrials steer along each preset, looking on.
func turnTrials(s Setting) ([]Trial, error) {
	if len(s.Model.Presets) == 0 {
		return nil, fault.New(fault.RequestInvalid, "the experiment is of presets, and the model has none")
	}
	return s.each(func(base recipe.Request, add add) error {
		base.Probe = &recipe.ProbeRequest{}
		for _, p := range s.Model.Presets {
			for _, w := range []float64{-2, -1, 1, 2, 4} {
				base.Guidance = []recipe.Term{{Positive: p.Positive, Negative: p.Negative, Weight: w, Schedule: guidance.Schedule{Kind: "constant"}}}
				add(p.Title, w, base, recipe.Request{})
			}
		}
		return nil
	})
}

// addedTrials steer along the direction alone, and along a preset too, with its own weight.
func addedTrials(s Setting) ([]Trial, error) {
	if _, err := s.steered(); err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, factor := range []float64{0.5, 1, 1.5} {
			w := s.times(factor)
			alone := s.guided(base, w, s.Direction.Schedule)
			add("alone", w, alone, base)
			for _, p := range s.Model.Presets {
				if p.Positive == s.Direction.Positive && p.Negative == s.Direction.Negative {
					continue
				}
				second, err := p.Term()
				if err != nil {
					return err
				}
				both := alone
				both.Guidance = []recipe.Term{alone.Guidance[0], second}
				add("beside "+p.Title, w, both, base)
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
