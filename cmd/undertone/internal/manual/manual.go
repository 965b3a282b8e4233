package manual

import (
	"bytes"
	"fmt"
	stdhtml "html"
	"html/template"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
)

// order is that of the navigation; documents that it does not name follow in that of
// their names.
var order = []string{"pooled-vector", "embedding", "api", "bundlers", "hosting", "models", "tool", "lab", "compatibility", "quirks"}

// Folder is where the pages lie in a site.
const Folder = "docs/"

// markdown is that of GitHub, as far as docs/ uses it. The documents are the site's own:
// what they hold of HTML is kept.
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	goldmark.WithRendererOptions(html.WithUnsafe()),
)

// wide lets what is wider than the page scroll by itself, by keyboard too.
var wide = strings.NewReplacer("<pre>", `<pre tabindex="0">`, "<table>", `<div class="wide" tabindex="0"><table>`, "</table>", "</table></div>")

// inTags matches the pictures of the repository that tags of a document name.
var inTags = regexp.MustCompile(`(<(?:img|undertone-demo)\s[^<>]*?(?:src|poster)=")(images/[A-Za-z0-9_\-./]+")`)

// named gives pictures in tags their place in the repository, as read does in Markdown.
func named(body string) string { return inTags.ReplaceAllString(body, "${1}./"+Folder+"${2}") }

// document is one of docs/, parsed.
type document struct {
	Name, Title string
	Summary     string // its first paragraph, as text
	source      []byte
	tree        ast.Node
}

// Render makes a page of every document, and one that lists them. Documents and pages go
// by name: "api.md" becomes "docs/api.html". Links between documents lead to their pages;
// what they link to elsewhere in the repository, which a site does not have, stays as
// text. Pictures are named by their place in the repository, docs/images/….
func Render(documents map[string][]byte) (map[string][]byte, error) {
	var all []*document
	for name, source := range documents {
		d := &document{Name: strings.TrimSuffix(name, ".md"), source: source}
		d.tree = markdown.Parser().Parse(text.NewReader(source))
		if err := d.read(documents); err != nil {
			return nil, fmt.Errorf("docs/%s: %w", name, err)
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *document) int {
		if i, j := place(a.Name), place(b.Name); i != j {
			return i - j
		}
		return strings.Compare(a.Name, b.Name)
	})
	pages := map[string][]byte{}
	for _, d := range all {
		var body bytes.Buffer
		if err := markdown.Renderer().Render(&body, d.source, d.tree); err != nil {
			return nil, fmt.Errorf("docs/%s.md: %w", d.Name, err)
		}
		if err := write(pages, d.Name, view{Title: d.Title, Summary: d.Summary, All: all, Here: d.Name, Body: template.HTML(named(wide.Replace(body.String())))}); err != nil {
			return nil, err
		}
	}
	return pages, write(pages, "index", view{Title: "Documentation", All: all})
}

func place(name string) int {
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}

// read finds a document's title and first paragraph, and points its links to pages.
func (d *document) read(documents map[string][]byte) error {
	var elsewhere []*ast.Link
	err := ast.Walk(d.tree, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 1 && d.Title == "" {
				d.Title = words(n, d.source)
			}
		case *ast.Paragraph:
			if d.Summary == "" {
				d.Summary = words(n, d.source)
			}
		case *ast.Image:
			if to := string(n.Destination); !strings.Contains(to, "://") {
				n.Destination = []byte("./" + path.Join(Folder, to)) // the site gives it its final name
			}
		case *ast.Link:
			to, fragment, _ := strings.Cut(string(n.Destination), "#")
			switch _, known := documents[to]; {
			case strings.Contains(to, "://") || to == "":
			case known:
				n.Destination = []byte(strings.TrimSuffix(to, ".md") + ".html" + hash(fragment))
			default:
				elsewhere = append(elsewhere, n)
			}
		}
		return ast.WalkContinue, nil
	})
	for _, link := range elsewhere {
		unlink(link)
	}
	if err == nil && d.Title == "" {
		err = fmt.Errorf("it has no title: a first line that begins with #")
	}
	return err
}

func hash(fragment string) string {
	if fragment == "" {
		return ""
	}
	return "#" + fragment
}

// unlink leaves a link's text in its place.
func unlink(link *ast.Link) {
	parent := link.Parent()
	for link.FirstChild() != nil {
		parent.InsertBefore(parent, link, link.FirstChild())
	}
	parent.RemoveChild(parent, link)
}

// words is the text of a node, without its marks.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Segment.Value(source))
			if t.SoftLineBreak() {
				b.WriteByte(' ')
			}
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// view is what the template shows.
type view struct {
	Title, Here string
	Summary     string
	All         []*document
	Body        template.HTML
}

func write(pages map[string][]byte, name string, v view) error {
	var out bytes.Buffer
	if err := layout.Execute(&out, v); err != nil {
		return err
	}
	pages[Folder+name+".html"] = out.Bytes()
	return nil
}

var (
	title       = regexp.MustCompile(`<title>([^<]*) · Undertone</title>`)
	description = regexp.MustCompile(`<meta name="description" content="([^"]*)">`)
)

// TitleOf and SummaryOf are what a rendered page says of itself, as text.
func TitleOf(page []byte) string { return first(title, page) }

// SummaryOf is the first paragraph.
func SummaryOf(page []byte) string { return first(description, page) }

func first(of *regexp.Regexp, page []byte) string {
	m := of.FindSubmatch(page)
	if m == nil {
		return ""
	}
	return stdhtml.UnescapeString(string(m[1]))
}
