package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// terminal is where the text of the tool goes. Much of it comes from elsewhere:
// names and metadata of weight files, paths, answers of browsers. A terminal would
// obey the control characters in it, so that all of them but line breaks and tabs
// are written as escapes here, with everything else that has no picture of its own:
// C1 controls, direction overrides, what is not UTF-8. A value that must not break
// its line is also made safe where it is formatted, with quoted or oneLine.
type terminal struct {
	w    io.Writer
	part []byte // the beginning of a character that was cut between two writes
}

func (t *terminal) Write(b []byte) (int, error) {
	text := append(t.part, b...)
	whole := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if tail := text[len(text)-i:]; utf8.RuneStart(tail[0]) {
			if !utf8.FullRune(tail) {
				whole -= i
			}
			break
		}
	}
	t.part = append([]byte(nil), text[whole:]...)
	if _, err := io.WriteString(t.w, escaped(string(text[:whole]), "\n\t")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// flush writes what was cut and never completed.
func (t *terminal) flush() {
	io.WriteString(t.w, escaped(string(t.part), ""))
	t.part = nil
}

// raw gives the file behind a terminal, for bytes that are no text.
func raw(w io.Writer) io.Writer {
	if t, ok := w.(*terminal); ok {
		return t.w
	}
	return w
}

// escaped writes what is no visible character as \xNN, \uNNNN or \UNNNNNNNN, but for
// the characters of keep.
func escaped(s, keep string) string {
	safe := func(r rune) bool { return strconv.IsGraphic(r) || strings.ContainsRune(keep, r) }
	if utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !safe(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case safe(r):
			b.WriteString(s[:n])
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		s = s[n:]
	}
	return b.String()
}

// oneLine is text from elsewhere that stays on the line where it is written.
func oneLine(s string) string { return escaped(s, "") }

// quoted is a name from elsewhere in a list or table: in quotes unless it is a plain
// word, so that it cannot be taken for anything but itself.
func quoted(s string) string {
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) || strings.ContainsRune(" \"\\", r) }) || !utf8.ValidString(s) {
		return strconv.QuoteToGraphic(s)
	}
	return s
}
