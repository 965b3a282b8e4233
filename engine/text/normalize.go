package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// rewrite is a normalizer: text to text.
type rewrite func(string) string

// rewritesOf makes the rewrites of a normalizer in tokenizer.json, in its order.
func rewritesOf(c *component) (list []rewrite, err error) {
	if c == nil {
		return nil, nil
	}
	parts := []component{*c}
	if c.Type == "Sequence" {
		parts = c.Normalizers
	}
	if len(parts) > 16 {
		return nil, invalid("%d normalizers, at most 16", len(parts))
	}
	for _, p := range parts {
		var f rewrite
		switch p.Type {
		case "NFC":
			f = norm.NFC.String
		case "NFKC":
			f = norm.NFKC.String
		case "Nmt":
			f = nmt
		case "Lowercase":
			f = lower
		case "Strip":
			f = strip(p.StripLeft, p.StripRight)
		case "Precompiled":
			m, err := newCharsmap(p.Charsmap)
			if err != nil {
				return nil, err
			}
			f = m.byGrapheme
		case "Replace":
			if f = replacement(p.Pattern.Regex, p.Content); f == nil {
				return nil, invalid(`normalizer Replace of %.40q by %.40q; supported: \s+ and " {2,}" by one character`, p.Pattern.Regex, p.Content)
			}
		default:
			return nil, invalid("normalizer %.40q; supported: NFC, NFKC, Nmt, Lowercase, Strip, Precompiled, Replace", p.Type)
		}
		list = append(list, f)
	}
	return list, nil
}

// lower is lower case rune by rune, so that a final sigma stays σ; U+0130 is the one
// letter whose lower case is two runes.
func lower(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r == 'İ' {
			b.WriteString("i̇")
			continue
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// nmt is the normalizer Nmt of Hugging Face's tokenizers: most control characters go,
// and line ends, marks of direction and what has no width are spaces.
func nmt(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 0x01 && r <= 0x08, r == 0x0B, r >= 0x0E && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
			return -1
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, r >= 0x200B && r <= 0x200F,
			r == 0x2028, r == 0x2029, r == 0x2581, r == 0xFEFF, r == 0xFFFD:
			return ' '
		}
		return r
	}, s)
}

// nmtNFKC is sentencepiece's rules nmt_nfkc, for files without their table: Nmt and
// NFKC, but U+200D (zero width joiner) and U+FF5E (full-width tilde) stay, and U+061C
// (Arabic letter mark) is a space.
func nmtNFKC(s string) string {
	var b strings.Builder
	for s != "" {
		n := strings.IndexAny(s, "\u200d\uff5e\u061c")
		if n < 0 {
			n = len(s)
		}
		b.WriteString(nmt(norm.NFKC.String(nmt(s[:n]))))
		if s = s[n:]; s == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		if r == 0x061C {
			r = ' '
		}
		b.WriteRune(r)
		s = s[size:]
	}
	return b.String()
}

// strip takes white space from either end.
func strip(left, right bool) rewrite {
	return func(s string) string {
		if left {
			s = strings.TrimLeftFunc(s, isSpace)
		}
		if right {
			s = strings.TrimRightFunc(s, isSpace)
		}
		return s
	}
}

// replacement makes the rewrite of the two patterns that published tokenizers have, or
// nil: runs of white space, and runs of two or more spaces.
func replacement(pattern, by string) rewrite {
	var in func(rune) bool
	atLeast := 1
	switch pattern {
	case `\s+`:
		in = isSpace
	case ` {2,}`:
		in, atLeast = func(r rune) bool { return r == ' ' }, 2
	}
	if in == nil || len([]rune(by)) != 1 {
		return nil
	}
	return func(s string) string {
		var b strings.Builder
		b.Grow(len(s))
		for s != "" {
			rest := strings.TrimLeftFunc(s, in)
			if n := len(s) - len(rest); n >= atLeast {
				b.WriteString(by)
			} else {
				b.WriteString(s[:n])
			}
			n := strings.IndexFunc(rest, in)
			if n < 0 {
				n = len(rest)
			}
			b.WriteString(rest[:n])
			s = rest[n:]
		}
		return b.String()
	}
}
