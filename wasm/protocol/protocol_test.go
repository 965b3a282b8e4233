package protocol

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/recipe"
	"undertone/engine/weights"
	"undertone/guidance"
)

// object reads `export const NAME = Object.freeze({ … });` of protocol.js, which
// is written so that its inside is JSON but for bare keys and a last comma.
func object(t *testing.T, source, name string, into any) {
	t.Helper()
	_, rest, ok := strings.Cut(source, "export const "+name+" = Object.freeze(")
	body, _, ok2 := strings.Cut(rest, ");\n")
	if !ok || !ok2 {
		t.Fatalf("protocol.js has no %s", name)
	}
	body = regexp.MustCompile(`(?m)^  ([a-zA-Z]+):`).ReplaceAllString(body, `  "$1":`)
	body = strings.ReplaceAll(body, ",\n}", "\n}")
	if err := json.Unmarshal([]byte(body), into); err != nil {
		t.Fatalf("%s: %v in %s", name, err, body)
	}
}

func TestJavaScriptTwin(t *testing.T) {
	data, err := os.ReadFile("../../web/protocol.js")
	if err != nil {
		t.Fatal(err)
	}
	source := string(data)

	if want := fmt.Sprintf("export const version = %d;\n", Version); !strings.Contains(source, want) {
		t.Errorf("protocol.js lacks %q", want)
	}

	messages := map[string]Type{}
	object(t, source, "messages", &messages)
	for _, m := range Types() {
		if messages[string(m)] != m {
			t.Errorf("message %q is %q in JavaScript", m, messages[string(m)])
		}
	}
	if len(messages) != len(Types()) {
		t.Errorf("%d messages in JavaScript, %d in Go", len(messages), len(Types()))
	}

	limits := map[string]float64{}
	object(t, source, "limits", &limits)
	if fmt.Sprint(limits) != fmt.Sprint(Limits) {
		t.Errorf("limits are %v in JavaScript, %v in Go", limits, Limits)
	}

	if want := fmt.Sprintf("export const pieceBytes = %d;\n", weights.PieceSize); !strings.Contains(source, want) {
		t.Errorf("protocol.js lacks %q", want)
	}

	rows, err := json.Marshal(guidance.AllRows)
	if err != nil {
		t.Fatal(err)
	}
	if want := "export const rows = Object.freeze(" + strings.ReplaceAll(string(rows), ",", ", ") + ");\n"; !strings.Contains(source, want) {
		t.Errorf("protocol.js lacks %q", want)
	}

	advice := map[fault.Code]string{}
	object(t, source, "advice", &advice)
	for _, c := range RaisedInWindow {
		if advice[c] != fault.Advice(c) {
			t.Errorf("advice for %q is %q in JavaScript, %q in Go", c, advice[c], fault.Advice(c))
		}
	}
	if len(advice) != len(RaisedInWindow) {
		t.Errorf("%d pieces of advice in JavaScript, %d in Go", len(advice), len(RaisedInWindow))
	}
}

// TestRaisedInWindow compares the list with what the scripts really raise.
func TestRaisedInWindow(t *testing.T) {
	raised := map[fault.Code]bool{}
	for _, name := range []string{"undertone.js", "request.js", "link.js", "errors.js"} {
		data, err := os.ReadFile("../../web/" + name)
		if err != nil {
			t.Fatal(err)
		}
		// whole() is given its code.
		for _, m := range regexp.MustCompile(`(?:UndertoneError\(\s*|whole\([a-z]+, "[a-z]+", )"([a-z-]+)"`).FindAllStringSubmatch(string(data), -1) {
			raised[fault.Code(m[1])] = true
		}
	}
	for _, c := range RaisedInWindow {
		if !raised[c] {
			t.Errorf("the window never raises %q", c)
		}
		delete(raised, c)
	}
	for c := range raised {
		t.Errorf("the window raises %q, which has no advice there", c)
	}
}

// TestLargestRequest is what the engine takes at the most: its JSON text must be
// within MaxBody, however its numbers are written.
func TestLargestRequest(t *testing.T) {
	table := make([]float64, guidance.MaxBlocks)
	intervals := make([]guidance.Interval, guidance.MaxBlocks)
	for i := range table {
		table[i] = -1.2345678901234567e-200
		intervals[i] = guidance.Interval{From: i, To: i + 1, Weight: table[i]}
	}
	long := strings.Repeat("\"", recipe.MaxPrompt)
	r := recipe.Request{Prompt: long, Seed: math.MaxUint32}
	for range recipe.MaxTerms {
		r.Guidance = append(r.Guidance, recipe.Term{Positive: long, Negative: long, Weight: table[0], Head: table[0],
			Schedule: guidance.Schedule{Kind: "intervals", Start: 999, End: 999, Of: guidance.MaxBlocks, Centers: table, Width: table[0], Intervals: intervals, Table: table}})
	}
	body, err := json.Marshal(r)
	if err != nil || len(body) > MaxBody {
		t.Errorf("the largest request has %d bytes, %d are allowed: %v", len(body), MaxBody, err)
	}
}
