package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// incomplete says that the page tells that a part of it is missing.
const incomplete = `document.querySelector("#broken")?.hidden === false`

// arrivals are the ways in which a file does not arrive as it was built.
func arrivals(t *testing.T, file string) map[string]http.HandlerFunc {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kind := map[string]string{".js": "text/javascript", ".wasm": "application/wasm"}[filepath.Ext(file)]
	send := func(kind string, text []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Write(text)
		}
	}
	at := len(text) / 2
	if filepath.Ext(file) == ".js" {
		at = bytes.LastIndexByte(text, '}') // so that it does not parse: half of a script may
	}
	return map[string]http.HandlerFunc{
		"not found":  http.NotFound,
		"a page":     html(http.StatusOK),
		"wrong type": send("application/octet-stream", text),
		"cut":        send(kind, text[:at]),
		"empty":      send(kind, nil),
		"changed":    send(kind, flipped(file, text)),
	}
}

// flipped is a file of which one bit is another: in a script and a style within a comment,
// so that either would do as before, in a text file within a text, in a program within its
// last data.
func flipped(name string, data []byte) []byte {
	data = bytes.Clone(data)
	at := len(data) - 100
	switch filepath.Ext(name) {
	case ".js":
		at = bytes.Index(data, []byte("// ")) + 4
	case ".css":
		at = bytes.Index(data, []byte("/* ")) + 4
	case ".json":
		at = bytes.Index(data, []byte(`": "`)) + 4
	}
	data[at] ^= 1
	return data
}

// parts are the scripts and the program that a page has used, by path.
func (b *tab) parts() (paths []string) {
	b.t.Helper()
	b.call("site.programs", &paths)
	return paths
}

// TestBrowserBoot lets each script, and the program, not arrive in every way: the page
// says so within seconds and offers to reload, which helps as soon as the file is there.
func TestBrowserBoot(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true})
	b.until(running)
	parts := b.parts()
	if len(parts) < 9 || !slices.Contains(parts, "/boot.js") {
		t.Fatalf("the page uses %v", parts)
	}
	var asked []string // for by index.html
	b.call("site.requested", &asked)
	for _, name := range parts {
		if !slices.Contains(asked, name) {
			t.Errorf("index.html does not preload %s, so that it is fetched late", name)
		}
		ways := arrivals(t, filepath.Join(s.dir, name))
		if name == "/boot.js" { // the page does without it, but not with another
			ways = map[string]http.HandlerFunc{"not found": http.NotFound, "changed": ways["changed"]}
		}
		for how, h := range ways {
			if strings.HasSuffix(name, ".js") && (how == "cut" || how == "empty") {
				continue // where a browser compares scripts with their hashes, as "changed"
			}
			b.step(name+" "+how, func(t *testing.T) {
				s.misbehave(name, h)
				defer s.misbehave(name, nil)
				b.boot(t, s.URL, name, how)
			})
		}
	}
	b.complaints()

	press := `document.querySelector("#broken button").click()`
	for _, name := range parts {
		if !strings.Contains(name, "/store.") {
			continue
		}
		b.step("a cache holds "+name, func(t *testing.T) {
			s.misbehave(name, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Cache-Control", "max-age=31536000, immutable")
				http.Error(w, "<!doctype html>", http.StatusOK)
			})
			b.run(chromedp.Navigate(s.URL))
			b.until(incomplete)
			s.misbehave(name, nil)
			b.run(chromedp.Navigate(s.URL)) // without the button it is still the same
			b.until(incomplete)
			b.run(chromedp.Evaluate(press, nil))
			b.arrive(running)
		})
	}
}

// boot opens the page, one of whose files does not arrive as it was built.
func (b *tab) boot(t *testing.T, address, name, how string) {
	start := time.Now()
	b.run(chromedp.Navigate(address))
	if name == "/boot.js" && how == "not found" || how == "wrong type" && strings.HasSuffix(name, ".wasm") {
		b.until(running)
		return
	}
	b.until(incomplete)
	var state, text string
	b.eval(`return document.documentElement.dataset.state`, &state)
	if text = b.text("#broken"); state != "failed" || !strings.Contains(text, "Reload") {
		t.Errorf("the page is %s and says %q", state, text)
	}
	if how == "not found" || how == "changed" {
		for !strings.Contains(text, strings.TrimPrefix(name, "/")) { // which one it is, boot.js finds out last
			if time.Since(start) > 10*time.Second {
				t.Errorf("it does not name the file: %q", text)
				break
			}
			text = b.text("#broken")
		}
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v", d)
	}
}

