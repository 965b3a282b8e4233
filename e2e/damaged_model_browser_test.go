package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// load is what loading an address on the CPU device says; nil when it succeeds.
func (b *tab) load(address string) (f *fault, progress []loading) {
	b.t.Helper()
	var r struct {
		Fault    *fault
		Progress []loading
	}
	b.call("load.fault", &r, address)
	return r.Fault, r.Progress
}

type loading struct {
	Stage       string
	Done, Total int64
	Retry       int
}

// damage changes a model's manifest, and says which of its files are served otherwise.
type damage func(*bundle) map[string]http.HandlerFunc

func resized(role string, bytes float64) damage {
	return func(m *bundle) map[string]http.HandlerFunc {
		m.file(role)["bytes"] = bytes
		return nil
	}
}

func replaced(role string, h http.HandlerFunc) damage {
	return func(*bundle) map[string]http.HandlerFunc { return map[string]http.HandlerFunc{role: h} }
}

func set(key string, value any) damage {
	return func(m *bundle) map[string]http.HandlerFunc {
		m.manifest[key] = value
		return nil
	}
}

// otherFamily calls family and transformer by a name that the engine does not know.
func otherFamily(m *bundle) map[string]http.HandlerFunc {
	m.manifest["family"] = "sd9"
	for _, c := range m.manifest["components"].([]any) {
		if c := c.(map[string]any); c["role"] == "transformer" {
			c["kind"] = "sd9"
		}
	}
	return nil
}

// flipped is a file with one bit changed.
func (b *bundle) flipped(role string) []byte {
	data := b.read(b.path(role))
	data[len(data)/2] ^= 0x10
	return data
}

// TestBrowserDamagedModel loads models that are damaged in every way a server can
// think of. The CPU device is used, for which nothing differs before the upload.
func TestBrowserDamagedModel(t *testing.T) {
	t.Parallel()
	s := quantizedSite(t)
	b := openBlank(t, s)
	good := s.bundle(t)
	vae := good.read(good.path("vae"))
	length := fmt.Sprint(len(vae))

	for _, c := range []struct {
		name, code, says string
		damage           damage
	}{
		{"format", "manifest-invalid", "undertone-model", set("format", "something-else")},
		{"version", "model-unsupported", "99", set("version", 99)},
		{"family", "model-unsupported", "sd9", otherFamily},
		{"another family's transformer", "manifest-invalid", "sd9", set("family", "sd9")},
		{"extra key", "manifest-invalid", "surprise", set("surprise", 1)},
		{"no files", "manifest-invalid", "", set("files", []any{})},
		{"says longer", "weights-truncated", length, resized("vae", float64(len(vae)+1))},
		{"says shorter", "manifest-invalid", length, resized("vae", float64(len(vae)-1))},
		{"says huge", "manifest-invalid", "", resized("vae", 1<<60)},
		{"says negative", "manifest-invalid", "", resized("vae", -5)},
		{"elsewhere", "manifest-invalid", "", func(m *bundle) map[string]http.HandlerFunc {
			m.file("vae")["path"] = "https://example.org/vae.gguf"
			return nil
		}},
		{"missing", "http-status", "404", replaced("text", http.NotFound)},
		{"forbidden", "http-status", "403", replaced("text", html(403))},
		{"web page", "not-weights", "web page", replaced("text", html(200))},
		{"web page as bytes", "not-weights", "web page", replaced("text", content([]byte("<!DOCTYPE html><html>not here</html>")))},
		{"truncated", "weights-truncated", length, replaced("vae", content(vae[:len(vae)*2/3]))},
		{"flipped", "weights-hash", "piece", replaced("dit", content(good.flipped("dit")))},
		{"flipped tokenizer", "weights-hash", "piece 1 of 1", replaced("tokenizer", content(good.flipped("tokenizer")))},
		{"not finite", "weights-not-finite", "", notFinite},
	} {
		b.step(c.name, func(t *testing.T) {
			m := s.bundle(t)
			damaged := c.damage(m)
			f, _ := b.load(m.publish(strings.ReplaceAll(c.name, " ", "-"), damaged))
			if f == nil || f.Code != c.code || !strings.Contains(f.Message, c.says) || f.Advice == "" {
				t.Errorf("%+v, wanted %s and %q", f, c.code, c.says)
			}
		})
	}

	for name, c := range map[string]struct {
		h    http.HandlerFunc
		code string
	}{
		"absent":    {http.NotFound, "http-status"},
		"page":      {html(200), "not-weights"},
		"text":      {content([]byte("hello")), "manifest-invalid"},
		"too-large": {content(bytes.Repeat([]byte(" "), 2<<20)), "manifest-invalid"},
		"cut":       {content([]byte(`{"format":"undertone-model","version":1,`)), "manifest-invalid"},
	} {
		b.step("manifest "+name, func(t *testing.T) {
			s.misbehave("/bad/manifest-"+name+"/model.json", c.h)
			if f, _ := b.load("/bad/manifest-" + name + "/model.json"); f == nil || f.Code != c.code {
				t.Errorf("%+v, wanted %s", f, c.code)
			}
		})
	}

	b.step("busy, silent and broken connections", func(t *testing.T) { brokenConnections(t, s, b) })
}

