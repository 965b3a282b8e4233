package tinyjson

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth is how deep lists and objects may lie in each other.
const maxDepth = 10_000

func digit(b byte) bool { return b >= '0' && b <= '9' }

func (r *reader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

// take takes a word if it comes next.
func (r *reader) take(word string) bool {
	if !strings.HasPrefix(r.text[r.at:], word) {
		return false
	}
	r.at += len(word)
	return true
}

// skip passes one value of any kind, and checks its syntax.
func (r *reader) skip(depth int) error {
	r.space()
	if depth == maxDepth && (strings.HasPrefix(r.text[r.at:], "[") || strings.HasPrefix(r.text[r.at:], "{")) {
		return r.wrong("it is nested deeper than " + strconv.Itoa(maxDepth))
	}
	switch {
	case r.take("true"), r.take("false"), r.take("null"):
		return nil
	case r.take("{"):
		return r.skipEach("}", func() error {
			if r.space(); !strings.HasPrefix(r.text[r.at:], `"`) {
				return r.wrong("a key in quotation marks is missing")
			}
			if err := r.skipString(); err != nil {
				return err
			}
			if r.space(); !r.take(":") {
				return r.wrong("a colon is missing")
			}
			return r.skip(depth + 1)
		})
	case r.take("["):
		return r.skipEach("]", func() error { return r.skip(depth + 1) })
	case strings.HasPrefix(r.text[r.at:], `"`):
		return r.skipString()
	}
	return r.skipNumber()
}

// skipEach calls skip for the elements of a list or an object, behind its first byte.
func (r *reader) skipEach(end string, skip func() error) error {
	if r.space(); r.take(end) {
		return nil
	}
	for {
		if err := skip(); err != nil {
			return err
		}
		if r.space(); r.take(end) {
			return nil
		}
		if !r.take(",") {
			return r.wrong("a comma or " + end + " is missing")
		}
	}
}

func (r *reader) skipString() error {
	for r.at++; r.at < len(r.text); r.at++ {
		switch b := r.text[r.at]; {
		case b == '"':
			r.at++
			return nil
		case b < ' ':
			return r.wrong("a control character in a string")
		case b == '\\':
			r.at++
			if rest := r.text[r.at:]; rest == "" || strings.IndexByte(`"\/bfnrtu`, rest[0]) < 0 {
				return r.wrong("an escape that is none")
			} else if rest[0] == 'u' {
				if _, ok := hex4(rest[1:]); !ok {
					return r.wrong("an escape without four hexadecimal digits")
				}
			}
		}
	}
	return r.wrong("the string does not end")
}

func (r *reader) skipNumber() error {
	digits := func() bool {
		begin := r.at
		for r.at < len(r.text) && digit(r.text[r.at]) {
			r.at++
		}
		return r.at > begin
	}
	r.take("-")
	if !r.take("0") && !digits() {
		return r.wrong("a value is missing")
	}
	if r.take(".") && !digits() {
		return r.wrong("a digit is missing")
	}
	if r.take("e") || r.take("E") {
		_ = r.take("+") || r.take("-")
		if !digits() {
			return r.wrong("a digit is missing")
		}
	}
	return nil
}

// hex4 is the number that a text begins with, of four hexadecimal digits.
func hex4(s string) (n rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	v, err := strconv.ParseUint(s[:4], 16, 16)
	return rune(v), err == nil
}

// escapes are what stands behind a \, and what it stands for.
const escapes, escaped = `"\/bfnrt`, "\"\\/\b\f\n\r\t"

// str reads a string whose syntax was checked. What is not Unicode, halves of surrogate
// pairs included, becomes U+FFFD.
func (r *reader) str() string {
	r.at++ // the quotation mark
	n := strings.IndexAny(r.text[r.at:], `"\`)
	if s := r.text[r.at : r.at+n]; r.text[r.at+n] == '"' && utf8.ValidString(s) {
		r.at += n + 1
		return s // most have no escapes
	}
	var out strings.Builder
	for r.text[r.at] != '"' {
		c, n := utf8.DecodeRuneInString(r.text[r.at:])
		r.at += n
		if c == '\\' {
			c = r.escape()
		}
		out.WriteRune(c)
	}
	r.at++
	return out.String()
}

// escape reads what stands behind a \.
func (r *reader) escape() rune {
	b := r.text[r.at]
	r.at++
	if b != 'u' {
		return rune(escaped[strings.IndexByte(escapes, b)])
	}
	c, _ := hex4(r.text[r.at:])
	r.at += 4
	if !utf16.IsSurrogate(c) {
		return c
	}
	if second, found := strings.CutPrefix(r.text[r.at:], `\u`); found {
		half, _ := hex4(second)
		if pair := utf16.DecodeRune(c, half); pair != utf8.RuneError {
			r.at += len(`\u0000`)
			return pair
		}
	}
	return utf8.RuneError
}
