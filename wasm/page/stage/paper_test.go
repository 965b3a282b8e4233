package stage

import (
	"testing"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

func TestPaperText(t *testing.T) {
	words.Use(words.Languages[0])
	r := app.Recipe{Prompt: "a cat", Guidance: []recipe.Term{
		{Positive: "night", Negative: "day", Weight: -1.5}, {Positive: "unused"}, {Negative: "blue", Weight: 2},
	}}
	want := "“a cat”\nTowards: night · Away from: day · Weight: −1.5\nAway from: blue · Weight: 2"
	if got := paperText(r); got != want {
		t.Errorf("on paper: %q, wanted %q", got, want)
	}
}
