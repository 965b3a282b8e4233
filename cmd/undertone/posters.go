package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"undertone/cmd/undertone/internal/input"
	"undertone/engine"
	"undertone/engine/recipe"
)

var (
	demoTag      = regexp.MustCompile(`<undertone-demo((?:\s+[\w-]+(?:="[^"]*")?)*)\s*>`)
	tagAttribute = regexp.MustCompile(`([\w-]+)(?:="([^"]*)")?`)
)

// maxDocument bounds a document with tags, in bytes.
const maxDocument = 16 << 20

// demo is an <undertone-demo> that stands in a document.
type demo struct {
	hash   string // of what its attributes ask for
	poster string // as they name it
}

// demos are those of a document that have a poster; its attributes are quoted by ".
func demos(document []byte) (list []demo) {
	for _, tag := range demoTag.FindAllSubmatch(document, -1) {
		var d demo
		var hash []string
		for _, a := range tagAttribute.FindAllSubmatch(tag[1], -1) {
			name, value := string(a[1]), html.UnescapeString(string(a[2]))
			switch i := slices.IndexFunc(attributes, func(a attribute) bool { return a.name == name }); {
			case name == "poster":
				d.poster = value
			case name == "guidancerows":
				hash = append(hash, string(recipe.FieldRows)+"="+url.QueryEscape(value))
			case i >= 0 && i < ofPicture:
				hash = append(hash, name+"="+url.QueryEscape(value))
			}
		}
		if d.hash = strings.Join(hash, "&"); d.poster != "" {
			list = append(list, d)
		}
	}
	return list
}

// posters draws those that the tags of a document name, anew.
func posters(ctx context.Context, e *engine.Engine, document string, bar *bar, stdout io.Writer) error {
	text, err := input.Read(ctx, document, maxDocument)
	if err != nil {
		return err
	}
	list := demos(text)
	if len(list) == 0 {
		return usagef("--in %s: there is no <undertone-demo> with a poster in it", document)
	}
	for _, d := range list {
		if path := filepath.FromSlash(d.poster); !filepath.IsLocal(path) {
			return usagef("--in %s: the poster %q is not in the document's folder", document, d.poster)
		}
	}
	for _, d := range list {
		target, err := posterTo(filepath.Join(filepath.Dir(document), filepath.FromSlash(d.poster)), stdout)
		if err != nil {
			return err
		}
		req, notices := recipe.FromEmbed(d.hash, e.Info().Description)
		if len(notices) > 0 {
			return fmt.Errorf("%s: %w", d.poster, refused(notices[0]))
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
