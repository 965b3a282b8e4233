package lab

import (
	"encoding/json"
	"fmt"

	"undertone/engine/recipe"
	"undertone/guidance"
)

// dearest is how many objects of 100 a proposed setting may lose, and fewest of how many
// pairs its means have to be: intervals of fewer say little.
const dearest, fewest = 5, 6

// propose chooses the setting with the largest gain among those that lose few objects, and
// the range of weights at its first block for which that holds.
func propose(r *Results) (string, *recipe.Preset) {
	if r.Price == "" {
		return "No judge speaks of these words: the plot says how much changes, and people have to say whether for the better.", nil
	}
	for _, m := range r.Means {
		if m.N < fewest {
			return fmt.Sprintf("There are %d pairs of %s, weight %g: a proposal takes at least %d of every setting.", m.N, m.Series, m.X, fewest), nil
		}
	}
	best := r.best()
	if best.N == 0 {
		return fmt.Sprintf(noGain, dearest), nil
	}
	high := best.X
	for _, m := range r.Means { // by weight
		if m.Series != best.Series {
			continue
		}
		if m.Price > dearest {
			break
		}
		high = max(high, m.X)
	}
	start := 0
	if _, err := fmt.Sscanf(best.Series, startSeries, &start); err != nil {
		return "", nil // a file of another version
	}
	schedule, err := json.Marshal(guidance.Schedule{Kind: "step", Start: start})
	if err != nil {
		panic(err) // a schedule is plain data
	}
	p := &recipe.Preset{ID: "own", Title: "Own", Positive: r.Direction.Positive, Negative: r.Direction.Negative,
		Weight: best.X, Range: []float64{0, high}, Schedule: schedule}
	return fmt.Sprintf("Proposed: weight %g, %s. It gains %.3g (%.3g to %.3g) and loses %.2g of 100 objects; weights up to %g lose no more than %d.",
		best.X, best.Series, best.Mean, best.Low, best.High, max(0, best.Price), high, dearest), p
}
