package guidance

import (
	"fmt"
	"math"
)

// The limits of what is taken for sense.
const (
	// MaxWeight bounds |w|, for the blocks and for the head.
	MaxWeight = 20
	// MaxBlocks bounds the depth of a model.
	MaxBlocks = 1000
)

// Error says which value was refused, and the limit it broke.
type Error struct {
	What, Value, Limit string
}

func (e *Error) Error() string {
	return fmt.Sprintf("guidance: %s is %s; it must be %s", e.What, e.Value, e.Limit)
}

func refuse(what string, value any, limit string, args ...any) error {
	return &Error{what, fmt.Sprint(value), fmt.Sprintf(limit, args...)}
}

// Interval is a stretch of blocks From ≤ l < To whose weight is w·Weight.
type Interval struct {
	From   int     `json:"from"`
	To     int     `json:"to"`
	Weight float64 `json:"weight"`
}

// Schedule says how a direction's weight is spread over the blocks. Each kind
// uses its own few fields; the package's documentation lists the kinds. The zero
// Schedule is constant.
type Schedule struct {
	Kind string `json:"kind"`
	// Start and End are blocks: the first of "step", the first and last of "window".
	Start int `json:"start,omitempty"`
	End   int `json:"end,omitempty"`
	// Of is the depth that all block numbers refer to; 0 is this model's own.
	Of int `json:"of,omitempty"`
	// Centers and Width, in blocks, shape "bumps". No centers means 20 and 50 of
	// 57, whatever Of says; width 0 means 5.
	Centers []float64 `json:"centers,omitempty"`
	Width   float64   `json:"width,omitempty"`
	// Intervals of "intervals" come in order and do not overlap.
	Intervals []Interval `json:"intervals,omitempty"`
	// Table of "table" has one factor per block of Of.
	Table []float64 `json:"table,omitempty"`
}

// Kinds lists the kinds of schedules.
func Kinds() []string {
	return []string{"constant", "step", "window", "bumps", "intervals", "table"}
}

// defaultWidth is a reading: the paper's figure shows bumps about this wide.
const defaultWidth = 5

// Weights returns w(l) for every block l of a model of so many blocks. The
// error is an *Error.
func (s Schedule) Weights(w float64, blocks int) ([]float32, error) {
	if blocks < 1 || blocks > MaxBlocks {
		return nil, refuse("number of blocks", blocks, "between 1 and %d", MaxBlocks)
	}
	if !(math.Abs(w) <= MaxWeight) { // NaN too
		return nil, refuse("weight", w, "between -%d and %d", MaxWeight, MaxWeight)
	}
	if s.Of < 0 || s.Of > MaxBlocks {
		return nil, refuse("of", s.Of, "0 for this model's own blocks, or between 1 and %d", MaxBlocks)
	}
	if s.Kind == "bumps" && len(s.Centers) == 0 {
		s.Centers, s.Of = []float64{20, 50}, 57
	}
	d := depth{of: s.Of, blocks: blocks}
	if d.of == 0 {
		d.of = blocks
	}
	factors := make([]float64, blocks)
	var err error
	switch s.Kind {
	case "", "constant":
		fill(factors, 1)
	case "step":
		err = s.step(d, factors)
	case "window":
		err = s.window(d, factors)
	case "bumps":
		err = s.bumps(d, factors)
	case "intervals":
		err = s.intervals(d, factors)
	case "table":
		err = s.table(d, factors)
	default:
		err = refuse("schedule kind", fmt.Sprintf("%q", s.Kind), "one of %v", Kinds())
	}
	if err != nil {
		return nil, err
	}
	weights := make([]float32, blocks)
	for l, f := range factors {
		weights[l] = float32(w * f)
	}
	return weights, nil
}

// depth carries block numbers from a model of `of` blocks to one of `blocks`.
type depth struct{ of, blocks int }

