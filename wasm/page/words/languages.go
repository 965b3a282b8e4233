package words

import (
	_ "embed" // the texts
	"strings"

	"undertone/engine/tinyjson"
)

//go:embed en.json
var english []byte

// Language is one that the page has texts in.
type Language struct {
	Tag  string // as in the attribute lang
	Name string // in the language itself
	Dir  string // "ltr" or "rtl"
	file []byte // the texts; nil until they are supplied
}

// Languages lists them; the first is spoken where none is understood.
var Languages = []Language{
	{"en", "English", "ltr", english},
	{"zh-Hans", "简体中文", "ltr", chinese},
}

// Here reports whether the texts of the language are there. Of all but the first they are
// fetched when the language is spoken, and then supplied: most visitors need one.
func (l Language) Here() bool { return l.file != nil }

// Supply takes over the texts of a language as its file has them, and returns the
// language with them. It fails if that is no JSON of texts.
func (l Language) Supply(file []byte) (Language, error) {
	if err := tinyjson.Unmarshal(file, new(Texts)); err != nil {
		return l, err
	}
	l.file = file
	for i := range Languages {
		if Languages[i].Tag == l.Tag {
			Languages[i] = l
		}
	}
	return l, nil
}

// Text holds the texts in the page's language. Fields keep their addresses when the
// language changes, so a pointer to one is a text that follows it.
var Text Texts

// Use changes the page's language to one whose texts are there. Every language has every
// text, which a test holds.
func Use(l Language) {
	Text.Titles, Text.Faults, Text.SiteFaults = nil, nil, nil // maps are filled, not replaced
	if err := tinyjson.Unmarshal(l.file, &Text); err != nil {
		panic(err) // a file that was read before, or is part of the program
	}
}

// Choose finds the first wish that can be met: wishes are tags such as
// "zh-CN", the most wanted first.
func Choose(wishes []string) Language {
	for _, wish := range wishes {
		wish, _, _ = strings.Cut(strings.ToLower(wish), "-")
		for _, l := range Languages {
			if tag, _, _ := strings.Cut(l.Tag, "-"); tag == wish {
				return l
			}
		}
	}
	return Languages[0]
}
