package recipe

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"undertone/engine/tinyjson"
)

// FieldPreset lies in the hash of an embed alone.
const FieldPreset Field = "preset"

// EmbedKeys are the keys of FromEmbed that a link does not have.
var EmbedKeys = []Field{FieldPreset, FieldWeight, FieldSchedule}

// FromEmbed reads a hash as FromHash does, with a few keys more, which people write by hand
// as attributes of <undertone-demo>:
//
//   - preset: ids of presets of the model, with spaces between them; each is a direction,
//     before those of guidance,
//   - guidance: also one direction in words, "towards | away from",
//   - weight: weights of the directions in their order, with spaces between them; without
//     any direction, that of the model's first preset,
//   - schedule: of all directions, as ScheduleJSON takes it,
//   - ablate: also in words, pooled:zero, pooled:random, tokens:empty, or two of them.
//
// Numbers out of range are brought into it, what cannot be used is left out, and a notice
// tells of each. A direction in words has the weight 1 and the schedule of the model's
// first preset.
func FromEmbed(hash string, d Description) (Request, []Notice) {
	e := embed{own: map[Field]string{}, d: d}
	var rest []string
	for pair := range strings.SplitSeq(strings.TrimPrefix(hash, "#"), "&") {
		key, value, _ := strings.Cut(pair, "=")
		if f := Field(key); !slices.Contains(EmbedKeys, f) {
			rest = append(rest, e.inWords(pair))
		} else if _, twice := e.own[f]; !twice {
			e.own[f] = Unescape(value)
		}
	}
	limits := d.Limits()
	limits.Edits = false // a frame asks nobody for a picture
	q, notices, _ := FromHash(strings.Join(rest, "&"), d.Request(), limits)
	e.notices = notices
	q.Guidance = e.directions(q.Guidance)
	return q, e.notices
}

// embed is what is read of an embed's hash.
type embed struct {
	d       Description
	own     map[Field]string // values of EmbedKeys; of two, the first
	words   bool             // guidance is a direction in words
	notices []Notice
}

// inWords is a pair of a hash, with a direction or an ablation in words as JSON.
func (e *embed) inWords(pair string) string {
	key, value, _ := strings.Cut(pair, "=")
	text := strings.TrimSpace(Unescape(value))
	var meant any
	switch f := Field(key); {
	case f == FieldGuidance && text != "" && !strings.HasPrefix(text, "["):
		positive, negative, _ := strings.Cut(text, "|")
		meant = []term{{Positive: strings.TrimSpace(positive), Negative: strings.TrimSpace(negative), Weight: 1}}
		e.words = true
	case f == FieldAblate && strings.Contains(text, ":") && !strings.HasPrefix(text, "{"):
		a, ok := ablationOf(text)
		if !ok {
			return pair
		}
		meant = a
	default:
		return pair
	}
	list, err := tinyjson.Marshal(meant)
	if err != nil {
		return pair
	}
	var b strings.Builder
	Escape(&b, string(list))
	return key + "=" + b.String()
}

// ablationOf reads an ablation in words.
func ablationOf(text string) (a Ablation, ok bool) {
	for _, word := range fields(text) {
		switch of, by, _ := strings.Cut(word, ":"); of {
		case "pooled":
			a.Pooled = PooledAblation(by)
		case "tokens":
			a.Tokens = TokenAblation(by)
		default:
			return a, false
		}
	}
	return a, true
}

// left tells of a value that was left out, or of what stands in its place.
func (e *embed) left(f Field, value, used string) {
	e.notices = append(e.notices, Notice{f, short(value), used})
}

// directions are those of the presets and then the given ones, with the weights and the
// schedule that are asked for.
func (e *embed) directions(given []Term) (terms []Term) {
	var own []Term // of the model
	for _, p := range e.d.Presets {
		if t, err := p.Term(); err == nil { // which Check has seen to
			own = append(own, t)
		}
	}
	if e.words && len(given) == 1 && len(own) > 0 {
		given[0].Schedule = own[0].Schedule
	}
	for _, id := range fields(e.own[FieldPreset]) {
		i := slices.IndexFunc(e.d.Presets, func(p Preset) bool { return p.ID == id })
		if i < 0 || len(terms)+len(given) == MaxTerms {
			e.left(FieldPreset, id, "")
			continue
		}
		terms = append(terms, own[i])
	}
	terms = append(terms, given...)
	if _, weighs := e.own[FieldWeight]; weighs && len(terms) == 0 && len(own) > 0 {
		terms = own[:1]
	}
	for i, w := range fields(e.own[FieldWeight]) {
		x, err := strconv.ParseFloat(w, 64)
		if math.IsNaN(x) || err != nil && !math.IsInf(x, 0) || i >= len(terms) {
			e.left(FieldWeight, w, "")
			continue
		}
		if terms[i].Weight = min(max(x, -MaxWeight), MaxWeight); terms[i].Weight != x {
			e.left(FieldWeight, w, numeral(terms[i].Weight))
		}
	}
	e.schedule(terms)
	return terms
}

// schedule gives all directions the schedule that is asked for.
func (e *embed) schedule(terms []Term) {
	given := e.own[FieldSchedule]
	if given == "" || len(terms) == 0 {
		return
	}
	text, ok := ScheduleJSON(given)
	var raw tinyjson.Raw
	if !ok || tinyjson.Unmarshal([]byte(text), &raw) != nil {
		e.left(FieldSchedule, given, "")
		return
	}
	r := reader{limits: e.d.Limits()}
	s := r.schedule(raw)
	e.notices = append(e.notices, r.notices...)
	for i := range terms {
		terms[i].Schedule = s
	}
}

// fields are the words of a list, which commas may part too.
func fields(list string) []string { return strings.Fields(strings.ReplaceAll(list, ",", " ")) }
