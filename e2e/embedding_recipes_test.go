package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEmbeddingRecipes holds what docs/embedding.md has its readers write to what was built:
// each line of a recipe stands in a file of testdata/hosts. Of a long address it may show
// the beginning.
func TestEmbeddingRecipes(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	if style := "    " + strings.ReplaceAll(strings.TrimSpace(reserve(t)), "\n", "\n    ") + "\n"; !strings.Contains(string(doc), style) {
		t.Errorf("the document's style is not %s", style)
	}
	var written []string
	err = filepath.WalkDir("testdata/hosts", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(name) == "page.html" {
			return err
		}
		text, err := os.ReadFile(name)
		var notebook struct{ Cells []struct{ Source string } }
		if path.Ext(name) == ".ipynb" && err == nil {
			err = json.Unmarshal(text, &notebook)
		}
		for _, cell := range notebook.Cells {
			text = append(text, "\n"+cell.Source...)
		}
		for line := range strings.Lines(string(text)) {
			written = append(written, strings.TrimSpace(line))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, recipes, _ := strings.Cut(string(doc), "## Recipes")
	recipes, _, _ = strings.Cut(recipes, "### Where only an iframe")
	lines := 0
	for line := range strings.Lines(recipes) {
		line, code := strings.CutPrefix(line, "    ")
		if line = strings.TrimSpace(line); !code || line == "" {
			continue
		}
		lines++
		before, after, _ := strings.Cut(line, "…")
		if !slices.ContainsFunc(written, func(w string) bool {
			return strings.HasPrefix(w, before) && strings.HasSuffix(w, after) && len(w) >= len(line)-len("…")
		}) {
			t.Errorf("no file has %s", line)
		}
	}
	if lines < 40 {
		t.Errorf("the recipes have %d lines", lines)
	}
}
