package lab

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// judge is one that speaks of time and objects, and is not sure of detail.
func judge() *recipe.Judge {
	return &recipe.Judge{Size: 16, Pictures: 1000, Attributes: []recipe.Aspect{
		{Name: "first", Values: []string{"butterfly", "frog"}, Accuracy: 0.99}, {Name: "last", Values: []string{"butterfly", "frog"}, Accuracy: 0.99},
		{Name: "time", Values: []string{"day", "night"}, Accuracy: 0.96}, {Name: "detail", Values: []string{"0", "1", "2"}, Accuracy: 0.94},
	}}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		positive, negative, want string
	}{
		{"at night", "by day", "night"}, {"by day", "at night", "day"}, {"a frog", "", "frog"},
		{"ultra-detailed, cinematic", "flat", ""}, // unjudged
		{"2 moons", "", ""}, {"at night", "night", ""}, {"neon", "", ""},
	} {
		s := setting()
		s.Model.Judge, s.Direction.Positive, s.Direction.Negative = judge(), c.positive, c.negative
		got, ok := s.target()
		if ok != (c.want != "") || got.name != c.want {
			t.Errorf("%q against %q: %+v, wanted %q", c.positive, c.negative, got, c.want)
		}
		s.Model.Judge = nil
		if _, ok := s.target(); ok {
			t.Error("there is no judge, and it speaks")
		}
	}
	s := setting()
	s.Model.Judge, s.Direction.Positive = judge(), "ultra-detailed"
	s.Model.Judge.Attributes[3].Accuracy = 0.95
	got, ok := s.target()
	if !ok || got.value != -1 {
		t.Fatalf("%+v, %v", got, ok)
	}
	if v := got.score(recipe.Judgement{"detail": {0.5, 0, 0.5}}); v != 0.5 {
		t.Errorf("half of the lowest and half of the highest level is %v", v)
	}
}

func TestObjects(t *testing.T) {
	names := []string{"butterfly", "frog", "house", "fish"}
	for prompt, want := range map[string][]int{
		"two Frogs, neon": {1}, "butterflies and a frog": {0, 1}, "a house": {2}, "houses": {2}, "three fish": {3}, "a car": nil, "": nil,
	} {
		if got := objectsOf(prompt, names); !slices.Equal(got, want) {
			t.Errorf("%q names %v, wanted %v", prompt, got, want)
		}
	}
	sees := func(first, last int) Seen {
		p := [][]float64{{1, 0}, {0, 1}}
		return Seen{Judged: recipe.Judgement{"first": p[first], "last": p[last]}}
	}
	s := setting()
	s.Model.Judge = judge()
	lost := s.lost()
	for _, c := range []struct {
		prompt     string
		made, base Seen
		want       float64
	}{
		{"two frogs", sees(0, 0), sees(1, 1), 100}, {"two frogs", sees(1, 1), sees(1, 0), -100}, {"two frogs", sees(0, 0), sees(0, 1), 0},
		{"a frog and a butterfly", sees(1, 0), sees(0, 1), 0}, {"a cat", sees(0, 0), sees(1, 1), 100}, {"a cat", sees(1, 1), sees(1, 1), 0},
	} {
		if got := lost.Of(Trial{Base: recipe.Request{Prompt: c.prompt}}, c.made, c.base); got != c.want {
			t.Errorf("%q: %v objects lost, wanted %v", c.prompt, got, c.want)
		}
	}
}

// TestGains runs an experiment with a judge: it is asked for every picture once, and what it
// says is in the table, the plot and the file.
func TestGains(t *testing.T) {
	s := setting()
	s.Model.Judge = judge()
	e, err := Find("settings")
	if err != nil {
		t.Fatal(err)
	}
	r := NewResults(e, s, "F32")
	drew, asked := 0, 0
	m := Machine{Draw: func(ctx context.Context, q recipe.Request) (*recipe.Result, error) {
		drew++
		return drawn(ctx, q)
	}, Judge: func(ctx context.Context, p *recipe.Image) (recipe.Judgement, error) {
		asked++
		return seen(ctx, p)
	}}
	if err := Run(context.Background(), e, s, m, nil, func(row Row, left int) error { r.Add(row, left); return nil }); err != nil {
		t.Fatal(err)
	}
	r.Sum()
	if drew != asked || drew != len(r.Rows)+4 {
		t.Errorf("%d pictures, %d of them judged, for %d rows", drew, asked, len(r.Rows))
	}
	var text, svg, csv bytes.Buffer
	r.WriteText(&text)
	r.WriteSVG(&svg)
	r.WriteCSV(&csv)
	for _, c := range []struct{ what, in string }{{"gain in night", text.String()}, {"objects lost", text.String()}, {"objects lost", svg.String()}, {"value,price", csv.String()}} {
		if !strings.Contains(c.in, c.what) {
			t.Errorf("%q is missing in %.200s", c.what, c.in)
		}
	}
	if text, _ := (&Results{Experiment: "settings", Means: r.Means}).Conclude(); !strings.Contains(text, "No judge") {
		t.Errorf("without a judge it concludes %q", text)
	}
}

