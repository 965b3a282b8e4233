package transfer

import (
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for try := 2; try <= MaxTries; try++ {
		base := 500 * time.Millisecond << (try - 2)
		for range 100 {
			if d := Pause(try, "", now); d < base || d >= base*3/2 {
				t.Fatalf("attempt %d waits %v, wanted %v to %v", try, d, base, base*3/2)
			}
		}
	}
	for header, want := range map[string]time.Duration{
		"0":                             0,
		" 7 ":                           7 * time.Second,
		"3600":                          maxPause,
		"Sun, 22 Nov 2026 12:00:09 GMT": 9 * time.Second,
		"Sun, 22 Nov 2026 11:00:00 GMT": 0,
	} {
		if d := Pause(3, header, now); d != want {
			t.Errorf("Retry-After %q: waits %v, wanted %v", header, d, want)
		}
	}
	for _, header := range []string{"-1", "soon", "99999999999999999999"} {
		if _, ok := parseRetryAfter(header, now); ok {
			t.Errorf("Retry-After %q was understood", header)
		}
	}
}

func TestContentStart(t *testing.T) {
	if n, ok := ContentStart("bytes 4194304-9999999/10000000"); !ok || n != 4194304 {
		t.Errorf("got %d, %v", n, ok)
	}
	for _, bad := range []string{"", "bytes */100", "bytes -5-9/10", "items 1-2/3", "bytes x-y/z"} {
		if n, ok := ContentStart(bad); ok {
			t.Errorf("%q was understood as %d", bad, n)
		}
	}
}

func TestLooksLikeHTML(t *testing.T) {
	for _, c := range []struct {
		kind, head string
		want       bool
	}{
		{"text/html; charset=utf-8", "anything", true},
		{"application/octet-stream", "\n <!DOCTYPE html><title>404", true},
		{"", "\ufeff<HTML>", true},
		{"application/octet-stream", "GGUF\x03\x00\x00\x00", false},
		{"application/json", `{"a":"<html>"}`, false},
		// A safetensors header of 60 bytes begins with the byte '<'.
		{"application/octet-stream", "<\x00\x00\x00\x00\x00\x00\x00{\"a\":", false},
	} {
		if got := LooksLikeHTML(c.kind, []byte(c.head)); got != c.want {
			t.Errorf("%q %q: %v", c.kind, c.head, got)
		}
	}
}
