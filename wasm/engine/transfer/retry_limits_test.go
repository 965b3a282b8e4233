package transfer

import "testing"

// A file's first byte is a place like any other.
func TestContentStartAtTheEnds(t *testing.T) {
	for header, want := range map[string]int64{"bytes 0-0/1": 0, "bytes 1-9/*": 1, "bytes 9007199254740991-9007199254740991/9007199254740992": 1<<53 - 1} {
		if n, ok := ContentStart(header); !ok || n != want {
			t.Errorf("%q: %d, %v", header, n, ok)
		}
	}
}

// What another attempt may mend, and what it cannot.
func TestTransient(t *testing.T) {
	for status := 100; status < 600; status++ {
		want := map[int]bool{408: true, 425: true, 429: true, 500: true, 502: true, 503: true, 504: true}[status]
		if Transient(status) != want {
			t.Errorf("status %d: another attempt is made: %v", status, !want)
		}
	}
}
