package guidance

import "strings"

// Rows says what the unconditional row of classifier-free guidance gets of the
// directions; the conditional row always gets them as they are. It has no meaning
// where a step is a single pass.
//
//	both    ŷ_uncond = y + Σ w·δ   the shift is the same in both passes, as for SD3.5
//	cond    ŷ_uncond = y           the scale of classifier-free guidance enlarges the shift too
//	signed  ŷ_uncond = y − Σ w·δ   the passes are pushed apart, as for HiDream-I1
//
// The empty word is "both". The output head's weight follows the same rule.
type Rows string

// The rows.
const (
	RowsBoth   Rows = "both"
	RowsCond   Rows = "cond"
	RowsSigned Rows = "signed"
)

// AllRows lists the words that Check accepts, the default first.
var AllRows = []Rows{RowsBoth, RowsCond, RowsSigned}

// Check refuses other words.
func (r Rows) Check() error {
	var words []string
	for _, known := range AllRows {
		if r == known || r == "" {
			return nil
		}
		words = append(words, string(known))
	}
	return refuse("rows of guidance", r, "one of %s", strings.Join(words, ", "))
}

// Unconditional are the directions of the unconditional row.
func (r Rows) Unconditional(dirs []Direction) []Direction {
	switch r {
	case RowsCond:
		return nil
	case RowsSigned:
		out := make([]Direction, len(dirs))
		for i, d := range dirs {
			out[i] = Direction{Delta: d.Delta, Weights: make([]float32, len(d.Weights)), Head: -d.Head}
			for l, w := range d.Weights {
				out[i].Weights[l] = -w
			}
		}
		return out
	}
	return dirs
}
