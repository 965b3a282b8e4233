package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// server serves the site, remembers what was asked for, and can be told to answer
// some addresses in its own way.
type server struct {
	*httptest.Server
	dir string

	prelude string            // runs in the engine's worker before its own script
	headers map[string]string // of every answer, besides

	mu       sync.Mutex
	requests []string
	sent     map[string]int64            // bytes of bodies, by path
	wrong    map[string]http.HandlerFunc // by path
}

// metered counts the bytes of a body.
type metered struct {
	http.ResponseWriter
	s    *server
	path string
}

func (m *metered) Write(p []byte) (int, error) {
	n, err := m.ResponseWriter.Write(p)
	m.s.mu.Lock()
	m.s.sent[m.path] += int64(n)
	m.s.mu.Unlock()
	return n, err
}

func (m *metered) Flush() { m.ResponseWriter.(http.Flusher).Flush() }

// bytes returns how much was sent of paths that contain part, and forgets it.
func (s *server) bytes(part string) (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, k := range s.sent {
		if strings.Contains(p, part) {
			n += k
			delete(s.sent, p)
		}
	}
	return n
}

// serveFolder serves a site that was built.
func serveFolder(t *testing.T, dir string) *server {
	s := &server{dir: dir, prelude: countSubmits, sent: map[string]int64{}, wrong: map[string]http.HandlerFunc{}}
	files := http.FileServer(http.Dir(dir))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.URL.Path)
		wrong := s.wrong[r.URL.Path]
		s.mu.Unlock()
		w = &metered{w, s, r.URL.Path}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Access-Control-Allow-Origin", "*") // as many static hosts do
		for name, value := range s.headers {
			w.Header().Set(name, value)
		}
		name := r.URL.Path
		switch {
		case wrong != nil:
			wrong(w, r)
		case name == "/blank.html":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><title>blank</title><link rel="icon" href="data:,">`)
		// Not for who only compares the script with its hash (web/trusted.js).
		case strings.HasPrefix(name, "/assets/worker.") && r.Header.Get("Sec-Fetch-Dest") == "worker":
			script, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			w.Header().Set("Content-Type", "text/javascript")
			w.Write(append([]byte(s.prelude), script...))
		default:
			files.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// misbehave answers an address with h instead of the file.
func (s *server) misbehave(path string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wrong[path] = h
}

// asked returns the requested paths that contain part, and forgets nothing.
func (s *server) asked(part string) (paths []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.requests {
		if strings.Contains(p, part) {
			paths = append(paths, p)
		}
	}
	return paths
}
