package recipe

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"undertone/engine"
	"undertone/guidance"
)

// term is a direction as it is written: without what is the default, so that it
// stays readable in a link.
type term struct {
	Positive string    `json:"positive,omitempty"`
	Negative string    `json:"negative,omitempty"`
	Weight   num       `json:"weight"`
	Head     num       `json:"head,omitempty"`
	Schedule *schedule `json:"schedule,omitempty"`
}

// schedule is guidance.Schedule with numbers that may be anything: there they are
// refused when they do not fit, and whole ones when they are written otherwise; those
// of an address or a picture are brought into range.
type schedule struct {
	Kind      string     `json:"kind"`
	Start     num        `json:"start,omitempty"`
	End       num        `json:"end,omitempty"`
	Of        num        `json:"of,omitempty"`
	Centers   []num      `json:"centers,omitempty"`
	Width     num        `json:"width,omitempty"`
	Intervals []interval `json:"intervals,omitempty"`
	Table     []num      `json:"table,omitempty"`
}

type interval struct {
	From   num `json:"from"`
	To     num `json:"to"`
	Weight num `json:"weight"`
}

// num is a number that may be out of any range while it is read.
type num float64

func (n *num) UnmarshalJSON(text []byte) error {
	v, ok := parse(string(text))
	if !ok {
		return errors.New("not a number")
	}
	*n = num(v)
	return nil
}

func nums(list []float64) (out []num) {
	for _, v := range list {
		out = append(out, num(v))
	}
	return out
}

// terms are directions as they are written.
func terms(list []engine.Term) []term {
	out := make([]term, len(list))
	for i, t := range list {
		out[i] = term{Positive: t.Positive, Negative: t.Negative, Weight: num(t.Weight), Head: num(t.Head)}
		s := t.Schedule
		if s.Kind == "" || s.Kind == "constant" {
			continue
		}
		w := &schedule{
			Kind: s.Kind, Start: num(s.Start), End: num(s.End), Of: num(s.Of),
			Centers: nums(s.Centers), Width: num(s.Width), Table: nums(s.Table),
		}
		for _, i := range s.Intervals {
			w.Intervals = append(w.Intervals, interval{num(i.From), num(i.To), num(i.Weight)})
		}
		out[i].Schedule = w
	}
	return out
}

// guidance reads a list of directions. What is no such list is left out as a
// whole; what is out of range is brought into it.
func (r *reader) guidance(text string) []engine.Term {
	var list []term
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(&list)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more behind the list")
		}
	}
	if err != nil {
		r.notice(Guidance, text, "")
		return nil
	}
	if len(list) > engine.MaxTerms {
		r.notice(Guidance, strconv.Itoa(len(list)), strconv.Itoa(engine.MaxTerms))
		list = list[:engine.MaxTerms]
	}
	var out []engine.Term
	for _, t := range list {
		const w = guidance.MaxWeight
		out = append(out, engine.Term{
			Positive: r.text(Direction, t.Positive), Negative: r.text(Direction, t.Negative),
			Weight: r.clamp(Weight, float64(t.Weight), -w, w), Head: r.clamp(Weight, float64(t.Head), -w, w),
			Schedule: r.schedule(t.Schedule),
		})
	}
	return out
}

// schedule brings the numbers of a schedule into range; one that even so does not
// fit the model becomes constant.
func (r *reader) schedule(s *schedule) guidance.Schedule {
	constant := guidance.Schedule{Kind: "constant"}
	if s == nil {
		return constant
	}
	of := r.clampWhole(Schedule, float64(s.Of), 0, guidance.MaxBlocks)
	blocks := of
	if of == 0 {
		blocks = float64(r.limits.Blocks)
	}
	block := func(n num, from float64) int {
		return int(r.clampWhole(Schedule, float64(n), from, max(from, blocks-1)))
	}
	list := func(ns []num, from, to float64) (out []float64) {
		for _, n := range ns {
			if len(out) == guidance.MaxBlocks {
				r.notice(Schedule, strconv.Itoa(len(ns)), strconv.Itoa(guidance.MaxBlocks))
				break
			}
			out = append(out, r.clamp(Schedule, float64(n), from, to))
		}
		return out
	}
	const w = guidance.MaxWeight
	out := guidance.Schedule{Kind: s.Kind, Of: int(of)}
	switch s.Kind {
	case "", "constant":
		return constant
	case "step":
		out.Start = block(s.Start, 0)
	case "window":
		out.Start = block(s.Start, 0)
		out.End = block(s.End, float64(out.Start))
	case "bumps":
		out.Centers = list(s.Centers, 0, blocks-1)
		out.Width = r.clamp(Schedule, float64(s.Width), 0, guidance.MaxBlocks)
	case "intervals":
		for i, v := range s.Intervals {
			if i == guidance.MaxBlocks {
				break
			}
			from := r.clampWhole(Schedule, float64(v.From), 0, blocks-1)
			out.Intervals = append(out.Intervals, guidance.Interval{
				From: int(from), To: int(r.clampWhole(Schedule, float64(v.To), from+1, blocks)),
				Weight: r.clamp(Schedule, float64(v.Weight), -w, w),
			})
		}
	case "table":
		out.Table = list(s.Table, -w, w)
	}
	if _, err := out.Weights(1, r.limits.Blocks); err != nil {
		r.notice(Schedule, s.Kind, constant.Kind)
		return constant
	}
	return out
}
