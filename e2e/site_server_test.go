package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"undertone/engine/testing/networks"
)

// programs builds what a site is made of once for all tests, in a folder of its own.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "undertone-site")
	if err != nil {
		return "", err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	wasm := exec.Command("make", "--no-print-directory", "-C", "..", "wasm", "PROGRAM="+dir)
	tool := exec.Command("go", "build", "-o", in("undertone"), "../cmd/undertone")
	tool.Env = append(os.Environ(), "CGO_ENABLED=0")
	return dir, commands(wasm, tool)
})

func commands(list ...*exec.Cmd) error {
	for _, c := range list {
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", c.Args, err, out)
		}
	}
	return nil
}

// build writes the site in the programs' folder, with these models.
func build(name string, models ...string) (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), buildSite(filepath.Join(dir, name), dir, models...)
}

// buildSite writes the site with these models and the program in a folder.
func buildSite(out, program string, models ...string) error {
	dir, err := programs()
	if err != nil {
		return err
	}
	args := []string{"dist", "--root", "..", "--out", out, "--wasm", filepath.Join(program, "undertone.wasm"), "--exec", filepath.Join(program, "wasm_exec.js")}
	for _, m := range models {
		args = append(args, "--model", m)
	}
	return commands(exec.Command(filepath.Join(dir, "undertone"), args...))
}

// converted converts the shipped model into a folder of that name.
func converted(name, precision string) (string, error) {
	model := os.Getenv("UNDERTONE_MODEL")
	if model == "" {
		model = "../models/sprites"
	}
	if _, err := os.Stat(filepath.Join(model, "model.json")); err != nil {
		return "", errNoModel
	}
	dir, err := programs()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "converted", name)
	return out, commands(exec.Command(filepath.Join(dir, "undertone"), "convert", "--to", precision, "--out", out, model))
}

// dist builds the site with the shipped model once for all tests.
var dist = sync.OnceValues(func() (string, error) {
	model, err := converted("sprites", "Q8_0")
	if err != nil {
		return "", err
	}
	return build("dist", model)
})

// bothDist builds it as make dist does, with the model in both precisions.
var bothDist = sync.OnceValues(func() (string, error) {
	large, err := converted("sprites", "Q8_0")
	if err != nil {
		return "", err
	}
	small, err := converted("sprites-q4", "Q4_0")
	if err != nil {
		return "", err
	}
	return build("both", large, small)
})

// smallDist is the same site with the engine's fixture in the shipped model's
// place and under its address: pictures of 16 and 24 pixels, made in milliseconds.
// Its transformer's file has three pieces.
var smallDist = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	return build("small", filepath.Join(dir, "fixture", "sprites"))
})

var errNoModel = errors.New("no model")

// workerPrelude runs in the engine's worker before anything else: it counts what
// is submitted to the GPU, and can take the GPU or the network's good news away.
const workerPrelude = `{
  const line = new BroadcastChannel("test");
  let submits = 0;
  if (globalThis.GPUQueue) {
    const submit = GPUQueue.prototype.submit;
    GPUQueue.prototype.submit = function (list) { submits++; return submit.call(this, list); };
    const request = GPUAdapter.prototype.requestDevice;
    GPUAdapter.prototype.requestDevice = async function (d) { return (globalThis.testDevice = await request.call(this, d)); };
  }
  line.onmessage = ({ data }) => {
    if (data === "count") line.postMessage({ submits });
    if (data === "lose") globalThis.testDevice.destroy();
    if (data === "offline" || data === "online") {
      Object.defineProperty(navigator, "onLine", { value: data === "online", configurable: true });
      dispatchEvent(new Event(data));
    }
  };
}
`

// server serves the site, remembers what was asked for, and can be told to answer
// some addresses in its own way.
type server struct {
	*httptest.Server
	dir string

	prelude string // runs in the engine's worker before its own script

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

// serve serves the site with the shipped model.
func serve(t *testing.T) *server {
	t.Helper()
	dir, err := dist()
	if errors.Is(err, errNoModel) {
		t.Skip("there is no model: put one in models/sprites, or name its folder in UNDERTONE_MODEL")
	}
	if err != nil {
		t.Fatal(err)
	}
	return serveFolder(t, dir)
}

// smallSite serves the site with the small model, for tests to which it does not
// matter what is in the picture.
func smallSite(t *testing.T) *server {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	if fixture := filepath.Join(dir, "fixture", "sprites"); !exists(fixture) {
		networks.WriteSmall(t, fixture, 2*pieceBytes)
	}
	if dir, err = smallDist(); err != nil {
		t.Fatal(err)
	}
	return serveFolder(t, dir)
}

// pairDist builds the small site with a transformer's file of only two pieces, for
// tests that load it hundreds of times.
func pairDist(t *testing.T) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	fixture := filepath.Join(dir, "pair", "sprites")
	networks.WriteSmall(t, fixture, pieceBytes)
	if dir, err = build("pairs", fixture); err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func serveFolder(t *testing.T, dir string) *server {
	s := &server{dir: dir, prelude: workerPrelude, sent: map[string]int64{}, wrong: map[string]http.HandlerFunc{}}
	files := http.FileServer(http.Dir(dir))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests = append(s.requests, r.URL.Path)
		wrong := s.wrong[r.URL.Path]
		s.mu.Unlock()
		w = &metered{w, s, r.URL.Path}
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Access-Control-Allow-Origin", "*") // as many static hosts do
		name := r.URL.Path
		switch {
		case wrong != nil:
			wrong(w, r)
		case name == "/blank.html":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><title>blank</title><link rel="icon" href="data:,">`)
		case strings.HasPrefix(name, "/assets/worker."):
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
