package engine_test

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
)

var (
	quirkMark = regexp.MustCompile(`Quirk: ([a-z-]+)`)
	quirkRow  = regexp.MustCompile(`(?m)^\| ([a-z-]+) \|`)
)

// Every place that is as it is because of a browser is marked, every mark is explained in
// docs/quirks.md, and nothing is explained there that no place needs any more.
func TestQuirks(t *testing.T) {
	listed, err := exec.Command("git", "-C", "..", "ls-files", "*.go", "*.js", "*.mjs", "*.wgsl", "*.css", "*.html").Output()
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string]string{} // name → a file that has it
	for _, file := range bytes.Fields(listed) {
		text, err := os.ReadFile("../" + string(file))
		if err != nil {
			continue // deleted, not yet committed
		}
		for _, m := range quirkMark.FindAllSubmatch(text, -1) {
			marks[string(m[1])] = string(file)
		}
	}
	doc, err := os.ReadFile("../docs/quirks.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, m := range quirkRow.FindAllSubmatch(doc, -1) {
		rows = append(rows, string(m[1]))
		if marks[string(m[1])] == "" {
			t.Errorf("docs/quirks.md explains %s, which no file is marked with", m[1])
		}
	}
	for name, file := range marks {
		if !slices.Contains(rows, name) {
			t.Errorf("%s is marked with the quirk %s, which docs/quirks.md does not explain", file, name)
		}
	}
	if !slices.IsSorted(rows) || len(rows) < 10 {
		t.Errorf("the rows of docs/quirks.md are not in order, or few: %v", rows)
	}
}
