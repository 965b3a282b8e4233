package shell

import (
	"fmt"
	"strings"
	"testing"

	"undertone/engine/recipe"
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

func TestReport(t *testing.T) {
	m := model(t)
	s := app.State{Model: m, Phase: app.Ready, Loaded: app.Loaded{Backend: "webgpu", Adapter: "some gpu", Precision: "Q8_0", Choice: "Runs on the CPU."}}
	s.Picture = &app.Picture{Recipe: app.NewRecipe(recipe.Request{Prompt: "secret frog", Seed: 5, Steps: 4, Size: recipe.Square(256), Guidance: []recipe.Term{{Positive: "secret words", Weight: 1}}})}
	r := report{version: "0.2.0", agent: "Chrome", state: &s}
	r.fault = &app.Problem{Code: "guidance-invalid", Message: `the schedule of "secret words" does not fit`}
	text := r.text(false)
	for _, part := range []string{"Undertone: 0.2.0\n", "Browser: Chrome\n", "some gpu", "Choice: Runs on the CPU.", "Last fault: guidance-invalid: the schedule of \"…\" does not fit", "1 directions"} {
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
