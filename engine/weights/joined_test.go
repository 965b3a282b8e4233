package weights

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"undertone/engine/op"
)

// Runs of several sources, read in all ways, are one source.
func TestJoined(t *testing.T) {
	var inner, j Joined
	inner.Append(strings.NewReader("..cde"), 2, 3)
	inner.Append(strings.NewReader("f"), 0, 0)
	inner.Append(strings.NewReader("fgh"), 0, 2)
	j.Append(strings.NewReader("ab"), 0, 2)
	j.Append(&inner, 0, 5)
	j.Append(strings.NewReader("__h"), 2, 1)
	const want = "abcdefgh"
	if j.Size() != int64(len(want)) {
		t.Fatalf("%d bytes, want %d", j.Size(), len(want))
	}
	for from := range len(want) + 1 {
		for n := range len(want) + 2 - from {
			b := bytes.Repeat([]byte{'-'}, n)
			got, err := j.ReadAt(b, int64(from))
			if short := from+n > len(want); (err == io.EOF) != short || err != nil && !short {
				t.Errorf("%d bytes at %d: %v", n, from, err)
			}
			if string(b[:got]) != want[from:min(len(want), from+n)] {
				t.Errorf("%d bytes at %d are %q", n, from, b[:got])
			}
		}
	}
	var told strings.Builder
	for off := int64(0); off < j.Size(); {
		src, at, n := op.RunAt(&j, off)
		b := make([]byte, n)
		if _, err := src.ReadAt(b, at); err != nil {
			t.Fatal(err)
		}
		if _, joined := src.(op.JoinedSource); joined {
			t.Error("a run lies in a joined source")
		}
		told.Write(b)
		told.WriteByte(' ')
		off += n
	}
	if got := told.String(); got != "ab cde fg h " {
		t.Errorf("runs are %q", got)
	}
	if _, err := j.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("byte -1 was read")
	}
	j.Append(strings.NewReader("xy"), 1, 3) // two bytes more than there are
	if n, err := j.ReadAt(make([]byte, 3), 8); n != 1 || err == nil {
		t.Errorf("%d bytes of a short source: %v", n, err)
	}
}
