package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// lightKept says that the light page is kept.
const lightKept = isKept + ` && undertone.version > 0`

// visitLight opens a light site and waits until it is kept.
func visitLight(t *testing.T, h *host) *tab {
	t.Helper()
	b := open(t, h.site(), options{serviceWorkers: true, noGPU: true})
	b.until(lightKept)
	return b
}

func (b *tab) version() (n int) {
	b.t.Helper()
	b.eval(`await undertone.compiled(); return undertone.version`, &n)
	return n
}

// reload loads the page again and says which version it is.
func (b *tab) reload() int {
	b.t.Helper()
	b.run(chromedp.Reload())
	b.until(lightKept)
	return b.version()
}

// look lets the page look for a new version, to the end of what comes of it.
func (b *tab) look() (update string) {
	b.t.Helper()
	b.call("site.lookForUpdate", &update)
	return update
}

// take presses Update; the page goes on in the new version, of which the expression
// is true.
func (b *tab) take(expression string) {
	b.t.Helper()
	b.call("site.takeUpdate", nil)
	b.arrive(`!globalThis.old && ` + expression)
}

// TestBrowserBrokenUpdate puts up versions that cannot be whole: the one that is
// there goes on serving, with and without the server, until one comes that is.
func TestBrowserBrokenUpdate(t *testing.T) {
	t.Parallel()
	one, two := light(t, 1), light(t, 2)
	h := newHost(t, one)
	b := visitLight(t, h)
	style := asset(t, two, "page", ".css")
	good, err := os.ReadFile(filepath.Join(two, style))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 1
	old, err := os.ReadFile(filepath.Join(one, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	answer := func(body []byte, kind string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Write(body)
		}
	}
	greeting := []byte("<!doctype html>hello")
	for _, c := range []struct {
		what    string
		names   []string
		f       http.HandlerFunc
		refused string
	}{
		// First those in which no version begins to be installed: one that another case began
		// could end in them, with all its files good.
		{"the service worker does not parse", []string{"sw.js"}, answer([]byte("const site = {"), "text/javascript"), "sw.js"},
		{"a page in place of the service worker", []string{"sw.js"}, answer(greeting, "text/html"), "sw.js"},
		{"no service worker", []string{"sw.js"}, http.NotFound, "sw.js"},
		{"a file is missing", []string{style}, http.NotFound, style},
		{"a file has a flipped bit", []string{style}, answer(flipped, "text/css"), style},
		{"a file is cut short", []string{style}, answer(good[:len(good)-1], "text/css"), style},
		{"a page in place of a file", []string{style}, answer(greeting, "text/html"), style},
		{"the page is still the old one", []string{"", "index.html"}, answer(old, "text/html"), "index.html"},
	} {
		b.step(c.what, func(t *testing.T) {
			for _, name := range c.names {
				h.misbehave(name, c.f)
				defer h.misbehave(name, nil)
			}
			// The browser looks by itself, too: it never finds the new version whole.
			h.put(two)
			defer h.put(one)
			h.asked()
			if update := b.look(); update != "" {
				t.Errorf("the update is %q", update)
			}
			var refused string
			if b.eval(`return undertone.offline.state.refused`, &refused); refused != c.refused {
				t.Errorf("the page was told that %q was refused", refused)
			}
			if asked := h.asked(); !slices.Contains(asked, c.names[0]) {
				t.Errorf("the browser did not look: it asked for %v", asked)
			}
			if n := b.reload(); n != 1 {
				t.Errorf("the page is version %d", n)
			}
			if m := mixed(b.used(h), files(t, one)); len(m) != 0 {
				t.Errorf("the page used %v", m)
			}
		})
	}
	h.put(two)
	h.stop()
	if n := b.reload(); n != 1 {
		t.Errorf("without the server the page is version %d", n)
	}
	h.again()
	if update := b.look(); update != "waiting" {
		t.Errorf("the whole version is %q", update)
	}
	b.take(`globalThis.undertone?.version === 2 && ` + lightKept)
}

// TestBrowserUpdateTabs updates in one of two tabs: the other keeps its version, files
// that it had not asked for included, until it is loaded again.
func TestBrowserUpdateTabs(t *testing.T) {
	t.Parallel()
	one, two := light(t, 1), light(t, 2)
	h := newHost(t, one)
	b := visitLight(t, h)
	other := b.another(h.site())
	other.until(lightKept)

	h.put(two)
	if update := b.look(); update != "waiting" {
		t.Fatalf("the update is %q", update)
	}
	b.take(`globalThis.undertone?.version === 2 && ` + lightKept)
	other.until(`undertone.offline.state.update === "chosen"`)
	if n := other.version(); n != 1 { // fetches the program, which the tab had not needed
		t.Errorf("the other tab is version %d", n)
	}
	if m := mixed(other.used(h), files(t, one)); len(m) != 0 {
		t.Errorf("the other tab used %v", m)
	}
	if n := other.reload(); n != 2 {
		t.Errorf("loaded again, the other tab is version %d", n)
	}
}

// TestBrowserKillSwitch puts up the kill switch and looks at what is left.
func TestBrowserKillSwitch(t *testing.T) {
	t.Parallel()
	h := newHost(t, light(t, 1))
	b := visitLight(t, h)
	b.call("otherData.openCaches", nil, "somebody's", "undertone", "undertone "+h.address+"/")
	two := lightKilled(t, 2)
	h.put(two)
	gone := `!(await navigator.serviceWorker.getRegistration()) && !(await caches.keys()).some((name) => name.includes("` + under + `"))`
	b.eval(`undertone.offline.check()`, nil)
	b.become(gone)
	for range 2 {
		b.run(chromedp.Reload())
		b.until(`undertone.version === 2`)
		b.become(gone)
	}
	var theirs []string
	if b.eval(`return caches.keys()`, &theirs); len(theirs) != 3 {
		t.Errorf("the caches of others: %q", theirs)
	}
	h.put(light(t, 3))
	if n := b.reload(); n != 3 {
		t.Errorf("after the kill switch comes version %d", n)
	}
}

// TestBrowserUpdateKeepsOtherData updates five times, with weights in the store and beside
// others on the same origin: the weights and the others' caches, files and pages are
// as they were, and one version of the page is all that is left.
func TestBrowserUpdateKeepsOtherData(t *testing.T) {
	t.Parallel()
	h := newHost(t, light(t, 1))
	b := visitLight(t, h)
	type stored struct{ Used, Stored, Right int64 }
	var before, after stored
	b.call("otherData.write", nil)
	b.call("site.storeWeights", nil, pieceBytes)
	b.call("site.storedWeights", &before)
	if before != (stored{5 * pieceBytes / 2, 5 * pieceBytes / 2, 3}) {
		t.Fatalf("the weights before the updates: %+v", before)
	}
	for n := 2; n <= 6; n++ {
		h.put(light(t, n))
		if update := b.look(); update != "waiting" {
			t.Fatalf("update %d is %q", n, update)
		}
		b.take(fmt.Sprintf(`globalThis.undertone?.version === %d && `, n) + lightKept)
		b.version()
	}
	if b.call("site.storedWeights", &after); after != before {
		t.Errorf("of the weights %+v there is %+v", before, after)
	}
	var theirs []string
	if b.call("otherData.read", &theirs); strings.Join(theirs, " ") != "file cache base local" {
		t.Errorf("what is theirs: %q", theirs)
	}
	b.become(`(await caches.keys()).length === 3`) // theirs, the last version's and the models'
	var name string
	if b.call("site.modelName", &name, "models/tiny/model.json"); name != "number-6" {
		t.Errorf("the model is %q", name)
	}

	h.asked()
	b.run(chromedp.Navigate(h.site() + "other.html"))
	b.until(`document.title === "another page"`)
	h.stop()
	var offline string
	if b.call("site.fetched", &offline, under+"other.html"); offline != "refused" {
		t.Errorf("without the server another page was %s", offline)
	}
	if b.call("site.modelName", &name, under+"models/tiny/model.json"); name != "number-6" {
		t.Errorf("without the server the model is %q", name)
	}
}