// at is where block l of this model stands among the blocks of the other, whose
// block b reaches from b to b+1.
func (d depth) at(l int) float64 {
	return (float64(l) + 0.5) * float64(d.of) / float64(d.blocks)
}

// span returns the blocks from ≤ l < to of this model whose middles lie in
// blocks from … to−1 of the other. A stretch too short to hold the middle of any
// goes to the block in which its own middle lies, so that it never vanishes.
func (d depth) span(from, to int) (int, int) {
	// The first l with l + ½ ≥ b·blocks/of.
	edge := func(b int) int { return int(math.Ceil(float64(b*d.blocks)/float64(d.of) - 0.5)) }
	f, t := edge(from), edge(to)
	if f == t {
		f = (from + to) * d.blocks / (2 * d.of)
		t = f + 1
	}
	return f, t
}

func fill(s []float64, v float64) {
	for i := range s {
		s[i] = v
	}
}

func (s Schedule) step(d depth, factors []float64) error {
	if s.Start < 0 || s.Start >= d.of {
		return refuse("start", s.Start, "a block of %d, 0 to %d", d.of, d.of-1)
	}
	from, _ := d.span(s.Start, d.of)
	fill(factors[from:], 1)
	return nil
}

func (s Schedule) window(d depth, factors []float64) error {
	if s.Start < 0 || s.Start >= d.of {
		return refuse("start", s.Start, "a block of %d, 0 to %d", d.of, d.of-1)
	}
	if s.End < s.Start || s.End >= d.of {
		return refuse("end", s.End, "a block of %d from start on, %d to %d", d.of, s.Start, d.of-1)
	}
	from, to := d.span(s.Start, s.End+1)
	fill(factors[from:to], 1)
	return nil
}

func (s Schedule) bumps(d depth, factors []float64) error {
	width := s.Width
	if width == 0 {
		width = defaultWidth
	}
	if !(width > 0 && width <= MaxBlocks) {
		return refuse("width", s.Width, "more than 0 and at most %d blocks", MaxBlocks)
	}
	if n := len(s.Centers); n > MaxBlocks {
		return refuse("number of centers", n, "at most %d", MaxBlocks)
	}
	for _, c := range s.Centers {
		if !(c >= 0 && c <= float64(d.of-1)) {
			return refuse("center", c, "a block of %d, 0 to %d", d.of, d.of-1)
		}
		for l := range factors {
			factors[l] += math.Exp(-math.Abs(d.at(l)-(c+0.5)) / width)
		}
	}
	return nil
}

func (s Schedule) intervals(d depth, factors []float64) error {
	if len(s.Intervals) == 0 {
		return refuse("number of intervals", 0, "at least 1")
	}
	last := 0
	for _, i := range s.Intervals {
		switch {
		case i.From < last:
			return refuse("interval's from", i.From, "at least %d, where the interval before it ends", last)
		case i.To <= i.From || i.To > d.of:
			return refuse("interval's to", i.To, "over its from, %d, and at most the %d blocks", i.From, d.of)
		}
		if err := checkFactor("interval's weight", i.Weight); err != nil {
			return err
		}
		last = i.To
		from, to := d.span(i.From, i.To)
		fill(factors[from:to], i.Weight)
	}
	return nil
}

func (s Schedule) table(d depth, factors []float64) error {
	if len(s.Table) != d.of {
		return refuse("number of values in the table", len(s.Table), "one for each of %d blocks", d.of)
	}
	for b, f := range s.Table {
		if err := checkFactor(fmt.Sprintf("table's value %d", b), f); err != nil {
			return err
		}
	}
	for l := range factors {
		factors[l] = s.Table[int(d.at(l))]
	}
	return nil
}

func checkFactor(what string, f float64) error {
	if !(math.Abs(f) <= MaxWeight) {
		return refuse(what, f, "between -%d and %d", MaxWeight, MaxWeight)
	}
	return nil
}