// TestBrowserLoadAborted stops loading in the middle of a file.
func TestBrowserLoadAborted(t *testing.T) {
	s := quantizedSite(t)
	b := openBlank(t, s)
	gone := make(chan time.Time, 1)
	m := s.bundle(t)
	address := m.publish("cancel", map[string]http.HandlerFunc{"dit": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprintf("%.0f", m.file("dit")["bytes"]))
		w.Write(make([]byte, 1000))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		gone <- time.Now()
	}})
	var r struct {
		Fault fault
		Ms    float64
	}
	b.call("load.abort", &r, address, "dit")
	if r.Fault.Name != "AbortError" || r.Ms > 200 {
		t.Errorf("after %.0f ms: %+v; 200 ms are allowed", r.Ms, r.Fault)
	}
	select {
	case <-gone:
	case <-time.After(5 * time.Second):
		t.Error("the connection stays open")
	}
}

// brokenConnections loads three models at the same time over connections that break, fall
// silent, or are busy; each is whole in the end. A fourth ends too early every time.
func brokenConnections(t *testing.T, s *server, b *tab) {
	m := s.bundle(t)
	dit := m.read(m.path("dit"))
	var served [3]atomic.Int64 // bytes of dit
	var tries [4]atomic.Int32
	// part serves a stretch of dit as if it were all, for the first attempt; the
	// others are served in full.
	part := func(i int, first func(w http.ResponseWriter, r *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if tries[i].Add(1) == 1 {
				first(w, r)
				return
			}
			content(dit)(&counting{w, &served[i]}, r)
		}
	}
	begin := func(w http.ResponseWriter, n int) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", fmt.Sprint(len(dit)))
		w.Write(dit[:n])
		w.(http.Flusher).Flush()
	}
	cut := m.publish("cut", map[string]http.HandlerFunc{"dit": part(0, func(w http.ResponseWriter, r *http.Request) {
		begin(w, pieceBytes+pieceBytes/2)
		time.Sleep(500 * time.Millisecond)
		panic(http.ErrAbortHandler)
	})})
	stall := m.publish("stall", map[string]http.HandlerFunc{"dit": part(1, func(w http.ResponseWriter, r *http.Request) {
		begin(w, pieceBytes+1000)
		<-r.Context().Done()
	})})
	busy := m.publish("busy", map[string]http.HandlerFunc{"dit": part(2, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy", http.StatusServiceUnavailable)
	})})
	never := m.publish("never", map[string]http.HandlerFunc{"text": func(w http.ResponseWriter, r *http.Request) {
		tries[3].Add(1)
		http.Error(w, "busy", http.StatusServiceUnavailable)
	}})

	var r []struct {
		Fault *fault
		Retry int
		Ms    float64
	}
	b.call("load.several", &r, []string{cut, stall, busy, never})

	for i, name := range []string{"cut", "stall", "busy"} {
		if r[i].Fault != nil || r[i].Retry != 2 {
			t.Errorf("%s: %+v", name, r[i])
		}
	}
	// What was verified is not fetched again.
	for i, name := range []string{"cut", "stall"} {
		if n := served[i].Load(); n > int64(len(dit)-pieceBytes) {
			t.Errorf("%s: %d bytes were fetched again, wanted %d", name, n, len(dit)-pieceBytes)
		}
	}
	if r[1].Ms < 15_000 || r[1].Ms > 25_000 {
		t.Errorf("a silent connection was given up after %.0f ms, wanted 15 s", r[1].Ms)
	}
	if f := r[3].Fault; f == nil || f.Code != "http-status" || tries[3].Load() != 5 {
		t.Errorf("a server that is busy for ever was asked %d times, wanted 5: %+v", tries[3].Load(), f)
	}
}

// counting counts what is written.
type counting struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counting) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return c.ResponseWriter.Write(p)
}
