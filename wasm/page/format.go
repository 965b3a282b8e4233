package page

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	carried "undertone/engine/recipe"
)

// joined puts sentences behind each other, without those that are empty.
func joined(sentences ...string) string {
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}

// bytesText writes a size as browsers and shops do, in powers of ten.
func bytesText(n int64) string {
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

// sizeText writes the size of a picture.
func sizeText(s carried.Size) string { return fmt.Sprintf("%d × %d", s.Width, s.Height) }

// countText writes a number of weights.
func countText(n int64) string {
	if n < 999_500_000 {
		return fmt.Sprintf("%.1f M", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f B", float64(n)/1e9)
}

// durationText writes a duration in seconds for people to plan with.
func durationText(seconds float64) string {
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

// millisText writes a measured time with the digits that it deserves.
func millisText(ms float64) string {
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

// numberText writes a weight without needless digits.
func numberText(x float64) string {
	s := fmt.Sprintf("%.2f", x)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// signText writes a number for the eyes, with a minus that is as wide as a plus.
func signText(x float64) string { return strings.Replace(numberText(x), "-", "−", 1) }

// sentence begins a fault's text as sentences begin, unless it begins with the name
// of a file.
func sentence(s string) string {
	word, _, _ := strings.Cut(s, " ")
	if s == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// fileName makes a name for a saved picture.
func fileName(f recipe) string {
	var b strings.Builder
	for _, r := range strings.ToLower(f.prompt) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 48 {
			break
		}
	}
	name := strings.Trim(b.String(), "-")
	if name == "" {
		name = "picture"
	}
	return fmt.Sprintf("undertone-%s-%.0f.png", name, f.seed)
}

// progress is how far loading is.
type progress struct {
	stage       string
	done, total int64
	stored      int64  // of done, what was on this device already
	retry       int    // number of the attempt
	wait        string // "offline", "tab", or nothing
	meter       meter
}

// fraction is between 0 and 1.
func (p progress) fraction() float64 {
	if p.total <= 0 {
		return 0
	}
	return math.Min(1, float64(p.done)/float64(p.total))
}

// meter measures the speed of a download over its last seconds, so that the time
// left follows the line as it is now.
type meter struct{ samples []sample }

type sample struct {
	at   time.Time
	done int64
}

// window is how far back the meter looks.
const window = 3 * time.Second

func (m *meter) add(at time.Time, done int64) {
	m.samples = append(m.samples, sample{at, done})
	for len(m.samples) > 2 && at.Sub(m.samples[1].at) >= window {
		m.samples = m.samples[1:]
	}
}

// speed is in bytes per second, 0 while too little is known.
func (m *meter) speed() float64 {
	if len(m.samples) < 2 {
		return 0
	}
	a, b := m.samples[0], m.samples[len(m.samples)-1]
	if b.at.Sub(a.at) < 200*time.Millisecond || b.done <= a.done {
		return 0
	}
	return float64(b.done-a.done) / b.at.Sub(a.at).Seconds()
}
