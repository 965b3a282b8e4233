package e2e

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tuning is what the API tells of the search for the fastest kernels.
type tuning struct {
	State  string
	Used   bool
	Shapes int
	Ms     float64
	Trials []struct {
		Shape, Taken string
		Ms           map[string]float64
	}
}

// tuned is a load, and the search after it.
type tuned struct {
	Plan   string
	Tuning *tuning
	Told   []string
	After  struct {
		Plan   string
		Tuning *tuning
	}
	Ms    float64
	Fault fault
}

// tuner is a page on which a model is measured, and what was found first.
type tuner struct {
	*tab
	first tuned
	good  string // the record of it
}

// load loads the model, draw tries to make a picture too, and waits for what follows.
func (b *tuner) load(options map[string]any) (r tuned) {
	b.t.Helper()
	b.call("store.tune", &r, model, options, false)
	return r
}

func (b *tuner) draw(options map[string]any) (r tuned) {
	b.t.Helper()
	b.call("store.tune", &r, model, options)
	if r.After.Plan != r.Plan || r.Fault.Code != "not-finite" {
		b.t.Errorf("the plan of a loaded model was %s and is %s; its picture: %+v", r.Plan, r.After.Plan, r.Fault)
	}
	return r
}

// change puts another record in the place of the good one.
func (b *tuner) change(pattern, to string) {
	b.t.Helper()
	bad := regexp.MustCompile(pattern).ReplaceAllString(b.good, to)
	if bad == b.good {
		b.t.Errorf("%s does not change %.300s", pattern, b.good)
	}
	b.call("store.tuning", nil, bad)
}

// TestBrowserTuning measures a GPU that computes nothing: once, within the time for it, after
// the first picture; what is kept of it is used by the next load, if it is of this GPU and in
// order.
func TestBrowserTuning(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.prelude = hollowGPU
	b := &tuner{tab: open(t, s.URL+"/blank.html", options{})}
	b.first = b.draw(nil)
	first := b.first
	if first.Tuning == nil || first.Tuning.State != "due" || first.Tuning.Used || len(first.Tuning.Trials) != 0 {
		t.Fatalf("before anything is known: %+v", first.Tuning)
	}
	a := first.After.Tuning
	if !slices.Equal(first.Told, []string{"running", "done"}) || a.State != "done" || len(a.Trials) == 0 || len(a.Trials) > a.Shapes || a.Ms <= 0 {
		t.Fatalf("told %q, then %+v", first.Told, a)
	}
	if first.Ms > 5000 || a.Ms > 3000 { // two seconds, and what a busy machine adds
		t.Errorf("it took %.0f ms, %.0f of them to measure", first.Ms, a.Ms)
	}
	t.Logf("%d of %d shapes in %.0f ms", len(a.Trials), a.Shapes, a.Ms)

	b.call("store.tuning", &b.good)
	b.step("kept", func(t *testing.T) {
		r := b.draw(nil)
		if r.Tuning.State != "done" || len(r.Told) != 0 || len(r.Tuning.Trials) != len(a.Trials) || r.Tuning.Shapes != a.Shapes {
			t.Errorf("told %q, %+v", r.Told, r.Tuning)
		}
		if r := b.load(map[string]any{"tune": false}); r.Tuning != nil || len(r.Told) != 0 || r.Plan != first.Plan {
			t.Errorf("turned off: %+v", r)
		}
		if r := b.draw(map[string]any{"store": false}); r.Tuning == nil || r.Tuning.State != "none" || len(r.Told) != 0 {
			t.Errorf("without a store: %+v", r)
		}
	})

	b.records(t)
	b.step("deleted", func(t *testing.T) {
		b.forget()
		if r := b.load(nil); r.Tuning.State != "due" {
			t.Errorf("%+v", r)
		}
	})
	b.step("a CPU", func(t *testing.T) {
		s.prelude = "globalThis.hollowSoftware = true;" + hollowGPU
		if r := b.draw(nil); r.Tuning.State != "none" || len(r.Told) != 0 {
			t.Errorf("%+v", r)
		}
		if r := b.draw(map[string]any{"tune": true}); r.Tuning.State != "due" || r.After.Tuning.State != "done" {
			t.Errorf("asked for: %+v", r)
		}
	})
	b.silent(t)
}

// records loads the model beside other records than the good one.
func (b *tuner) records(t *testing.T) {
	b.step("used", func(t *testing.T) {
		b.change(`"shape":"MatMul ([^"]*)","taken":"[^"]*"`, `"shape":"MatMul $1","taken":"tile 32×32"`)
		r, again := b.draw(nil), b.load(nil)
		if !r.Tuning.Used || r.Plan == b.first.Plan || again.Plan != r.Plan || len(r.Told) != 0 {
			t.Errorf("the plans %s and %s, usually %s: %+v", r.Plan, again.Plan, b.first.Plan, r.Tuning)
		}
		if r := b.load(map[string]any{"tune": false}); r.Plan != b.first.Plan {
			t.Errorf("turned off, the plan is %s, usually %s", r.Plan, b.first.Plan)
		}
	})
	b.step("no such kernel", func(t *testing.T) {
		b.change(`"taken":"[^"]*"`, `"taken":"views"`)
		if r := b.draw(nil); !r.Tuning.Used {
			t.Errorf("%+v", r)
		}
	})
	for name, c := range map[string][2]string{
		"not JSON":             {`}$`, ``},
		"another version":      {`"version":1`, `"version":2`},
		"another GPU":          {`hollow`, `other`},
		"a list that is none":  {`"trials":\[.*\]`, `"trials":7`},
		"names without an end": {`"shape":"`, `"shape":"` + strings.Repeat("x", 300)},
	} {
		b.step(name, func(t *testing.T) {
			b.change(c[0], c[1])
			if r := b.load(nil); r.Tuning.Used || r.Plan != b.first.Plan || r.Tuning.State != "due" {
				t.Errorf("%+v", r)
			}
		})
	}
}
