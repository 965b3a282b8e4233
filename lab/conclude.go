package lab

import (
	"fmt"

	"undertone/engine/recipe"
)

// Conclude is what an experiment's means come to, see Experiment.Conclude.
func (r *Results) Conclude() (string, *recipe.Preset) {
	e, err := Find(r.Experiment)
	if err != nil || e.Conclude == nil || len(r.Means) == 0 {
		return "", nil
	}
	return e.Conclude(r)
}

// The series that conclusions compare.
const (
	zerosSeries    = "pooled vector of zeros"
	noTokensSeries = "no tokens"
	randomSeries   = "random direction"

	directionSeries = "the direction"
)

// at is the mean of a series at X.
func (r *Results) at(series string, x float64) (Mean, bool) {
	for _, m := range r.Means {
		if m.Series == series && m.X == x {
			return m, true
		}
	}
	return Mean{}, false
}

// compareAblations tells which matters more in the longest prompts, the pooled vector or
// the tokens.
func compareAblations(r *Results) (string, *recipe.Preset) {
	longest := 0.0
	for _, m := range r.Means {
		longest = max(longest, m.X)
	}
	zeros, ok := r.at(zerosSeries, longest)
	tokens, both := r.at(noTokensSeries, longest)
	if !ok || !both {
		return "", nil // it has only begun
	}
	said := "The difference between the two may be chance."
	switch {
	case zeros.Low > tokens.High:
		said = "The vector matters more."
	case tokens.Low > zeros.High:
		said = "The tokens matter more."
	}
	return fmt.Sprintf("In prompts of %g words, a vector of zeros comes to %.2g (%.2g to %.2g), no tokens to %.2g (%.2g to %.2g). %s",
		longest, zeros.Mean, zeros.Low, zeros.High, tokens.Mean, tokens.Low, tokens.High, said), nil
}

// mostGained tells where the most is gained at a fair price, and what chance gains there.
func mostGained(r *Results) (string, *recipe.Preset) {
	if r.Price == "" {
		return "", nil
	}
	best := r.best()
	if best.N == 0 {
		return fmt.Sprintf(noGain, dearest), nil
	}
	said := fmt.Sprintf("Most is gained with: %s, at %g: %.3g (%.3g to %.3g) of 100, and %.2g of 100 objects are lost.",
		best.Series, best.X, best.Mean, best.Low, best.High, max(0, best.Price))
	if chance, ok := r.at(randomSeries, best.X); ok {
		said += fmt.Sprintf(" A random direction of that length gains %.3g (%.3g to %.3g).", chance.Mean, chance.Low, chance.High)
	}
	return said, nil
}

const noGain = "No setting is seen to gain anything and loses no more than %d of 100 objects."

// best is the mean with the largest gain that is seen among those that lose few objects.
func (r *Results) best() (best Mean) {
	for _, m := range r.Means {
		if m.Price <= dearest && m.Mean > best.Mean && !m.Unsure() {
			best = m
		}
	}
	return best
}

// strongestBlock tells which block alone does the most.
func strongestBlock(r *Results) (string, *recipe.Preset) {
	best := r.best()
	if best.N == 0 {
		return "No block alone is seen to do anything.", nil
	}
	return fmt.Sprintf("Block %g does the most alone, at %s: %.3g (%.3g to %.3g).", best.X, best.Series, best.Mean, best.Low, best.High), nil
}

// howFar tells how far the largest weight moves pictures from the first and from the last
// of the blocks on.
func howFar(r *Results) (string, *recipe.Preset) {
	far := r.Means[0]
	for _, m := range r.Means {
		far.X = max(far.X, m.X)
	}
	names := r.series()
	early, ok := r.at(names[0], far.X)
	late, both := r.at(names[len(names)-1], far.X)
	if !ok || !both || len(names) < 2 {
		return "", nil // it has only begun
	}
	return fmt.Sprintf("At a weight of %g, guidance %s moves a picture by %.2g (%.2g to %.2g), %s by %.2g (%.2g to %.2g).",
		far.X, early.Series, early.Mean, early.Low, early.High, late.Series, late.Mean, late.Low, late.High), nil
}

// howLinear compares the change at the direction's weight with that at twice the weight.
func howLinear(r *Results) (string, *recipe.Preset) {
	once, ok := r.at(directionSeries, r.Direction.Weight)
	twice, both := r.at(directionSeries, 2*r.Direction.Weight)
	if !ok || !both || once.Mean == 0 {
		return "", nil // it has only begun, or the weight is at its limit
	}
	return fmt.Sprintf("At a weight of %g pictures move by %.3g (%.3g to %.3g), at %g by %.3g (%.3g to %.3g): %.2g times as far.",
		once.X, once.Mean, once.Low, once.High, twice.X, twice.Mean, twice.Low, twice.High, twice.Mean/once.Mean), nil
}

// winRate is the share of votes for guidance at the direction's weight; a vote for neither
// is half a vote for each.
func winRate(r *Results) (string, *recipe.Preset) {
	m, ok := r.at("guidance", r.Direction.Weight)
	if !ok {
		return "", nil // it has only begun
	}
	share := func(preference float64) float64 { return 50 + preference/2 }
	said := "People prefer guidance."
	switch {
	case m.Unsure():
		said = "No preference is seen."
	case m.Mean < 0:
		said = "People prefer pictures without it."
	}
	return fmt.Sprintf("At a weight of %g, guidance wins in %.3g %% of %d votes (%.3g %% to %.3g %%). %s",
		m.X, share(m.Mean), m.N, share(m.Low), share(m.High), said), nil
}
