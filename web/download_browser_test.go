package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// source serves the transformer's file of the small model, in the way that a test
// chooses.
type source struct {
	t       *testing.T
	s       *server
	path    string
	data    []byte
	address string // of the model.json that names it

	mu   sync.Mutex
	mode http.HandlerFunc
}

func newSource(t *testing.T, s *server) *source {
	m := s.bundle(t)
	f := &source{t: t, s: s, data: m.read(m.path("dit")), address: model, path: "/models/sprites/" + m.path("dit")}
	f.is(nil)
	s.misbehave(f.path, func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		h := f.mode
		f.mu.Unlock()
		h(w, r)
	})
	return f
}

// is sets how the file is served; nil is properly.
func (f *source) is(h http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mode = h; h == nil {
		f.mode = content(f.data)
	}
}

// stopsAt sends the file up to a place, and then nothing more.
func (f *source) stopsAt(place int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(f.data)))
		w.Write(f.data[:place])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// slowly sends the file in parts with a pause between them.
func (f *source) slowly(part int, pause time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(f.data)))
		for rest := f.data; len(rest) > 0 && r.Context().Err() == nil; rest = rest[min(part, len(rest)):] {
			w.Write(rest[:min(part, len(rest))])
			w.(http.Flusher).Flush()
			time.Sleep(pause)
		}
	}
}

// arrives waits until the store has the whole pieces of a file that stops at a place.
// What comes behind them may be told late: progress is told at intervals.
func (b *tab) arrives(place int) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`
		const big = async () => (await pieces()).filter((p) => p[1] === %d && p[2]).length;
		while (await big() < %d || !(globalThis.progress?.done >= %d)) await test.sleep(30);`, pieceBytes, place/pieceBytes, place/pieceBytes*pieceBytes), nil)
}

// TestBrowserResume breaks downloads off and takes them up again.
func TestBrowserResume(t *testing.T) {
	s := smallSite(t)
	f := newSource(t, s)
	b := storeTab(t, s)
	reload := func() {
		b.run(chromedp.Reload())
		b.eval(storeHelpers, nil)
	}

	for _, percent := range []int{1, 50, 99} {
		b.step(fmt.Sprintf("D1 cut at %d percent and reload", percent), func(t *testing.T) {
			b.forget()
			place := len(f.data) * percent / 100
			f.is(f.stopsAt(place))
			b.eval(fmt.Sprintf(`keep(%q)`, f.address), nil)
			b.arrives(place)
			reload()
			f.is(nil)
			s.bytes("")
			k := b.keep(f.address)
			if n := int(s.bytes(f.path)); k.Fault != nil || n > len(f.data)-place+pieceBytes {
				t.Errorf("%d bytes were sent after a cut at %d of %d: %+v", n, place, len(f.data), k)
			}
		})
	}

	b.step("D2 to D9 servers that changed", func(t *testing.T) { changedServers(t, f, b) })

	b.step("D13 offline", func(t *testing.T) {
		b.forget()
		place := pieceBytes + 1000
		f.is(f.stopsAt(place))
		b.eval(fmt.Sprintf(`globalThis.loading = keep(%q)`, f.address), nil)
		b.arrives(place)
		var k kept
		f.is(broken)
		b.eval(`test.line.postMessage("offline")`, nil)
		s.CloseClientConnections() // the page's own are idle
		b.eval(`while (globalThis.progress?.wait !== "offline") await test.sleep(20);`, nil)
		time.Sleep(3 * time.Second)
		f.is(nil)
		s.bytes("")
		b.eval(`
			const at = performance.now(), done = progress.done;
			test.line.postMessage("online");
			while (progress.done === done) await test.sleep(10);
			const ms = performance.now() - at;
			return { ...await loading, ms }`, &k)
		if k.Fault != nil || k.Ms > 2000 || int(s.bytes(f.path)) > len(f.data)-pieceBytes {
			t.Errorf("%+v", k)
		}
		t.Logf("resumed %.0f ms after the network was back", k.Ms)
	})

	b.step("D14 two tabs", func(t *testing.T) {
		b.forget()
		c := b.another(s.URL + "/blank.html")
		f.is(f.slowly(256<<10, 50*time.Millisecond))
		s.bytes("")
		b.eval(fmt.Sprintf(`globalThis.loading = keep(%q)`, f.address), nil)
		second := c.keep(f.address)
		var first kept
		b.eval(`return loading`, &first)
		sent := s.bytes(".safetensors") + s.bytes("/tokenizer")
		if first.Fault != nil || second.Fault != nil || float64(sent) > 1.02*float64(first.Bytes) {
			t.Errorf("%d bytes were sent for %d: %+v, %+v", sent, first.Bytes, first, second)
		}
		if len(first.Waits)+len(second.Waits) == 0 {
			t.Error("no tab has waited")
		}
	})

	b.step("S8 deleted while it is downloaded", func(t *testing.T) {
		b.forget()
		f.is(f.slowly(256<<10, 50*time.Millisecond))
		b.eval(fmt.Sprintf(`globalThis.loading = keep(%q)`, f.address), nil)
		b.arrives(pieceBytes)
		b.forget()
		var k kept
		b.eval(`return loading`, &k)
		if u := b.storage(); k.Fault != nil || k.Storage.Fault != nil || u.Used != 0 || len(u.Models) != 0 {
			t.Errorf("%+v, and %+v is left", k, u)
		}
	})

	b.step("D15 killed while writing", func(t *testing.T) {
		for i := range 20 {
			b.forget()
			f.is(f.slowly(512<<10, 10*time.Millisecond))
			b.eval(fmt.Sprintf(`keep(%q)`, f.address), nil)
			time.Sleep(time.Duration(rand.N(500)) * time.Millisecond)
			reload()
			f.is(nil)
			var before int
			b.eval(`return (await pieces()).filter((p) => p[2]).reduce((sum, p) => sum + p[1], 0)`, &before)
			k := b.keep(f.address)
			if k.Fault != nil || k.Storage.Stored != k.Bytes || int(k.Storage.Reused) < before {
				t.Fatalf("kill %d, with %d good bytes: %+v", i, before, k)
			}
			b.checkPieces(t)
		}
	})
}

