package words

import (
	_ "embed" // the texts
	"strings"

	"undertone/engine/tinyjson"
)

var (
	//go:embed en.json
	english []byte
	//go:embed zh.json
	chinese []byte
)

// Language is one that the page has texts in.
type Language struct {
	Tag  string // as in the attribute lang
	Name string // in the language itself
	Dir  string // "ltr" or "rtl"
	file []byte
}

// Languages lists them; the first is spoken where none is understood.
var Languages = []Language{
	{"en", "English", "ltr", english},
	{"zh-Hans", "简体中文", "ltr", chinese},
}

// Text holds the texts in the page's language. Fields keep their addresses when the
// language changes, so a pointer to one is a text that follows it.
var Text Texts

// Use changes the page's language. Every language has every text, which a test holds.
func Use(l Language) {
	Text.Titles, Text.Faults, Text.SiteFaults = nil, nil, nil // maps are filled, not replaced
	if err := tinyjson.Unmarshal(l.file, &Text); err != nil {
		panic(err) // the files are part of the program
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
