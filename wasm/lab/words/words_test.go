package words

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/lab"
)

// speak changes to a language that is fetched, until the test is over.
func speak(t *testing.T, tag string) (file []byte) {
	t.Helper()
	first, _, _ := strings.Cut(tag, "-")
	file, err := os.ReadFile("../../../web/lab." + first + ".json")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Text, said = english, nil })
	if err := Speak(file); err != nil {
		t.Fatal(err)
	}
	return file
}

// verb is one of fmt's.
var verb = regexp.MustCompile(`%[a-z]`)

// TestLanguages holds every language to the same texts, with the same values in them.
func TestLanguages(t *testing.T) {
	first := reflect.ValueOf(english)
	for _, l := range Languages[1:] {
		text := speak(t, l.Tag)
		own := reflect.ValueOf(Text)
		for i := range first.NumField() {
			name := first.Type().Field(i).Name
			if first.Field(i).Kind() != reflect.String {
				continue
			}
			a, b := first.Field(i).String(), own.Field(i).String()
			if a == "" || b == "" || !slices.Equal(verb.FindAllString(a, -1), verb.FindAllString(b, -1)) {
				t.Errorf("%s: %s is %q, wanted the values of %q", l.Name, name, b, a)
			}
		}
		for name := range english.Stops {
			if Text.Stops[name] == "" {
				t.Errorf("%s: the tour's stop %s is missing", l.Name, name)
			}
		}
		for _, name := range lab.Distances {
			if english.Distances[name] == "" || Text.Distances[name] == "" {
				t.Errorf("%s: the distance %s has no name", l.Name, name)
			}
		}
		if len(Text.Stops) != len(english.Stops) {
			t.Errorf("%s: the tour has %d stops, wanted %d", l.Name, len(Text.Stops), len(english.Stops))
		}
		var entries map[string]any
		if err := json.Unmarshal(text, &entries); err != nil || len(entries) != first.NumField()+1 {
			t.Errorf("%s: the file has %d entries, wanted %d, %v", l.Name, len(entries), first.NumField()+1, err)
		}
	}
}

// TestSay holds every text of the experiments to a translation: no word of English is left.
func TestSay(t *testing.T) {
	s := lab.Setting{
		Model: recipe.Description{Blocks: recipe.Blocks{Double: 2, Single: 4}, Defaults: recipe.Defaults{CFG: 2},
			Presets: []recipe.Preset{{Title: "Night", Positive: "night", Schedule: []byte(`{"kind":"constant"}`)}, {Title: "Neon", Positive: "neon", Schedule: []byte(`{"kind":"constant"}`)}},
			Judge: &recipe.Judge{Attributes: []recipe.Aspect{{Name: "first", Values: []string{"frog"}, Accuracy: 1},
				{Name: "last", Values: []string{"frog"}, Accuracy: 1}, {Name: "time", Values: []string{"day", "night"}, Accuracy: 1}}}},
		Prompts: []string{"a frog at night"}, Seeds: []uint32{0}, Base: recipe.Request{Steps: 2},
		Direction: recipe.Term{Positive: "night", Weight: 1}, Drawn: make([]float64, 6),
	}
	if text := "from block 3 on"; Say(text) != text {
		t.Errorf("in English %q becomes %q", text, Say(text))
	}
	for _, tag := range []string{"zh-Hans"} {
		speak(t, tag)
		Add(map[string]string{"Night": "夜晚", "Neon": "霓虹"})
		english := regexp.MustCompile(`[a-z]{4,}`)
		names := []string{"schnell", "score", "core", "ick"} // of what the paper measured with
		check := func(where, text string) {
			for _, word := range english.FindAllString(Say(text), -1) {
				if !slices.Contains(names, word) {
					t.Errorf("%s, %s: %q becomes %q", tag, where, text, Say(text))
				}
			}
		}
		for _, e := range lab.Experiments {
			for _, text := range []string{e.Question, e.Plain, e.X, e.Paper, e.Here} {
				check(e.Name, text)
			}
			for judged := range 2 {
				s := s
				if judged == 1 {
					s.Model.Judge = nil
				}
				for _, s.Distance = range lab.Distances {
					for _, m := range e.Measures(s) {
						check(e.Name, m.Label)
					}
				}
				trials, err := e.Trials(s)
				if err != nil {
					t.Fatal(err)
				}
				for _, trial := range trials {
					check(e.Name, trial.Series)
				}
			}
			if e.Conclude != nil {
				for _, r := range results(e.Name) {
					said, _ := r.Conclude()
					if said == "" {
						t.Errorf("%s concludes nothing of %+v", e.Name, r.Means)
					}
					check(e.Name, said)
				}
			}
		}
		check("the sheet", lab.Unchanged)
	}
}

