package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Handler serves the files of a site folder as any static host should: media
// types, byte ranges, strong validators, precompressed twins where they exist,
// and caching by name (content-hashed names for ever, the others always asked again).
func Handler(dir string) http.Handler { return &handler{root: os.DirFS(dir)} }

type handler struct {
	root fs.FS
	mu   sync.Mutex
	tags map[string]tag
}

// tag is a file's strong validator, valid while size and time stay the same.
type tag struct {
	size int64
	mod  time.Time
	etag string
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are served", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
	if name == "" || strings.HasSuffix(r.URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	head := w.Header()
	for key, value := range headers(name) {
		head.Set(key, value)
	}
	head.Add("Vary", "Accept-Encoding")
	// A range of a compressed twin would be a range of other bytes than the
	// client means, so ranges are always of the plain file.
	if r.Header.Get("Range") == "" {
		for _, c := range []struct{ token, ext string }{{"br", ".br"}, {"gzip", ".gz"}} {
			if accepts(r.Header.Get("Accept-Encoding"), c.token) && h.open(w, r, name+c.ext, c.token) == nil {
				return
			}
		}
	}
	if err := h.open(w, r, name, ""); err != nil {
		head.Del("Cache-Control")
		head.Del("Content-Security-Policy")
		head.Set("Content-Type", types[".txt"])
		http.Error(w, "no such file: /"+name, http.StatusNotFound)
	}
}

func (h *handler) open(w http.ResponseWriter, r *http.Request, name, encoding string) error {
	f, err := h.root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return fs.ErrNotExist
	}
	seeker, ok := f.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("%s cannot be sought", name)
	}
	etag, err := h.etag(name, info, seeker)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag)
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
	}
	http.ServeContent(w, r, "", info.ModTime(), seeker)
	return nil
}

func (h *handler) etag(name string, info fs.FileInfo, r io.ReadSeeker) (string, error) {
	h.mu.Lock()
	t, ok := h.tags[name]
	h.mu.Unlock()
	if ok && t.size == info.Size() && t.mod.Equal(info.ModTime()) {
		return t.etag, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return "", err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	t = tag{info.Size(), info.ModTime(), `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tags == nil {
		h.tags = map[string]tag{}
	}
	h.tags[name] = t
	return t.etag, nil
}

// accepts reports whether an Accept-Encoding header names the coding with a
// weight other than 0.
func accepts(header, coding string) bool {
	for _, part := range strings.Split(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q = strings.ReplaceAll(q, " ", "")
			return q != "q=0" && q != "q=0.0" && q != "q=0.00" && q != "q=0.000"
		}
	}
	return false
}

// Serve listens on addr and serves dir until ctx ends. A taken port is an error
// that says how to choose another.
func Serve(ctx context.Context, addr, dir string, stdout io.Writer) error {
	if _, err := os.Stat(filepath.Join(dir, "index.html")); err != nil {
		return fmt.Errorf("%s holds no index.html: run make dist first", dir)
	}
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		host, _, _ := net.SplitHostPort(addr)
		return fmt.Errorf("%s is taken by another program: choose another port, for example make run ADDR=%s", addr, net.JoinHostPort(host, "8081"))
	}
	if err != nil {
		return fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	fmt.Fprintf(stdout, "Undertone is served at http://%s/ (Ctrl+C ends it)\n", l.Addr())
	s := &http.Server{Handler: Handler(dir), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := s.Shutdown(stop); err != nil {
			return s.Close()
		}
		return nil
	}
}
