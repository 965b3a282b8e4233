package embed

import (
	"testing"

	"undertone/wasm/page/app"
	"undertone/wasm/page/apptest"
)

func model(t *testing.T) *app.Model {
	t.Helper()
	m, err := app.NewModel(apptest.Description(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOffer(t *testing.T) {
	small := *model(t)
	small.Bits = 4
	list := []app.Offer{{Address: "models/sprites/model.json", Model: model(t)}, {Address: "models/sprites-q4/model.json", Model: &small}}
	for hash, want := range map[string]int{"": 0, "precision=4": 1, "precision=Q4": 1, "precision=8bit": 0, "model=sprites-q4": 1, "model=sprites": 0} {
		if i, told := split(hash).offer(list); i != want || len(told) != 0 {
			t.Errorf("%s: %d %v, wanted %d", hash, i, told, want)
		}
	}
	for _, hash := range []string{"precision=3", "model=other", "model=https://example.org/model.json", "model=sprites-q4&precision=8"} {
		if i, told := split(hash).offer(list); i != 0 && hash != "model=sprites-q4&precision=8" || len(told) == 0 {
			t.Errorf("%s: %d %v", hash, i, told)
		}
	}
}

func TestControls(t *testing.T) {
	for hash, want := range map[string][2]bool{"": {true, true}, "controls=": {true, true}, "controls=none": {false, false}, "controls=another+open": {false, true}} {
		s := split(hash)
		if got := [2]bool{s.shows(controlGuidance), s.shows(controlAnother)}; got != want {
			t.Errorf("%s: %v, wanted %v", hash, got, want)
		}
	}
	for hash, want := range map[string]bool{"": false, "compare=": true, "compare=false": false, "compare=false&compare=true": false} {
		if got := split(hash).has(keyCompare); got != want {
			t.Errorf("%s: %v", hash, got)
		}
	}
}
