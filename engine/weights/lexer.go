package weights

import (
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// lexer reads JSON (RFC 8259) token by token. It is stricter than encoding/json,
// which cannot see duplicate keys. The strings that it gives are parts of the text
// unless they hold escapes. The first error sticks: later reads give zeros.
type lexer struct {
	text   string // valid UTF-8
	at     int    // the next byte
	err    error
	memory memory
}

// newLexer checks the encoding of a text.
func newLexer(text string, limit int64) *lexer {
	l := &lexer{text: text, memory: memory{limit: limit}}
	if utf8.ValidString(text) {
		return l
	}
	for i, r := range text {
		if _, n := utf8.DecodeRuneInString(text[i:]); r == utf8.RuneError && n == 1 {
			l.bad(BadText, "byte %d is %#02x, which begins no UTF-8 character", i, text[i])
			break
		}
	}
	return l
}

// noLimit is the memory limit of texts whose length is capped.
const noLimit = math.MaxInt64

func (l *lexer) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *lexer) bad(r Reason, format string, args ...any) {
	l.fail(refuse(r, format, args...))
}

func (l *lexer) charge(n int64) bool {
	if err := l.memory.charge(n); err != nil {
		l.fail(err)
	}
	return l.err == nil
}

func (l *lexer) left() int { return len(l.text) - l.at }

// next is the next byte, white space or not, without taking it.
func (l *lexer) next() byte {
	if l.err == nil && l.left() == 0 {
		l.bad(Truncated, "the header ends at byte %d in the middle of an entry", l.at)
	}
	if l.err != nil {
		return 0
	}
	return l.text[l.at]
}

// take takes the next byte, white space or not.
func (l *lexer) take() byte {
	b := l.next()
	if l.err == nil {
		l.at++
	}
	return b
}

// peek returns the next byte that is not white space without taking it, or 0.
func (l *lexer) peek() byte {
	for {
		switch b := l.next(); b {
		case ' ', '\t', '\n', '\r':
			l.at++
		default:
			return b
		}
	}
}

func (l *lexer) expect(want byte) {
	b := l.peek()
	if l.err == nil && b != want {
		l.bad(BadSyntax, "byte %d of the header is %q, wanted %q", l.at, b, want)
		return
	}
	l.take()
}

// more is asked before each element of a list that ends with end: it takes the
// comma or the end.
func (l *lexer) more(first bool, end byte) bool {
	b := l.peek()
	switch {
	case l.err != nil:
		return false
	case b == end:
		l.take()
		return false
	case first:
		return true
	}
	l.expect(',')
	return l.err == nil
}

// str reads a string of at most limit bytes.
func (l *lexer) str(limit int) string {
	l.expect('"')
	begin, escaped := l.at, false
	for l.err == nil {
		switch b := l.take(); {
		case l.err != nil:
			return ""
		case b == '"':
			s := l.text[begin : l.at-1]
			if escaped {
				s = l.unescape(s, begin)
			}
			if len(s) > limit {
				l.bad(TooLong, "the string at byte %d is longer than %d bytes", begin, limit)
			}
			return s
		case b < ' ':
			l.bad(BadSyntax, "control character %#02x in the string at byte %d", b, begin)
		case b == '\\':
			escaped = true
			l.take()
		}
	}
	return ""
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// unescape decodes the escapes in the inside of a string that begins at a byte of
// the text. A surrogate must come with its other half.
func (l *lexer) unescape(s string, at int) string {
	if !l.charge(int64(len(s))) {
		return ""
	}
	var out strings.Builder
	out.Grow(len(s)) // an escape is never shorter than what it stands for
	for i := 0; i < len(s) && l.err == nil; {
		if s[i] != '\\' {
			out.WriteByte(s[i])
			i++
			continue
		}
		// str has made sure that a byte follows.
		if c, ok := escapes[s[i+1]]; ok {
			out.WriteByte(c)
			i += 2
			continue
		}
		if s[i+1] != 'u' {
			l.bad(BadSyntax, "escape %q at byte %d", s[i:i+2], at+i)
			break
		}
		r := l.hex4(s[i+2:], at+i)
		i += 6
		if utf16.IsSurrogate(r) && l.err == nil {
			if !strings.HasPrefix(s[i:], `\u`) {
				r = utf8.RuneError
			} else {
				r = utf16.DecodeRune(r, l.hex4(s[i+2:], at+i))
				i += 6
			}
			if r == utf8.RuneError {
				l.bad(BadText, "half a surrogate pair at byte %d", at+i)
			}
		}
		out.WriteRune(r)
	}
	return out.String()
}

func (l *lexer) hex4(s string, at int) (r rune) {
	if len(s) < 4 {
		l.bad(BadSyntax, "the escape at byte %d is cut", at)
		return 0
	}
	for i := range 4 {
		b := s[i]
		switch {
		case b >= '0' && b <= '9':
			r = r<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			l.bad(BadSyntax, "%q in the escape at byte %d is not a hexadecimal digit", b, at)
			return 0
		}
	}
	return r
}

// integer reads a whole number from 0 to 2⁵³, the largest that every JSON reader
// represents exactly.
func (l *lexer) integer(what string) int64 {
	const limit = 1 << 53
	l.peek()
	at, n := l.at, int64(0)
	for digits := 0; l.err == nil; digits++ {
		if b := l.next(); b < '0' || b > '9' {
			if digits == 0 || b == '.' || b|0x20 == 'e' {
				l.bad(BadNumber, "%s at byte %d of the header is not a whole number of digits (%q)", what, at, b)
			}
			return n
		}
		if digits > 0 && n == 0 {
			l.bad(BadNumber, "%s at byte %d of the header begins with 0", what, at)
		}
		if n = 10*n + int64(l.take()-'0'); n > limit {
			l.bad(BadNumber, "%s at byte %d of the header is over 2^53", what, at)
		}
	}
	return 0
}

// null takes the word null if it comes next.
func (l *lexer) null() bool {
	if l.peek() != 'n' || !strings.HasPrefix(l.text[l.at:], "null") {
		return false
	}
	l.at += len("null")
	return true
}
