package text

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// wordStart stands for the space before a word.
const wordStart = "▁"

// unknownPenalty is what an unknown character costs beyond the worst piece.
const unknownPenalty = 10

// unigram is the unigram language model of sentencepiece (arXiv 1804.10959): text is
// cut into the pieces whose log probabilities have the largest sum.
type unigram struct {
	sorted       []piece // that text is cut into, in the order of their text
	unknownID    int
	unknownScore float64
	bytes        []int // the pieces of single bytes, where unknown characters are spelled in them
	// rounded keeps sums in float32, as sentencepiece does; Hugging Face's have float64.
	rounded bool
	pretok  func(string) []string // what is cut by itself
}

// piece is a token of a unigram model. A chosen one (sentencepiece's USER_DEFINED) is
// taken wherever it stands.
type piece struct {
	text   string
	id     int
	score  float64
	chosen bool
}

// newUnigram takes the pieces that text is cut into; worst is the lowest score that the
// file has.
func newUnigram(pieces []piece, unknownID int, worst float64) (*unigram, error) {
	m := &unigram{sorted: pieces, unknownID: unknownID, unknownScore: worst - unknownPenalty}
	best := math.Inf(-1)
	for _, p := range pieces {
		switch {
		case p.text == "" || len(p.text) > maxPiece || !utf8.ValidString(p.text):
			return nil, invalid("piece %d is %.40q of %d bytes; supported is text of 1 to %d", p.id, p.text, len(p.text), maxPiece)
		case math.IsNaN(p.score) || math.Abs(p.score) > 1e6:
			return nil, invalid("piece %.40q has the score %g, supported up to 1e6", p.text, p.score)
		}
		if !p.chosen {
			best = max(best, p.score)
		}
	}
	for i, p := range pieces {
		if p.chosen {
			pieces[i].score = float64(len(p.text))*best - 0.1
		}
	}
	slices.SortFunc(m.sorted, func(a, b piece) int { return strings.Compare(a.text, b.text) })
	for i := 1; i < len(m.sorted); i++ {
		if m.sorted[i].text == m.sorted[i-1].text {
			return nil, invalid("piece %.40q is there twice", m.sorted[i].text)
		}
	}
	return m, nil
}

// spellUnknown makes unknown characters be spelled in bytes: id finds a piece's id by
// its text.
func (m *unigram) spellUnknown(id func(text string) (int, bool)) error {
	m.bytes = make([]int, 256)
	for b := range m.bytes {
		var ok bool
		if m.bytes[b], ok = id(fmt.Sprintf("<0x%02X>", b)); !ok {
			return invalid("there is no piece <0x%02X>, although unknown characters are to be spelled in bytes", b)
		}
	}
	return nil
}

// prefixes calls f with every piece that s begins with, shorter ones first.
func (m *unigram) prefixes(s string, f func(p *piece)) {
	// The pieces that begin with s[:n] are sorted[lo:hi].
	lo, hi := 0, len(m.sorted)
	for n := 0; n < len(s); n++ {
		c, within := s[n], m.sorted[lo:hi]
		hi = lo + sort.Search(len(within), func(i int) bool { return within[i].text[n] > c })
		lo += sort.Search(len(within), func(i int) bool { return within[i].text[n] >= c })
		if lo == hi {
			return
		}
		if len(m.sorted[lo].text) == n+1 {
			f(&m.sorted[lo])
			if lo++; lo == hi {
				return
			}
		}
	}
}

func (m *unigram) words(s string) (out []word) {
	for _, part := range m.pretok(s) {
		out = m.cut(part, out)
	}
	return out
}

// cut appends the best pieces of s (Viterbi). Of equal sums the one found first stays,
// whose last piece is longer.
func (m *unigram) cut(s string, out []word) []word {
	type step struct {
		score float64
		from  int    // -1: not reached
		piece *piece // nil: an unknown character
	}
	best := make([]step, len(s)+1) // by the place behind the last piece
	for i := range best[1:] {
		best[i+1].from = -1
	}
	reach := func(from, to int, score float64, p *piece) {
		score += best[from].score
		if m.rounded {
			score = float64(float32(score))
		}
		if best[to].from < 0 || score > best[to].score {
			best[to] = step{score, from, p}
		}
	}
	for at := 0; at < len(s); {
		_, size := utf8.DecodeRuneInString(s[at:])
		known := false
		m.prefixes(s[at:], func(p *piece) {
			known = known || len(p.text) == size
			reach(at, at+len(p.text), p.score, p)
		})
		if !known {
			reach(at, at+size, m.unknownScore, nil)
		}
		at += size
	}
	start := len(out)
	for to := len(s); to > 0; to = best[to].from {
		from, p := best[to].from, best[to].piece
		switch last := len(out) - 1; {
		case p != nil:
			out = append(out, word{text: p.text, id: p.id, unknown: p.id == m.unknownID})
		case m.bytes != nil:
			for i := to - 1; i >= from; i-- {
				out = append(out, word{text: fmt.Sprintf("<0x%02X>", s[i]), id: m.bytes[s[i]]})
			}
		case last >= start && out[last].unknown: // a run of them is one token
			out[last].text = s[from:to] + out[last].text
		default:
			out = append(out, word{text: s[from:to], id: m.unknownID, unknown: true})
		}
	}
	slices.Reverse(out[start:])
	return out
}

func (*unigram) vocabulary() []string { return []string{} }

// whole is the pre-tokenizer of sentencepiece itself: none.
func whole(s string) []string { return []string{s} }

// metaspace is Hugging Face's Metaspace: spaces and the beginning become ▁, and every ▁
// begins a part.
func metaspace(s string) (parts []string) {
	s = strings.ReplaceAll(s, " ", wordStart)
	if !strings.HasPrefix(s, wordStart) {
		s = wordStart + s
	}
	for s != "" {
		n := strings.Index(s[len(wordStart):], wordStart)
		if n < 0 {
			return append(parts, s)
		}
		n += len(wordStart)
		parts, s = append(parts, s[:n]), s[n:]
	}
	return parts
}

// metaspaceWords is metaspace of each word between white space (WhitespaceSplit).
func metaspaceWords(s string) (parts []string) {
	for _, w := range strings.FieldsFunc(s, isSpace) {
		parts = append(parts, metaspace(w)...)
	}
	return parts
}
