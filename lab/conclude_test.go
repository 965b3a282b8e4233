package lab

import (
	"strings"
	"testing"

	"undertone/engine/recipe"
)

// TestConclude: what is said follows from the means, and admits what may be chance.
func TestConclude(t *testing.T) {
	mean := func(series string, x, middle, half, price float64) Mean {
		return Mean{Series: series, X: x, Mean: middle, Low: middle - half, High: middle + half, N: 8, Price: price}
	}
	for _, c := range []struct {
		name, want string
		means      []Mean
	}{
		{"pooled", "", []Mean{mean(zerosSeries, 1, 1, 0, 0)}},
		{"pooled", "In prompts of 8 words, a vector of zeros comes to 0.5 (0.4 to 0.6), no tokens to 0.2 (0.15 to 0.25). The vector matters more.",
			[]Mean{mean(zerosSeries, 1, 0, 0, 0), mean(zerosSeries, 8, 0.5, 0.1, 0), mean(noTokensSeries, 1, 3, 0, 0), mean(noTokensSeries, 8, 0.2, 0.05, 0)}},
		{"lost", "The tokens matter more.", []Mean{mean(zerosSeries, 8, 1, 0.5, 0), mean(noTokensSeries, 8, 20, 5, 0)}},
		{"pooled", "may be chance", []Mean{mean(zerosSeries, 8, 1, 0.5, 0), mean(noTokensSeries, 8, 1.5, 0.5, 0)}},
		{"guidance", "Most is gained with: every block, at 2: 40 (35 to 45) of 100, and 3 of 100 objects are lost. A random direction of that length gains 1 (-2 to 4).",
			[]Mean{mean("every block", 2, 40, 5, 3), mean("every block", 4, 90, 5, 30), mean("two bumps", 2, 60, 70, 0), mean(randomSeries, 2, 1, 3, 0)}},
		{"guidance", "No setting is seen to gain anything", []Mean{mean("every block", 2, 40, 50, 3)}},
		{"block", "Block 3 does the most alone, at weight 2: 20 (15 to 25).", []Mean{mean("weight 2", 2, 10, 5, 0), mean("weight 2", 3, 20, 5, 0)}},
		{"block", "No block alone", []Mean{mean("weight 2", 2, 10, 15, 0)}},
		{"weight", "", []Mean{mean("from block 0 on", 2, 10, 15, 0)}},
		{"people", "", []Mean{mean("guidance", 1, 10, 15, 0)}},
		{"people", "At a weight of 2, guidance wins in 70 % of 8 votes (60 % to 80 %). People prefer guidance.", []Mean{mean("guidance", 1, 0, 0, 0), mean("guidance", 2, 40, 20, 0)}},
		{"people", "(20 % to 40 %). People prefer pictures without it.", []Mean{mean("guidance", 2, -40, 20, 0)}},
		{"linear", "", []Mean{mean(directionSeries, 2, 10, 1, 0), mean(randomSeries, 4, 9, 1, 0)}},
		{"linear", "At a weight of 2 pictures move by 10 (9 to 11), at 4 by 15 (14 to 16): 1.5 times as far.", []Mean{mean(directionSeries, 2, 10, 1, 0), mean(directionSeries, 4, 15, 1, 0)}},
		{"weight", "At a weight of 4, guidance from block 0 on moves a picture by 0.5 (0.4 to 0.6), from block 3 on by 0.1 (0.05 to 0.15).",
			[]Mean{mean("from block 0 on", 2, 0.1, 0, 0), mean("from block 0 on", 4, 0.5, 0.1, 0), mean("from block 1 on", 4, 0.4, 0, 0), mean("from block 3 on", 4, 0.1, 0.05, 0)}},
	} {
		r := &Results{Experiment: c.name, Price: "objects lost", Means: c.means, Direction: recipe.Term{Weight: 2}}
		if got, _ := r.Conclude(); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s concludes %q, wanted %q", c.name, got, c.want)
		}
	}
}
