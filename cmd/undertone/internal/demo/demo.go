package demo

import (
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"undertone/engine/recipe"
)

// Demo is an <undertone-demo>: its attributes in their order, by their names in lower case.
type Demo struct{ Attributes []recipe.Attribute }

var (
	tag       = regexp.MustCompile(`<undertone-demo((?:\s+[\w-]+(?:="[^"]*")?)*)\s*>`)
	attribute = regexp.MustCompile(`([\w-]+)(?:="([^"]*)")?`)
)

// Find lists those of a document in HTML or Markdown, whose values stand between ".
func Find(document []byte) (list []Demo) {
	for _, t := range tag.FindAllSubmatch(document, -1) {
		var d Demo
		for _, a := range attribute.FindAllSubmatch(t[1], -1) {
			d.Attributes = append(d.Attributes, recipe.Attribute{Name: strings.ToLower(string(a[1])), Value: html.UnescapeString(string(a[2]))})
		}
		list = append(list, d)
	}
	return list
}

// Value is that of an attribute; "" where it is not there.
func (d Demo) Value(name string) string {
	for _, a := range d.Attributes {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// ofPicture are the keys of what a picture is of, as recipe.FromEmbed reads them, and
// ofFrame the others that the hash of embed.html has.
var (
	ofPicture = append(slices.Clone(recipe.Keys), recipe.EmbedKeys...)
	ofFrame   = []recipe.Field{"compare", "controls", "model", "precision", "theme", "lang"}
)

// Picture is the hash of the picture that the attributes ask for, without #, for
// recipe.FromEmbed.
func (d Demo) Picture() string { return d.hash(ofPicture) }

// Frame is the hash of embed.html that shows what the element would show, without #.
func (d Demo) Frame() string { return d.hash(append(slices.Clone(ofPicture), ofFrame...)) }

func (d Demo) hash(keys []recipe.Field) string {
	var pairs []string
	for _, a := range d.Attributes {
		i := slices.IndexFunc(keys, func(f recipe.Field) bool { return strings.EqualFold(string(f), a.Name) })
		if i >= 0 {
			pairs = append(pairs, string(keys[i])+"="+url.QueryEscape(a.Value))
		}
	}
	return strings.Join(pairs, "&")
}
