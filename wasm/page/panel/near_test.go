package panel

import (
	"fmt"
	"testing"

	"undertone/engine/recipe"
)

var nearWords = func() recipe.Vocabulary {
	v := sampleWords
	v.Near = map[string][]string{"frog": {"toad"}, "beach": {"sea", "ocean"}, "owl": {"canary", "wolf"}, "snowman": {"person"}}
	return v
}()

func TestSwaps(t *testing.T) {
	for prompt, want := range map[string]string{
		"a red frog":          "[]",
		"a Toad, two toads":   "[{Toad frog} {toads frogs}]",
		"canaries, wolves":    "[{canaries owls} {wolves owls}]",
		"two people":          "[{people snowmen}]",
		"an owl in the ocean": "[{ocean beach}]",
		"an ornage frgo":      "[{ornage orange} {frgo frog}]",
		"a zeppelin":          "[]",
		"fro":                 "[]", // too short to tell
	} {
		pieces, _ := marked(prompt, sampleKnown, false)
		if got := fmt.Sprint(swaps(pieces, nearWords, sampleKnown, 6)); got != want {
			t.Errorf("%q: %s, wanted %s", prompt, got, want)
		}
	}
	pieces, _ := marked("Toad by a Toad, toady", sampleKnown, false)
	if got := replaced(pieces, swap{"Toad", "frog"}); got != "frog by a frog, toady" {
		t.Errorf("replaced: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"frog", "frog", 0}, {"frgo", "frog", 1}, {"forg", "frogs", 2}, {"kitten", "sitting", 3}, {"été", "ete", 2}} {
		if got := distance([]rune(c.a), []rune(c.b)); got != c.want || distance([]rune(c.b), []rune(c.a)) != got {
			t.Errorf("%q to %q: %d, wanted %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNothingKnown(t *testing.T) {
	for prompt, want := range map[string]bool{
		"": false, "a red frog": false, "an astronaut on the moon": true, "a red zeppelin": false, "by the": false, "a wombat, glossy": false,
	} {
		pieces, _ := marked(prompt, sampleKnown, false)
		if got := nothingKnown(pieces, nearWords, sampleKnown); got != want {
			t.Errorf("%q: %v", prompt, got)
		}
	}
}