// TestPropose: the largest gain that is seen and costs few objects, and the weights up to
// the first that costs more.
func TestPropose(t *testing.T) {
	row := func(block int, w, gain, half, price float64) Mean {
		return Mean{Series: startOf(block), X: w, Mean: gain, Low: gain - half, High: gain + half, N: 8, Price: price}
	}
	r := &Results{Experiment: "settings", Price: "objects lost", Direction: recipe.Term{Positive: "at night"}, Means: []Mean{
		row(0, 1, 20, 3, 0), row(0, 2, 40, 3, 9), row(0, 3, 60, 3, 2),
		row(3, 1, 10, 3, -2), row(3, 2, 30, 3, 1), row(3, 3, 29, 3, 4), row(3, 4, 80, 3, 30),
	}}
	r.Means[2].Mean, r.Means[2].Low = 25, -1
	text, p := r.Conclude()
	if p == nil || p.Weight != 2 || p.Range[1] != 3 || string(p.Schedule) != `{"kind":"step","start":3}` || p.Positive != "at night" {
		t.Fatalf("proposed is %+v: %s", p, text)
	}
	if _, err := p.Term(); err != nil {
		t.Error(err)
	}
	r.Means[6].N = 5
	if text, p := r.Conclude(); p != nil || !strings.Contains(text, "There are 5 pairs") {
		t.Errorf("of five pairs: %+v: %s", p, text)
	}
	r.Means[6].N = 8
	for i := range r.Means {
		r.Means[i].Price = 50
	}
	if text, p := r.Conclude(); p != nil || !strings.Contains(text, "No setting") {
		t.Errorf("proposed is %+v: %s", p, text)
	}
}

// TestVectors: angles are of all blocks and steps, of the one block, or of the one step;
// lengths of the one block, over all its places.
func TestVectors(t *testing.T) {
	s := setting()
	for _, c := range []struct {
		name, series string
		x, want      float64
	}{
		{"turn", "Night", 2, 36.5}, {"turn", "Neon", -1, 36.5},
		{"angles", "Night", 0, 11.5}, {"angles", "Neon", 5, 61.5},
		{"steady", "Night", 1, 35}, {"steady", "Neon", 4, 38},
		{"map", "Night", 1, 1}, {"map", "Night", 2, 0},
		{"norms", vectorSeries, 0, 0}, {"norms", vectorSeries, 5, 50},
		{"norms", shiftSeries, 2, 200}, {"norms", scaleSeries, 2, 0}, {"norms", gateSeries, 2, 100 * 24.0 / 16},
	} {
		e, err := Find(c.name)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		m := Machine{Draw: drawn, Show: func(Trial, *recipe.Image, *recipe.Image) { t.Errorf("%s shows pictures that look alike", c.name) }}
		err = Run(context.Background(), e, s, m, nil, func(r Row, _ int) error {
			if r.Series == c.series && r.X == c.x {
				if found = true; math.Abs(r.Value-c.want) > 1e-9 {
					t.Errorf("%s: %+v, wanted %v", c.name, r, c.want)
				}
			}
			return nil
		})
		if err != nil || !found {
			t.Errorf("%s: %s at %g is there: %v, %v", c.name, c.series, c.x, found, err)
		}
	}
}

