package e2e

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
)

// maxPrograms are the most bytes, with brotli, that the programs may ask for: the page's
// before it runs, the engine's with the first model, the Lab's with its page. The engine's has grown with the
// encoders, decoders, block formats and tokenizers of published models, with what finds out
// what published files are, reads them from where they lie and saves them as a bundle, and
// with the families of HiDream and Cosmos.
var maxPrograms = map[string]int{"page": 1_000_000, "engine": 1_800_000, "lab": 900_000}

// TestBrowserProgramSize compresses the programs as `make dist` does.
func TestBrowserProgramSize(t *testing.T) {
	t.Parallel()
	dir, err := dist()
	if err != nil {
		t.Fatal(err)
	}
	var each sync.WaitGroup
	for name, most := range maxPrograms {
		data, err := os.ReadFile(filepath.Join(dir, asset(t, dir, name, ".wasm")))
		if err != nil {
			t.Fatal(err)
		}
		each.Add(1)
		go func() {
			defer each.Done()
			// The best compression takes a minute: it is asked only where a quick one, of which
			// it leaves 873 to 875 thousandths, does not show that there is room.
			size := compressed(t, data, 9)
			t.Logf("%s.wasm is %d bytes, %d with a quick brotli", name, len(data), size)
			if size*876/1000 <= most {
				return
			}
			if size = compressed(t, data, brotli.BestCompression); size > most {
				t.Errorf("%s.wasm is %d bytes with brotli, at most %d are allowed", name, size, most)
			}
		}()
	}
	each.Wait()
}

// compressed is how many bytes brotli makes of data at a level.
func compressed(t *testing.T, data []byte, level int) int {
	t.Helper()
	var out bytes.Buffer
	w := brotli.NewWriterLevel(&out, level)
	if _, err := w.Write(data); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	return out.Len()
}

// zipped is how many bytes gzip makes of data.
func zipped(t *testing.T, data []byte) int {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// assetNames matches the hashed files that a page names.
var assetNames = regexp.MustCompile(`assets/[\w.-]+\.[0-9a-f]{12}\.[a-z0-9]+`)
