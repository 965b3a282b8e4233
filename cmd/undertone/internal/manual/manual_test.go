package manual

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link   = regexp.MustCompile(`<a href="([^"]+)"`)
	anchor = regexp.MustCompile(` id="([^"]+)"`)
)

// TestManual renders the project's own documents: every link between them leads to a page
// that is there, and to a heading of it, and none leads out of the site.
func TestManual(t *testing.T) {
	files, err := filepath.Glob("../../../../docs/*.md")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d documents: %v", len(files), err)
	}
	documents := map[string][]byte{}
	for _, f := range files {
		if documents[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	pages, err := Render(documents)
	if err != nil || len(pages) != len(files)+1 {
		t.Fatalf("%d pages of %d documents: %v", len(pages), len(files), err)
	}
	headings := map[string]map[string]bool{}
	for name, page := range pages {
		ids := map[string]bool{"": true}
		for _, m := range anchor.FindAllSubmatch(page, -1) {
			ids[string(m[1])] = true
		}
		headings[strings.TrimPrefix(name, Folder)] = ids
	}
	between := 0
	for name, page := range pages {
		for _, m := range link.FindAllSubmatch(page, -1) {
			to, fragment, _ := strings.Cut(string(m[1]), "#")
			if strings.Contains(to, "://") || to == "../index.html" {
				continue
			}
			if to == "" {
				to = strings.TrimPrefix(name, Folder)
			}
			between++
			if ids, ok := headings[to]; !ok || !ids[fragment] {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
		if n := strings.Count(string(page), "<h1"); n != 1 {
			t.Errorf("%s has %d titles", name, n)
		}
	}
	if between < 40 {
		t.Errorf("only %d links were seen", between)
	}
}

// TestManualRefuses: a document that the navigation could not name is an error.
func TestManualRefuses(t *testing.T) {
	if _, err := Render(map[string][]byte{"a.md": []byte("text alone")}); err == nil || !strings.Contains(err.Error(), "docs/a.md: it has no title") {
		t.Error(err)
	}
}
