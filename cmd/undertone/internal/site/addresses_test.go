package site

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestAddresses: readers of link previews get addresses in full where the site's own is
// known, and the foot of the page has the links that are known, and no others.
func TestAddresses(t *testing.T) {
	page := `<meta property="og:type" content="website">
<meta property="og:image" content="./link-preview.jpg">
<p><a href="https://arxiv.org/abs/2602.09268">paper</a>
 <!-- source --><a href="" data-text="LinkSource">Source</a><!-- /source -->
 <!-- docs --><a href="" data-text="LinkDocs">Docs</a><!-- /docs --></p>`
	build := func(a Addresses) (index, picture string, s shell) {
		o := source(t)
		put(t, filepath.Join(o.Root, "index.html"), page)
		put(t, filepath.Join(o.Root, "web", linkPreview), "a picture")
		o.Addresses = a
		s = shellOf(t, o)
		found, err := filepath.Glob(filepath.Join(o.Out, "assets/link-preview.*.jpg"))
		if err != nil || len(found) != 1 {
			t.Fatalf("the previews are %v: %v", found, err)
		}
		return read(t, filepath.Join(o.Out, "index.html")), "assets/" + filepath.Base(found[0]), s
	}

	index, picture, s := build(Addresses{})
	if !strings.Contains(index, `"og:image" content="./`+picture+`"`) || strings.Contains(index, "og:url") || strings.Contains(index, "canonical") {
		t.Errorf("without an address: %s", index)
	}
	if strings.Contains(index, `href=""`) || strings.Contains(index, "LinkSource") || !strings.Contains(index, `href="docs/index.html" data-text="LinkDocs"`) || !strings.Contains(index, "2602.09268") {
		t.Errorf("with links that lead nowhere: %s", index)
	}
	if s.Shell[picture] != "" {
		t.Error("the service worker keeps what only other programs show")
	}

	index, picture, _ = build(Addresses{URL: "https://example.org/a$1&b/", Source: "https://example.org/code?a&b", Docs: "https://example.org/docs"})
	for _, want := range []string{
		`<meta property="og:image" content="https://example.org/a$1&amp;b/` + picture + `">`,
		`<meta property="og:url" content="https://example.org/a$1&amp;b/">`, `<link rel="canonical" href="https://example.org/a$1&amp;b/">`,
		`<a href="https://example.org/code?a&amp;b" data-text="LinkSource">`, `<a href="https://example.org/docs" data-text="LinkDocs">`,
	} {
		if !strings.Contains(index, want) {
			t.Errorf("%s is not in %s", want, index)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.org": "https://example.org/", "https://example.org/a": "https://example.org/a/", "http://localhost:8080/u/": "http://localhost:8080/u/",
		"": "", "example.org": "", "/u": "", "javascript:alert(1)": "", "https://": "", "https://me:word@example.org/": "", "https://example.org/?q": "", "https://example.org/#top": "", "ht tp://x": "",
	} {
		if got, err := ParseFolder(text); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if got, err := ParseAddress("https://example.org/?q#top"); err != nil || got != "https://example.org/?q#top" {
		t.Errorf("an address of a page: %q, %v", got, err)
	}
}
