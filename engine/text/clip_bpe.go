package text

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// byteBPE is a byte-level BPE: the bytes of a word are joined pair by pair, in the
// order in which the merges stand in the file. The last byte of a word may be another
// token than the same byte within.
type byteBPE struct {
	first  [2][256]int      // the token of a byte, within a word and at its end
	merges map[uint64]merge // by the tokens that are joined, see pairKey
	names  []string         // by id, in the alphabet of byteNames
	end    string           // of the names of tokens at the end of a word
}

// clipBPE is CLIP's, whose tokens know the end of a word.
type clipBPE struct{ byteBPE }

// merge says when a pair is joined, lower ranks first, and to which token.
type merge struct{ rank, token int32 }

// pairKey is two tokens as one number, which maps find faster than a pair.
func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// wordEnd ends the name of a token at the end of a word.
const wordEnd = "</w>"

// The special tokens of CLIP.
const (
	clipStart = "<|startoftext|>"
	clipEnd   = "<|endoftext|>"
)

// byteNames are the characters that stand for bytes in the names of tokens, so that
// these are printable: visible characters of Latin-1 stand for themselves, the others
// are numbered from U+0100 on.
var byteNames = func() (names [256]rune) {
	next := rune(256)
	for b := range names {
		if byteVisible(b) {
			names[b] = rune(b)
		} else {
			names[b] = next
			next++
		}
	}
	return names
}()

func byteVisible(b int) bool { return b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xFF && b != 0xAD }

// newCLIPBPE makes the model of a vocabulary, whose ids are below rows, and its merges.
func newCLIPBPE(rows int, vocab map[string]int, merges []mergeNames) (*clipBPE, error) {
	m, err := newByteBPE(rows, vocab, merges, wordEnd)
	if err != nil {
		return nil, err
	}
	return &clipBPE{*m}, nil
}

// newByteBPE makes the model of a vocabulary, whose ids are below rows and whose tokens at
// the end of a word end in end, and its merges.
func newByteBPE(rows int, vocab map[string]int, merges []mergeNames, end string) (*byteBPE, error) {
	if len(merges) > maxVocabulary {
		return nil, invalid("%d merges, at most %d", len(merges), maxVocabulary)
	}
	m := &byteBPE{merges: make(map[uint64]merge, len(merges)), names: make([]string, rows), end: end}
	for name, id := range vocab {
		if len(name) > maxPiece {
			return nil, invalid("word %.40q has %d bytes, at most %d", name, len(name), maxPiece)
		}
		m.names[id] = name
	}
	for b, r := range byteNames {
		for i, end := range []string{"", end} {
			id, ok := vocab[string(r)+end]
			if !ok {
				return nil, invalid("there is no token %q for the byte %#02x", string(r)+end, b)
			}
			m.first[i][b] = id
		}
	}
	var both []byte
	for rank, pair := range merges {
		left, ok := vocab[pair[0]]
		right, ok2 := vocab[pair[1]]
		// In the order of CLIP's merges what one makes is known before it is looked up.
		joined, ok3 := 2*len(byteNames)+rank, true
		if joined >= rows || !isJoined(m.names[joined], pair) {
			both = append(append(both[:0], pair[0]...), pair[1]...)
			joined, ok3 = vocab[string(both)]
		}
		if !ok || !ok2 || !ok3 {
			return nil, invalid("merge %d, %.40q with %.40q, has a part or a result that is not in the vocabulary", rank+1, pair[0], pair[1])
		}
		m.merges[pairKey(int32(left), int32(right))] = merge{int32(rank), int32(joined)}
	}
	return m, nil
}

// isJoined reports whether a name is both names of a pair.
func isJoined(name string, pair mergeNames) bool {
	n := len(pair[0])
	return len(name) == n+len(pair[1]) && name[:n] == pair[0] && name[n:] == pair[1]
}

// clipNormalizers are those of CLIP, where a file does not name them: NFC, runs of
// white space to one space, lower case.
func clipNormalizers() []rewrite {
	return []rewrite{norm.NFC.String, replacement(`\s+`, " "), lower}
}

func (*byteBPE) vocabulary() []string { return []string{} }

func (m *clipBPE) words(s string) (out []word) {
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if isSpace(r) {
			s = s[size:]
			continue
		}
		for _, n := range clipWords(s) {
			out = m.join(s[:n], out)
			s = s[n:]
		}
	}
	return out
}

// clipWords are the lengths of the first words of s, which does not begin with white
// space. The name of a special token that was written in capitals is text, of three words
// whatever follows; else it is one word.
func clipWords(s string) []int {
	for _, special := range []string{clipStart, clipEnd} {
		if strings.HasPrefix(s, special) {
			return []int{len("<|"), len(special) - len("<||>"), len("|>")}
		}
	}
	return []int{clipWord(s)}
}

// clipContractions are words of their own.
var clipContractions = []string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}

// clipWord is the length of the word that s, which does not begin with white space,
// begins with: a contraction, letters, one digit, or anything else up to one of these
// or white space.
//
//	's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
func clipWord(s string) int {
	for _, c := range clipContractions {
		if strings.HasPrefix(s, c) {
			return len(c)
		}
	}
	r, size := utf8.DecodeRuneInString(s)
	other := func(r rune) bool { return !unicode.IsLetter(r) }
	switch {
	case unicode.IsNumber(r):
		return size
	case !unicode.IsLetter(r):
		other = func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || isSpace(r) }
	}
	if n := strings.IndexFunc(s, other); n >= 0 {
		return n
	}
	return len(s)
}

// text is what a token stands for, as far as its bytes are whole characters.
func (m *byteBPE) text(token int) string {
	var b []byte
	for _, r := range strings.TrimSuffix(m.names[token], m.end) {
		if i := slices.Index(byteNames[:], r); i >= 0 {
			b = append(b, byte(i))
		}
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
