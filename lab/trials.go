package lab

import (
	"fmt"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// add takes a trial of one prompt and seed, and the request it is compared with.
type add = func(series string, x float64, made, from recipe.Request)

// pooledTrials take the pooled vector, or the tokens, away from prompts that are cut to
// their first words: 1, 2, 4 and so on, and all of them.
func pooledTrials(s Setting) ([]Trial, error) {
	return s.each(func(base recipe.Request, add add) error {
		words := strings.Fields(base.Prompt)
		for n := 1; n < 2*len(words); n *= 2 {
			n = min(n, len(words))
			from := base
			from.Prompt = strings.Join(words[:n], " ")
			made := from
			for _, a := range []struct {
				series string
				recipe.Ablation
			}{
				{zerosSeries, recipe.Ablation{Pooled: recipe.PooledZero}},
				{"random pooled vector", recipe.Ablation{Pooled: recipe.PooledRandom}},
				{noTokensSeries, recipe.Ablation{Tokens: recipe.TokensEmpty}},
			} {
				made.Ablate = &a.Ablation
				add(a.series, float64(n), made, from)
			}
			if n == len(words) {
				break
			}
		}
		return nil
	})
}

// guided is a request with one direction.
func (s Setting) guided(base recipe.Request, weight float64, schedule guidance.Schedule) recipe.Request {
	t := s.Direction
	t.Weight, t.Schedule, t.Head = weight, schedule, 0
	base.Guidance = []recipe.Term{t}
	return base
}

// times is a multiple of the direction's own weight, within what is possible.
func (s Setting) times(factor float64) float64 {
	return max(-guidance.MaxWeight, min(factor*s.Direction.Weight, guidance.MaxWeight))
}

// weightTrials vary the weight from its opposite to twice the proposed one, at four first
// blocks.
func weightTrials(s Setting) ([]Trial, error) {
	blocks, err := s.steered()
	if err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for _, start := range firstBlocks(0, blocks/4, blocks/2, 3*blocks/4) {
			for _, factor := range []float64{-1, -0.5, 0, 0.5, 1, 1.5, 2} {
				w := s.times(factor)
				add(startOf(start), w, s.guided(base, w, guidance.Schedule{Kind: "step", Start: start}), base)
			}
		}
		return nil
	})
}

// firstBlocks are blocks to start from, each once: in a model of few blocks some fall together.
func firstBlocks(in ...int) []int { return slices.Compact(in) }

// startOf names the series of a first block.
func startOf(block int) string { return fmt.Sprintf(startSeries, block) }

// startSeries is read again where a setting is proposed.
const startSeries = "from block %d on"

// blockTrials guide one block at a time.
func blockTrials(s Setting) ([]Trial, error) {
	blocks, err := s.steered()
	if err != nil {
		return nil, err
	}
	return s.each(func(base recipe.Request, add add) error {
		for b := range blocks {
			for _, factor := range []float64{1, 2} {
				w := s.times(factor)
				only := guidance.Schedule{Kind: "intervals", Intervals: []guidance.Interval{{From: b, To: b + 1, Weight: 1}}}
				add(fmt.Sprintf("weight %g", w), float64(b), s.guided(base, w, only), base)
			}
		}
		return nil
	})
}

// costTrials use several directions at once, each with words of its own.
func costTrials(s Setting) ([]Trial, error) {
	if _, err := s.steered(); err != nil {
		return nil, err
	}
	number := 0
	return s.each(func(base recipe.Request, add add) error {
		for n := 1; n <= recipe.MaxTerms; n *= 2 {
			made := base
			for range n {
				t := s.Direction
				number++ // words that were encoded for no picture before
				t.Positive = fmt.Sprintf("%s %d", t.Positive, number)
				made.Guidance = append(made.Guidance, t)
			}
			add("new directions", float64(n), made, base)
		}
		return nil
	})
}

// steered is the number of blocks, for an experiment that needs a direction.
func (s Setting) steered() (blocks int, err error) {
	if s.Direction.Positive == "" && s.Direction.Negative == "" || s.Direction.Weight == 0 {
		return 0, fault.New(fault.RequestInvalid, "the experiment steers, and has no direction with a weight")
	}
	return s.Model.Blocks.Double + s.Model.Blocks.Single, nil
}
