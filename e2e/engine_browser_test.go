package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserEngineWithModel: the engine's program is fetched with the first model and
// not before, once, and kept from then on by every version of the site.
func TestBrowserEngineWithModel(t *testing.T) {
	t.Parallel()
	one, two := released(t, 1), released(t, 2)
	page, first, second := asset(t, one, "page", ".wasm"), asset(t, one, "engine", ".wasm"), asset(t, two, "engine", ".wasm")
	h := newHost(t, one)
	b := visit(t, h, "")
	if asked := h.asked(); !slices.Contains(asked, page) || slices.Contains(asked, first) {
		t.Errorf("to be read, the page asks for %q", asked)
	}
	b.call("site.picture", nil)
	asked := h.asked()
	if n := len(slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return name != first })); n != 1 {
		t.Errorf("with the model, the engine was asked for %d times: %q", n, asked)
	}

	h.stop()
	b.call("site.picture", nil)
	b.run(chromedp.Reload())
	b.until(usable)
	b.call("site.picture", nil)
	h.again()

	h.put(two)
	b.eval(`undertone.offline.check()`, nil)
	b.until(waiting)
	if asked := h.asked(); !slices.Contains(asked, second) {
		t.Errorf("of the second version, with a model stored, the browser asks for %q", asked)
	}
}

// TestBrowserEngineBeforeServiceWorker loads a model in the first visit, before a service
// worker serves the page: what was fetched past it is kept all the same.
func TestBrowserEngineBeforeServiceWorker(t *testing.T) {
	t.Parallel()
	h := newHost(t, released(t, 1))
	program := asset(t, h.dir, "engine", ".wasm")
	loaded := make(chan struct{})
	h.misbehave("sw.js", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-loaded:
		case <-time.After(time.Minute):
		}
		script, err := os.ReadFile(filepath.Join(h.dir, "sw.js"))
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(script)
	})
	b := open(t, h.site(), options{serviceWorkers: true})
	b.until(usable)
	b.call("site.picture", nil)
	close(loaded)
	b.until(isKept)
	b.become(`(await caches.match("` + program + `"))`)
	h.stop()
	b.run(chromedp.Reload())
	b.until(usable)
	b.call("site.picture", nil)
	for _, c := range b.complaints() {
		if !strings.Contains(c, "ERR_CONNECTION_REFUSED") && !strings.Contains(c, "ERR_INTERNET_DISCONNECTED") {
			t.Errorf("the page complains: %s", c)
		}
	}
}

// TestBrowserEngineOfWaitingVersion loads the first model while a new version waits,
// which was installed without the engine: it fetches its own then. The host still has
// the program of the version before.
func TestBrowserEngineOfWaitingVersion(t *testing.T) {
	t.Parallel()
	one, two := released(t, 1), released(t, 2)
	first, second := asset(t, one, "engine", ".wasm"), asset(t, two, "engine", ".wasm")
	h := newHost(t, one)
	b := visit(t, h, "")
	h.put(two)
	h.misbehave(first, func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(one, filepath.FromSlash(first)))
	})
	b.eval(`undertone.offline.check()`, nil)
	b.until(waiting)
	if asked := h.asked(); slices.Contains(asked, second) {
		t.Errorf("without a model the second version asks for %q", asked)
	}
	b.call("site.picture", nil)
	b.become(`(await caches.match("` + second + `"))`)
}

// TestBrowserEngineArrives lets the engine's program not arrive in every way: loading a
// model says so, and succeeds in the same page as soon as the file is there.
func TestBrowserEngineArrives(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{noGPU: true})
	program := "/" + asset(t, s.dir, "engine", ".wasm")
	load := func() (result string) {
		b.eval(`
			const { Undertone } = await import("/undertone.js");
			try {
				const u = await Undertone.load("/models/sprites/model.json", { device: "cpu" });
				u.close();
				return "loaded on " + u.info.adapter;
			} catch (error) {
				return error.code + ": " + error.message;
			}`, &result)
		return result
	}
	ways := arrivals(t, filepath.Join(s.dir, program))
	for _, how := range []string{"not found", "a page", "cut", "empty", "changed"} {
		b.step(how, func(t *testing.T) {
			s.misbehave(program, ways[how])
			if got := load(); !strings.HasPrefix(got, "worker-failed: The engine could not be fetched: ") {
				t.Errorf("it says %q", got)
			}
		})
	}
	s.misbehave(program, nil)
	for end := time.Now().Add(patience); len(b.workers()) > 0 && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	for _, name := range []string{"worker", "protocol", "replay", "store", "wasm_exec"} {
		b.step(name+" changed", func(t *testing.T) {
			script := "/" + asset(t, s.dir, name, ".js")
			s.misbehave(script, arrivals(t, filepath.Join(s.dir, script))["changed"])
			defer s.misbehave(script, nil)
			if got := load(); !strings.HasPrefix(got, "worker-failed: The engine could not be fetched: ") || !strings.Contains(got, script) {
				t.Errorf("it says %q", got)
			}
			if n := len(b.workers()); n != 0 { // one that had begun would be there for a second
				t.Errorf("%d workers run", n)
			}
		})
	}
	b.step("wrong type", func(t *testing.T) {
		s.misbehave(program, ways["wrong type"])
		if got := load(); got != "loaded on wasm, 1 core, SIMD" {
			t.Errorf("it says %q", got)
		}
	})
}