// changedServers cuts a download anywhere and goes on with a server that has become
// another one: the model is whole, or refused, and never mixed. Every kind of change
// is met once, at a place drawn by lot, or as often as UNDERTONE_RUNS says.
func changedServers(t *testing.T, f *source, b *tab) {
	runs := 1
	if n, err := strconv.Atoi(os.Getenv("UNDERTONE_RUNS")); err == nil {
		runs = n
	}
	changed := bytes.Clone(f.data)
	for i := 0; i < len(changed); i += 100_000 {
		changed[i] ^= 0xff
	}
	ranged := func(w http.ResponseWriter, r *http.Request, say string, send []byte) {
		if r.Header.Get("Range") == "" {
			content(f.data)(w, r)
			return
		}
		w.Header().Set("Content-Range", say)
		w.WriteHeader(http.StatusPartialContent)
		w.Write(send)
	}
	total := fmt.Sprint(len(f.data))
	for _, c := range []struct {
		name, code string // of the fault; "" where the model is loaded
		h          http.HandlerFunc
	}{
		{"D2 Range is ignored", "", func(w http.ResponseWriter, r *http.Request) { w.Write(f.data) }},
		{"D3 another file under another ETag", "weights-hash", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"other"`)
			content(changed)(w, r)
		}},
		{"D4 416", "", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				http.Error(w, "no such range", http.StatusRequestedRangeNotSatisfiable)
				return
			}
			content(f.data)(w, r)
		}},
		{"D5 a Content-Range that lies", "", func(w http.ResponseWriter, r *http.Request) {
			ranged(w, r, strings.Replace(r.Header.Get("Range"), "=", " ", 1)+"/"+total, f.data[len(f.data)/3:])
		}},
		{"D5 a Content-Range further on", "", func(w http.ResponseWriter, r *http.Request) {
			ranged(w, r, "bytes "+fmt.Sprint(len(f.data)-10)+"-"+fmt.Sprint(len(f.data)-1)+"/"+total, f.data[len(f.data)-10:])
		}},
		{"D5 no Content-Range", "", func(w http.ResponseWriter, r *http.Request) { ranged(w, r, "", f.data) }},
		{"D6 gzip", "", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			z.Write(f.data)
			z.Close()
		}},
		{"D7 a shorter file", "weights-truncated", content(f.data[:len(f.data)-100])},
		{"D7 a longer file", "manifest-invalid", content(append(bytes.Clone(f.data), "more"...))},
		{"D7 a longer file of unknown length", "manifest-invalid", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(f.data)
			w.Write([]byte("more"))
		}},
		{"D8 a web page with status 200", "not-weights", html(200)},
		{"D9 no validator", "", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(f.data)
		}},
	} {
		for range runs {
			b.forget()
			place := rand.N(len(f.data))
			f.is(f.stopsAt(place))
			b.eval(fmt.Sprintf(`
				globalThis.stop = new AbortController();
				globalThis.progress = undefined;
				globalThis.loading = keep(%q, { signal: stop.signal })`, f.address), nil)
			b.arrives(place)
			b.eval(`stop.abort(); await loading`, nil)
			f.is(c.h)
			k := b.keep(f.address)
			switch {
			case c.code == "" && (k.Fault != nil || k.Storage.Stored != k.Bytes):
				t.Errorf("%s, cut at %d: %+v", c.name, place, k)
			case c.code != "" && (k.Fault == nil || k.Fault.Code != c.code):
				t.Errorf("%s, cut at %d: %+v, wanted %s", c.name, place, k, c.code)
			}
			b.checkPieces(t)
		}
	}
}
