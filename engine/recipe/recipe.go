package recipe

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"undertone/engine/fault"
	"undertone/engine/tinyjson"
	"undertone/guidance"
)

// Limits are what the model at hand can do.
type Limits struct {
	MinSteps int // 0 is 1
	MaxSteps int
	Sizes    []Size // at least one
	Blocks   int    // of the transformer, double and single together
	Edits    bool   // it reads reference pictures
}

// Notice tells of a value that was not taken as it was given. Used is what stands
// in its place, "" when the value was left out.
type Notice struct {
	Field Field
	Given string // at most 40 characters of it
	Used  string
}

// Field names what a notice is about; these are also the keys of the hash.
type Field string

// The fields. Direction and Schedule lie within Guidance.
const (
	FieldPrompt    Field = "prompt"
	FieldSeed      Field = "seed"
	FieldSteps     Field = "steps"
	FieldSize      Field = "size"
	FieldCFG       Field = "cfg"
	FieldGuidance  Field = "guidance"
	FieldRows      Field = "guidanceRows"
	FieldAblate    Field = "ablate"
	FieldReference Field = "reference" // in pictures alone: links say only that there is one, by FieldEdit
	FieldEdit      Field = "edit"
	FieldDirection Field = "direction" // one of several; Given is what of it cannot be used
	FieldWeight    Field = "weight"
	FieldSchedule  Field = "schedule"
	FieldLink      Field = "link" // the link as a whole, or a key it does not know
)

// Keys are the fields that a hash has by name.
var Keys = []Field{FieldPrompt, FieldSeed, FieldSteps, FieldSize, FieldCFG, FieldGuidance, FieldRows, FieldAblate}

// MaxJSON is the longest JSON of parameters in bytes: eight directions and the
// prompt at their longest, escaped, fit into it.
const MaxJSON = 512 << 10

// JSON is what makes the picture again, as the API's generate takes it (without
// what is the default there), and what it was made with.
func JSON(p Parameters) []byte {
	text, err := tinyjson.Marshal(document{
		Prompt: p.Prompt, Seed: p.Seed, Steps: p.Steps, Size: p.Size, CFG: p.CFG, Guidance: terms(p.Guidance), Rows: p.GuidanceRows, Ablate: p.Ablate.Reduced(), Reference: p.Reference,
		Model: p.Model, Revision: p.Revision, Precision: p.Precision, Backend: p.Backend, Plan: p.Plan,
	})
	if err != nil {
		panic(err) // numbers of a finished picture are finite, and nothing else can fail
	}
	return text
}

// document is the JSON in a PNG.
type document struct {
	Prompt    string        `json:"prompt"`
	Seed      uint32        `json:"seed"`
	Steps     int           `json:"steps"`
	Size      Size          `json:"size"`
	CFG       float64       `json:"cfg"`
	Guidance  []term        `json:"guidance"`
	Rows      guidance.Rows `json:"guidanceRows,omitempty"`
	Ablate    *Ablation     `json:"ablate,omitempty"`
	Reference *Reference    `json:"reference,omitempty"`
	Model     string        `json:"model"`
	Revision  string        `json:"revision"`
	Precision string        `json:"precision"`
	Backend   string        `json:"backend"`
	Plan      string        `json:"plan"`
}

// FromJSON reads what JSON wrote. What is missing comes from base; keys it does
// not know are of a later version and do no harm. The error is of the code
// fault.PictureInvalid.
func FromJSON(text []byte, base Request, l Limits) (Parameters, []Notice, error) {
	out := Parameters{Request: base}
	if len(text) > MaxJSON {
		return out, nil, fault.New(fault.PictureInvalid, "the parameters have %d bytes, the limit is %d", len(text), MaxJSON)
	}
	var given map[string]tinyjson.Raw
	if err := tinyjson.Unmarshal(text, &given); err != nil {
		return out, nil, fault.Wrap(err, fault.PictureInvalid, "the parameters are not a JSON object")
	}
	r := reader{limits: l}
	word := func(key string) (s string, ok bool) {
		raw, there := given[key]
		if !there {
			return "", false
		}
		if err := tinyjson.Unmarshal(raw, &s); err != nil {
			r.notice(Field(key), string(raw), "")
			return "", false
		}
		return s, true
	}
	if s, ok := word("prompt"); ok {
		out.Prompt = r.text(FieldPrompt, s)
	}
	r.request(&out.Request, func(f Field) (string, bool) {
		raw, ok := given[string(f)]
		return string(raw), ok
	})
	if raw, ok := given[string(FieldReference)]; ok {
		out.Reference = r.reference(string(raw))
	}
	for key, field := range map[string]*string{
		"model": &out.Model, "revision": &out.Revision, "precision": &out.Precision, "backend": &out.Backend, "plan": &out.Plan,
	} {
		if s, ok := word(key); ok {
			*field = short(s)
		}
	}
	return out, r.notices, nil
}

// reader collects the notices.
type reader struct {
	limits  Limits
	notices []Notice
	unknown int // keys that were not known
}

func (r *reader) notice(f Field, given, used string) {
	r.notices = append(r.notices, Notice{f, short(given), used})
}

// foreign tells of a key that is not known: of the first few, as there may be
// thousands.
func (r *reader) foreign(f Field, key string) {
	if r.unknown++; r.unknown <= 3 {
		r.notice(f, key, "")
	}
}