// results are some of which each sentence of a conclusion is said.
func results(name string) (list []*lab.Results) {
	mean := func(series string, x, middle, half, price float64, n int) lab.Mean {
		return lab.Mean{Series: series, X: x, Mean: middle, Low: middle - half, High: middle + half, Price: price, N: n}
	}
	for _, c := range []struct {
		price string
		means []lab.Mean
	}{
		{"p", []lab.Mean{mean("pooled vector of zeros", 8, 1, 0.1, 0, 8), mean("no tokens", 8, 2, 0.1, 0, 8), mean("from block 2 on", 8, 9, 1, 0, 8), mean("random direction", 8, 0.5, 1, 0, 8)}},
		{"p", []lab.Mean{mean("pooled vector of zeros", 8, 2, 3, 0, 8), mean("no tokens", 8, 1, 3, 0, 8)}},
		{"p", []lab.Mean{mean("pooled vector of zeros", 8, 2, 0.1, 90, 8), mean("no tokens", 8, 1, 0.1, 90, 8)}},
		{"p", []lab.Mean{mean("pooled vector of zeros", 8, 2, 0.1, 0, 3), mean("no tokens", 8, 1, 0.1, 0, 3)}},
	} {
		list = append(list, &lab.Results{Experiment: name, Price: c.price, Means: c.means})
	}
	switch name {
	case "linear":
		list = list[:1]
		list[0].Means = []lab.Mean{mean("the direction", 1, 5, 1, 0, 8), mean("the direction", 2, 9, 1, 0, 8)}
	case "people":
		list = list[:3]
		for i, preference := range []float64{-50, 0, 50} {
			list[i].Means = []lab.Mean{mean("guidance", 1, preference, 10, 0, 8)}
		}
	}
	for _, r := range list {
		r.Direction.Weight = 1
	}
	if name == "weight" {
		list = list[:1]
	}
	if name == "settings" {
		list[0].Means = list[0].Means[2:]
		list[0].Means[1].Series = "from block 0 on"
		list[2].Price = ""
	}
	return list
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ form, text, want, rest string }{
		{"weight %s", "weight 2.5", "2.5", ""}, {"%s, with guidance", "style, place and time, with guidance", "style, place and time", ""},
		{"It gains %s (%s to %s).", "It gains -1 (-2 to 3.5). More.", "-1|-2|3.5", " More."},
	} {
		values, rest, ok := match(c.form, c.text)
		if !ok || strings.Join(values, "|") != c.want || rest != c.rest {
			t.Errorf("%q of %q: %q, %q, %v", c.form, c.text, values, rest, ok)
		}
	}
	for form, text := range map[string]string{"weight %s": "weights", "%s.": "x", "": "x", "from %s on": "from on"} {
		if values, _, ok := match(form, text); ok {
			t.Errorf("%q is found in %q: %q", form, text, values)
		}
	}
}

func TestChoose(t *testing.T) {
	for wishes, want := range map[string]string{"": "en", "de fr": "en", "de zh-CN en": "zh-Hans", "en-GB zh": "en", "ZH-hant": "zh-Hans"} {
		if got := Choose(strings.Fields(wishes)); got != want {
			t.Errorf("%q: %s, wanted %s", wishes, got, want)
		}
	}
}
