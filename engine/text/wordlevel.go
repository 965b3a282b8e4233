package text

import (
	"slices"
	"strings"
	"unicode"

	"github.com/sugarme/tokenizer/normalizer"
)

// wordLevel is the model WordLevel of Hugging Face's tokenizers, behind its
// pre-tokenizer Whitespace: a word is a token.
type wordLevel struct {
	vocab     map[string]int
	unknownID int
}

func newWordLevel(vocab map[string]int, unknown string) (*wordLevel, error) {
	id, ok := vocab[unknown]
	if !ok {
		return nil, invalid("the unknown token %.40q is not in the vocabulary", unknown)
	}
	return &wordLevel{vocab, id}, nil
}

func (m *wordLevel) words(s string) (out []word) {
	for _, w := range split(s) {
		id, ok := m.vocab[w]
		if !ok {
			id = m.unknownID
		}
		out = append(out, word{w, id, id == m.unknownID})
	}
	return out
}

func (m *wordLevel) vocabulary() []string {
	var list []string
	for word := range m.vocab {
		if strings.ContainsFunc(word, unicode.IsLetter) && !strings.ContainsAny(word, "[]<>|") {
			list = append(list, word)
		}
	}
	slices.Sort(list)
	return list
}

const (
	space = iota
	letter
	punctuation
)

// class tells white space, \w and the rest apart as Unicode's regular
// expressions do (UTS 18, annex C): \w is alphabetic, marks, decimal digits,
// connector punctuation and the two joiners. Go's own \w and \s know ASCII only.
func class(r rune) int {
	switch {
	case isSpace(r):
		return space
	case unicode.IsLetter(r), unicode.IsMark(r),
		unicode.In(r, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control):
		return letter
	}
	return punctuation
}

// split is the pre-tokenizer Whitespace: the matches of \w+|[^\w\s]+.
func split(s string) []string {
	var out []string
	for _, word := range normalizer.NewNormalizedFrom(s).Split(runs{}, normalizer.RemovedBehavior) {
		out = append(out, word.GetNormalized())
	}
	return out
}

// runs is the pattern of split: runs of one class, of which those of white space
// match and are removed.
type runs struct{}

func (runs) FindMatches(s string) (out []normalizer.OffsetsMatch) {
	start, was := 0, space
	end := func(i int) {
		if i > start {
			out = append(out, normalizer.OffsetsMatch{Offsets: []int{start, i}, Match: was == space})
		}
	}
	for i, r := range s {
		if c := class(r); c != was {
			end(i)
			start, was = i, c
		}
	}
	end(len(s))
	return out
}
