package recipe

import (
	"fmt"
	"strings"
)

// ScheduleJSON is a schedule as people write it, in the form that JSON gives it:
//
//	constant · step:FIRST · window:FIRST-LAST · bumps
//
// each perhaps with /OF behind it, for block numbers of a model with OF blocks. What
// begins with { is JSON already, and is not looked at. It reports false for anything
// else. Numbers are as given, however large.
func ScheduleJSON(s string) (text string, ok bool) {
	if strings.HasPrefix(s, "{") {
		return s, true
	}
	form, of, scaled := strings.Cut(s, "/")
	kind, blocks, bounded := strings.Cut(form, ":")
	first, last, both := strings.Cut(blocks, "-")
	text = fmt.Sprintf(`{"kind":"%s"`, kind)
	switch {
	case !bounded && (kind == "constant" || kind == "bumps"):
	case kind == "step" && digits(first) && !both:
		text += `,"start":` + first
	case kind == "window" && digits(first) && digits(last):
		text += `,"start":` + first + `,"end":` + last
	default:
		return "", false
	}
	if scaled {
		text += `,"of":` + of
	}
	return text + "}", !scaled || digits(of)
}

// digits reports whether a text is a whole number as JSON writes it.
func digits(s string) bool {
	return s != "" && len(s) <= 400 && strings.Trim(s, "0123456789") == "" && (s[0] != '0' || s == "0")
}
