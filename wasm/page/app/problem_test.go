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
	// What a visitor cannot mend is said as that, and the engine's advice to whoever runs
	// the site stands among the details.
	site := &Problem{Code: "http-status", Message: "no such file", Advice: fault.Advice(fault.HTTPStatus), OfSite: true}
	if _, advice, detail := site.Texts(); advice != words.Text.FaultOfSite || !strings.Contains(detail, "address") {
		t.Errorf("in English a missing file is told with the advice %q and the details %q", advice, detail)
	}
	unread := &Problem{Code: "fetch-failed", Message: "a", Reason: "why", Translated: true}
	if what, _, detail := unread.Texts(); what != "a" || !strings.Contains(detail, "why") {
		t.Errorf("a translated fault is told as %q with the details %q", what, detail)
	}
	p := &Problem{Code: "seed-range", Message: "a", Advice: "b"}
	if what, advice, detail := p.Texts(); what != "a" || advice != "b" || strings.Contains(detail, "a ·") {
		t.Errorf("in English it is told as %q, %q, %q", what, advice, detail)
	}
}
