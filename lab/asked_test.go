package lab

import (
	"reflect"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

func TestQuery(t *testing.T) {
	start := 3
	for _, a := range []Asked{
		{Seeds: 1, Prompts: []string{}, Words: []string{}},
		{Experiment: "settings", Prompts: []string{"a frog & a cat", "été, 猫"}, Number: 3, Seeds: 2, Preset: "night", Positive: "a#b", Negative: "c=d", Start: &start, Model: "stored:a b", Weight: -1.5, Words: []string{"frog", "猫"}, Drawn: []float64{0, 1, -0.25}, Distance: DistancePixels, Steps: 4},
	} {
		if got := ParseQuery(a.Query()); !reflect.DeepEqual(got, a) {
			t.Errorf("%+v becomes %+v", a, got)
		}
	}
	for _, text := range []string{"", "%", "seeds=1e9&number=-4&weight=NaN", "seeds=99999999999999999999&weight=1e300", "prompts=" + strings.Repeat("a%0a", 5000), "positive=" + strings.Repeat("x", 1<<16)} {
		a := ParseQuery(text)
		if a.Seeds < 1 || a.Seeds > MostSeeds || a.Number < 0 || len(a.Prompts) > MostPrompts || len(a.Positive) > recipe.MaxPrompt || !(a.Weight <= recipe.MaxWeight) {
			t.Errorf("%.40q gives %d seeds, %d prompts of %d, weight %g", text, a.Seeds, a.Number, len(a.Prompts), a.Weight)
		}
	}
}

func TestAskedSetting(t *testing.T) {
	d := setting().Model
	d.Presets[0].Weight, d.Presets[1].Weight = 2, 3
	for i := range d.Presets {
		d.Presets[i].Schedule = []byte(`{"kind":"constant"}`)
	}
	d.Examples = []string{"one", "two", "three"}
	s, err := Asked{Seeds: 2, Number: 2, Preset: "neon", Steps: 7}.Setting(d, recipe.Request{Steps: 4})
	if err != nil || len(s.Prompts) != 2 || len(s.Seeds) != 2 || s.Direction.Positive != "neon" || s.Direction.Weight != 3 || s.Base.Steps != 7 {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = Asked{Seeds: 1, Prompts: []string{"mine"}, Negative: "day", Weight: -1}.Setting(d, recipe.Request{})
	if err != nil || s.Prompts[0] != "mine" || s.Direction.Positive != "" || s.Direction.Negative != "day" || s.Direction.Weight != -1 {
		t.Errorf("%+v, %v", s, err)
	}
	start := 4
	s, err = Asked{Seeds: 1, Positive: "mine", Start: &start}.Setting(d, recipe.Request{})
	if err != nil || s.Direction.Schedule.Kind != "step" || s.Direction.Schedule.Start != 4 {
		t.Errorf("words from a block of one's own on: %+v, %v", s.Direction, err)
	}
	for _, a := range []Asked{{}, {Seeds: 1001}, {Seeds: 1, Number: 1001}, {Seeds: 1, Preset: "nowhere"}, {Seeds: 1, Distance: "far"}} {
		if _, err := a.Setting(d, recipe.Request{}); fault.Of(err).Code != fault.RequestInvalid {
			t.Errorf("%+v: %v", a, err)
		}
	}
}