// TestDistance: the distance that is chosen is the measure, where no judge speaks.
func TestDistance(t *testing.T) {
	s := setting()
	for name, want := range map[string]string{"": "(1 − SSIM)", DistanceSSIM: "(1 − SSIM)", DistancePixels: "of 255)", DistanceFeatures: "% of their length)"} {
		s.Distance = name
		for _, of := range []func(Setting) []Measure{distances("x"), gains, losses} {
			if list := of(s); len(list) != 1 || !strings.HasSuffix(list[0].Label, want) {
				t.Errorf("the distance %q is %v", name, list[0].Label)
			}
		}
	}
	s.Distance = DistanceFeatures
	list, asked := s.distanceTo("x"), 0
	m := Machine{Draw: drawn, Encode: func(_ context.Context, p *recipe.Image) ([]float32, error) {
		asked++
		return []float32{float32(p.RGBA[0]), 1}, nil
	}}
	a := Seen{Features: []float32{3, 4}}
	if d := list.Of(Trial{}, Seen{Features: []float32{3, 3}}, a); math.Abs(d-20) > 1e-9 {
		t.Errorf("a fifth of the length is %v %%", d)
	}
	e, err := Find("weight")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	if err := Run(context.Background(), e, s, m, nil, func(Row, int) error { rows++; return nil }); err != nil || asked != rows+4 {
		t.Errorf("of %d pairs with 4 pictures to compare with, %d pictures are encoded; %v", rows, asked, err)
	}
	if _, err := (Asked{Seeds: 1, Distance: DistanceFeatures}).Setting(s.Model, s.Base); fault.Of(err).Code != fault.RequestInvalid {
		t.Errorf("without an encoder: %v", err)
	}
	for name, want := range map[string]string{"linear": DistancePixels, "weight": ""} {
		if s, err := (Asked{Experiment: name, Seeds: 1}).Setting(s.Model, s.Base); err != nil || s.Distance != want {
			t.Errorf("%s proposes the distance %q, %v", name, s.Distance, err)
		}
	}
}

// first is a person who always prefers what was made.
func first(context.Context, string, *recipe.Image, *recipe.Image) (float64, error) { return 1, nil }

// TestPeople asks a person, and puts the votes of two together, each once.
func TestPeople(t *testing.T) {
	e, err := Find("people")
	if err != nil {
		t.Fatal(err)
	}
	s := setting()
	of := func(by string, vote float64) *Results {
		r := NewResults(e, s, "F32")
		m := Machine{Draw: drawn, By: by, Vote: func(_ context.Context, prompt string, made, base *recipe.Image) (float64, error) {
			if prompt == "" || slices.Equal(made.RGBA, base.RGBA) {
				t.Errorf("%q, twice the same picture", prompt)
			}
			return vote, nil
		}}
		if err := Run(context.Background(), e, s, m, nil, func(row Row, left int) error { r.Add(row, left); return nil }); err != nil {
			t.Fatal(err)
		}
		r.Sum()
		return r
	}
	mine, theirs := of("me", 1), of("them", -1)
	if m := mine.Means[0]; m.Mean != 100 || m.N != 4 {
		t.Errorf("always preferred: %+v", m)
	}
	for i, want := range []int{len(theirs.Rows), 0} {
		if n, err := mine.Merge(theirs); err != nil || n != want {
			t.Errorf("merged the time %d: %d rows, %v; wanted %d", i, n, err, want)
		}
	}
	if left, err := Left(e, s, theirs.Rows, "me"); err != nil || len(left) != 8 {
		t.Errorf("after the votes of others %d are left of 8, %v", len(left), err)
	}
	mine.Sum()
	if m := mine.Means[0]; m.Mean != 0 || m.N != 8 || !m.Unsure() {
		t.Errorf("one for, one against: %+v", m)
	}
	if said, _ := mine.Conclude(); !strings.HasPrefix(said, "At a weight of 2, guidance wins in 50 % of 8 votes") || !strings.HasSuffix(said, "No preference is seen.") {
		t.Errorf("one for, one against: %s", said)
	}
	theirs.Base.Steps++
	if _, err := mine.Merge(theirs); err == nil || len(mine.Rows) != 16 {
		t.Errorf("votes on other pictures are taken: %d rows, %v", len(mine.Rows), err)
	}
	if err := Run(context.Background(), e, s, Machine{Draw: drawn}, nil, nil); err == nil || !strings.Contains(err.Error(), "in the browser") {
		t.Errorf("with nobody to ask: %v", err)
	}
}
