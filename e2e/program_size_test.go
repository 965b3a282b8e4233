package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/andybalholm/brotli"
)

// maxProgram is the most that the page may ask of a person's line before it runs. With
// Stable Diffusion 3, T5 and AutoencoderKL in it the program has grown by 5 %; a page
// that is only read will need none of them once page and engine are two programs.
const maxProgram = 1_670_000

// TestBrowserProgramSize compresses the program as `make dist` does.
func TestBrowserProgramSize(t *testing.T) {
	t.Parallel()
	dir, err := dist()
	if err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(dir, "assets", "undertone.*.wasm"))
	if err != nil || len(programs) != 1 {
		t.Fatalf("programs in the site: %v, %v", programs, err)
	}
	data, err := os.ReadFile(programs[0])
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, brotli.BestCompression)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("the program is %d bytes, %d with brotli", len(data), out.Len())
	if out.Len() > maxProgram {
		t.Errorf("the program is %d bytes with brotli, at most %d are allowed", out.Len(), maxProgram)
	}
}
