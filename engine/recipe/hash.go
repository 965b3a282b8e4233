package recipe

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"undertone/engine/tinyjson"
)

// MaxHash is the longest hash that is read, in bytes.
const MaxHash = 256 << 10

// Hash is the part of a link that holds a picture's parameters, from its # on:
//
//	#prompt=a+red+car&seed=7&steps=4&size=256&guidance=[{"positive":"detailed","weight":2}]
//
// where what has a meaning in addresses is escaped as forms do it. A picture that is
// not square has size=WIDTHxHEIGHT. The scale cfg is left out where it is off, and
// guidanceRows where the model decides, and ablate where nothing is taken away. Of an edit
// it says that it is one (edit=1), and nothing of the picture that was edited.
func Hash(q Request) string {
	var b strings.Builder
	b.WriteString("#prompt=")
	Escape(&b, q.Prompt)
	number := func(f Field, n int64) {
		b.WriteString("&" + string(f) + "=" + strconv.FormatInt(n, 10))
	}
	number(FieldSeed, int64(q.Seed))
	number(FieldSteps, int64(q.Steps))
	b.WriteString("&" + string(FieldSize) + "=" + q.Size.String())
	if q.CFG != 1 {
		b.WriteString("&cfg=" + numeral(q.CFG))
	}
	if len(q.Guidance) > 0 {
		text, err := tinyjson.Marshal(terms(q.Guidance))
		if err != nil {
			panic(err) // as in JSON
		}
		b.WriteString("&guidance=")
		Escape(&b, string(text))
	}
	if q.GuidanceRows != "" {
		b.WriteString("&" + string(FieldRows) + "=" + string(q.GuidanceRows))
	}
	if a := q.Ablate.Reduced(); a != nil {
		text, err := tinyjson.Marshal(a)
		if err != nil {
			panic(err) // as in JSON
		}
		b.WriteString("&ablate=")
		Escape(&b, string(text))
	}
	if q.Reference != nil {
		b.WriteString("&edit=1")
	}
	return b.String()
}

// FromHash reads a hash, with or without its #. What is missing comes from base.
// It reports false for a hash that holds no parameters, such as that of a link
// within the page. A hash is read too when it comes out of HTML source (&amp;), or with
// the punctuation of the text around it (a full stop, a bracket, a quotation mark); of
// a prompt at its end, that cannot be told from the prompt. Of an edit, the request has a
// reference of which nothing is known.
func FromHash(hash string, base Request, l Limits) (Request, []Notice, bool) {
	r := reader{limits: l}
	hash = strings.TrimPrefix(hash, "#")
	if !strings.Contains(hash, "=") {
		return base, nil, false
	}
	if len(hash) > MaxHash {
		r.notice(FieldLink, strconv.Itoa(len(hash)), "")
		return base, r.notices, true
	}
	given := map[Field]string{}
	for pair := range strings.SplitSeq(hash, "&") {
		key, value, pairs := strings.Cut(strings.TrimPrefix(pair, "amp;"), "=")
		if !pairs && punctuation("&"+Unescape(key)) {
			continue
		}
		switch f := Field(Unescape(key)); {
		case slices.Contains(Keys, f):
			if _, twice := given[f]; twice {
				r.notice(f, Unescape(value), "") // the first one counts
				continue
			}
			given[f] = Unescape(value)
		case f == FieldEdit:
			if r.alone(f, Unescape(value)) == "1" && l.Edits {
				base.Reference = &Reference{}
			} else {
				r.notice(f, Unescape(value), "")
			}
		case f != "":
			r.foreign(FieldLink, string(f))
		}
	}
	if len(given) == 0 {
		return base, nil, false
	}
	if s, ok := given[FieldPrompt]; ok {
		base.Prompt = r.text(FieldPrompt, s)
	}
	r.request(&base, func(f Field) (string, bool) {
		s, ok := given[f]
		switch {
		case ok && f == FieldRows:
			if n := strings.IndexFunc(s, func(c rune) bool { return c < 'a' || c > 'z' }); n > 0 && punctuation(s[n:]) {
				s = s[:n]
			}
		case ok && f != FieldGuidance && f != FieldAblate:
			s = r.alone(f, s)
		}
		return s, ok
	})
	return base, r.notices, true
}

// alone is a number of a link, or a size, without what stands behind it, which is told
// of unless it is punctuation. What goes on with a letter is neither.
func (r *reader) alone(f Field, s string) string {
	of := numerals
	if f == FieldSize {
		of += "x"
	}
	n := strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune(of, c) })
	if n < 0 {
		n = len(s)
	}
	number, rest := strings.TrimRight(s[:n], ".+-"), s[n:]
	next, _ := utf8.DecodeRuneInString(rest)
	if number == "" || unicode.IsLetter(next) || unicode.IsDigit(next) {
		return s
	}
	if !punctuation(rest) {
		r.notice(f, rest, "")
	}
	return number
}

// entities are the marks that HTML source writes as names, and may follow a link.
var entities = []string{"&gt;", "&lt;", "&quot;", "&apos;", "&#39;", "&amp;", "&nbsp;"}

// punctuation reports whether a text holds no letter and no digit, also where it is of
// HTML source.
func punctuation(s string) bool {
	for _, mark := range entities {
		s = strings.ReplaceAll(s, mark, "")
	}
	return strings.IndexFunc(s, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }) < 0
}

const hex = "0123456789ABCDEF"

// Escape writes s as forms do, but leaves what is allowed in the hash of an
// address and does not end a link in a running text.
func Escape(b *strings.Builder, s string) {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.~:,/", c) >= 0:
			b.WriteByte(c)
		case c == ' ':
			b.WriteByte('+')
		default:
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
}

// Unescape reads a value of a hash. A % without two digits stands for itself, as
// in browsers.
func Unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%' && i+2 < len(s) && digit(s[i+1]) >= 0 && digit(s[i+2]) >= 0:
			b.WriteByte(byte(digit(s[i+1])<<4 | digit(s[i+2])))
			i += 2
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// digit is the value of a hexadecimal digit, −1 for anything else.
func digit(c byte) int {
	if c >= 'a' {
		c -= 'a' - 'A'
	}
	return strings.IndexByte(hex, c)
}
