package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"image"
	_ "image/jpeg" // posters are of these
	_ "image/png"
	"path"
	"slices"
	"strings"

	"undertone/cmd/undertone/internal/demo"
	"undertone/cmd/undertone/internal/manual"
)

// The size of a frame in another page, in CSS pixels: <undertone-demo> is as large.
const frameWidth, frameHeight = 720, 384

// oembed is a document of oEmbed 1.0 (oembed.com) of the type rich: what another site shows
// where people paste the address of a page.
type oembed struct {
	Version      string `json:"version"`
	Type         string `json:"type"`
	Title        string `json:"title"`
	ProviderName string `json:"provider_name"`
	ProviderURL  string `json:"provider_url"`
	HTML         string `json:"html"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	Thumbnail    string `json:"thumbnail_url,omitempty"`
	ThumbnailW   int    `json:"thumbnail_width,omitempty"`
	ThumbnailH   int    `json:"thumbnail_height,omitempty"`
}

// example is a picture that other sites can show: the page's own, or a figure of the manual.
type example struct {
	page   string // its address from the site's root
	name   string // of its document, without the folder
	title  string
	hash   string // of embed.html
	poster string // address of a picture from the site's root, or ""
}

// announce gives the pages of a site whose address is known what other sites read of them:
// an oEmbed document of every example, a link to each, and cards of the manual's pages. It
// changes files, which go by their addresses.
func (a Addresses) announce(files map[string][]byte) error {
	if a.URL == "" || files[embedded] == nil {
		return nil
	}
	list := []example{{page: "index.html", name: "undertone", title: "Undertone", poster: a.pictureOf(files["index.html"])}}
	for _, name := range slices.Sorted(pages(files)) {
		if !isManual(name) {
			continue
		}
		figures := examples(name, files[name])
		files[name] = a.card(name, files[name], figures)
		list = append(list, figures...)
	}
	for _, e := range list {
		document := "oembed/" + e.name + ".json"
		if files[document] != nil {
			return fmt.Errorf("site: two examples have the name %s", e.name)
		}
		text, err := json.MarshalIndent(a.oembed(e, files), "", "  ")
		if err != nil {
			return err
		}
		files[document] = append(text, '\n')
		link := fmt.Sprintf("<link rel=\"alternate\" type=\"application/json+oembed\" href=\"%s\" title=\"%s\">\n", html.EscapeString(a.URL+document), html.EscapeString(e.title))
		files[e.page] = before(files[e.page], "</head>", link)
	}
	return nil
}

// pages yields the names of files.
func pages(files map[string][]byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range files {
			if path.Ext(name) == ".html" && !yield(name) {
				return
			}
		}
	}
}

// examples are the figures of a page: the demos that have an id.
func examples(page string, data []byte) (list []example) {
	for _, d := range demo.Find(data) {
		id := d.Value("id")
		if id == "" {
			continue
		}
		e := example{page: page, name: id, title: d.Value("prompt"), hash: d.Frame()}
		if poster := d.Value("poster"); poster != "" {
			e.poster = path.Join(path.Dir(page), poster)
		}
		list = append(list, e)
	}
	return list
}

// pictureOf is the address of the picture beside a link to the page, from the site's root.
func (a Addresses) pictureOf(index []byte) string {
	m := previewed.FindSubmatch(index)
	if m == nil {
		return ""
	}
	return strings.TrimPrefix(html.UnescapeString(string(m[1])), a.URL)
}

func (a Addresses) oembed(e example, files map[string][]byte) oembed {
	address := a.URL + embedded
	if e.hash != "" {
		address += "#" + e.hash
	}
	frame := fmt.Sprintf(`<iframe src="%s" width="%d" height="%d" title="%s" allow="clipboard-write; web-share; fullscreen" loading="lazy"></iframe>`,
		html.EscapeString(address), frameWidth, frameHeight, html.EscapeString(e.title))
	o := oembed{Version: "1.0", Type: "rich", Title: e.title, ProviderName: "Undertone", ProviderURL: a.URL, HTML: frame, Width: frameWidth, Height: frameHeight}
	if size, _, err := image.DecodeConfig(bytes.NewReader(files[e.poster])); err == nil {
		o.Thumbnail, o.ThumbnailW, o.ThumbnailH = a.URL+e.poster, size.Width, size.Height
	}
	return o
}

// card adds the tags of OpenGraph and of Twitter's cards to a page of the manual, with the
// poster of its first figure.
func (a Addresses) card(name string, page []byte, figures []example) []byte {
	var tags strings.Builder
	tag := func(property, content string) {
		fmt.Fprintf(&tags, "<meta property=\"%s\" content=\"%s\">\n", property, html.EscapeString(content))
	}
	fmt.Fprintf(&tags, "<link rel=\"canonical\" href=\"%s\">\n", html.EscapeString(a.URL+name))
	tag("og:type", "article")
	tag("og:title", manual.TitleOf(page))
	tag("og:description", manual.SummaryOf(page))
	tag("og:url", a.URL+name)
	if len(figures) > 0 && figures[0].poster != "" {
		tag("og:image", a.URL+figures[0].poster)
		tags.WriteString("<meta name=\"twitter:card\" content=\"summary\">\n")
	}
	return before(page, "</head>", tags.String())
}

// before puts a text before the first occurrence of a mark.
func before(page []byte, mark, text string) []byte {
	return bytes.Replace(page, []byte(mark), []byte(text+mark), 1)
}
