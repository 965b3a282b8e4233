package recipe

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"undertone/engine/tinyjson"
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

// ReadJSON takes a number of any size.
func (n *num) ReadJSON(text string) error {
	v, ok := parse(text)
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
func terms(list []Term) []term {
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

// guidance reads a list of directions. What is no such list is left out as a whole;
// of a direction, what is not understood is, and what is out of range is brought
// into it. What stands behind the list is not the list's fault: texts put a full
// stop or a bracket behind a link.
func (r *reader) guidance(text string) []Term {
	var list []tinyjson.Raw
	rest, err := tinyjson.UnmarshalFirst(text, &list)
	if err != nil {
		r.notice(FieldGuidance, text, "")
		return nil
	}
	if !punctuation(rest) {
		r.notice(FieldGuidance, rest, "")
	}
	if len(list) > MaxTerms {
		r.notice(FieldGuidance, strconv.Itoa(len(list)), strconv.Itoa(MaxTerms))
		list = list[:MaxTerms]
	}
	var out []Term
	for _, raw := range list {
		if t, ok := r.term(raw); ok {
			out = append(out, t)
		}
	}
	return out
}

// term reads one direction, and reports whether it is one.
func (r *reader) term(raw tinyjson.Raw) (t Term, ok bool) {
	given, ok := r.object(FieldDirection, raw, termKeys)
	if !ok {
		r.notice(FieldDirection, string(raw), "")
		return t, false
	}
	words := func(key string) (s string) {
		if raw, there := given[key]; there && tinyjson.Unmarshal(raw, &s) != nil {
			r.notice(FieldDirection, string(raw), "")
			return ""
		}
		return r.text(FieldDirection, s)
	}
	weight := func(key string) float64 {
		raw, there := given[key]
		if !there {
			return 0
		}
		v, ok := parse(string(raw))
		if !ok {
			r.notice(FieldWeight, string(raw), "0")
			return 0
		}
		return r.clamp(FieldWeight, v, -guidance.MaxWeight, guidance.MaxWeight)
	}
	t.Positive, t.Negative, t.Weight, t.Head = words("positive"), words("negative"), weight("weight"), weight("head")
	t.Schedule = r.schedule(given["schedule"])
	return t, true
}

// rows reads guidance.Rows, in quotes as in JSON or without as in a link.
func (r *reader) rows(s string, was guidance.Rows) guidance.Rows {
	word := guidance.Rows(s)
	if strings.HasPrefix(s, `"`) && tinyjson.Unmarshal([]byte(s), &word) != nil || word == "" || word.Check() != nil {
		r.notice(FieldRows, s, "")
		return was
	}
	return word
}

// object reads a JSON object, and reports whether it is one. Keys that are not known
// are left out, and told of.
func (r *reader) object(f Field, raw tinyjson.Raw, known []string) (given map[string]tinyjson.Raw, ok bool) {
	if tinyjson.Unmarshal(raw, &given) != nil || given == nil {
		return nil, false
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, key) {
			r.foreign(f, key+": "+string(given[key]))
			delete(given, key)
		}
	}
	return given, true
}

// The keys that the objects of a list of directions have.
var termKeys, scheduleKeys, intervalKeys = keys(term{}), keys(schedule{}), keys(interval{})

// keys are the names of a struct's fields in JSON.
func keys(x any) (list []string) {
	for t, i := reflect.TypeOf(x), 0; i < t.NumField(); i++ {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		list = append(list, key)
	}
	return list
}

// written reads a schedule as it is written, and reports whether every value has the
// type that it must have.
func (r *reader) written(raw tinyjson.Raw) (s schedule, ok bool) {
	given, ok := r.object(FieldSchedule, raw, scheduleKeys)
	if !ok {
		return s, false
	}
	var list []tinyjson.Raw
	if tinyjson.Unmarshal(given["intervals"], &list) == nil {
		for _, raw := range list {
			r.object(FieldSchedule, raw, intervalKeys)
		}
	}
	return s, tinyjson.Unmarshal(raw, &s) == nil
}

// schedule brings the numbers of a schedule into range; one that even so does not
// fit the model becomes constant.
func (r *reader) schedule(raw tinyjson.Raw) guidance.Schedule {
	constant := guidance.Schedule{Kind: "constant"}
	if raw == nil || string(raw) == "null" {
		return constant
	}
	s, ok := r.written(raw)
	if !ok {
		r.notice(FieldSchedule, string(raw), constant.Kind)
		return constant
	}
	of := r.clampWhole(FieldSchedule, float64(s.Of), 0, guidance.MaxBlocks)
	blocks := of
	if of == 0 {
		blocks = float64(r.limits.Blocks)
	}
	block := func(n num, from float64) int {
		return int(r.clampWhole(FieldSchedule, float64(n), from, max(from, blocks-1)))
	}
	list := func(ns []num, from, to float64) (out []float64) {
		for _, n := range ns {
			if len(out) == guidance.MaxBlocks {
				r.notice(FieldSchedule, strconv.Itoa(len(ns)), strconv.Itoa(guidance.MaxBlocks))
				break
			}
			out = append(out, r.clamp(FieldSchedule, float64(n), from, to))
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
		out.Width = r.clamp(FieldSchedule, float64(s.Width), 0, guidance.MaxBlocks)
	case "intervals":
		for i, v := range s.Intervals {
			if i == guidance.MaxBlocks {
				r.notice(FieldSchedule, strconv.Itoa(len(s.Intervals)), strconv.Itoa(guidance.MaxBlocks))
				break
			}
			from := r.clampWhole(FieldSchedule, float64(v.From), 0, blocks-1)
			out.Intervals = append(out.Intervals, guidance.Interval{
				From: int(from), To: int(r.clampWhole(FieldSchedule, float64(v.To), from+1, blocks)),
				Weight: r.clamp(FieldSchedule, float64(v.Weight), -w, w),
			})
		}
	case "table":
		out.Table = list(s.Table, -w, w)
	}
	if _, err := out.Weights(1, r.limits.Blocks); err != nil {
		r.notice(FieldSchedule, s.Kind, constant.Kind)
		return constant
	}
	return out
}
