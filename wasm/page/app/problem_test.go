package app

import (
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/wasm/page/words"
)

// TestFaults holds every language but the engine's own to words for every fault.
func TestFaults(t *testing.T) {
	defer words.Use(words.Languages[0])
	for _, l := range words.Languages[1:] {
		words.Use(l)
		codes := fault.Codes()
		for _, c := range codes {
			p := &Problem{Code: string(c), Message: "the Sentence with 7 numbers", Advice: fault.Advice(c)}
			what, advice, detail := p.Texts()
			if what == "" || advice == "" || what == p.Message || advice == p.Advice {
				t.Errorf("%s: %s is told as %q, %q", l.Name, c, what, advice)
			}
			if !strings.Contains(detail, p.Message) || !strings.Contains(detail, p.Code) {
				t.Errorf("%s: the details of %s are %q", l.Name, c, detail)
			}
		}
		if len(words.Text.Faults) != len(codes) {
			t.Errorf("%s has words for %d faults, there are %d", l.Name, len(words.Text.Faults), len(codes))
		}
	}
	words.Use(words.Languages[0])
	p := &Problem{Code: "seed-range", Message: "a", Advice: "b"}
	if what, advice, detail := p.Texts(); what != "a" || advice != "b" || strings.Contains(detail, "a ·") {
		t.Errorf("in English it is told as %q, %q, %q", what, advice, detail)
	}
}
