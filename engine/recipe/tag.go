package recipe

import "strings"

// Attribute is one of <undertone-demo>. One without a value is bare.
type Attribute struct{ Name, Value string }

// Attributes are those of <undertone-demo> that give the picture of a request: FromEmbed
// reads the same of them. What is the model's own anyway is left out, but for the prompt
// and the seed.
func Attributes(q Request, d Description) []Attribute {
	own := d.Request()
	presets := presetAttributes(q.Guidance, d)
	if presets != nil {
		q.Guidance = nil
	}
	var list []Attribute
	for pair := range strings.SplitSeq(Hash(q)[1:], "&") {
		key, value, _ := strings.Cut(pair, "=")
		if f := Field(key); f == FieldSteps && q.Steps == own.Steps || f == FieldSize && q.Size == own.Size {
			continue
		}
		list = append(list, Attribute{strings.ToLower(key), Unescape(value)}) // as HTML has them
	}
	if q.CFG == 1 && own.CFG != 1 {
		list = append(list, Attribute{string(FieldCFG), "1"}) // which a link leaves out
	}
	return append(list, presets...)
}

// presetAttributes are presets with their weights where all directions are presets of the
// model, so that people can read and change them; nil otherwise.
func presetAttributes(given []Term, d Description) []Attribute {
	var ids, weights string
	for _, t := range given {
		found := false
		for _, p := range d.Presets {
			if own, err := p.Term(); err == nil && !found {
				own.Weight = t.Weight
				if found = Hash(Request{Guidance: []Term{own}}) == Hash(Request{Guidance: []Term{t}}); found {
					ids, weights = ids+" "+p.ID, weights+" "+numeral(t.Weight)
				}
			}
		}
		if !found {
			return nil
		}
	}
	if ids == "" {
		return nil
	}
	return []Attribute{{string(FieldPreset), ids[1:]}, {string(FieldWeight), weights[1:]}}
}

// Tag is what a page holds of a picture.
type Tag struct {
	Site          string // the folder of the site, beside the page or in full, with a slash at its end
	Poster        string // address of the picture that is shown at first
	Attributes    []Attribute
	Request       Request // what the attributes ask for
	Width, Height int     // of the poster, in pixels
}

// Link is the address of the full page with the same settings.
func (t Tag) Link() string { return t.Site + Hash(t.Request) }

// HTML are the script and the element. What stands inside the element is seen where no
// script runs: a picture that leads to the full page.
func (t Tag) HTML() string {
	var b strings.Builder
	write := func(mark, value string) {
		b.WriteString(mark)
		b.WriteString(escapeHTML(value))
	}
	write(`<script type="module" src="`, t.Site)
	b.WriteString("element.js\"></script>\n<undertone-demo")
	for _, a := range append(t.Attributes[:len(t.Attributes):len(t.Attributes)], Attribute{"poster", t.Poster}) {
		write(" ", a.Name)
		if a.Value != "" || a.Name != "compare" {
			write(`="`, a.Value)
			b.WriteByte('"')
		}
	}
	write(">\n  <a href=\"", t.Link())
	write(`"><img src="`, t.Poster)
	write(`" width="`, numeral(float64(t.Width)))
	write(`" height="`, numeral(float64(t.Height)))
	write(`" alt="`, t.Request.Prompt)
	b.WriteString("\"></a>\n</undertone-demo>\n")
	return b.String()
}

// Markdown is for places that run no scripts: a picture that leads to the full page.
func (t Tag) Markdown() string {
	words := strings.Join(strings.Fields(t.Request.Prompt), " ")
	link := strings.ReplaceAll(strings.ReplaceAll(t.Link(), "(", "%28"), ")", "%29")
	return "[![" + escapeMarkdown(words) + "](<" + t.Poster + ">)](" + link + ")\n"
}

// escapeMarkdown keeps what is a mark in Markdown as text.
func escapeMarkdown(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune("\\`*_[]<>&!#|~", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// escapeHTML writes text as a value of an attribute.
func escapeHTML(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch c {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '"':
			b.WriteString("&#34;")
		case '\'':
			b.WriteString("&#39;")
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
