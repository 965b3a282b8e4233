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

// stall is how long a browser may take none of an answer's bytes.
const stall = time.Minute

// Handler serves the files of a site folder as any static host should: media
// types, byte ranges, strong validators, precompressed twins where they exist,
// and caching by name (content-hashed names for ever, the others always asked again).
// Hidden files, and links that lead out of the folder, are not served.
func Handler(dir string) http.Handler { return &handler{dir: dir, stall: stall} }

type handler struct {
	dir   string
	stall time.Duration
	mu    sync.Mutex
	tags  map[string]tag
}

// patient ends an answer of which nothing is taken. A limit for the whole answer
// would cut off weights on a slow line.
type patient struct {
	http.ResponseWriter
	stall time.Duration
}

func (p patient) wait() {
	// Fails only for writers of tests, which have no connection.
	http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(p.stall))
}

func (p patient) Write(b []byte) (int, error) {
	p.wait()
	return p.ResponseWriter.Write(b)
}

// tag is a file's strong validator, valid while size and time stay the same.
type tag struct {
	size int64
	mod  time.Time
	etag string
}

func (h *handler) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	w := patient{to, h.stall}
	w.wait()
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
	if hidden(name) {
		return fs.ErrNotExist
	}
	root, err := os.OpenRoot(h.dir) // anew each time: the folder may have been built again
	if err != nil {
		return err
	}
	defer root.Close()
	local := filepath.FromSlash(name)
	info, err := root.Stat(local)
	if err != nil || !info.Mode().IsRegular() { // opening a FIFO would wait for a writer
		return fs.ErrNotExist
	}
	f, err := root.Open(local)
	if err != nil {
		return err
	}
	defer f.Close()
	etag, err := h.etag(name, info, f)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag)
	if encoding != "" {
		w.Header().Set("Content-Encoding", encoding)
	}
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

// hidden reports whether a path has a part that begins with a dot, as .git does, or
// a character that is a separator on some systems only.
func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || strings.ContainsAny(name, "\\\x00")
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

// Server makes a server of a site for a listener, whose address may have been given
// with this name. It ends connections that stand idle or send slowly. On loopback it
// answers only to names of this machine: otherwise any page on the web could let its
// own name resolve to loopback, and read the site as if it were its own.
func Server(dir string, l net.Listener, name string) *http.Server {
	h := Handler(dir)
	if loopback(l.Addr()) {
		h = only(h, l.Addr(), name)
	}
	return &http.Server{Handler: h, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

// only refuses requests that are addressed to another host than this machine.
func only(h http.Handler, at net.Addr, name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostOf(r.Host)
		ip := net.ParseIP(host)
		// HTTP/1.0 needs no Host; browsers always send it.
		if host != "" && host != "localhost" && !strings.HasSuffix(host, ".localhost") && host != hostOf(name) && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, fmt.Sprintf("this server runs for its own machine and does not answer to the name %q: open http://%s/", host, at), http.StatusMisdirectedRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// hostOf is a host without its port, in lower case.
func hostOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(address, "[]"), "."))
}

// Serve listens on addr and serves dir until ctx ends. A taken port is an error
// that says how to choose another; an address that other machines reach, a warning.
func Serve(ctx context.Context, addr, dir string, stdout, stderr io.Writer) error {
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
	shown := l.Addr().String()
	if !loopback(l.Addr()) {
		fmt.Fprintf(stderr, "warning: %s can be reached from other machines, and everybody there may read %s; over http their browsers offer no WebGPU. With --addr 127.0.0.1:8080 only this machine is served.\n", shown, dir)
		if t, ok := l.Addr().(*net.TCPAddr); ok && t.IP.IsUnspecified() {
			shown = fmt.Sprintf("localhost:%d", t.Port)
		}
	}
	fmt.Fprintf(stdout, "Undertone is served at http://%s/ (Ctrl+C ends it)\n", shown)
	s := Server(dir, l, addr)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		defer cancel()
		if err := s.Shutdown(stop); err != nil {
			return s.Close()
		}
		return nil
	}
}
