package recipe

import (
	"strings"

	"undertone/engine/tinyjson"
)

// Attribute is one of <undertone-demo>. One without a value is bare.
type Attribute struct{ Name, Value string }

// Attributes are those of <undertone-demo> that give the picture of a request: FromEmbed
// reads the same of them. What is the model's own anyway is left out, but for the prompt
// and the seed.
func Attributes(q Request, d Description) []Attribute {
	own := d.Request()
	list := []Attribute{{string(FieldPrompt), q.Prompt}, {string(FieldSeed), numeral(float64(q.Seed))}}
	add := func(f Field, value string, differs bool) {
		if differs {
			list = append(list, Attribute{string(f), value})
		}
	}
	add(FieldSteps, numeral(float64(q.Steps)), q.Steps != own.Steps)
	add(FieldSize, q.Size.String(), q.Size != own.Size)
	add(FieldCFG, numeral(q.CFG), q.CFG != own.CFG)
	list = append(list, directionAttributes(q.Guidance, d)...)
	add(FieldRows, rows(q.GuidanceRows), rows(q.GuidanceRows) != "")
	if a := q.Ablate.Reduced(); a != nil {
		add(FieldAblate, ablationText(a), true)
	}
	for i := range list {
		list[i].Name = strings.ToLower(list[i].Name) // as HTML has them
	}
	return list
}

// directionAttributes are presets with their weights where all directions are presets of
// the model, so that the sliders have their names, and the API's list otherwise.
func directionAttributes(given []Term, d Description) []Attribute {
	if len(given) == 0 {
		return nil
	}
	var ids, weights []string
	for _, t := range given {
		for _, p := range d.Presets {
			if own, err := p.Term(); err == nil && sameDirection(own, t) {
				ids, weights = append(ids, p.ID), append(weights, numeral(t.Weight))
				break
			}
		}
	}
	if len(ids) == len(given) {
		return []Attribute{{string(FieldPreset), strings.Join(ids, " ")}, {string(FieldWeight), strings.Join(weights, " ")}}
	}
	text, err := tinyjson.Marshal(terms(given))
	if err != nil {
		panic(err) // as in JSON
	}
	return []Attribute{{string(FieldGuidance), string(text)}}
}

// sameDirection reports whether two directions differ in their weight alone.
func sameDirection(a, b Term) bool {
	b.Weight = a.Weight
	one, _ := tinyjson.Marshal(terms([]Term{a}))
	two, _ := tinyjson.Marshal(terms([]Term{b}))
	return string(one) == string(two)
}

// ablationText is an ablation as an attribute has it: in words, unless it names a prompt.
func ablationText(a *Ablation) string {
	if a.Prompt == "" {
		var list []string
		if a.Pooled != "" {
			list = append(list, "pooled:"+string(a.Pooled))
		}
		if a.Tokens != "" {
			list = append(list, "tokens:"+string(a.Tokens))
		}
		return strings.Join(list, " ")
	}
	text, err := tinyjson.Marshal(a)
	if err != nil {
		panic(err) // as in JSON
	}
	return string(text)
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
	b.WriteString(`<script type="module" src="` + escapeHTML(t.Site) + "element.js\"></script>\n<undertone-demo")
	for _, a := range append(t.Attributes[:len(t.Attributes):len(t.Attributes)], Attribute{"poster", t.Poster}) {
		b.WriteString(" " + a.Name)
		if a.Value != "" || a.Name != "compare" {
			b.WriteString(`="` + escapeHTML(a.Value) + `"`)
		}
	}
	b.WriteString(">\n  <a href=\"" + escapeHTML(t.Link()) + `"><img src="` + escapeHTML(t.Poster) + `" width="` + numeral(float64(t.Width)) +
		`" height="` + numeral(float64(t.Height)) + `" alt="` + escapeHTML(t.Request.Prompt) + "\"></a>\n</undertone-demo>\n")
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
