package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// cached serves a handler's answers as a host does that lets browsers keep them.
func cached(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		h(w, r)
	}
}

// unnamed sends bytes whose length is not told, and no parts of them.
func unnamed(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.(http.Flusher).Flush()
		w.Write(data)
	}
}

// TestBrowserHTTPCache has the HTTP cache hold something else than the file that model.json
// lists, under the file's name: whatever it is, the file is asked for once past the
// cache, and with it the model loads, whether it is kept on this machine or not.
func TestBrowserHTTPCache(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := openBlank(t, s)
	good := s.bundle(t)
	name := good.path("dit")
	data := good.read(name)
	other := append([]byte(nil), data...)
	other[100] ^= 1
	for i, c := range []struct {
		name string
		h    http.HandlerFunc
	}{
		{"shorter", content(data[:len(data)-100])},
		{"longer", content(append(append([]byte(nil), data...), "more"...))},
		{"shorter by pieces", content(data[:pieceBytes])},
		{"other content", content(other)},
		{"shorter, of unknown length", unnamed(data[:1000])},
		{"longer, of unknown length", unnamed(append(append([]byte(nil), data...), "more"...))},
		{"empty", content(nil)},
		{"a web page", html(200)},
		{"none", http.NotFound},
		{"gone", html(410)},
	} {
		for _, store := range []bool{false, true} {
			b.step(fmt.Sprintf("%s, store %v", c.name, store), func(t *testing.T) {
				if store {
					b.forget()
				}
				address := s.bundle(t).publish(fmt.Sprintf("cached-%d-%v", i, store), nil)
				file := strings.TrimSuffix(address, "model.json") + name
				s.misbehave(file, cached(c.h))
				b.eval(`await (await fetch(`+quote(file)+`)).arrayBuffer()`, nil)
				s.misbehave(file, cached(content(data)))
				k := b.loads(address, store)
				if k.Fault != nil {
					t.Errorf("%+v", k)
				}
				if store && k.Storage.Stored != k.Bytes {
					t.Errorf("%+v", k)
				}
			})
		}
	}

	b.step("an old model.json", func(t *testing.T) { b.oldManifest(t, s, name) })

	// What is wrong at its source is asked for twice, and said.
	b.step("wrong for good", func(t *testing.T) {
		m := s.bundle(t)
		asked := 0
		address := m.publish("wrong", map[string]http.HandlerFunc{"dit": func(w http.ResponseWriter, r *http.Request) {
			asked++
			content(other)(w, r)
		}})
		if f, _ := b.load(address); f == nil || f.Code != "weights-hash" || asked != 2 {
			t.Errorf("asked %d times: %+v", asked, f)
		}
	})
}

// oldManifest has a server say of an old model.json that it is still good.
func (b *tab) oldManifest(t *testing.T, s *server, name string) {
	address := s.bundle(t).publish("cached-manifest", nil)
	text := s.bundle(t).text()
	manifest := func(text []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"always"`)
			w.Header().Set("Cache-Control", "no-cache")
			if r.Header.Get("If-None-Match") != "" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Write(text)
		}
	}
	old := strings.Replace(string(text), name, "old-"+name, 1)
	s.misbehave(address, manifest([]byte(old)))
	b.eval(`await (await fetch(`+quote(address)+`)).arrayBuffer()`, nil)
	s.misbehave(address, manifest(text))
	if k := b.loads(address, false); k.Fault != nil {
		t.Errorf("%+v", k)
	}
}
