package app

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"undertone/engine/recipe"
	"undertone/guidance"
)

// Recipe is everything that makes a picture: a recipe.Request whose numbers are as
// people typed them, even when they are out of range or none: the API names the range.
type Recipe struct {
	Prompt string
	Seed   float64
	Steps  float64
	Size   recipe.Size
	CFG    float64
	Rows   guidance.Rows    // what the unconditional pass gets of the directions; no control sets it
	Ablate *recipe.Ablation // what is taken from the prompt, or nil; no control sets it
	// Reference is the picture to edit, of which Prompt says what to change; nil: there is none.
	Reference *Reference
	Guidance  []recipe.Term // values: a change makes a new one, so that recipes may share them
}

// NewRecipe is a request as the page holds it.
func NewRecipe(q recipe.Request) Recipe {
	r := Recipe{Prompt: q.Prompt, Seed: float64(q.Seed), Steps: float64(q.Steps), Size: q.Size, CFG: q.CFG, Rows: q.GuidanceRows, Ablate: q.Ablate.Reduced(), Guidance: q.Guidance}
	if q.Reference != nil {
		r.Reference = &Reference{Reference: *q.Reference}
	}
	return r
}

// Request is the recipe as links, files and the session hold it. What was typed and is
// no number becomes 0.
func (r Recipe) Request() recipe.Request {
	q := recipe.Request{Prompt: r.Prompt, Seed: uint32(finite(r.Seed)), Steps: int(finite(r.Steps)), Size: r.Size, CFG: finite(r.CFG), GuidanceRows: r.Rows, Ablate: r.Ablate}
	if r.Reference != nil && r.Reference.SHA256 != "" {
		q.Reference = &r.Reference.Reference
	}
	for _, t := range r.Guidance {
		t.Weight, t.Head, t.Schedule.Width = finite(t.Weight), finite(t.Head), finite(t.Schedule.Width)
		t.Schedule.Centers = slices.Clone(t.Schedule.Centers)
		for i, c := range t.Schedule.Centers {
			t.Schedule.Centers[i] = finite(c)
		}
		q.Guidance = append(q.Guidance, t)
	}
	return q
}

// finite is a number that was typed, or 0 where that is none.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// Link is the hash of an address that makes the same picture; of an edit, from the same one.
func (r Recipe) Link() string {
	q := r.Reduced().Request()
	if r.Reference != nil {
		q.Reference = &recipe.Reference{} // also where no hash is known
	}
	return recipe.Hash(q)
}

// Reduced is the recipe without directions that change nothing.
func (r Recipe) Reduced() Recipe {
	r.Guidance = r.Acting()
	return r
}

// Value is what the API's generate is asked for, with every number as it was typed.
func (r Recipe) Value() map[string]any {
	list := make([]any, len(r.Guidance))
	for i, t := range r.Guidance {
		list[i] = Object(
			"positive", t.Positive, "negative", t.Negative,
			"weight", t.Weight, "head", t.Head, "schedule", scheduleValue(t.Schedule),
		)
	}
	v := Object("prompt", r.Prompt, "seed", r.Seed, "steps", r.Steps, "size", sizeValue(r.Size), "cfg", r.CFG, "guidance", list)
	if r.Rows != "" {
		v["guidanceRows"] = string(r.Rows)
	}
	if r.Reference != nil {
		v["reference"] = r.Reference.Image
	}
	if a := r.Ablate; a != nil {
		v["ablate"] = Object("pooled", string(a.Pooled), "prompt", a.Prompt, "tokens", string(a.Tokens))
	}
	return v
}

// Object is a plain value of JavaScript, from names with their values in turn.
func Object(pairs ...any) map[string]any {
	v := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		v[pairs[i].(string)] = pairs[i+1]
	}
	return v
}

// sizeValue is a size as the API takes it: a number or [width, height].
func sizeValue(s recipe.Size) any {
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
			list = append(list, Object("from", i.From, "to", i.To, "weight", i.Weight))
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

// Same reports whether two recipes make the same picture.
func (r Recipe) Same(q Recipe) bool {
	return r.Prompt == q.Prompt && r.Seed == q.Seed && r.Steps == q.Steps && r.Size == q.Size && r.CFG == q.CFG && r.Reference == q.Reference &&
		r.Rows == q.Rows && r.Ablate.Same(q.Ablate) &&
		slices.EqualFunc(r.Acting(), q.Acting(), sameTerm)
}

func sameTerm(t, u recipe.Term) bool {
	a, b := t.Schedule, u.Schedule
	return t.Positive == u.Positive && t.Negative == u.Negative && t.Weight == u.Weight && t.Head == u.Head &&
		a.Kind == b.Kind && a.Start == b.Start && a.End == b.End && a.Of == b.Of && a.Width == b.Width &&
		slices.Equal(a.Centers, b.Centers) && slices.Equal(a.Intervals, b.Intervals) && slices.Equal(a.Table, b.Table)
}

// Acting are the directions that change the picture: one that leads from some words to
// the same words has no length.
func (r Recipe) Acting() []recipe.Term {
	return slices.DeleteFunc(slices.Clone(r.Guidance), func(t recipe.Term) bool { return t.Weight == 0 && t.Head == 0 || t.Positive == t.Negative })
}

// Guides reports whether guidance changes the picture.
func (r Recipe) Guides() bool { return len(r.Acting()) > 0 }

// Plain is the same recipe without guidance.
func (r Recipe) Plain() Recipe {
	r.Guidance = nil
	return r
}

// Finite reports whether every number of the recipe is one, and its reference there.
func (r Recipe) Finite() bool {
	if r.Missing() {
		return false
	}
	sum := r.Seed + r.Steps + r.CFG
	for _, t := range r.Guidance {
		sum += t.Weight + t.Head
	}
	return !math.IsNaN(sum)
}

// FileName makes a name for a saved picture.
func (r Recipe) FileName() string {
	var b strings.Builder
	for _, c := range strings.ToLower(r.Prompt) {
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 48 {
			break
		}
	}
	name := strings.Trim(b.String(), "-")
	if name == "" {
		name = "picture"
	}
	return fmt.Sprintf("undertone-%s-%.0f.png", name, r.Seed)
}
