package words

import (
	"fmt"
	"slices"
	"strings"

	"undertone/engine/recipe"
)

// Join puts sentences behind each other, without those that are empty.
func Join(sentences ...string) string {
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}

// Bytes writes a size as browsers and shops do, in powers of ten.
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 999_500:
		return fmt.Sprintf("%.0f kB", float64(n)/1e3)
	case n < 99_950_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n < 999_500_000:
		return fmt.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// Size writes the size of a picture.
func Size(s recipe.Size) string { return fmt.Sprintf("%d × %d", s.Width, s.Height) }

// Count writes a number of weights.
func Count(n int64) string {
	if n < 999_500_000 {
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f B", float64(n)/1e9)
}

// Duration writes a duration in seconds for people to plan with.
func Duration(seconds float64) string {
	switch {
	case seconds < 0.0995:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	case seconds < 9.95:
		return fmt.Sprintf("%.1f s", seconds)
	case seconds < 99.5:
		return fmt.Sprintf("%.0f s", seconds)
	case seconds < 5970:
		return fmt.Sprintf("%.0f min", seconds/60)
	}
	return fmt.Sprintf("%.1f h", seconds/3600)
}

// Milliseconds writes a measured time with the digits that it deserves.
func Milliseconds(ms float64) string {
	switch {
	case ms < 0.995:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 99.5:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.2f s", ms/1000)
}

// Number writes a weight without needless digits.
func Number(x float64) string {
	s := fmt.Sprintf("%.2f", x)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// Signed writes a number for the eyes, with a minus that is as wide as a plus.
func Signed(x float64) string { return strings.Replace(Number(x), "-", "−", 1) }

// Sentence begins a fault's text as sentences begin, unless it begins with the name
// of a file.
func Sentence(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if s == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Percent writes a share of one.
func Percent(x float64) string {
	if x < 0.0995 {
		return fmt.Sprintf("%.1f\u00a0%%", x*100)
	}
	return fmt.Sprintf("%.0f\u00a0%%", x*100)
}
