package text

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// lexer reads the long lists of a tokenizer's JSON: CLIP's has 100,000 strings, for which
// encoding/json takes five times as long. Strings without escapes are parts of the text,
// not copies of it. The first error stays; behind it everything is empty.
type lexer struct {
	text string
	at   int
	err  error
}

// newLexer begins a text (TokenizerInvalid where it is not UTF-8).
func newLexer(data []byte) *lexer {
	l := &lexer{text: string(data)}
	if !utf8.ValidString(l.text) {
		l.err = invalid("the JSON has bytes that are not UTF-8")
	}
	return l
}

// bad notes that the text is not what is wanted at this place.
func (l *lexer) bad(wanted string) {
	if l.err == nil {
		l.err = invalid("byte %d of the JSON, %.20q, is not %s", l.at, l.text[min(l.at, len(l.text)):], wanted)
	}
}

// peek is the next byte behind white space, or 0 where there is none.
func (l *lexer) peek() byte {
	for l.at < len(l.text) && l.err == nil {
		switch c := l.text[l.at]; c {
		case ' ', '\t', '\n', '\r':
			l.at++
		default:
			return c
		}
	}
	return 0
}

func (l *lexer) expect(c byte) {
	if l.peek() != c {
		l.bad(strconv.QuoteRune(rune(c)))
		return
	}
	l.at++
}

// more reports whether another element stands before the end of an object or an array,
// and passes the comma before it or the end.
func (l *lexer) more(first bool, end byte) bool {
	switch c := l.peek(); {
	case l.err != nil:
		return false
	case c == end:
		l.at++
		return false
	case !first:
		l.expect(',')
	}
	return l.err == nil
}

// object calls f with every key of an object; f passes the value.
func (l *lexer) object(f func(key string)) {
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		key := l.str()
		l.expect(':')
		f(key)
	}
}

// str passes a string.
func (l *lexer) str() string {
	l.expect('"')
	if l.err != nil {
		return ""
	}
	begin := l.at
	for ; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '"':
			l.at++
			return l.text[begin : l.at-1]
		case c == '\\':
			return l.escaped(begin)
		case c < ' ':
			l.bad("a character of a string")
			return ""
		}
	}
	l.bad("the end of a string")
	return ""
}

// escaped passes the rest of a string from its first escape on.
func (l *lexer) escaped(begin int) string {
	b := []byte(l.text[begin:l.at])
	for l.at < len(l.text) {
		switch c := l.text[l.at]; {
		case c == '"':
			l.at++
			return string(b)
		case c < ' ':
			l.bad("a character of a string")
			return ""
		case c != '\\':
			b = append(b, c)
			l.at++
		default:
			r, size := unescape(l.text[l.at:])
			if size == 0 {
				l.bad("an escape")
				return ""
			}
			b = utf8.AppendRune(b, r)
			l.at += size
		}
	}
	l.bad("the end of a string")
	return ""
}

// unescape reads the escape that s begins with, and how many bytes it has: 0 where it is
// none, or half of a pair.
func unescape(s string) (r rune, size int) {
	if len(s) < 2 {
		return 0, 0
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return rune("\"\\/\b\f\n\r\t"[i]), 2
	}
	r, ok := hex4(s)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	low, ok := hex4(s[6:])
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

// hex4 reads \u and four digits.
func hex4(s string) (r rune, ok bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	for _, c := range []byte(s[2:6]) {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 || c < '0' {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	return r, true
}

// scalar passes a number or a word such as null.
func (l *lexer) scalar() string {
	l.peek()
	begin := l.at
	for l.at < len(l.text) && inScalar(l.text[l.at]) {
		l.at++
	}
	if begin == l.at {
		l.bad("a value")
	}
	return l.text[begin:l.at]
}

func inScalar(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E'
}

// whole passes a whole number.
func (l *lexer) whole() int {
	begin := l.at
	n, err := strconv.Atoi(l.scalar())
	if err != nil {
		l.at = begin
		l.bad("a whole number")
	}
	return n
}

// number passes any number.
func (l *lexer) number() float64 {
	begin := l.at
	x, err := strconv.ParseFloat(l.scalar(), 64)
	if err != nil {
		l.at = begin
		l.bad("a number")
	}
	return x
}

// skip passes a value of any kind. Whether brackets fit, it leaves to encoding/json.
func (l *lexer) skip() {
	for depth := 0; l.err == nil; {
		switch c := l.peek(); c {
		case '"':
			l.str()
		case '{', '[':
			l.at++
			depth++
		case '}', ']', ',', ':':
			if depth == 0 {
				l.bad("a value")
			}
			if l.at++; c == '}' || c == ']' {
				depth--
			}
		default:
			l.scalar()
		}
		if depth == 0 {
			return
		}
	}
}

// vocabulary passes an object of tokens and their ids.
func (l *lexer) vocabulary(f Frame) map[string]int {
	vocab := make(map[string]int, min(f.Rows, len(l.text)/8))
	l.expect('{')
	for first := true; l.more(first, '}'); first = false {
		name := l.str()
		l.expect(':')
		id := l.whole()
		switch {
		case l.err != nil:
		case id < 0 || id >= f.Rows:
			l.err = invalid("word %.40q has id %d, the text encoder has rows 0 to %d", name, id, f.Rows-1)
		case len(vocab) == maxVocabulary:
			l.err = invalid("more than %d words", maxVocabulary)
		default:
			vocab[name] = id
		}
	}
	if l.err == nil && len(vocab) == 0 {
		l.err = invalid("there are no words in the vocabulary")
	}
	return vocab
}

// scored is a piece and its log probability: ["▁the", -3.2].
type scored struct {
	text  string
	score float64
}

// pieces passes the array of a unigram model's pieces.
func (l *lexer) pieces() (list []scored) {
	l.expect('[')
	for first := true; l.more(first, ']'); first = false {
		l.expect('[')
		p := scored{text: l.str()}
		l.expect(',')
		p.score = l.number()
		l.expect(']')
		if len(list) == maxVocabulary {
			l.err = invalid("more than %d pieces", maxVocabulary)
			break
		}
		list = append(list, p)
	}
	return list
}

// mergeNames are the two tokens that a merge joins.
type mergeNames [2]string

// merges passes the array of BPE's merges: "a b", or ["a", "b"] as newer files have it.
func (l *lexer) merges() (list []mergeNames) {
	l.expect('[')
	for first := true; l.more(first, ']'); first = false {
		var m mergeNames
		if l.peek() == '[' {
			l.at++
			m[0] = l.str()
			l.expect(',')
			m[1] = l.str()
			l.expect(']')
		} else {
			var ok bool
			line := l.str()
			if m[0], m[1], ok = strings.Cut(line, " "); l.err == nil && (!ok || strings.Contains(m[1], " ")) {
				l.err = invalid("the merge %.40q has not two names", line)
			}
		}
		if len(list) > maxVocabulary {
			break // newCLIPBPE refuses so many
		}
		list = append(list, m)
	}
	return list
}
