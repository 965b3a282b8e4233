package page

import (
	"math"
	"slices"

	carried "undertone/engine/recipe"

	"undertone/guidance"
)

// maxTerms is how many directions a picture may have.
const maxTerms = carried.MaxTerms

// recipe is everything that makes a picture. Numbers that people type are kept as
// they are, even when they are out of range: the API names the range.
type recipe struct {
	prompt string
	seed   float64
	steps  float64
	size   carried.Size
	cfg    float64
	terms  []term
}

// term is one direction of guidance. Terms are values: a change makes a new one,
// so that recipes may share them.
type term struct {
	preset             string // id of the preset it came from, "" for words of one's own
	positive, negative string
	weight, head       float64
	schedule           guidance.Schedule
}

// request is what the API's generate is asked for.
func (r recipe) request() map[string]any {
	list := make([]any, len(r.terms))
	for i, t := range r.terms {
		list[i] = map[string]any{
			"positive": t.positive, "negative": t.negative,
			"weight": t.weight, "head": t.head, "schedule": scheduleValue(t.schedule),
		}
	}
	return map[string]any{"prompt": r.prompt, "seed": r.seed, "steps": r.steps, "size": sizeValue(r.size), "cfg": r.cfg, "guidance": list}
}

// sizeValue is a size as the API takes it: a number or [width, height].
func sizeValue(s carried.Size) any {
	if s.Width == s.Height {
		return s.Width
	}
	return []any{s.Width, s.Height}
}

// scheduleValue is a schedule as the API takes it: only the fields of its kind.
func scheduleValue(s guidance.Schedule) map[string]any {
	v := map[string]any{"kind": s.Kind}
	if s.Of != 0 {
		v["of"] = s.Of
	}
	switch s.Kind {
	case "step":
		v["start"] = s.Start
	case "window":
		v["start"], v["end"] = s.Start, s.End
	case "bumps":
		v["centers"], v["width"] = numbers(s.Centers), s.Width
	case "intervals":
		var list []any
		for _, i := range s.Intervals {
			list = append(list, map[string]any{"from": i.From, "to": i.To, "weight": i.Weight})
		}
		v["intervals"] = list
	case "table":
		v["table"] = numbers(s.Table)
	}
	return v
}

func numbers(x []float64) []any {
	list := make([]any, len(x))
	for i, v := range x {
		list[i] = v
	}
	return list
}

// same reports whether two recipes make the same picture.
func (r recipe) same(q recipe) bool {
	return r.prompt == q.prompt && r.seed == q.seed && r.steps == q.steps && r.size == q.size && r.cfg == q.cfg &&
		slices.EqualFunc(r.acting(), q.acting(), term.same)
}

func (t term) same(u term) bool {
	a, b := t.schedule, u.schedule
	return t.positive == u.positive && t.negative == u.negative && t.weight == u.weight && t.head == u.head &&
		a.Kind == b.Kind && a.Start == b.Start && a.End == b.End && a.Of == b.Of && a.Width == b.Width &&
		slices.Equal(a.Centers, b.Centers) && slices.Equal(a.Intervals, b.Intervals) && slices.Equal(a.Table, b.Table)
}

// acting are the terms that change the picture.
func (r recipe) acting() []term {
	return slices.DeleteFunc(slices.Clone(r.terms), func(t term) bool { return t.weight == 0 && t.head == 0 })
}

// guides reports whether guidance changes the picture.
func (r recipe) guides() bool { return len(r.acting()) > 0 }

// plain is the same recipe without guidance.
func (r recipe) plain() recipe {
	r.terms = nil
	return r
}

// finite reports whether every number of the recipe is one.
func (r recipe) finite() bool {
	sum := r.seed + r.steps + r.cfg
	for _, t := range r.terms {
		sum += t.weight + t.head
	}
	return !math.IsNaN(sum)
}

// curve is the weight of every block, for drawing; nil when the schedule is out
// of range, which the API will say.
func (t term) curve(blocks int) []float32 {
	if math.IsNaN(t.weight) || blocks < 1 {
		return nil
	}
	w, err := t.schedule.Weights(t.weight, blocks)
	if err != nil {
		return nil
	}
	return w
}

// form is what the controls say.
type form struct {
	recipe      // terms are kept while guidance is off
	guided bool // the terms are applied
	locked bool // Generate keeps the seed
	each   int  // pictures per press: 1, 2 or 4
	term   int  // the direction that is being edited; always one of terms
}

// newForm is the form as the model's maker would fill it in.
func newForm(m *model) form {
	f := form{
		recipe: recipe{
			prompt: m.Defaults.Prompt,
			seed:   float64(m.Defaults.Seed),
			steps:  float64(m.Defaults.Steps),
			size:   m.Defaults.Size,
			cfg:    m.Defaults.CFG,
			terms:  []term{{weight: 1, schedule: guidance.Schedule{Kind: "constant"}}},
		},
		locked: true,
		each:   1,
	}
	if len(m.presets) > 0 {
		f.terms[0], f.guided = m.presets[0].term, true
	}
	return f
}

// made is the recipe that Generate makes.
func (f form) made() recipe {
	if !f.guided {
		return f.plain()
	}
	return f.recipe
}

// restore takes over the recipe of a picture, exactly.
func (f *form) restore(r recipe) {
	kept := f.terms
	f.recipe, f.guided, f.term, f.locked = r, len(r.terms) > 0, 0, true
	if !f.guided {
		f.terms = kept[:1] // something to switch on again
	}
}

// edit changes the direction that is being edited, and switches guidance on.
func (f *form) edit(change func(t *term)) {
	t := f.terms[f.term]
	change(&t)
	f.terms = slices.Clone(f.terms)
	f.terms[f.term], f.guided = t, true
}

// choose fills in a preset.
func (f *form) choose(p preset) { f.edit(func(t *term) { *t = p.term }) }

// addTerm adds a direction and begins to edit it.
func (f *form) addTerm(t term) {
	if len(f.terms) < maxTerms {
		f.terms = append(slices.Clip(f.terms), t)
		f.term, f.guided = len(f.terms)-1, true
	}
}

// removeTerm takes the direction away that is being edited; one always stays.
func (f *form) removeTerm() {
	if len(f.terms) > 1 {
		f.terms = slices.Delete(slices.Clone(f.terms), f.term, f.term+1)
		f.term = min(f.term, len(f.terms)-1)
	}
}

// kind changes the schedule's kind and gives it a range that means something in
// a model of that many blocks. What was drawn by hand becomes a table.
func (t *term) kind(kind string, blocks int) {
	if kind == t.schedule.Kind {
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
		for i, w := range (term{weight: 1, schedule: t.schedule}).curve(blocks) {
			s.Table[i] = float64(w)
		}
	}
	t.schedule = s
}
