package lab

import (
	"context"
	"encoding/json"
	"math"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// Row is what was measured of a trial.
type Row struct {
	Point
	Value float64 `json:"value"`
}

// Draw makes a picture.
type Draw func(ctx context.Context, r recipe.Request) (*recipe.Result, error)

// Run makes the pictures of an experiment, but for the trials that done has rows of, and
// gives each new row to each. It ends with the first error, that of each included.
func Run(ctx context.Context, e Experiment, s Setting, draw Draw, done []Row, each func(r Row, left int) error) error {
	trials, err := e.Trials(s)
	if err != nil {
		return err
	}
	known := make(map[Point]bool, len(done))
	for _, r := range done {
		known[r.Point] = true
	}
	left := 0
	for _, t := range trials {
		if !known[t.Point] {
			left++
		}
	}
	var last string // the request of base
	var base *recipe.Result
	for _, t := range trials {
		if known[t.Point] {
			continue
		}
		text, err := json.Marshal(t.Base)
		if err != nil {
			return err
		}
		if base == nil || e.Times || string(text) != last {
			if base, err = draw(ctx, t.Base); err != nil {
				return err
			}
			last = string(text)
		}
		made, err := draw(ctx, t.Request)
		if err != nil {
			return err
		}
		value := e.Measure(made, base)
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return fault.New(fault.Internal, "%s of %q, seed %d is %v", e.Name, t.Prompt, t.Seed, value)
		}
		left--
		if err := each(Row{t.Point, value}, left); err != nil {
			return err
		}
	}
	return nil
}
