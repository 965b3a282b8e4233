package weights

import (
	"unicode/utf16"
	"unicode/utf8"
)

// lexer reads JSON (RFC 8259) from a cursor token by token. It is stricter than
// encoding/json, which cannot see duplicate keys, and never holds more than one
// string at a time. Errors stick to the cursor.
type lexer struct {
	*cursor
	scratch []byte
}

func (l *lexer) bad(r Reason, format string, args ...any) {
	l.fail(refuse(r, format, args...))
}

// peek returns the next byte that is not white space without taking it, or 0.
func (l *lexer) peek() byte {
	for l.fill() {
		switch b := l.have[0]; b {
		case ' ', '\t', '\n', '\r':
			l.take()
		default:
			return b
		}
	}
	return 0
}

// take takes the next byte, white space or not.
func (l *lexer) take() byte {
	if !l.fill() {
		return 0
	}
	b := l.have[0]
	l.have, l.off = l.have[1:], l.off+1
	return b
}

func (l *lexer) expect(want byte) {
	at := l.off
	if b := l.peek(); l.err == nil && b != want {
		l.bad(BadSyntax, "byte %d of the header is %q, wanted %q", at, b, want)
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

// str reads a string of at most limit bytes. The slice lasts until the next call.
func (l *lexer) str(limit int) []byte {
	l.expect('"')
	at := l.off
	s := l.scratch[:0]
	for l.err == nil {
		b := l.take()
		switch {
		case l.err != nil:
			return nil
		case b == '"':
			l.scratch = s
			if !utf8.Valid(s) {
				l.bad(BadText, "the string at byte %d is %.64q", at, s)
			}
			return s
		case b < ' ':
			l.bad(BadSyntax, "control character %#02x in the string at byte %d", b, at)
			return nil
		case b == '\\':
			s = l.escape(s)
		default:
			s = appendByte(s, b)
		}
		if len(s) > limit {
			l.bad(TooLong, "the string at byte %d is longer than %d bytes", at, limit)
		}
	}
	return nil
}

// appendByte is append with capacities that double, so that a string of n bytes
// costs at most 2n bytes of buffers.
func appendByte(s []byte, b byte) []byte {
	if len(s) == cap(s) {
		s = append(make([]byte, 0, max(256, 2*cap(s))), s...)
	}
	return append(s, b)
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape decodes what follows a backslash. A surrogate must come with its other half.
func (l *lexer) escape(s []byte) []byte {
	b := l.take()
	if c, ok := escapes[b]; ok {
		return appendByte(s, c)
	}
	if b != 'u' {
		l.bad(BadSyntax, "escape \\%c at byte %d", b, l.off)
		return s
	}
	r := l.hex4()
	if utf16.IsSurrogate(r) {
		if l.take() != '\\' || l.take() != 'u' {
			r = utf8.RuneError
		} else {
			r = utf16.DecodeRune(r, l.hex4())
		}
		if r == utf8.RuneError {
			l.bad(BadText, "half a surrogate pair at byte %d", l.off)
		}
	}
	var u [utf8.UTFMax]byte
	for _, c := range u[:utf8.EncodeRune(u[:], r)] {
		s = appendByte(s, c)
	}
	return s
}

func (l *lexer) hex4() (r rune) {
	for range 4 {
		b := l.take()
		switch {
		case b >= '0' && b <= '9':
			r = r<<4 | rune(b-'0')
		case b|0x20 >= 'a' && b|0x20 <= 'f':
			r = r<<4 | rune(b|0x20-'a'+10)
		default:
			l.bad(BadSyntax, "%q at byte %d is not a hexadecimal digit", b, l.off)
			return 0
		}
	}
	return r
}

// integer reads a whole number from 0 to 2⁵³, the largest that every JSON reader
// represents exactly.
func (l *lexer) integer(what string) int64 {
	const limit = 1 << 53
	at, n := l.off, int64(0)
	l.peek()
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

// next is the next byte, white space or not, without taking it.
func (l *lexer) next() byte {
	if !l.fill() {
		return 0
	}
	return l.have[0]
}
