package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"undertone/engine/weights"
)

// pieceBytes is the length of the pieces in which files are verified.
const pieceBytes = 4 << 20

// bundle is the model as the site serves it, to be damaged.
type bundle struct {
	t        *testing.T
	s        *server
	manifest map[string]any
}

func (s *server) bundle(t *testing.T) *bundle {
	b := &bundle{t: t, s: s}
	if err := json.Unmarshal(b.read("model.json"), &b.manifest); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) read(name string) []byte {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.s.dir, "models/sprites", name))
	if err != nil {
		b.t.Fatal(err)
	}
	return data
}

// file is the entry of a role in the manifest.
func (b *bundle) file(role string) map[string]any {
	for _, f := range b.manifest["files"].([]any) {
		if f := f.(map[string]any); f["role"] == role {
			return f
		}
	}
	b.t.Fatalf("no file for %s", role)
	return nil
}

func (b *bundle) path(role string) string { return b.file(role)["path"].(string) }

// text is the manifest as it now is.
func (b *bundle) text() []byte {
	text, err := json.Marshal(b.manifest)
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// publish serves the bundle under /bad/NAME/ with the manifest as it now is, and
// damaged files in place of the good ones. It returns the address.
func (b *bundle) publish(name string, damaged map[string]http.HandlerFunc) string {
	folder := "/bad/" + name + "/"
	b.s.misbehave(folder+"model.json", content(b.text()))
	good := b.s.bundle(b.t)
	for _, role := range []string{"dit", "text", "vae", "tokenizer"} {
		path := good.path(role)
		h := damaged[role]
		if h == nil {
			file := filepath.Join(b.s.dir, "models/sprites", path)
			h = func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) }
		}
		b.s.misbehave(folder+path, h)
	}
	return folder + "model.json"
}

// content serves bytes as a file, with ranges.
func content(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

func html(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		fmt.Fprint(w, "<!doctype html><title>Welcome</title>")
	}
}

// load is what loading an address on the CPU device says; nil when it succeeds.
func (b *tab) load(address string) (f *fault, progress []loading) {
	b.t.Helper()
	var r struct {
		Fault    *fault
		Progress []loading
	}
	b.eval(`
		const progress = [];
		const f = await test.refused(api.Undertone.load("`+address+`", { device: "cpu", onProgress: (p) => progress.push(p) }).then((u) => u.close()));
		return { fault: f, progress }`, &r)
	return r.Fault, r.Progress
}

type loading struct {
	Stage       string
	Done, Total int64
	Retry       int
}

