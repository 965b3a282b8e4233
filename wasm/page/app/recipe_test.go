package app

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/guidance"
	"undertone/wasm/page/apptest"
)

func model(t *testing.T) *Model {
	t.Helper()
	m, err := NewModel(apptest.Description(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// presetOf is the id of the preset that has a direction's words.
func presetOf(m *Model, t recipe.Term) string {
	p, _ := m.Preset(t)
	return p.ID
}

func TestRecipe(t *testing.T) {
	m := model(t)
	f := NewForm(m)
	if f.Made().Guides() {
		t.Errorf("the first picture is asked for with %+v", f.Made().Guidance)
	}
	f.Guided = true
	if presetOf(m, f.Guidance[0]) != "detail" || f.Guidance[0].Weight != 1.5 || f.Seed != 7 || f.Steps != 4 || f.Size != recipe.Square(256) || f.Prompt != "a frog" {
		t.Errorf("the form begins as %+v", f)
	}
	want := map[string]any{"prompt": "a frog", "seed": 7.0, "steps": 4.0, "size": 256, "cfg": 1.0, "guidance": []any{map[string]any{
		"positive": "fine", "negative": "coarse", "weight": 1.5, "head": 0.0, "schedule": map[string]any{"kind": "step", "start": 1}}}}
	if got := f.Made().Value(); !reflect.DeepEqual(got, want) {
		t.Errorf("asks for %v, wanted %v", got, want)
	}
	oblong := f
	oblong.Size = recipe.Size{Width: 512, Height: 384}
	if got := oblong.Made().Value()["size"]; !reflect.DeepEqual(got, []any{512, 384}) {
		t.Errorf("asks for the size %v", got)
	}
	off := f
	off.Guided = false
	if got := off.Made().Value()["guidance"]; len(got.([]any)) != 0 {
		t.Errorf("without guidance it asks for %v", got)
	}

	r := f.Made()
	if !r.Same(f.Made()) {
		t.Error("equal recipes differ")
	}
	for name, change := range map[string]func(*Form){
		"prompt": func(f *Form) { f.Prompt = "a cat" }, "seed": func(f *Form) { f.Seed = 8 }, "steps": func(f *Form) { f.Steps = 5 },
		"size": func(f *Form) { f.Size = recipe.Size{Width: 256, Height: 128} }, "cfg": func(f *Form) { f.CFG = 2 }, "guided": func(f *Form) { f.Guided = false },
		"weight":    func(f *Form) { f.Edit(func(t *recipe.Term) { t.Weight = 2 }) },
		"positive":  func(f *Form) { f.Edit(func(t *recipe.Term) { t.Positive = "x" }) },
		"schedule":  func(f *Form) { f.Edit(func(t *recipe.Term) { t.Schedule.Start = 2 }) },
		"direction": func(f *Form) { f.AddTerm(recipe.Term{Positive: "x", Weight: 1}) },
	} {
		g := f
		if change(&g); r.Same(g.Made()) {
			t.Errorf("another %s is taken for the same picture", name)
		}
		if !r.Same(f.Made()) {
			t.Fatalf("changing the %s of a copy changed the original", name)
		}
	}
	g := f
	g.Edit(func(t *recipe.Term) { t.Weight = 0 })
	if !g.Made().Same(r.Plain()) || g.Made().Guides() {
		t.Error("weight 0 and no guidance are the same picture")
	}
	g.Edit(func(t *recipe.Term) { t.Weight = math.NaN() })
	if g.Made().Finite() || !r.Finite() {
		t.Error("a weight that is no number is one")
	}
}

func TestTerms(t *testing.T) {
	m := model(t)
	f := NewForm(m)
	for range 20 {
		f.AddTerm(m.Directions[1].Term)
	}
	if len(f.Guidance) != recipe.MaxTerms || f.Editing != recipe.MaxTerms-1 {
		t.Errorf("%d directions, %d is edited", len(f.Guidance), f.Editing)
	}
	before := f
	f.Editing = 2
	f.Edit(func(t *recipe.Term) { t.Weight = -1 })
	if before.Guidance[2].Weight != 1 || f.Guidance[2].Weight != -1 {
		t.Error("directions are shared between forms")
	}
	for range 20 {
		f.RemoveTerm(0)
	}
	if len(f.Guidance) != 1 || f.Editing != 0 || len(before.Guidance) != recipe.MaxTerms {
		t.Errorf("%d directions are left, %d before", len(f.Guidance), len(before.Guidance))
	}
	made := before.Made()
	f.Restore(made)
	if !f.Made().Same(made) || !f.Locked {
		t.Error("a restored recipe is another one")
	}
	f.Restore(made.Plain())
	if f.Made().Guides() || len(f.Guidance) != 1 {
		t.Errorf("a recipe without guidance was restored as %+v", f)
	}
}

// Numbers that are none become 0 where a request is kept, and stay for the API, which
// names them.
func TestTypedNumbers(t *testing.T) {
	nan := math.NaN()
	r := Recipe{Seed: nan, Steps: 1e9, CFG: math.Inf(1), Guidance: []recipe.Term{
		{Weight: nan, Head: 99, Schedule: guidance.Schedule{Kind: "bumps", Centers: []float64{nan, 2}, Width: nan}}}}
	q := r.Request()
	if g := q.Guidance[0]; q.Seed != 0 || q.Steps != 1e9 || q.CFG != 0 || g.Weight != 0 || g.Head != 99 || g.Schedule.Width != 0 || fmt.Sprint(g.Schedule.Centers) != "[0 2]" {
		t.Errorf("kept as %+v", q)
	}
	if !strings.HasPrefix(r.Link(), "#") || !math.IsNaN(r.Guidance[0].Schedule.Centers[0]) {
		t.Errorf("the link is %q, the recipe %+v", r.Link(), r)
	}
	v := r.Value()
	g := v["guidance"].([]any)[0].(map[string]any)
	if !math.IsNaN(v["seed"].(float64)) || v["steps"] != 1e9 || !math.IsNaN(g["weight"].(float64)) || !math.IsNaN(g["schedule"].(map[string]any)["width"].(float64)) {
		t.Errorf("asked for as %v", v)
	}
}

// TestMixing: directions are muted and removed one by one, and a muted one keeps its weight.
func TestMixing(t *testing.T) {
	m := model(t)
	f := NewForm(m)
	applied := func() string {
		var list []string
		for _, t := range f.Made().Acting() {
			list = append(list, m.TermName(t))
		}
		return fmt.Sprint(list, f.Editing)
	}
	drawn := recipe.Term{Positive: "moon", Weight: 2, Schedule: guidance.Schedule{Kind: "table", Table: []float64{1, 0}}}
	for _, step := range []struct {
		name, want string
		do         func()
	}{
		{"at first", "[] 0", func() {}},
		{"added where all is off", "[Night] 1", func() { f.AddTerm(m.Directions[1].Term) }},
		{"the other one unmuted", "[Detail Night] 1", func() { f.Mute(0, false) }},
		{"one of one's own", "[Detail Night moon] 2", func() { f.AddTerm(drawn) }},
		{"muted", "[Detail moon] 2", func() { f.Mute(1, true) }},
		{"the first removed", "[moon] 1", func() { f.RemoveTerm(0) }},
		{"a preset that is there, muted", "[Night moon] 0", func() { f.Choose(Preset{Term: m.Directions[1].Term}) }},
		{"off", "[] 0", func() { f.Guided = false }},
		{"one of them alone", "[moon] 0", func() { f.Mute(1, false) }},
		{"blank", "[moon] 2", func() { f.AddTerm(m.Blank()) }},
		{"filled in", "[moon Detail] 2", func() { f.Choose(Preset{Term: m.Directions[0].Term}) }},
	} {
		step.do()
		if got := applied(); got != step.want {
			t.Errorf("%s: %s, wanted %s", step.name, got, step.want)
		}
	}
	if b := m.Blank(); b.Positive+b.Negative != "" || b.Schedule.Kind != "step" || b.Schedule.Start != 1 {
		t.Errorf("a new direction is %+v", b)
	}
}

func TestFileName(t *testing.T) {
	for want, r := range map[string]Recipe{
		"undertone-picture-7.png":                     {Seed: 7},
		"undertone-a-frog-in-the-snow-4294967295.png": {Prompt: "A Frog, in the (snow)!", Seed: 4294967295},
		"undertone-picture-0.png":                     {Prompt: strings.Repeat("ö../", 500)},
	} {
		if got := r.FileName(); got != want {
			t.Errorf("got %q, wanted %q", got, want)
		}
	}
}

// A recipe comes back from a link as it was, and a preset's words are that preset.
func TestRecipeThroughLink(t *testing.T) {
	m := model(t)
	f := NewForm(m)
	f.Guided = true
	f.AddTerm(recipe.Term{Positive: "a", Negative: "b", Weight: -1.25, Head: 2, Schedule: guidance.Schedule{Kind: "table", Table: []float64{0, 1, 2, 3, 4, 5, 6, 7}}})
	r := f.Made()
	r.Prompt, r.Seed, r.Rows = `two "frogs" & a <b>`, 4294967295, guidance.RowsSigned
	r.Ablate = &recipe.Ablation{Pooled: recipe.PooledOfPrompt, Prompt: "a cat"}
	q, notices, ok := recipe.FromHash(r.Link(), m.Request(), m.Limits())
	if !ok || len(notices) != 0 {
		t.Fatalf("%v, notices %v", ok, notices)
	}
	got := NewRecipe(q)
	other := got
	other.Rows = ""
	if got.Rows != guidance.RowsSigned || got.Value()["guidanceRows"] != "signed" || other.Same(got) {
		t.Errorf("the rows of guidance came back as %q", got.Rows)
	}
	whole := got
	whole.Ablate = nil
	if got.Ablate == nil || *got.Ablate != *r.Ablate || whole.Same(got) {
		t.Errorf("what is taken from the prompt came back as %+v", got.Ablate)
	}
	if a := got.Value()["ablate"].(map[string]any); a["pooled"] != "prompt" || a["prompt"] != "a cat" || a["tokens"] != "" {
		t.Errorf("the API is asked for %v", a)
	}
	if !got.Same(r) || presetOf(m, got.Guidance[0]) != "detail" || presetOf(m, got.Guidance[1]) != "" {
		t.Errorf("%+v\ncame back as %+v", r, got)
	}
	// What does not change the picture is not in the link.
	f.Edit(func(t *recipe.Term) { t.Weight, t.Head = 0, 0 })
	if q := f.Made().Reduced().Request(); len(q.Guidance) != 1 {
		t.Errorf("%d directions in the link, wanted 1", len(q.Guidance))
	}
	if b := m.Request(); b.Steps != 4 || len(b.Guidance) != 0 {
		t.Errorf("a link begins from %+v", b)
	}
}

// TestScheduleValue sends every kind to the API.
func TestScheduleValue(t *testing.T) {
	for _, s := range []guidance.Schedule{
		{Kind: "constant"}, {Kind: "step", Start: 5, Of: 57}, {Kind: "window", Start: 1, End: 3},
		{Kind: "bumps", Centers: []float64{2, 5}, Width: 1.5}, {Kind: "intervals", Intervals: []guidance.Interval{{From: 1, To: 2, Weight: 3}}},
		{Kind: "table", Table: []float64{0, 1, 0.5}},
	} {
		v := scheduleValue(s)
		if v["kind"] != s.Kind {
			t.Errorf("%v became %v", s, v)
		}
		fields := map[string]int{"constant": 1, "step": 3, "window": 3, "bumps": 3, "intervals": 2, "table": 2}[s.Kind]
		if len(v) != fields {
			t.Errorf("%s has %d fields: %v, wanted %d", s.Kind, len(v), v, fields)
		}
	}
}