// TestBrowserBootProgram has only the first answer of the program be wrong, and stay in
// the browser's cache: it is asked for again past the cache.
func TestBrowserBootProgram(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{noGPU: true})
	program := "/" + asset(t, s.dir, "page", ".wasm")
	ways := arrivals(t, filepath.Join(s.dir, program))
	for _, how := range []string{"a page", "cut"} {
		b.step(how, func(t *testing.T) {
			s.misbehave(program, func(w http.ResponseWriter, r *http.Request) {
				s.misbehave(program, nil)
				w.Header().Set("Cache-Control", "max-age=31536000, immutable")
				ways[how](w, r)
			})
			b.run(chromedp.Navigate(s.URL))
			b.until(running)
		})
	}
	b.step("another program in the worker", func(t *testing.T) {
		b.run(chromedp.Navigate(s.URL + "/blank.html"))
		var answer struct {
			Type string
			ID   int
			Body string
		}
		b.call("workerFailures.foreignProgram", &answer, "/"+asset(t, s.dir, "worker", ".js"), 10000)
		if answer.Type != "error" || answer.ID != 0 || !strings.Contains(answer.Body, "worker-failed") || !strings.Contains(answer.Body, "did not start") {
			t.Errorf("the worker answers %+v", answer)
		}
	})
}

// TestBrowserBootWords tells it in Chinese, without a style, and where the page runs
// but lacks a style.
func TestBrowserBootWords(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true, before: `Object.defineProperty(navigator, "languages", { value: ["de", "zh-CN", "en"] });`})
	b.until(running)
	parts := b.parts()
	script := parts[slices.IndexFunc(parts, func(p string) bool { return strings.Contains(p, "/protocol.") })]
	style := "/" + asset(t, s.dir, "page", ".css")

	s.misbehave(script, http.NotFound)
	s.misbehave(style, http.NotFound)
	b.run(chromedp.Navigate(s.URL))
	b.until(incomplete)
	for _, language := range []string{"zh-Hans", "en"} {
		text := b.text("#broken")
		if !strings.Contains(text, map[string]string{"zh-Hans": "重新加载", "en": "Reload it"}[language]) || !strings.Contains(text, script[1:]) || !strings.Contains(text, style[1:]) {
			t.Errorf("%s: it says %q", language, text)
		}
		b.eval(`localStorage.setItem("undertone.language", "en")`, nil)
		b.run(chromedp.Navigate(s.URL))
		b.until(incomplete)
	}
	s.misbehave(script, nil)
	b.run(chromedp.Navigate(s.URL))
	b.until(running + " && " + incomplete)
	if text := b.text("#broken"); strings.Contains(text, script[1:]) || !strings.Contains(text, style[1:]) {
		t.Errorf("without its style the page says %q", text)
	}
	s.misbehave(style, nil)
	b.run(chromedp.Navigate(s.URL))
	b.until(running)
	b.until(`document.readyState === "complete"`)
	if !b.is(`document.querySelector("#broken").hidden`) {
		t.Errorf("the whole page says %q", b.text("#broken"))
	}
}

// TestBrowserBootUpdate loses a script of the version that the browser keeps, when the
// site holds the next one already: that is taken without a question.
func TestBrowserBootUpdate(t *testing.T) {
	t.Parallel()
	one, two := released(t, 1), released(t, 2)
	h := newHost(t, one)
	b := visit(t, h, "")
	h.put(two)
	b.corrupt(asset(t, one, "page", ".js"), "evil")
	b.call("site.reload", nil)
	b.arrive(`!globalThis.old && ` + running)
	if m := mixed(b.used(h), files(t, two)); len(m) != 0 {
		t.Errorf("the second version's page used %v", m)
	}
}
