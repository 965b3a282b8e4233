package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// llamaBPE is the byte-level BPE of Llama 3: its tokens know no end of a word, white space
// belongs to the words, and a word that is a token by itself is not put together.
type llamaBPE struct {
	byteBPE
	whole map[string]int // the tokens of whole words by their bytes; nil where all are put together
}

// llamaPattern is how Llama 3 splits, see llamaWord.
const llamaPattern = `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

// splitsAsLlama reports whether a pre-tokenizer is Llama 3's.
func (c *component) splitsAsLlama() bool {
	if c == nil || c.Type != "Sequence" || len(c.Pretokenizers) != 2 {
		return false
	}
	split, level := c.Pretokenizers[0], c.Pretokenizers[1]
	return split.Type == "Split" && !split.Invert && split.Behavior == "Isolated" && split.Pattern.Regex == llamaPattern &&
		level.Type == "ByteLevel" && level.AddPrefixSpace != nil && !*level.AddPrefixSpace && level.UseRegex != nil && !*level.UseRegex
}

// llamaBPE makes the model of a tokenizer.json.
func (file *tokenizerJSON) llamaBPE(f Frame) (model, error) {
	m := file.Model
	if m.Suffix != "" || m.Prefix != "" || m.Dropout != 0 || m.ByteFallback {
		return nil, invalid("BPE of Llama 3 with %.40q at the end of a word, %.40q within, dropout %g and byte_fallback %t; supported: nothing, nothing, 0 and false", m.Suffix, m.Prefix, m.Dropout, m.ByteFallback)
	}
	bpe, err := newByteBPE(f.Rows, file.vocab, file.merges, "")
	if err != nil {
		return nil, err
	}
	out := &llamaBPE{byteBPE: *bpe}
	if m.IgnoreMerges {
		out.whole = file.vocab
	}
	return out, nil
}

func (m *llamaBPE) words(s string) (out []word) {
	var name strings.Builder
	for s != "" {
		n := llamaWord(s)
		piece := s[:n]
		s = s[n:]
		if m.whole != nil {
			name.Reset()
			for _, b := range []byte(piece) {
				name.WriteRune(byteNames[b])
			}
			if id, ok := m.whole[name.String()]; ok {
				out = append(out, word{text: piece, id: id})
				continue
			}
		}
		out = m.join(piece, out)
	}
	return out
}

// llamaWord is the length of the word that s begins with, the first of these that fits:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)     a contraction
//	[^\r\n\p{L}\p{N}]?\p{L}+         letters, and one character before them
//	\p{N}{1,3}                       up to three digits
//	 ?[^\s\p{L}\p{N}]+[\r\n]*        signs, a space before them and ends of lines behind
//	\s*[\r\n]+                       white space up to its last end of a line
//	\s+(?!\S)                        white space but for the last character before a word
//	\s+
func llamaWord(s string) int {
	if n := contraction(s); n > 0 {
		return n
	}
	r, size := utf8.DecodeRuneInString(s)
	rest := 0 // where letters begin
	if !unicode.IsLetter(r) {
		rest = size
		if r == '\r' || r == '\n' || unicode.IsNumber(r) {
			rest = len(s)
		}
	}
	if n := run(s[rest:], unicode.IsLetter); n > 0 {
		return rest + n
	}
	if unicode.IsNumber(r) {
		n := size
		for range 2 {
			if r, size := utf8.DecodeRuneInString(s[n:]); size > 0 && unicode.IsNumber(r) {
				n += size
			} else {
				break
			}
		}
		return n
	}
	rest = 0
	if r == ' ' {
		rest = 1
	}
	if n := rest + run(s[rest:], isSign); n > rest {
		return n + run(s[n:], isLineEnd)
	}
	space := run(s, isSpace)
	if n := strings.LastIndexFunc(s[:space], isLineEnd); n >= 0 {
		return n + 1
	}
	_, last := utf8.DecodeLastRuneInString(s[:space])
	if space < len(s) && space > last {
		return space - last
	}
	return space
}

// contraction is the length of that which s begins with, in capitals or not; 0 where there
// is none. The long s folds to s, as it does in the library's pattern.
func contraction(s string) int {
	if !strings.HasPrefix(s, "'") {
		return 0
	}
	for _, c := range []string{"s", "t", "re", "ve", "m", "ll", "d"} {
		at, fits := 1, true
		for _, want := range c {
			r, size := utf8.DecodeRuneInString(s[at:])
			fits = fits && (unicode.ToLower(r) == want || want == 's' && r == 'ſ')
			at += size
		}
		if fits {
			return at
		}
	}
	return 0
}

// run is the length of the characters that s begins with of which is says true.
func run(s string, is func(rune) bool) int {
	if n := strings.IndexFunc(s, func(r rune) bool { return !is(r) }); n >= 0 {
		return n
	}
	return len(s)
}

func isLineEnd(r rune) bool { return r == '\r' || r == '\n' }
func isSign(r rune) bool    { return !isSpace(r) && !unicode.IsLetter(r) && !unicode.IsNumber(r) }
