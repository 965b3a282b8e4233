package panel

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
)

var (
	sampleKnown = map[string]bool{}
	sampleWords = recipe.Vocabulary{
		Objects: []string{"frog", "owl", "snowman"}, Colours: []string{"red", "orange"}, Counts: []string{"one", "two"},
		Places: []string{"in the snow", "on the beach", "at night", "by day"}, Styles: []string{"glossy"}, Relations: []string{"on the left", "next to", "and"},
	}
)

func init() {
	for w := range strings.FieldsSeq("a an one two red orange frog frogs and next to owl owls snowman snowmen in on the snow beach left at night by day glossy") {
		sampleKnown[w] = true
	}
}

func TestMarked(t *testing.T) {
	for prompt, want := range map[string]string{
		"":                       "",
		"a red frog":             "a red frog",
		"A Red WOMBAT, at night": "A Red [WOMBAT], at night",
		"a sno":                  "a sno", // not finished
		"a sno ":                 "a [sno] ",
		"a snx":                  "a [snx]",
		"  ,, ":                  "  ,, ",
		"zebra":                  "[zebra]",
		"été frog":               "[été] frog",
	} {
		pieces, n := marked(prompt, sampleKnown, true)
		got := ""
		for _, p := range pieces {
			if p.unknown {
				got += "[" + p.text + "]"
			} else {
				got += p.text
			}
		}
		if got != want || n != strings.Count(want, "[") {
			t.Errorf("%q: %q, %d unknown, wanted %q", prompt, got, n, want)
		}
	}
	if _, n := marked("a sno", sampleKnown, false); n != 1 {
		t.Error("an unfinished word is known when nobody types")
	}
}

func TestSuggestions(t *testing.T) {
	for prompt, want := range map[string]string{
		"": "[]", "a frog ": "[]", "a sn": "[snowman]", "a o": "[owl orange one]", "a frog on": "[one on the beach on the left]", "an owl": "[]",
	} {
		if got := fmt.Sprint(suggestions(prompt, sampleWords, 3)); got != want {
			t.Errorf("%q: %s, wanted %s", prompt, got, want)
		}
	}
	if got := complete("a red sn", "snowman"); got != "a red snowman " {
		t.Errorf("completed to %q", got)
	}
}

func TestSurprise(t *testing.T) {
	seen := map[string]bool{}
	for range 2000 {
		p := surprise(sampleWords, sampleKnown)
		seen[p] = true
		if _, n := marked(p, sampleKnown, false); n != 0 {
			t.Fatalf("%q has words that the model does not know", p)
		}
		if strings.Contains(p, " a owl") || strings.HasPrefix(p, "a o") || strings.HasPrefix(p, "an r") || strings.Contains(p, "  ") ||
			slices.Contains(strings.Fields(p), "two") && !strings.Contains(p, "s") {
			t.Fatalf("%q is not English", p)
		}
	}
	if len(seen) < 200 {
		t.Errorf("only %d different prompts in 2000", len(seen))
	}
}

// TestSurpriseOfTheShipped: what its card excludes is never proposed: two different objects,
// a colour of an object that keeps its own, a side for several, words of quality.
func TestSurpriseOfTheShipped(t *testing.T) {
	text, err := os.ReadFile("../../../models/sprites/model.json")
	if err != nil {
		t.Fatal(err)
	}
	var m struct{ Understands recipe.Vocabulary }
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	card, err := os.ReadFile("../../../models/sprites/README.md")
	if err != nil {
		t.Fatal(err)
	}
	v, known := m.Understands, map[string]bool{"snowmen": true, "butterflies": true}
	if says := "(not for " + strings.Join(v.Uncoloured, ", ") + ")"; !strings.Contains(string(card), says) {
		t.Errorf("the card does not say %q", says)
	}
	one := func(list []string) string { return "(" + strings.Join(list, "|") + ")" }
	many := []string{"snowmen", "butterflies"}
	for _, o := range v.Objects {
		if o != "fish" { // two fish stand in no list of plurals
			known[o+"s"] = true
			many = append(many, o+"s")
		}
	}
	form := regexp.MustCompile(`^(an?|two|three) (?:` + one(v.Colours) + ` )?(?:` + one(v.Objects) + `|` + one(many) + `)(?: (on the left|on the right|in the middle))?(?: ` + one(v.Places) + `)?(?: ` + one(v.Places) + `)?(?:, ` + one(v.Styles) + `)?$`)
	for range 5000 {
		p := surprise(v, known)
		parts := form.FindStringSubmatch(p)
		if parts == nil {
			t.Fatalf("%q is of no form that the card has", p)
		}
		count, colour, single, several, side := parts[1], parts[2], parts[3], parts[4], parts[5]
		if (count == "two" || count == "three") != (several != "") || side != "" && several != "" || colour != "" && (slices.Contains(v.Uncoloured, single) || slices.Contains([]string{"cakes", "snowmen", "trees"}, several)) {
			t.Fatalf("%q is excluded by the card", p)
		}
	}
}
