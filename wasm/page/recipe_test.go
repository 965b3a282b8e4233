package page

import (
	"fmt"
	"math"
	"reflect"
	"testing"

	carried "undertone/engine/recipe"
	"undertone/guidance"
)

func TestRecipe(t *testing.T) {
	f := newForm(mustParse(t))
	if !f.guided || f.terms[0].preset != "detail" || f.terms[0].weight != 1.5 || f.seed != 7 || f.steps != 4 || f.size != carried.Square(256) || f.prompt != "a frog" {
		t.Errorf("the form begins as %+v", f)
	}
	want := map[string]any{"prompt": "a frog", "seed": 7.0, "steps": 4.0, "size": 256, "cfg": 1.0, "guidance": []any{map[string]any{
		"positive": "fine", "negative": "coarse", "weight": 1.5, "head": 0.0, "schedule": map[string]any{"kind": "step", "start": 1}}}}
	if got := f.made().request(); !reflect.DeepEqual(got, want) {
		t.Errorf("asks for %v, wanted %v", got, want)
	}
	oblong := f
	oblong.size = carried.Size{Width: 512, Height: 384}
	if got := oblong.made().request()["size"]; !reflect.DeepEqual(got, []any{512, 384}) {
		t.Errorf("asks for the size %v", got)
	}
	if got := sizeText(oblong.size); got != "512 × 384" {
		t.Errorf("512 × 384 is shown as %q", got)
	}
	off := f
	off.guided = false
	if got := off.made().request()["guidance"]; len(got.([]any)) != 0 {
		t.Errorf("without guidance it asks for %v", got)
	}

	r := f.made()
	if !r.same(f.made()) {
		t.Error("equal recipes differ")
	}
	for name, change := range map[string]func(*form){
		"prompt": func(f *form) { f.prompt = "a cat" }, "seed": func(f *form) { f.seed = 8 }, "steps": func(f *form) { f.steps = 5 },
		"size": func(f *form) { f.size = carried.Size{Width: 256, Height: 128} }, "cfg": func(f *form) { f.cfg = 2 }, "guided": func(f *form) { f.guided = false },
		"weight":    func(f *form) { f.edit(func(t *term) { t.weight = 2 }) },
		"positive":  func(f *form) { f.edit(func(t *term) { t.positive = "x" }) },
		"schedule":  func(f *form) { f.edit(func(t *term) { t.schedule.Start = 2 }) },
		"direction": func(f *form) { f.addTerm(term{weight: 1}) },
	} {
		g := f
		if change(&g); r.same(g.made()) {
			t.Errorf("another %s is taken for the same picture", name)
		}
		if !r.same(f.made()) {
			t.Fatalf("changing the %s of a copy changed the original", name)
		}
	}
	g := f
	g.edit(func(t *term) { t.weight = 0 })
	if !g.made().same(r.plain()) || g.made().guides() {
		t.Error("weight 0 and no guidance are the same picture")
	}
	if c := f.terms[0].curve(8); fmt.Sprint(c) != "[0 1.5 1.5 1.5 1.5 1.5 1.5 1.5]" {
		t.Errorf("the curve is %v", c)
	}
	g.edit(func(t *term) { t.weight = math.NaN() })
	if g.terms[0].curve(8) != nil || g.made().finite() || !r.finite() {
		t.Error("a weight that is no number has a curve")
	}
}

func TestTerms(t *testing.T) {
	m := mustParse(t)
	f := newForm(m)
	for range 20 {
		f.addTerm(m.presets[1].term)
	}
	if len(f.terms) != maxTerms || f.term != maxTerms-1 {
		t.Errorf("%d directions, %d is edited", len(f.terms), f.term)
	}
	before := f
	f.term = 2
	f.edit(func(t *term) { t.weight = -1 })
	if before.terms[2].weight != 1 || f.terms[2].weight != -1 {
		t.Error("directions are shared between forms")
	}
	for range 20 {
		f.removeTerm()
	}
	if len(f.terms) != 1 || f.term != 0 || len(before.terms) != maxTerms {
		t.Errorf("%d directions are left, %d before", len(f.terms), len(before.terms))
	}
	made := before.made()
	f.restore(made)
	if !f.made().same(made) || !f.locked {
		t.Error("a restored recipe is another one")
	}
	f.restore(made.plain())
	if f.made().guides() || len(f.terms) != 1 {
		t.Errorf("a recipe without guidance was restored as %+v", f)
	}
}

func TestKind(t *testing.T) {
	u := newForm(mustParse(t)).terms[0]
	u.schedule.Start = 3
	if u.kind("step", 8); u.schedule.Start != 3 {
		t.Error("choosing the same kind again changed its start")
	}
	u.kind("table", 8)
	if fmt.Sprint(u.schedule.Table) != "[0 0 0 1 1 1 1 1]" {
		t.Errorf("as a table: %v", u.schedule.Table)
	}
	u.kind("window", 8)
	if u.schedule.Start != 1 || u.schedule.End != 6 {
		t.Errorf("the window is %+v", u.schedule)
	}
	for blocks := 1; blocks < 4; blocks++ {
		for _, kind := range guidance.Kinds() {
			u.kind(kind, blocks)
			if u.curve(blocks) == nil {
				t.Errorf("%s does not fit a model of %d blocks: %+v", kind, blocks, u.schedule)
			}
		}
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

func TestLive(t *testing.T) {
	l := live{mode: liveAuto}
	if l.pace() != never {
		t.Error("pictures follow before one was measured")
	}
	l.measured(timings{TotalMs: 900, PrepareMs: 850})
	if l.pace() != moving {
		t.Error("the first picture's compiling counts")
	}
	for range 3 {
		l.measured(timings{TotalMs: 400})
	}
	if l.pace() != release || l.median() != 400 {
		t.Errorf("at %v ms it is %v", l.median(), l.pace())
	}
	for range 20 {
		l.measured(timings{TotalMs: 40})
	}
	l.measured(timings{TotalMs: 4000}) // one slow picture decides nothing
	if l.pace() != moving || len(l.recent) > 8 {
		t.Errorf("at %v ms it is %v", l.median(), l.pace())
	}
	l.mode = liveOff
	if l.pace() != never {
		t.Error("off, and it follows")
	}
	l.mode, l.recent = liveAlways, []float64{5000}
	if l.pace() != moving || l.smooth() {
		t.Error("always, and it does not follow, or its work is hidden")
	}
}
