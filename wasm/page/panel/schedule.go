package panel

import (
	"math"
	"slices"

	"undertone/engine/recipe"
	"undertone/guidance"
)

// scale is the range of weights that the schedule's picture shows.
type scale struct{ low, top float64 }

// scaleOf covers the clean weights of a preset and everything that is drawn.
func scaleOf(low, top float64, weights []float32) scale {
	s := scale{min(low, 0), max(top, 1)}
	for _, w := range weights {
		s.low, s.top = min(s.low, float64(w)), max(s.top, float64(w))
	}
	return s
}

// at is where a weight stands, from 0 at the bottom to 1 at the top.
func (s scale) at(w float64) float64 { return (w - s.low) / (s.top - s.low) }

// weight is what a height means, in steps of 0.05. Close to the line of zero it is
// zero, which nobody could hit otherwise.
func (s scale) weight(height float64) float64 {
	w := s.low + min(1, max(0, height))*(s.top-s.low)
	if math.Abs(w) < (s.top-s.low)/40 {
		return 0
	}
	return math.Round(w*20) / 20
}

// blockAt is the block at a place between 0 and 1 along the picture.
func blockAt(place float64, blocks int) int {
	return min(blocks-1, max(0, int(place*float64(blocks))))
}

// stroke is what a pointer draws from one event to the next: every block between
// the two gets its weight, so that a quick hand leaves no gaps.
func stroke(from int, a float64, to int, b float64) map[int]float64 {
	drawn := map[int]float64{to: b}
	for l := min(from, to); l <= max(from, to); l++ {
		if l != to && from != to {
			drawn[l] = math.Round((a+(b-a)*float64(l-from)/float64(to-from))*20) / 20
		}
	}
	return drawn
}

// paint sets the weights of some blocks by hand. What is drawn becomes a table of
// factors of the direction's weight, which still scales all of it.
func paint(t *recipe.Term, weights map[int]float64, blocks int) {
	if math.IsNaN(t.Weight) || math.Abs(t.Weight) < 0.05 {
		t.Weight = 1
	}
	// Of another kind, or of another model's depth: as it falls on this one.
	table := make([]float64, blocks)
	for i, w := range curve(recipe.Term{Weight: 1, Schedule: t.Schedule}, blocks) {
		table[i] = float64(w)
	}
	for l, w := range weights {
		if l >= 0 && l < blocks {
			w = min(guidance.MaxWeight, max(-guidance.MaxWeight, w))
			table[l] = math.Round(w/t.Weight*1e4) / 1e4
		}
	}
	t.Schedule = guidance.Schedule{Kind: "table", Table: table}
}

// span is the first and the last block that a schedule of kind step or window
// reaches in a model of that many blocks.
func span(t recipe.Term, blocks int) (first, last int) {
	on := func(w float32) bool { return w != 0 }
	shape := curve(recipe.Term{Weight: 1, Schedule: t.Schedule}, blocks)
	if shape == nil {
		return t.Schedule.Start, t.Schedule.End
	}
	first = slices.IndexFunc(shape, on)
	last = first
	for l, w := range shape {
		if on(w) {
			last = l
		}
	}
	return first, last
}

// ownBlocks rewrites a schedule that counts the blocks of another model, so that its
// numbers may be edited in this one's.
func ownBlocks(t *recipe.Term, blocks int) {
	if t.Schedule.Of == 0 || t.Schedule.Kind != "step" && t.Schedule.Kind != "window" {
		return
	}
	s := guidance.Schedule{Kind: t.Schedule.Kind}
	s.Start, s.End = span(*t, blocks)
	if s.Kind == "step" {
		s.End = 0
	}
	t.Schedule = s
}

// curve is the weight of every block, for drawing; nil when the schedule is out
// of range, which the API will say.
func curve(t recipe.Term, blocks int) []float32 {
	if math.IsNaN(t.Weight) || blocks < 1 {
		return nil
	}
	w, err := t.Schedule.Weights(t.Weight, blocks)
	if err != nil {
		return nil
	}
	return w
}

// setKind changes the schedule's kind and gives it a range that means something in
// a model of that many blocks. What was drawn by hand becomes a table.
func setKind(t *recipe.Term, kind string, blocks int) {
	if kind == t.Schedule.Kind {
		return
	}
	s := guidance.Schedule{Kind: kind}
	switch kind {
	case "step":
		s.Start = min(1, blocks-1)
	case "window":
		s.Start = min(1, blocks-1)
		s.End = max(s.Start, blocks-2)
	case "intervals":
		half := max(1, blocks/2)
		s.Intervals = []guidance.Interval{{From: 0, To: half, Weight: 1}}
		if half < blocks {
			s.Intervals = append(s.Intervals, guidance.Interval{From: half, To: blocks, Weight: 0.5})
		}
	case "table":
		s.Table = make([]float64, blocks)
		for i, w := range curve(recipe.Term{Weight: 1, Schedule: t.Schedule}, blocks) {
			s.Table[i] = float64(w)
		}
	}
	t.Schedule = s
}
