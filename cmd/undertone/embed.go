package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"undertone/engine/recipe"
)

// attribute is one of <undertone-demo>, as a flag.
type attribute struct{ name, use string }

// attributes are those that say what the picture is of, and then the others.
var attributes = []attribute{
	{"prompt", "what to draw, and the caption; without this flag, the model's own example"},
	{"seed", "0 to 4294967295"},
	{"steps", "without this flag, the model's own number"},
	{"size", "pixels of a side, or WIDTHxHEIGHT"},
	{"cfg", "classifier-free guidance scale"},
	{"preset", "ids of the model's presets, with spaces between them: each is a direction with a slider"},
	{"guidance", `a direction in words, "towards | away from", or a JSON list of directions`},
	{"weight", "weights of the directions, with spaces between them"},
	{"ablate", "what is taken from what the model reads of the prompt: pooled:zero, pooled:random, tokens:empty"},
	{"schedule", "of all directions: constant, step:FIRST, window:FIRST-LAST or bumps, each with /OF for block numbers of a model with OF blocks; or JSON"},
	{"controls", "guidance, another, compare and open, with spaces between them, or none; without this flag, all"},
	{"model", "the name of one of the site's models"},
	{"precision", "bits that the model spends on a weight: 8 or 4"},
	{"theme", "light, dark or auto; without this flag, the page's own"},
	{"lang", "language of the element"},
	{"autoload", "click or visible"},
}

// ofPicture are how many of attributes say what the picture is of.
const ofPicture = 10

// attributesOf are the tag's attributes that flags set, and those of the picture as the
// hash of the frame's address has them.
func attributesOf(given map[string]*string, set map[string]bool) (list []recipe.Attribute, hash string) {
	var ofPictures []string
	for i, a := range attributes {
		if !set[a.name] {
			continue
		}
		list = append(list, recipe.Attribute{Name: a.name, Value: *given[a.name]})
		if i < ofPicture {
			ofPictures = append(ofPictures, a.name+"="+url.QueryEscape(*given[a.name]))
		}
	}
	return list, strings.Join(ofPictures, "&")
}

// embed prints the tag that puts a picture into a page, and writes its poster.
func embed(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("embed", "MODEL_DIR", stderr)
	given := map[string]*string{}
	for _, a := range attributes {
		given[a.name] = fs.String(a.name, "", a.use)
	}
	compare := fs.Bool("compare", false, "show the picture without guidance beside it")
	site := fs.String("site", "undertone/", "where the site is: a folder beside the page, or an address")
	poster := fs.String("poster", "poster.png", "the PNG or JPEG file to write, of the picture that the attributes give, which is shown until somebody opens the demo")
	markdown := fs.Bool("markdown", false, "print no tag, but a picture with a link as Markdown, for a README, where no script runs")
	document := fs.String("in", "", "print nothing: draw the posters that the tags of this document name, each the picture of its tag's attributes")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usagef("name one model folder, of a model that the site has")
	}
	folder, err := siteAddress(*site)
	if err != nil {
		return err
	}
	if *markdown && !strings.Contains(folder, "://") {
		return usagef("--markdown: give --site the address that the site is at: a README is shown on pages that have no folder beside them")
	}
	target, err := posterTo(*poster, stdout)
	if err != nil {
		return err
	}
	if target.stdout != nil {
		return usagef("--poster %s: the tag is written to standard output: name a file", *poster)
	}
	bar := newBar(stderr)
	e, done, err := load(ctx, fs.Args(), "", bar)
	defer done()
	if err != nil {
		return err
	}
	defer e.Close()
	set := fs.given()
	if set["in"] {
		if len(set) > 1 {
			return usagef("--in %s: the document's tags say everything: leave out the other flags", *document)
		}
		return posters(ctx, e, *document, bar, stdout)
	}
	tag := recipe.Tag{Site: folder, Poster: filepath.Base(target.name)}
	hash := ""
	tag.Attributes, hash = attributesOf(given, set)
	if *compare {
		tag.Attributes = append(tag.Attributes, recipe.Attribute{Name: "compare"})
	}
	req, notices := recipe.FromEmbed(hash, e.Info().Description)
	if len(notices) > 0 {
		return refused(notices[0])
	}
	r, err := draw(ctx, e, req, bar)
	if err != nil {
		return err
	}
	tag.Request = req
	if tag.Width, tag.Height, err = writePoster(target, r); err != nil {
		return err
	}
	if *markdown {
		fmt.Fprint(stdout, tag.Markdown())
		fmt.Fprintf(stderr, "Wrote %s. Put this line into your README, and %s beside it.\n", target.name, tag.Poster)
		return nil
	}
	fmt.Fprint(stdout, tag.HTML())
	fmt.Fprintf(stderr, "Wrote %s. Put these lines into your page, and %s beside the page.\n", target.name, tag.Poster)
	if !strings.Contains(folder, "://") {
		fmt.Fprintf(stderr, "Copy the site (dist/, or the folder site of the release) to %s beside the page.\n", folder)
	}
	return nil
}

// refused says that an attribute was not taken as it was given.
func refused(n recipe.Notice) error {
	if n.Used != "" {
		return usagef("--%s %s is out of range: the nearest that is possible is %s", n.Field, n.Given, n.Used)
	}
	return usagef("--%s %q is nothing that this model has or takes", n.Field, n.Given)
}

// siteAddress checks where a site is, and puts a slash at its end.
func siteAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" && u.Scheme != "https" && u.Scheme != "http" || u.IsAbs() && u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Path == "" && u.Host == "" {
		return "", usagef("--site %q: name a folder, or an address that begins with https://", text)
	}
	return strings.TrimSuffix(u.String(), "/") + "/", nil
}
