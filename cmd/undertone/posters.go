package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"undertone/cmd/undertone/internal/demo"
	"undertone/cmd/undertone/internal/input"
	"undertone/engine"
	"undertone/engine/recipe"
)

// maxDocument bounds a document with tags, in bytes.
const maxDocument = 16 << 20

// withPosters are the tags of a document that have a poster.
func withPosters(document []byte) []demo.Demo {
	return slices.DeleteFunc(demo.Find(document), func(d demo.Demo) bool { return d.Value("poster") == "" })
}

// posters draws those that the tags of a document name, anew.
func posters(ctx context.Context, e *engine.Engine, document string, bar *bar, stdout io.Writer) error {
	text, err := input.Read(ctx, document, maxDocument)
	if err != nil {
		return err
	}
	list := withPosters(text)
	if len(list) == 0 {
		return usagef("--in %s: there is no <undertone-demo> with a poster in it", document)
	}
	for _, d := range list {
		if path := filepath.FromSlash(d.Value("poster")); !filepath.IsLocal(path) {
			return usagef("--in %s: the poster %q is not in the document's folder", document, d.Value("poster"))
		}
	}
	for _, d := range list {
		target, err := posterTo(filepath.Join(filepath.Dir(document), filepath.FromSlash(d.Value("poster"))), stdout)
		if err != nil {
			return err
		}
		req, notices := recipe.FromEmbed(d.Picture(), e.Info().Description)
		if len(notices) > 0 {
			return fmt.Errorf("%s: %w", d.Value("poster"), refused(notices[0]))
		}
		r, err := draw(ctx, e, req, bar)
		if err != nil {
			return err
		}
		if _, _, err := writePoster(target, r); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s: %s\n", target.name, recipe.Hash(req))
	}
	return nil
}

// draw makes a picture, and shows how far it is.
func draw(ctx context.Context, e *engine.Engine, req engine.Request, bar *bar) (*engine.Result, error) {
	bar.show("step", 0, int64(req.Steps))
	defer bar.end()
	return e.Generate(ctx, req, func(s engine.StepEvent) { bar.show("step", int64(s.Step), int64(s.Steps)) })
}
