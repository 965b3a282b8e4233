package site

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOEmbed: a site that knows its address has a document for its page and for every
// figure of the manual, each found by a link, and cards for the manual's pages.
func TestOEmbed(t *testing.T) {
	o := source(t)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(o.Root, "index.html"), `<html><head><meta property="og:type" content="website"><meta property="og:image" content="./link-preview.jpg"></head><main data-models="x">`)
	put(t, filepath.Join(o.Root, "web", linkPreview), "no picture")
	put(t, filepath.Join(o.Root, "docs/images/frog.png"), picture.String())
	put(t, filepath.Join(o.Root, "docs/frogs.md"), `# Frogs & "more"

What a <b>frog</b> is.

<undertone-demo id="frog" prompt="a &quot;red&quot; frog" preset="night" weight="2" theme="dark" poster="images/frog.png"></undertone-demo>

    <undertone-demo id="code" prompt="an example in code">

<undertone-demo prompt="without a name">
</undertone-demo>
`)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if page := read(t, filepath.Join(o.Out, "docs/frogs.html")); strings.Contains(page, "oembed") || strings.Contains(page, "og:") || !strings.Contains(page, `poster="../assets/frog.`) {
		t.Errorf("without an address: %s", page)
	}
	o.URL = "https://example.org/u&v/"
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(o.Out, "oembed/*.json"))
	if len(found) != 2 {
		t.Errorf("the documents are %q", found)
	}
	poster := regexp.MustCompile(`assets/frog\.[0-9a-f]{12}\.png`).FindString(read(t, filepath.Join(o.Out, "docs/frogs.html")))
	var got oembed
	if err := json.Unmarshal([]byte(read(t, filepath.Join(o.Out, "oembed/frog.json"))), &got); err != nil {
		t.Fatal(err)
	}
	want := oembed{Version: "1.0", Type: "rich", Title: `a "red" frog`, ProviderName: "Undertone", ProviderURL: o.URL, Width: 720, Height: 384,
		HTML:      `<iframe src="https://example.org/u&amp;v/embed.html#prompt=a+%22red%22+frog&amp;preset=night&amp;weight=2&amp;theme=dark" width="720" height="384" title="a &#34;red&#34; frog" allow="clipboard-write; web-share; fullscreen" loading="lazy"></iframe>`,
		Thumbnail: o.URL + poster, ThumbnailW: 40, ThumbnailH: 30}
	if got != want {
		t.Errorf("%+v\nwanted\n%+v", got, want)
	}
	for file, tags := range map[string][]string{
		"index.html": {`<link rel="alternate" type="application/json+oembed" href="https://example.org/u&amp;v/oembed/undertone.json" title="Undertone">`},
		"docs/frogs.html": {
			`<link rel="alternate" type="application/json+oembed" href="https://example.org/u&amp;v/oembed/frog.json" title="a &#34;red&#34; frog">`,
			`<meta property="og:title" content="Frogs &amp; &#34;more&#34;">`, `<meta property="og:description" content="What a frog is.">`,
			`<meta property="og:url" content="https://example.org/u&amp;v/docs/frogs.html">`, `<meta property="og:image" content="https://example.org/u&amp;v/` + poster + `">`,
			`<meta name="twitter:card" content="summary">`,
		},
		"docs/hosting.html": {`<meta property="og:title" content="Hosting">`},
	} {
		page := read(t, filepath.Join(o.Out, file))
		for _, tag := range tags {
			if strings.Count(page, tag) != 1 {
				t.Errorf("%s has %d times %s:\n%s", file, strings.Count(page, tag), tag, page)
			}
		}
	}
	// A name must not be given twice: one document would hide the other.
	put(t, filepath.Join(o.Root, "docs/again.md"), "# Again\n\n<undertone-demo id=\"frog\">\n</undertone-demo>\n")
	if err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "two examples have the name frog") {
		t.Error(err)
	}
}
