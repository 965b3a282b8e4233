package lab

import (
	"context"
	"encoding/json"
	"math"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// Row is what was measured of a trial.
type Row struct {
	Point
	Value float64 `json:"value"`
	Price float64 `json:"price,omitempty"` // where the experiment has two measures
	By    string  `json:"by,omitempty"`    // of a person's vote: whose device it was given on
}

// Machine makes pictures and looks at them.
type Machine struct {
	Draw func(ctx context.Context, r recipe.Request) (*recipe.Result, error)
	// Judge is asked by experiments with a Judged measure alone: of models that have one.
	Judge func(ctx context.Context, image *recipe.Image) (recipe.Judgement, error)
	// Encode is asked where the distance is that of features: of models that have an encoder.
	Encode func(ctx context.Context, image *recipe.Image) ([]float32, error)
	// Vote asks a person, who is not told which is which: 1 for made, −1 for base, 0 where
	// there is no difference. nil where there is nobody to ask.
	Vote func(ctx context.Context, prompt string, made, base *recipe.Image) (float64, error)
	By   string // whose votes they are
	// Show is given each pair of pictures, where it is not nil and pictures are compared.
	Show func(t Trial, made, base *recipe.Image)
}

// looks says what is asked of each picture.
type looks struct{ judged, encoded bool }

// see makes a picture and has it looked at.
func (m Machine) see(ctx context.Context, r recipe.Request, l looks) (s Seen, err error) {
	if s.Result, err = m.Draw(ctx, r); err == nil && l.judged {
		s.Judged, err = m.Judge(ctx, s.Image)
	}
	if err == nil && l.encoded {
		s.Features, err = m.Encode(ctx, s.Image)
	}
	return s, err
}

// last is the picture that was seen last, which stands for the next one where that is asked
// for with the same request.
type last struct {
	Seen
	request string
}

func (l *last) see(ctx context.Context, m Machine, r recipe.Request, how looks) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if l.request == string(text) {
		return nil
	}
	l.Seen, err = m.see(ctx, r, how)
	l.request = string(text)
	return err
}

// Run makes the pictures of an experiment, but for the trials that done has rows of, and
// gives each new row to each. It ends with the first error, that of each included.
func Run(ctx context.Context, e Experiment, s Setting, m Machine, done []Row, each func(r Row, left int) error) error {
	trials, err := Left(e, s, done, m.By)
	if err != nil {
		return err
	}
	measures := e.Measures(s)
	if e.Voted && m.Vote == nil {
		return fault.New(fault.RequestInvalid, "%s asks people, which the Lab in the browser does", e.Name)
	}
	var how looks
	for _, m := range measures {
		how.judged, how.encoded = how.judged || m.Judged, how.encoded || m.Encoded
	}
	var base, made last
	for i, t := range trials {
		if e.Times {
			base, made = last{}, last{}
		}
		if !e.Alone {
			if err := base.see(ctx, m, t.Base, how); err != nil {
				return err
			}
		}
		if err := made.see(ctx, m, t.Request, how); err != nil {
			return err
		}
		if m.Show != nil && !e.Alone && !e.Voted && !e.Times && t.Request.Probe == nil {
			m.Show(t, made.Image, base.Image)
		}
		row := Row{Point: t.Point}
		if e.Voted {
			if row.Value, err = m.Vote(ctx, t.Prompt, made.Image, base.Image); err != nil {
				return err
			}
			row.Value, row.By = 100*row.Value, m.By
			measures = nil // the vote is the measure
		}
		for i, to := range []*float64{&row.Value, &row.Price}[:len(measures)] {
			if *to = measures[i].Of(t, made.Seen, base.Seen); math.IsNaN(*to) || math.IsInf(*to, 0) {
				if len(t.Words) > 0 {
					return fault.New(fault.RequestInvalid, "the model reads none of the words %v of the prompt %.200q", t.Words, t.Prompt)
				}
				return fault.New(fault.Internal, "%s of %q, seed %d is %v", e.Name, t.Prompt, t.Seed, *to)
			}
		}
		if err := each(row, len(trials)-1-i); err != nil {
			return err
		}
	}
	return nil
}

// Left are the trials that done has no rows of: of votes, none of this voter's.
func Left(e Experiment, s Setting, done []Row, by string) ([]Trial, error) {
	trials, err := e.Trials(s)
	known := make(map[Point]bool, len(done))
	for _, r := range done {
		known[r.Point] = known[r.Point] || !e.Voted || r.By == by
	}
	return slices.DeleteFunc(trials, func(t Trial) bool { return known[t.Point] }), err
}
