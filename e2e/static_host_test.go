package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"undertone/engine/testing/networks"
)

// under is the folder of the origin that a host serves the site from.
const under = "/some/where/"

// host serves one site after another under the same address, as a static host
// does, and can be switched off and on. Beside the site it has pages of others.
type host struct {
	t       *testing.T
	address string // of the origin

	mu       sync.Mutex
	server   *http.Server
	dir      string
	added    string                      // before the title of the page, as some hosts do
	vary     string                      // a header of every answer
	requests []string                    // names within the site
	wrong    map[string]http.HandlerFunc // by name within the site
}

func newHost(t *testing.T, dir string) *host {
	t.Helper()
	h := &host{t: t, dir: dir, wrong: map[string]http.HandlerFunc{}}
	h.start("127.0.0.1:0")
	t.Cleanup(h.stop)
	return h
}

func (h *host) start(address string) {
	h.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.address = "http://" + l.Addr().String()
	h.server = &http.Server{Handler: h}
	go h.server.Serve(l)
}

// stop closes the port and every connection.
func (h *host) stop() { h.server.Close() }

// again listens on the same port after stop.
func (h *host) again() { h.start(strings.TrimPrefix(h.address, "http://")) }

func (h *host) site() string { return h.address + under }

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutPrefix(r.URL.Path, under)
	w.Header().Set("Cache-Control", "no-cache")
	if !ok || name == "other.html" {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>another page</title><link rel="icon" href="data:,">`)
		return
	}
	h.mu.Lock()
	h.requests = append(h.requests, name)
	dir, wrong, added := h.dir, h.wrong[name], h.added
	if h.vary != "" {
		w.Header().Set("Vary", h.vary)
	}
	h.mu.Unlock()
	if wrong != nil {
		wrong(w, r)
		return
	}
	if page, err := os.ReadFile(filepath.Join(dir, "index.html")); added != "" && err == nil && (name == "" || name == "index.html") {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, strings.Replace(string(page), "<title>", added+"<title>", 1))
		return
	}
	if strings.HasSuffix(name, ".webmanifest") {
		w.Header().Set("Content-Type", "application/manifest+json")
	}
	r.Header.Del("If-Modified-Since") // two sites may have been built within its one second
	http.StripPrefix(under, http.FileServer(http.Dir(dir))).ServeHTTP(w, r)
}

// changes has the host add a line to its pages from now on, and send this Vary.
func (h *host) changes(line, vary string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.added, h.vary = line, vary
}

// put replaces the site, as an upload does that is done at once.
func (h *host) put(dir string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dir = dir
}

// misbehave answers a name within the site with f, or as usual when f is nil.
func (h *host) misbehave(name string, f http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrong[name] = f
}

// asked returns the names asked for since the last call.
func (h *host) asked() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	names := h.requests
	h.requests = nil
	return names
}

// A version of a site: number n of those that differ as released or light says.
type version struct {
	kind string
	n    int
	kill bool // the kill switch
}

var (
	versions      = map[version]string{} // the folders of those that are built
	versionsMutex sync.Mutex
)

// of builds a version once for all tests, in a folder of its own.
func (v version) of(t *testing.T, build func(root string) string) string {
	t.Helper()
	smallModel(t)
	versionsMutex.Lock()
	defer versionsMutex.Unlock()
	if versions[v] == "" {
		versions[v] = build(sources(t, v))
	}
	return versions[v]
}

// released builds the small site once more from sources that differ from the
// repository's in a style, a script and the programs, so that all that refers to
// them differs too.
func released(t *testing.T, n int) string {
	t.Helper()
	return version{kind: "released", n: n}.of(t, func(root string) string {
		mark := fmt.Sprintf("/* version %d */\n", n)
		change(t, filepath.Join(root, "web/page.css"), mark)
		change(t, filepath.Join(root, "web/replay.js"), mark)
		for _, program := range []string{"engine.wasm", "page.wasm"} {
			change(t, filepath.Join(root, program), "\x00\x03\x01v"+string(rune(n))) // a custom section of its own
		}
		return siteOf(t, root, smallModel(t))
	})
}

// light builds a site of the same scripts whose page is not the program but one
// script, with which it registers its service worker: for tests of that alone.
func light(t *testing.T, n int) string { return lightOf(t, n, false) }

// lightKilled is light with the kill switch.
func lightKilled(t *testing.T, n int) string { return lightOf(t, n, true) }

func lightOf(t *testing.T, n int, kill bool) string {
	t.Helper()
	return version{"light", n, kill}.of(t, func(root string) string {
		model := filepath.Join(root, "tiny")
		networks.WriteSmall(t, model, 0)
		manifest, err := os.ReadFile(filepath.Join(model, "model.json"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(model, "model.json"), strings.Replace(string(manifest), `"name":"fixture"`, fmt.Sprintf(`"name":"number-%d"`, n), 1))
		for _, program := range []string{"engine.wasm", "page.wasm"} {
			write(t, filepath.Join(root, program), "\x00asm\x01\x00\x00\x00\x00\x03\x01v"+string(rune(n)))
		}
		for from, to := range map[string]string{"index.html": "index.html", "light.js": "web/light.js"} {
			if err := commands(exec.Command("cp", filepath.Join("testdata", "light", from), filepath.Join(root, to))); err != nil {
				t.Fatal(err)
			}
		}
		change(t, filepath.Join(root, "web/light.js"), fmt.Sprintf("undertone.version = %d;\n", n))
		change(t, filepath.Join(root, "web/page.css"), fmt.Sprintf("/* version %d */\n", n))
		if kill {
			return siteOf(t, root, model, "--kill")
		}
		return siteOf(t, root, model)
	})
}

// sources copies what a site is built from into a folder for this version.
func sources(t *testing.T, v version) (root string) {
	t.Helper()
	root = built(t, "versions", fmt.Sprint(v.kind, "-", v.n, "-", v.kill))
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	few := exec.Command("sh", "-c", `tar -C .. --exclude=node_modules -cf - index.html VERSION LICENSE NOTICE web wasm/page/words/zh.json | tar -C "$0" -xf -`, root)
	if err := commands(few, exec.Command("cp", built(t, "engine.wasm"), built(t, "page.wasm"), built(t, "lab.wasm"), built(t, "bench.wasm"), built(t, "wasm_exec.js"), root)); err != nil {
		t.Fatal(err)
	}
	return root
}

// siteOf builds the site of such sources.
func siteOf(t *testing.T, root, model string, flags ...string) string {
	t.Helper()
	out := filepath.Join(root, "site")
	args := append(append([]string{"dist", "--root", root, "--out", out, "--model", model}, inFolder(root)...), flags...)
	if err := commands(exec.Command(built(t, "undertone"), args...)); err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func change(t *testing.T, file, more string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, more...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// files lists a site's files by name.
func files(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			names[filepath.ToSlash(rel)] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// asset finds the one file of a site whose hashed name begins and ends so.
func asset(t *testing.T, dir, begin, end string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "assets", begin+".*"+end))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s*%s: %v, %v", begin, end, found, err)
	}
	return "assets/" + filepath.Base(found[0])
}
