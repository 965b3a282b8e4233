package transfer

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

const (
	MaxTries   = 5                // attempts in a row that bring nothing
	StallAfter = 15 * time.Second // without a byte, an attempt has failed
	maxPause   = 60 * time.Second // the longest that a server may ask for with Retry-After
)

// Pause is how long to wait before attempt try (the first is 1, which never
// waits): what the server asked for, or else half a second doubled with every
// attempt and spread by up to a half, so that many visitors do not come back at once.
func Pause(try int, retryAfter string, now time.Time) time.Duration {
	if d, ok := parseRetryAfter(retryAfter, now); ok {
		return min(d, maxPause)
	}
	base := 500 * time.Millisecond << (try - 2)
	return base + rand.N(base/2)
}

// parseRetryAfter reads the header's two forms, seconds and date (RFC 9110, 10.2.3).
func parseRetryAfter(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 1<<20 {
		return time.Duration(n) * time.Second, true
	}
	if t, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", s); err == nil {
		return max(0, t.Sub(now)), true
	}
	return 0, false
}

// Transient reports whether a status may be gone at the next attempt.
func Transient(status int) bool {
	switch status {
	case 408, 425, 429, 500, 502, 503, 504:
		return true
	}
	return false
}

// ContentStart reads the first byte's place from "bytes 4194304-9999999/10000000".
func ContentStart(contentRange string) (int64, bool) {
	s, ok := strings.CutPrefix(contentRange, "bytes ")
	if !ok {
		return 0, false
	}
	first, _, ok := strings.Cut(s, "-")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	return n, err == nil && n >= 0
}

// LooksLikeHTML recognises a page that a server sent in place of a file.
func LooksLikeHTML(contentType string, head []byte) bool {
	if strings.HasPrefix(strings.ToLower(contentType), "text/html") {
		return true
	}
	s := strings.ToLower(strings.TrimLeft(string(head), " \t\r\n\ufeff"))
	return strings.HasPrefix(s, "<!doctype") || strings.HasPrefix(s, "<html")
}

// ByteRange is the value of the header Range that asks for bytes [from, to).
func ByteRange(from, to int64) string { return fmt.Sprintf("bytes=%d-%d", from, to-1) }
