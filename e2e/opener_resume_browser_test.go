package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"undertone/engine/testing/networks"
)

// paced sends an answer at 25 MB in a second at most.
type paced struct {
	http.ResponseWriter
	r *http.Request
}

func (p paced) Write(b []byte) (int, error) {
	select {
	case <-time.After(time.Duration(len(b)) * time.Second / 25_000_000):
	case <-p.r.Context().Done():
	}
	return p.ResponseWriter.Write(b)
}

// TestBrowserOpenStopped stops a model that is being kept, and opens it again: what is kept
// by then is neither written nor sent twice.
func TestBrowserOpenStopped(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	networks.WriteSD3(t, folder)
	transformer := filepath.Join(folder, "sd3", "sd3_medium.safetensors")
	pad(t, transformer, 8*pieceBytes)
	info, err := os.Stat(transformer)
	if err != nil {
		t.Fatal(err)
	}
	s := smallSite(t)
	b := open(t, s.URL, options{webgpu: true})
	b.ready()
	counts := s.prelude + script("worker/count_writes.js")
	s.prelude = counts
	b.click("#open-model")

	b.step("chosen files", func(t *testing.T) {
		b.chooses(folder)
		b.until(loadable)
		s.prelude = counts + script("worker/slow_files.js")
		b.stopsKeeping(t, 1)
		s.prelude = counts
		b.goesOn(t, info.Size())
	})
	b.step("addresses", func(t *testing.T) {
		b.eval(`document.querySelector('[data-address^="stored:"]').click()`, nil)
		b.until(`!document.querySelector('[data-address^="stored:"]')`)
		b.eval(`document.querySelector("#open-another").click()`, nil) // the list above it has just become shorter
		b.until(dialogOpen)
		for i, name := range []string{"decoders", "text_encoder", "tokenizer", "text_encoder_2", "tokenizer_2"} {
			b.chooses(filepath.Join(folder, name))
			b.until(`document.querySelectorAll("#opener .chosen li").length === ` + quote(i+1))
		}
		var mu sync.Mutex
		var ranges []string
		for _, name := range []string{"config.json", "sd3_medium.safetensors"} {
			s.misbehave("/published/"+name, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				ranges = append(ranges, name+" "+r.Header.Get("Range"))
				mu.Unlock()
				http.ServeFile(paced{w, r}, r, filepath.Join(filepath.Dir(transformer), name))
			})
			b.field("opener-address", s.URL+"/published/"+name)
			b.keys(kb.Enter)
		}
		b.until(loadable)
		b.stopsKeeping(t, 4)
		s.bytes("")
		mu.Lock()
		ranges = nil
		mu.Unlock()
		b.goesOn(t, info.Size())
		// The header is read again, and the first piece with it; then those that are missing.
		n, asked := s.bytes("/sd3_medium"), strings.Join(ranges, ", ")
		t.Logf("%d bytes of %d were sent again: %s", n, info.Size(), asked)
		if n > info.Size()-pieceBytes || strings.Count(asked, "bytes=0-") != 2 {
			t.Errorf("%d bytes of %d were sent again: %s", n, info.Size(), asked)
		}
	})
	b.step("a picture", func(t *testing.T) {
		b.generate()
		if device := b.text("#device"); !strings.Contains(device, "WebGPU without a GPU") || !b.is(noAlert) {
			t.Errorf("on %q: %s", device, b.text("#alert"))
		}
	})
	b.silent(t)
}

// stopsKeeping loads what is chosen in the dialog, to be kept, and presses Stop once so many
// pieces are written.
func (b *tab) stopsKeeping(t *testing.T, pieces int) {
	b.call("files.countWrites", nil)
	b.eval(`const keep = document.querySelector("#opener-keep"); if (!keep.checked) keep.click(); document.querySelector("#opener-load").click()`, nil)
	b.until(`test.written >= ` + quote(pieces*pieceBytes))
	b.click("#cancel")
	b.until(`document.querySelector("#cancel").hidden`)
	if note := b.text("#note"); !strings.Contains(note, "still has what you chose") || !strings.Contains(note, "stored by now stays") {
		t.Errorf("it says %q", note)
	}
}

// goesOn opens what was stopped again, of which the largest file has so many bytes.
func (b *tab) goesOn(t *testing.T, largest int64) {
	var before, after int64
	b.eval(`return test.written`, &before)
	b.click("#open-model")
	b.until(loadable)
	b.eval(`document.querySelector("#opener-load").click()`, nil)
	b.until(idle)
	b.eval(`return test.written`, &after)
	u := b.storage()
	if len(u.Models) != 1 || u.Models[0].Stored != u.Models[0].Bytes {
		t.Fatalf("it is kept as %+v", u)
	}
	if t.Logf("%d bytes were written before, %d in all", before, after); before >= largest || after > u.Models[0].Bytes {
		t.Errorf("%d bytes were written before, %d in all, of a model of %d", before, after, u.Models[0].Bytes)
	}
}
