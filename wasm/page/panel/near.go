package panel

import (
	"cmp"
	"slices"
	"strings"

	"undertone/engine/recipe"
)

// swap is a word of a prompt that the model does not know, and one that it knows.
type swap struct{ from, to string }

// swaps are at most limit proposals for the unknown words of a prompt: what the model's
// maker calls nearest, or what is spelled alike.
func swaps(pieces []piece, v recipe.Vocabulary, known map[string]bool, limit int) (list []swap) {
	for _, p := range pieces {
		if !p.unknown {
			continue
		}
		for _, to := range nearest(strings.ToLower(p.text), v, known) {
			if s := (swap{p.text, to}); len(list) < limit && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// nearest are known words for an unknown one in small letters; a plural gets a plural.
func nearest(word string, v recipe.Vocabulary, known map[string]bool) []string {
	for to, list := range v.Near {
		if slices.Contains(list, word) {
			return []string{to}
		}
		for _, single := range list {
			if slices.Contains(plurals(single), word) {
				return []string{cmp.Or(plural(to, known), to)}
			}
		}
	}
	// One slip for a short word, two for a long one, and its beginning as it is known.
	most, letters := 1, []rune(word)
	if len(letters) < 4 {
		return nil
	}
	if len(letters) > 6 {
		most = 2
	}
	var alike []string
	for other := range known {
		if len(other) < 3 {
			continue
		}
		switch d := distance(letters, []rune(other)); {
		case d < most:
			most, alike = d, []string{other}
		case d == most:
			alike = append(alike, other)
		}
	}
	slices.Sort(alike)
	return alike[:min(2, len(alike))]
}

// distance is how many letters have to be put in, left out, changed, or swapped with the
// next, to make one word of another (optimal string alignment).
func distance(a, b []rune) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// replaced is the prompt of these pieces with one unknown word changed.
func replaced(pieces []piece, s swap) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.unknown && p.text == s.from {
			p.text = s.to
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// nothingKnown reports whether a prompt with unknown words has no word that means
// something to the model: short words that it knows only join others.
func nothingKnown(pieces []piece, v recipe.Vocabulary, known map[string]bool) bool {
	unknown := false
	for _, p := range pieces {
		word := strings.ToLower(p.text)
		if unknown = unknown || p.unknown; p.unknown || !known[word] {
			continue
		}
		if len(word) > 4 || slices.Contains(v.Objects, word) || slices.Contains(v.Colours, word) || slices.Contains(v.Styles, word) {
			return false
		}
	}
	return unknown
}
