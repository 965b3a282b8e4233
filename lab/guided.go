package lab

import (
	"slices"

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

// addedTrials steer along the direction alone, and along a preset too, with its own weight:
// at a weight of 0, along the preset alone.
func addedTrials(s Setting) ([]Trial, error) {
	if _, err := s.steered(); err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, factor := range []float64{0.5, 1, 1.5} {
			add("alone", s.times(factor), s.guided(base, s.times(factor), s.Direction.Schedule), base)
		}
		for _, p := range s.Model.Presets {
			if p.Positive == s.Direction.Positive && p.Negative == s.Direction.Negative {
				continue
			}
			second, err := p.Term()
			if err != nil {
				return err
			}
			for _, factor := range []float64{0, 0.5, 1, 1.5} {
				both := s.guided(base, s.times(factor), s.Direction.Schedule)
				both.Guidance = append(both.Guidance, second)
				add("beside "+p.Title, s.times(factor), both, base)
			}
		}
		return nil
	})
}

// linearTrials steer more and more, along the direction and along a random one.
func linearTrials(s Setting) ([]Trial, error) {
	if _, err := s.steered(); err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, factor := range []float64{0.25, 0.5, 1, 1.5, 2} {
			w := s.times(factor)
			made := s.guided(base, w, s.Direction.Schedule)
			add(directionSeries, w, made, base)
			made.Guidance = slices.Clone(made.Guidance)
			made.Guidance[0].Random = true
			add(randomSeries, w, made, base)
		}
		return nil
	})
}