// request reads everything but the prompt, which the hash and JSON write
// differently.
func (r *reader) request(q *Request, given func(Field) (string, bool)) {
	if s, ok := given(FieldSeed); ok {
		q.Seed = uint32(r.number(FieldSeed, s, r.clampWhole, 0, math.MaxUint32, float64(q.Seed)))
	}
	if s, ok := given(FieldSteps); ok {
		q.Steps = int(r.number(FieldSteps, s, r.clampWhole, float64(max(1, r.limits.MinSteps)), float64(r.limits.MaxSteps), float64(q.Steps)))
	}
	if s, ok := given(FieldSize); ok {
		q.Size = r.size(s, q.Size)
	}
	if s, ok := given(FieldCFG); ok {
		q.CFG = r.number(FieldCFG, s, r.clamp, 0, MaxCFG, q.CFG)
	}
	if s, ok := given(FieldGuidance); ok {
		q.Guidance = r.guidance(s)
	}
	if s, ok := given(FieldRows); ok {
		q.GuidanceRows = r.rows(s, q.GuidanceRows)
	}
	if s, ok := given(FieldAblate); ok {
		q.Ablate = r.ablation(s)
	}
}

// number reads a number, which fit (clamp or clampWhole) brings into its range; what
// is none leaves was.
func (r *reader) number(f Field, s string, fit func(f Field, v, from, to float64) float64, from, to, was float64) float64 {
	v, ok := parse(s)
	if !ok {
		r.notice(f, s, "")
		return was
	}
	return fit(f, v, from, to)
}

func (r *reader) clamp(f Field, v, from, to float64) float64 {
	return r.use(f, v, min(max(v, from), to))
}

func (r *reader) clampWhole(f Field, v, from, to float64) float64 {
	return r.use(f, v, min(max(math.Round(v), from), to))
}

// use takes a number in place of the given one, and tells where they differ.
func (r *reader) use(f Field, given, used float64) float64 {
	if used != given {
		r.notice(f, numeral(given), numeral(used))
	}
	return used
}

// size takes, of the model's sizes with the shape that is nearest, the nearest.
func (r *reader) size(s string, was Size) Size {
	width, height, frames, ok := sides(s)
	if !ok || len(r.limits.Sizes) == 0 {
		r.notice(FieldSize, s, "")
		return was
	}
	shape := func(s Size) float64 { // how far its shape is; not a number where the given one has none
		return math.Abs(math.Log(width/height) - math.Log(float64(s.Width)/float64(s.Height)))
	}
	far := func(s Size) float64 {
		return math.Abs(float64(s.Width)-width) + math.Abs(float64(s.Height)-height) + math.Abs(float64(s.Frames)-frames)
	}
	used := slices.MinFunc(r.limits.Sizes, func(a, b Size) int {
		return cmp.Or(cmp.Compare(shape(a), shape(b)), cmp.Compare(far(a), far(b)))
	})
	if far(used) != 0 {
		given := numeral(width)
		if width != height || frames != 0 {
			given += "x" + numeral(height)
		}
		if frames != 0 {
			given += "x" + numeral(frames)
		}
		r.notice(FieldSize, given, used.String())
	}
	return used
}

// sides reads a size as links write it (512, 512x384 or 512x384x17) and as JSON does
// (512, [512,384] or [512,384,17]), with any numbers.
func sides(s string) (width, height, frames float64, ok bool) {
	var list []num
	if strings.HasPrefix(s, "[") {
		if tinyjson.Unmarshal([]byte(s), &list) != nil || len(list) < 2 {
			return 0, 0, 0, false
		}
	} else {
		for part := range strings.SplitSeq(s, "x") {
			v, ok := parse(part)
			if !ok || len(list) == 3 {
				return 0, 0, 0, false
			}
			list = append(list, num(v))
		}
		if len(list) == 1 {
			list = append(list, list[0])
		}
	}
	switch len(list) {
	case 2:
		return float64(list[0]), float64(list[1]), 0, true
	case 3:
		return float64(list[0]), float64(list[1]), float64(list[2]), true
	}
	return 0, 0, 0, false
}

// text makes foreign words fit to be a prompt: valid, without control characters,
// not too long.
func (r *reader) text(f Field, s string) string {
	if CheckPrompt(s) == nil {
		return s
	}
	clean := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && !unicode.IsSpace(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	clean = cut(clean, MaxPrompt)
	r.notice(f, s, short(clean))
	return clean
}

// numerals are the characters of numbers as JSON writes them.
const numerals = "0123456789+-.eE"

// parse reads a number as JSON writes it. One too large for a float64 is the
// largest there is, so that it can be brought into range like any other.
func parse(s string) (float64, bool) {
	if len(s) == 0 || len(s) > 400 || strings.Trim(s, numerals) != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(v, 0) {
		return 0, false
	}
	return min(max(v, -math.MaxFloat64), math.MaxFloat64), true
}

func numeral(v float64) string {
	if math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', -1, 64) // a seed is no 4e+09
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// short is the beginning of a value, for people to recognise it by.
func short(s string) string {
	n := 0
	for i := range s {
		if n == 40 {
			return strings.ToValidUTF8(s[:i], "\uFFFD") + "…"
		}
		n++
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// cut keeps at most n bytes of a valid text, whole characters only.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