// TestBrowserHostile loads models that are damaged in every way a server can
// think of. The CPU device is used, for which nothing differs before the upload.
func TestBrowserHostile(t *testing.T) {
	s := serve(t)
	b := open(t, s.URL+"/blank.html", options{})
	b.eval(`globalThis.api = await import("/undertone.js")`, nil)

	flipped := func(role string) []byte {
		m := s.bundle(t)
		data := m.read(m.path(role))
		data[len(data)/2] ^= 0x10
		return data
	}
	resized := func(role string, bytes float64) func(*bundle) map[string]http.HandlerFunc {
		return func(m *bundle) map[string]http.HandlerFunc {
			m.file(role)["bytes"] = bytes
			return nil
		}
	}
	replaced := func(role string, h http.HandlerFunc) func(*bundle) map[string]http.HandlerFunc {
		return func(*bundle) map[string]http.HandlerFunc { return map[string]http.HandlerFunc{role: h} }
	}
	set := func(key string, value any) func(*bundle) map[string]http.HandlerFunc {
		return func(m *bundle) map[string]http.HandlerFunc {
			m.manifest[key] = value
			return nil
		}
	}
	size := func(role string) float64 { return s.bundle(t).file(role)["bytes"].(float64) }
	vae := s.bundle(t).read(s.bundle(t).path("vae"))

	for _, c := range []struct {
		name, code, says string
		damage           func(*bundle) map[string]http.HandlerFunc
	}{
		{"format", "manifest-invalid", "undertone-model", set("format", "something-else")},
		{"version", "model-unsupported", "99", set("version", 99)},
		{"family", "model-unsupported", "sd9", set("family", "sd9")},
		{"extra key", "manifest-invalid", "surprise", set("surprise", 1)},
		{"no files", "manifest-invalid", "", set("files", []any{})},
		{"says longer", "weights-truncated", fmt.Sprint(len(vae)), resized("vae", size("vae")+1)},
		{"says shorter", "manifest-invalid", fmt.Sprint(len(vae)), resized("vae", size("vae")-1)},
		{"says huge", "manifest-invalid", "", resized("vae", 1<<60)},
		{"says negative", "manifest-invalid", "", resized("vae", -5)},
		{"elsewhere", "manifest-invalid", "", func(m *bundle) map[string]http.HandlerFunc {
			m.file("vae")["path"] = "https://example.org/vae.gguf"
			return nil
		}},
		{"missing", "http-status", "404", replaced("text", http.NotFound)},
		{"forbidden", "http-status", "403", replaced("text", html(403))},
		{"D8 web page", "not-weights", "web page", replaced("text", html(200))},
		{"web page as bytes", "not-weights", "web page", replaced("text", content([]byte("<!DOCTYPE html><html>not here</html>")))},
		{"W5 truncated", "weights-truncated", fmt.Sprint(len(vae)), replaced("vae", content(vae[:len(vae)*2/3]))},
		{"W4 flipped", "weights-hash", "piece", replaced("dit", content(flipped("dit")))},
		{"flipped tokenizer", "weights-hash", "piece 1 of 1", replaced("tokenizer", content(flipped("tokenizer")))},
		{"W6 not finite", "weights-not-finite", "", notFinite},
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

	b.step("D10 busy, D11 silent and broken lines", func(t *testing.T) { brokenLines(t, s, b) })

	b.step("D12 cancel", func(t *testing.T) {
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
		b.eval(`
			const stop = new AbortController();
			const loading = test.refused(api.Undertone.load("`+address+`", { device: "cpu", signal: stop.signal }));
			await test.sleep(1500);
			const at = performance.now();
			stop.abort();
			return { fault: await loading, ms: performance.now() - at }`, &r)
		if r.Fault.Name != "AbortError" || r.Ms > 200 {
			t.Errorf("after %.0f ms: %+v; 200 ms are allowed", r.Ms, r.Fault)
		}
		select {
		case <-gone:
		case <-time.After(5 * time.Second):
			t.Error("the connection stays open")
		}
	})
}

// notFinite publishes weights with one scale that is not a number, and the right
// hashes for them.
func notFinite(m *bundle) map[string]http.HandlerFunc {
	data := m.read(m.path("dit"))
	index, err := weights.Parse(bytes.NewReader(data))
	if err != nil {
		m.t.Fatal(err)
	}
	for _, x := range index.Tensors {
		if x.Type != "Q8_0" {
			continue
		}
		binary.LittleEndian.PutUint16(data[x.Offset:], 0x7e00) // the f16 scale of its first block
		break
	}
	f := m.file("dit")
	var pieces []any
	root := sha256.New()
	for rest := data; len(rest) > 0; rest = rest[min(len(rest), pieceBytes):] {
		sum := sha256.Sum256(rest[:min(len(rest), pieceBytes)])
		pieces = append(pieces, hex.EncodeToString(sum[:]))
		root.Write(sum[:])
	}
	f["pieces"], f["sha256"] = pieces, hex.EncodeToString(root.Sum(nil))
	return map[string]http.HandlerFunc{"dit": content(data)}
}

// brokenLines loads three models at the same time over lines that break, fall
// silent, or are busy; each is whole in the end. A fourth ends too early every time.
func brokenLines(t *testing.T, s *server, b *tab) {
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
	b.eval(fmt.Sprintf(`
		const load = async (address) => {
			const at = performance.now();
			let retry = 0;
			const onProgress = (p) => { retry = Math.max(retry, p.retry ?? 0); };
			const f = await test.refused(api.Undertone.load(address, { device: "cpu", onProgress }).then((u) => u.close()));
			return { fault: f, retry, ms: performance.now() - at };
		};
		return Promise.all([%q, %q, %q, %q].map(load))`, cut, stall, busy, never), &r)

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
		t.Errorf("a silent line was given up after %.0f ms, wanted 15 s", r[1].Ms)
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
