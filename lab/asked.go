package lab

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// Asked is what people say of an experiment; what they do not say is the model's own.
type Asked struct {
	Experiment string
	Model      string   // its address, of those that the Lab lists; "": the first
	Prompts    []string // none: the model's examples
	Number     int      // how many of the prompts, from the first on; 0: all
	Seeds      int      // 0, 1, … are drawn
	Preset     string   // its id; "": the first
	// Positive and Negative, where one is given, are steered along in the place of the
	// preset's.
	Positive, Negative string
	Start              *int      // the first block that these steer; nil: as the preset
	Weight             float64   // 0: the preset's
	Words              []string  // of the prompts, to look at; none: the experiment's own choice
	Drawn              []float64 // a schedule by hand, see Setting; none: nil
	Distance           string    // see Setting; "": the experiment's
	Steps              int       // 0: the model's own
	Size               recipe.Size
}

// MostSeeds and MostPrompts bound what is asked for.
const MostSeeds, MostPrompts = 1000, 1000

// Setting fills in the model's own. base is the request that the model proposes. Errors:
// RequestInvalid, naming the value.
func (a Asked) Setting(d recipe.Description, base recipe.Request) (Setting, error) {
	s := Setting{Model: d, Base: base, Prompts: a.Prompts, Words: wordsOf(strings.Join(a.Words, " ")), Drawn: a.Drawn}
	if a.Seeds < 1 || a.Seeds > MostSeeds || a.Number < 0 || a.Number > MostPrompts {
		return s, fault.New(fault.RequestInvalid, "%d seeds and %d prompts, each may be 1 to %d", a.Seeds, a.Number, MostSeeds)
	}
	e, _ := Find(a.Experiment) // else of the tour, which runs nothing
	if s.Distance = cmp.Or(a.Distance, e.Distance); s.Distance != "" && !slices.Contains(Distances, s.Distance) {
		return s, fault.New(fault.RequestInvalid, "the distance %.40q: there are %v", s.Distance, Distances)
	}
	if s.Distance == DistanceFeatures && d.Edits == nil {
		return s, fault.New(fault.RequestInvalid, "the distance %q takes an encoder, which this model does not have", s.Distance)
	}
	s.Base.Steps = cmp.Or(a.Steps, s.Base.Steps)
	s.Base.Size = cmp.Or(a.Size, s.Base.Size)
	if len(s.Prompts) == 0 {
		s.Prompts = d.Examples
	}
	if len(s.Prompts) == 0 {
		s.Prompts = []string{base.Prompt}
	}
	if a.Number > 0 {
		s.Prompts = s.Prompts[:min(a.Number, len(s.Prompts))]
	}
	for seed := range a.Seeds {
		s.Seeds = append(s.Seeds, uint32(seed))
	}
	ids := make([]string, len(d.Presets))
	for i, p := range d.Presets {
		if ids[i] = p.ID; p.ID == a.Preset || a.Preset == "" && i == 0 {
			t, err := p.Term()
			if err != nil {
				return s, err
			}
			s.Direction = t
		}
	}
	if a.Preset != "" && !slices.Contains(ids, a.Preset) {
		return s, fault.New(fault.RequestInvalid, "the preset %.40q: this model has %v", a.Preset, ids)
	}
	if a.Positive != "" || a.Negative != "" {
		s.Direction.Positive, s.Direction.Negative = a.Positive, a.Negative
		s.Direction.Weight = cmp.Or(s.Direction.Weight, 1) // of a model without presets
		if a.Start != nil {
			s.Direction.Schedule = guidance.Schedule{Kind: "step", Start: *a.Start}
		}
	}
	s.Direction.Weight = cmp.Or(a.Weight, s.Direction.Weight)
	return s, nil
}

// Query writes what is asked for as that of an address.
func (a Asked) Query() string {
	var b strings.Builder
	set := func(key, value string) {
		if value == "" || value == "0" {
			return
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(key + "=")
		recipe.Escape(&b, value)
	}
	set("experiment", a.Experiment)
	set("model", a.Model)
	set("prompts", strings.Join(a.Prompts, "\n"))
	set("number", strconv.Itoa(a.Number))
	set("seeds", strconv.Itoa(a.Seeds))
	set("preset", a.Preset)
	set("positive", a.Positive)
	set("negative", a.Negative)
	if a.Start != nil {
		b.WriteString("&start=" + strconv.Itoa(*a.Start))
	}
	drawn := make([]string, len(a.Drawn))
	for i, factor := range a.Drawn {
		drawn[i] = strconv.FormatFloat(factor, 'g', -1, 64)
	}
	set("drawn", strings.Join(drawn, " "))
	set("words", strings.Join(a.Words, " "))
	set("weight", strconv.FormatFloat(a.Weight, 'g', -1, 64))
	set("distance", a.Distance)
	set("steps", strconv.Itoa(a.Steps))
	return b.String()
}

// ParseQuery reads what Query writes. An address can come from anywhere: what is none of
// it is left out, and numbers are brought into their range.
func ParseQuery(text string) Asked {
	v := map[string]string{}
	for pair := range strings.SplitSeq(text, "&") {
		key, value, _ := strings.Cut(pair, "=")
		v[recipe.Unescape(key)] = recipe.Unescape(value)
	}
	whole := func(key string, low, high int) int {
		n, err := strconv.Atoi(v[key])
		if err != nil {
			return low
		}
		return max(low, min(n, high))
	}
	short := func(key string) string {
		text := v[key]
		return strings.ToValidUTF8(text[:min(len(text), recipe.MaxPrompt)], "")
	}
	a := Asked{Experiment: short("experiment"), Model: short("model"), Preset: short("preset"), Positive: short("positive"), Negative: short("negative"), Distance: short("distance"),
		Number: whole("number", 0, MostPrompts), Seeds: whole("seeds", 1, MostSeeds), Steps: whole("steps", 0, 1000)}
	a.Prompts, a.Words = Lines(v["prompts"]), wordsOf(short("words"))
	if v["start"] != "" {
		start := whole("start", 0, guidance.MaxBlocks-1)
		a.Start = &start
	}
	weight := func(text string) float64 {
		w, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(w) {
			return 0
		}
		return max(-recipe.MaxWeight, min(w, recipe.MaxWeight))
	}
	a.Weight = weight(v["weight"])
	for _, factor := range strings.Fields(short("drawn")) {
		a.Drawn = append(a.Drawn, weight(factor))
	}
	return a
}

// Lines are the prompts of a text with one in each line.
func Lines(text string) []string {
	list := slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
	for i, line := range list {
		line = strings.TrimSpace(line)
		list[i] = strings.ToValidUTF8(line[:min(len(line), recipe.MaxPrompt)], "")
	}
	return list[:min(len(list), MostPrompts)]
}
