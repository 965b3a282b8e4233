package site

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"undertone/cmd/undertone/internal/input"
	"undertone/cmd/undertone/internal/manual"
)

// The manual's first page, and the style of all of them, by its name in web/.
const (
	manualIndex = manual.Folder + "index.html"
	manualStyle = "docs.css"
)

// shown matches the pictures of the repository that a page of the manual shows.
var shown = regexp.MustCompile(`"\./(` + manual.Folder + `[A-Za-z0-9_\-./]+)"`)

// manual adds the pages of docs/*.md, where there are any, and the pictures that they show.
func (b *builder) manual(ctx context.Context, root string) error {
	documents := map[string][]byte{}
	entries, err := os.ReadDir(filepath.Join(root, manual.Folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if path.Ext(e.Name()) == ".md" && err == nil {
			documents[e.Name()], err = input.Read(ctx, filepath.Join(root, manual.Folder, e.Name()), maxSource)
		}
	}
	if err != nil || len(documents) == 0 {
		return err
	}
	pages, err := manual.Render(documents)
	if err != nil {
		return err
	}
	for name, page := range pages {
		b.sources[name] = page
		for _, picture := range shown.FindAllSubmatch(page, -1) {
			name := string(picture[1])
			if b.sources[name], err = input.Read(ctx, filepath.Join(root, filepath.FromSlash(name)), maxSource); err != nil {
				return err
			}
		}
	}
	return nil
}

// isManual tells the manual's pages, which keep their names.
func isManual(name string) bool {
	return strings.HasPrefix(name, manual.Folder) && path.Ext(name) == ".html"
}
