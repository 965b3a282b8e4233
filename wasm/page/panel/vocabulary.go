package panel

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode"

	"undertone/engine/recipe"
)

// piece is a part of a prompt as it is marked while somebody types.
type piece struct {
	text    string
	unknown bool // a finished word that the model does not know
}

// marked cuts a prompt into pieces, of which those are marked that stand for no
// word of the model. The last word counts only when it is finished, which typing
// says: a word that begins one of the model's may yet become it.
func marked(prompt string, known map[string]bool, typing bool) (pieces []piece, unknown int) {
	for len(prompt) > 0 {
		letter := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }
		end := strings.IndexFunc(prompt, func(r rune) bool { return !letter(r) })
		if end == 0 {
			if end = strings.IndexFunc(prompt, letter); end < 0 {
				end = len(prompt)
			}
			pieces, prompt = append(pieces, piece{text: prompt[:end]}), prompt[end:]
			continue
		}
		if end < 0 {
			end = len(prompt)
		}
		word := prompt[:end]
		prompt = prompt[end:]
		lower := strings.ToLower(word)
		strange := !known[lower] && !(prompt == "" && typing && begins(lower, known))
		if strange {
			unknown++
		}
		pieces = append(pieces, piece{word, strange})
	}
	return pieces, unknown
}

func begins(start string, known map[string]bool) bool {
	for word := range known {
		if strings.HasPrefix(word, start) {
			return true
		}
	}
	return false
}

// suggestions are at most limit phrases of the model that go on from the end of
// the prompt: what it was trained on and what begins as the last word does.
func suggestions(prompt string, v recipe.Vocabulary, limit int) (phrases []string) {
	last := prompt[strings.LastIndexFunc(prompt, unicode.IsSpace)+1:]
	last = strings.ToLower(last)
	if last == "" {
		return nil
	}
	for _, list := range [][]string{v.Objects, v.Colours, v.Counts, v.Places, v.Styles, v.Quality, v.Relations} {
		for _, phrase := range list {
			if len(phrases) < limit && phrase != last && strings.HasPrefix(phrase, last) {
				phrases = append(phrases, phrase)
			}
		}
	}
	return phrases
}

// complete replaces the last word of a prompt by a phrase that begins with it.
func complete(prompt, phrase string) string {
	return prompt[:strings.LastIndexFunc(prompt, unicode.IsSpace)+1] + phrase + " "
}

// surprise makes up a prompt from what the model understands and is good at: one kind of
// object, which stands somewhere only where it is alone, in a colour that it can have. What
// guidance changes, such as quality, is left to that.
func surprise(v recipe.Vocabulary, known map[string]bool) string {
	pick := func(list []string) string {
		if len(list) == 0 {
			return ""
		}
		return list[rand.IntN(len(list))]
	}
	maybe := func(chance float64, word string) string {
		if rand.Float64() < chance {
			return word
		}
		return ""
	}
	object, colour := pick(v.Objects), maybe(.45, pick(v.Colours))
	if slices.Contains(v.Uncoloured, object) {
		colour = ""
	}
	// Of the relations, those that begin as a place does need no other object.
	alone := slices.DeleteFunc(slices.Clone(v.Relations), func(r string) bool {
		return !strings.HasPrefix(r, "on ") && !strings.HasPrefix(r, "in ")
	})
	article, count, side := "a", maybe(.25, pick(v.Counts)), maybe(.15, pick(alone))
	if many := plural(object, known); count != "" && many != "" && count != "one" {
		article, object, side = count, many, ""
	} else if first := colour + object; first != "" && strings.ContainsRune("aeiou", rune(first[0])) {
		article = "an"
	}
	// Places say where or when, by their first word; a picture has one of each.
	var where, when []string
	for _, p := range v.Places {
		if strings.HasPrefix(p, "at ") || strings.HasPrefix(p, "by ") {
			when = append(when, p)
		} else {
			where = append(where, p)
		}
	}
	words := []string{article, colour, object, side, maybe(.85, pick(where)), maybe(.4, pick(when))}
	prompt := strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
	if style := maybe(.3, pick(v.Styles)); style != "" {
		prompt += ", " + style
	}
	return prompt
}

// plural is the plural that the model knows, "" when it knows none.
func plural(object string, known map[string]bool) string {
	for _, form := range plurals(object) {
		if known[form] {
			return form
		}
	}
	return ""
}

// plurals are the forms that the plural of a noun may have.
func plurals(noun string) []string {
	list := []string{noun + "s", noun + "es"}
	for _, e := range [][2]string{{"man", "men"}, {"person", "people"}, {"y", "ies"}, {"f", "ves"}} {
		if stem, ok := strings.CutSuffix(noun, e[0]); ok {
			list = append(list, stem+e[1])
		}
	}
	return list
}
