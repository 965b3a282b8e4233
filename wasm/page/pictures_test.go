package page

import (
	"fmt"
	"strings"
	"testing"

	carried "undertone/engine/recipe"
	"undertone/guidance"
)

// A recipe comes back from a link as it was, and a preset's words are that preset.
func TestRecipeThroughLink(t *testing.T) {
	m := mustParse(t)
	f := newForm(m)
	f.addTerm(term{positive: "a", negative: "b", weight: -1.25, head: 2, schedule: guidance.Schedule{Kind: "table", Table: []float64{0, 1, 2, 3, 4, 5, 6, 7}}})
	r := f.made()
	r.prompt, r.seed = `two "frogs" & a <b>`, 4294967295
	q, notices, ok := carried.FromHash(carried.Hash(r.carried()), m.base(), m.limits())
	if !ok || len(notices) != 0 {
		t.Fatalf("%v, notices %v", ok, notices)
	}
	got := m.recipeOf(q)
	if !got.same(r) || got.terms[0].preset != "detail" || got.terms[1].preset != "" {
		t.Errorf("%+v\ncame back as %+v", r, got)
	}
	// What does not change the picture is not in the link.
	f.edit(func(t *term) { t.weight, t.head = 0, 0 })
	if q := f.made().carried(); len(q.Guidance) != 1 {
		t.Errorf("%d directions in the link, wanted 1", len(q.Guidance))
	}
	if b := m.base(); b.Steps != 4 || len(b.Guidance) != 0 {
		t.Errorf("a link begins from %+v", b)
	}
}

func TestNoticesText(t *testing.T) {
	speak(languages[0])
	if got := noticesText(nil); got != "" {
		t.Errorf("nothing to say, and it says %q", got)
	}
	got := noticesText([]carried.Notice{{Field: carried.FieldSteps, Given: "999", Used: "50"}, {Field: carried.FieldGuidance, Given: "x"}})
	if got != "Steps: 999 is not possible here, 50 is used. Guidance: “x” cannot be used and is left out." {
		t.Errorf("it says %q", got)
	}
	if got := noticesText(make([]carried.Notice, 50)); !strings.HasSuffix(got, " …") || len(got) > 400 {
		t.Errorf("50 notices are %q", got)
	}
	for _, f := range []carried.Field{carried.FieldPrompt, carried.FieldSeed, carried.FieldSteps, carried.FieldSize, carried.FieldCFG, carried.FieldGuidance, carried.FieldDirection, carried.FieldWeight, carried.FieldSchedule, carried.FieldLink} {
		if got := noticesText([]carried.Notice{{Field: f, Given: "x"}}); strings.HasPrefix(got, ":") {
			t.Errorf("%s has no name: %q", f, got)
		}
	}
}

func TestLinkIn(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.org/u/#prompt=a+frog&seed=1": "#prompt=a+frog&seed=1",
		" http://localhost:8080/index.html#seed=4\n":  "#seed=4",
		"#prompt=x":                            "#prompt=x",
		"https://example.org/#top":             "",
		"https://example.org/":                 "",
		"a frog #prompt=x":                     "",
		"see https://a.example/#seed=1 please": "",
		"javascript:alert(1)#prompt=x":         "",
		"":                                     "",
	} {
		if got, ok := linkIn(text); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestSweep(t *testing.T) {
	m := mustParse(t)
	f := newForm(m)
	values := func(p sweepPlan) string {
		var list []string
		for _, c := range p.cells(f) {
			list = append(list, numberText(c.value))
		}
		return strings.Join(list, " ")
	}
	if p := m.plan("weight", f); p.from != -1 || p.to != 3 || values(p) != "-1 -0.5 0 0.5 1 1.5 2 2.5 3" {
		t.Errorf("%+v: %s", p, values(p))
	}
	if p := m.plan("start", f); values(p) != "0 1 2 3 4 5 6 7" {
		t.Errorf("%+v: %s", p, values(p))
	}
	for want, p := range map[string]sweepPlan{
		"0 1 2": {over: "weight", to: 2, count: 3},
		"2 1 0": {over: "weight", from: 2, count: 3},
		"0 2":   {over: "weight", to: 2, count: -5},
		"0 4 7": {over: "start", to: 7, count: 3}, // a start is a whole number
		"1":     {over: "weight", from: 1, to: 1, count: 9},
	} {
		if got := values(p); got != want {
			t.Errorf("%+v: %s, wanted %s", p, got, want)
		}
	}
	if n := len((sweepPlan{over: "weight", to: 20, count: 1 << 30}).cells(f)); n != mostCells {
		t.Errorf("a sheet of %d", n)
	}
	f.addTerm(m.presets[1].term)
	f.guided = false
	for _, c := range (sweepPlan{over: "start", to: 7, count: 8}).cells(f) {
		if s := c.recipe.terms[1].schedule; s.Kind != "step" || float64(s.Start) != c.value || c.recipe.seed != f.seed || !c.recipe.terms[0].same(f.terms[0]) {
			t.Errorf("at %v: %+v", c.value, c.recipe)
		}
	}
	if f.guided {
		t.Error("a sweep changed the form")
	}
}

func TestGalleryRoom(t *testing.T) {
	g := gallery{}
	if g.oldest() != nil {
		t.Error("an empty gallery has an oldest picture")
	}
	for i := range 25 {
		g.kept = append(g.kept, kept{id: 25 - i, bytes: 10})
	}
	if old := g.oldest(); len(old) != 2 || old[0].id != 2 || old[1].id != 1 || g.bytes() != 250 {
		t.Errorf("the oldest are %v", old)
	}
}

func TestComparison(t *testing.T) {
	r := newForm(mustParse(t)).made()
	c := comparison{}
	if c.fits(&picture{recipe: r}) || c.fits(nil) {
		t.Error("no picture fits")
	}
	c.plain = &picture{recipe: r.plain()}
	other := r
	other.terms = []term{{positive: "x", weight: 3}}
	if !c.fits(&picture{recipe: r}) || !c.fits(&picture{recipe: other}) {
		t.Error("without guidance it is the same picture, whatever the direction")
	}
	other.seed++
	if c.fits(&picture{recipe: other}) {
		t.Error("another seed fits")
	}
}

func TestReport(t *testing.T) {
	m := mustParse(t)
	s := state{model: m, phase: ready, info: info{Backend: "webgpu", Adapter: "some gpu", Precision: "Q8_0"}}
	s.picture = &picture{recipe: m.recipeOf(carried.Request{Prompt: "secret frog", Seed: 5, Steps: 4, Size: carried.Square(256), Guidance: []carried.Term{{Positive: "secret words", Weight: 1}}})}
	s.panes.fault = &problem{code: "guidance-invalid", message: `the schedule of "secret words" does not fit`}
	r := report{version: "0.2.0", agent: "Chrome", state: &s}
	text := r.text(false)
	for _, part := range []string{"Undertone: 0.2.0\n", "Browser: Chrome\n", "some gpu", "Last fault: guidance-invalid: the schedule of \"…\" does not fit", "1 directions"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "Screen") {
		t.Errorf("words that were not asked for, or a name without a value:\n%s", text)
	}
	if text := r.text(true); !strings.Contains(text, `"secret frog", seed 5`) || !strings.Contains(text, `of "secret words"`) {
		t.Errorf("asked for, the words are missing:\n%s", text)
	}
	if got := fmt.Sprint(unquoted(`a "b" c "d`)); strings.Contains(got, "b") || strings.Contains(got, "d") {
		t.Errorf("quoted words are left: %s", got)
	}
}
