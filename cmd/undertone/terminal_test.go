package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"undertone/engine/op"
	"undertone/engine/weights"
)

// evil is text that takes over a terminal: colours, a title, a cleared line, C1
// controls, a turned direction, a forged line, bytes that are no text.
const evil = "a\x1b[31m\x1b]0;pwned\x07\r\b\x00\x7f\u009b2J\u202e\u2066\u2028\ufeff\nb\tc\xff"

// hazards are the bytes and characters of evil that no output may hold.
const hazards = "\x1b\x07\r\b\x00\x7f\u009b\u202e\u2066\u2028\ufeff"

// hostileFiles holds evil as tensor name, metadata key and value, and element type.
func hostileFiles(t *testing.T) (names []string) {
	t.Helper()
	folder := t.TempDir()
	var b bytes.Buffer
	err := weights.WriteGGUF(&b, map[string]any{evil: evil, "list": []string{evil, evil}}, weights.Float32s(evil, op.F32, []int{1}, []float32{1}))
	if err != nil {
		t.Fatal(err)
	}
	quoted := strings.NewReplacer("\x1b", `\u001b`, "\x07", `\u0007`, "\r", `\r`, "\b", `\b`, "\x00", `\u0000`, "\n", `\n`, "\t", `\t`, "\xff", "").Replace(evil)
	header := `{"__metadata__":{"` + quoted + `":"` + quoted + `"},"` + quoted + `":{"dtype":"` + quoted + `","shape":[1],"data_offsets":[0,4]}}`
	for name, data := range map[string][]byte{"x.gguf": b.Bytes(), "x.safetensors": safetensors(header, 4), "bad": []byte("\x1b[31m\x1b]0\n\n"),
		"refused": safetensors(`{"`+quoted+`":{"dtype":"`+quoted+`","shape":[1],"data_offsets":[0,9],"`+quoted+`":1}}`, 4)} {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// safetensors makes a file of a header and n bytes of data.
func safetensors(header string, n int) []byte {
	b := []byte{byte(len(header)), byte(len(header) >> 8), byte(len(header) >> 16), 0, 0, 0, 0, 0}
	return append(append(b, header...), make([]byte, n)...)
}

// Whatever is printed, of a file, of a command line, as a list or as an error, holds
// no control character, and every line that begins is one of ours.
func TestForeignTextDoesNotReachTheTerminal(t *testing.T) {
	runs := [][]string{
		{evil}, {"inspect", evil}, {"inspect", "--" + evil}, {"convert", evil, "--out", evil}, {"convert", ".", "--to", evil, "--out", "x"},
		{"generate", evil}, {"generate", ".", "--schedule", evil, "--positive", "x"}, {"generate", ".", "--guidance", evil},
		{"forward", evil, "--in", evil, "--out", evil}, {"dist", "--root", evil}, {"bench", evil},
	}
	for _, name := range hostileFiles(t) {
		runs = append(runs, []string{"inspect", name}, []string{"forward", ".", "--in", name, "--out", "x"})
	}
	for _, args := range runs {
		_, stdout, stderr := cli(args...)
		for _, out := range []string{stdout, stderr} {
			if i := strings.IndexAny(out, hazards); i >= 0 {
				t.Errorf("%.60q: printed %q", args, out[max(0, i-20):min(len(out), i+20)])
			}
			if !utf8.ValidString(out) {
				t.Errorf("%.60q: printed %q", args, out)
			}
			for _, line := range strings.Split(out, "\n") {
				if strings.HasPrefix(line, "b\t") || strings.HasPrefix(line, `b\t`) {
					t.Errorf("%.60q: a forged line, %q", args, line)
				}
			}
		}
		if stdout+stderr == "" {
			t.Errorf("%.60q printed nothing", args)
		}
	}
}

// The names are still there, readable.
func TestInspectShowsEscapedNames(t *testing.T) {
	for _, name := range hostileFiles(t) {
		if filepath.Base(name) != "x.gguf" {
			continue
		}
		out := succeed(t, "inspect", name)
		want := `"a\x1b[31m\x1b]0;pwned\a\r\b\x00\x7f\u009b2J\u202e\u2066\u2028\ufeff\nb\tc\xff"`
		if n := strings.Count(out, want); n != 6 { // a key, its value, two elements of a list, a tensor, and why it is no published model
			t.Errorf("%d times %s in\n%s", n, want, out)
		}
	}
}

func TestTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain text\n\tand more": "plain text\n\tand more", "größer → 中文 😀\u3000é": "größer → 中文 😀\u3000é",
		"\x1b[2J": `\x1b[2J`, "\r": `\x0d`, "\x9b\xff": `\x9b\xff`, "\u0085\u202a": `\u0085\u202a`, "\U000e0041": `\U000e0041`, "\xe4\xb8": `\xe4\xb8`,
	} {
		// However it is cut into writes, the same comes out.
		for size := 1; size <= len(in); size++ {
			var b bytes.Buffer
			term := &terminal{w: &b}
			for from := 0; from < len(in); from += size {
				part := in[from:min(len(in), from+size)]
				if n, err := io.WriteString(term, part); n != len(part) || err != nil {
					t.Fatal(n, err)
				}
			}
			term.flush()
			if b.String() != want {
				t.Errorf("%q in writes of %d: %q, wanted %q", in, size, b.String(), want)
			}
		}
	}
	var b bytes.Buffer
	if _, err := raw(&terminal{w: &b}).Write([]byte("\x89PNG\r\n\x1a")); err != nil || b.String() != "\x89PNG\r\n\x1a" {
		t.Errorf("raw bytes came out as %q", b.String())
	}
	for in, want := range map[string]string{"a.b_c/d-9": "a.b_c/d-9", "": `""`, "a b": `"a b"`, `a"b`: `"a\"b"`, "a\nb": `"a\nb"`, "größe": "größe", "a\u202eb": `"a\u202eb"`, "\xff": `"\xff"`} {
		if got := quoted(in); got != want {
			t.Errorf("%q is quoted as %s, wanted %s", in, got, want)
		}
	}
}
