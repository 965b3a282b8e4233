package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// lightKept says that the light page is kept.
const lightKept = isKept + ` && undertone.version > 0`

// visitLight opens a light site and waits until it is kept.
func visitLight(t *testing.T, h *host) *tab {
	t.Helper()
	b := open(t, h.site(), options{offline: true, noGPU: true})
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
	b.eval(`
		const r = await navigator.serviceWorker.getRegistration();
		const found = new Promise((done) => r.addEventListener("updatefound", () => done(r.installing ?? r.waiting), { once: true }));
		await undertone.offline.check();
		const next = await Promise.race([found, test.sleep(5000)]);
		const over = ["installed", "activated", "redundant"];
		while (next && !over.includes(next.state)) await test.sleep(20);
		for (let i = 0; next?.state === "installed" && !undertone.offline.state.update && i < 500; i++) await test.sleep(20);
		return undertone.offline.state.update`, &update)
	return update
}

// take presses Update; the page goes on in the new version, of which the expression
// is true.
func (b *tab) take(expression string) {
	b.t.Helper()
	b.run(chromedp.Evaluate(`globalThis.old = true; setTimeout(undertone.offline.update, 100); 0`, nil))
	b.arrive(`!globalThis.old && ` + expression)
}

// arrive waits for an expression to become true across navigations, which end what
// is being evaluated.
func (b *tab) arrive(expression string) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var is bool
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		err := chromedp.Run(ctx, chromedp.Evaluate(`Boolean(`+expression+`)`, &is))
		cancel()
		if is {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("it does not become true: %s: %v", expression, err)
		}
	}
}

// TestBrowserP3BrokenUpdate puts up versions that cannot be whole: the one that is
// there goes on serving, with and without the server, until one comes that is.
func TestBrowserP3BrokenUpdate(t *testing.T) {
	one, two := light(t, 1), light(t, 2)
	h := newHost(t, one)
	b := visitLight(t, h)
	h.put(two)
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
		{"a file is missing", []string{style}, http.NotFound, style},
		{"a file has a flipped bit", []string{style}, answer(flipped, "text/css"), style},
		{"a file is cut short", []string{style}, answer(good[:len(good)-1], "text/css"), style},
		{"a page in place of a file", []string{style}, answer(greeting, "text/html"), style},
		{"the page is still the old one", []string{"", "index.html"}, answer(old, "text/html"), "index.html"},
		{"the service worker does not parse", []string{"sw.js"}, answer([]byte("const site = {"), "text/javascript"), "sw.js"},
		{"a page in place of the service worker", []string{"sw.js"}, answer(greeting, "text/html"), "sw.js"},
		{"no service worker", []string{"sw.js"}, http.NotFound, "sw.js"},
	} {
		b.step(c.what, func(t *testing.T) {
			for _, name := range c.names {
				h.misbehave(name, c.f)
				defer h.misbehave(name, nil)
			}
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

// TestBrowserP4Tabs updates in one of two tabs: the other keeps its version, files
// that it had not asked for included, until it is loaded again.
func TestBrowserP4Tabs(t *testing.T) {
	one, two := light(t, 1), light(t, 2)
	h := newHost(t, one)
	b := visitLight(t, h)
	other := b.second(h.site())
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

// TestBrowserP5KillSwitch puts up the kill switch and looks at what is left.
func TestBrowserP5KillSwitch(t *testing.T) {
	h := newHost(t, light(t, 1))
	b := visitLight(t, h)
	b.eval(`
		await (await caches.open("somebody's")).put("/theirs", new Response("data"));
		for (const name of ["undertone", "undertone `+h.address+`/"]) await caches.open(name);`, nil)
	two := light(t, 2, "--kill")
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

// TestBrowserP6Neighbours updates five times, with weights in the store and beside
// others on the same origin: the weights and the others' caches, files and pages are
// as they were, and one version of the page is all that is left.
func TestBrowserP6Neighbours(t *testing.T) {
	h := newHost(t, light(t, 1))
	b := visitLight(t, h)
	const look = `
		const their = await (await caches.open("somebody's")).match("/theirs");
		const root = await navigator.storage.getDirectory();
		const file = await (await (await root.getFileHandle("theirs")).getFile()).text();
		return [await their?.text(), file, localStorage.theirs]`
	b.eval(`
		await (await caches.open("somebody's")).put("/theirs", new Response("data"));
		const w = await (await (await navigator.storage.getDirectory()).getFileHandle("theirs", { create: true })).createWritable();
		await w.write("data");
		await w.close();
		localStorage.theirs = "data";`, nil)
	const weights = `
		const { used, models } = await undertone.store.survey();
		const pieces = await (await (await navigator.storage.getDirectory()).getDirectoryHandle("undertone")).getDirectoryHandle("pieces");
		let right = 0;
		for await (const [name, handle] of pieces.entries())
			if (name === await test.digest(await (await handle.getFile()).arrayBuffer())) right++;
		return { used, stored: models[0]?.stored, right }`
	type stored struct{ Used, Stored, Right int64 }
	var before, after stored
	b.eval(`{
		const pieces = [], files = [{ path: "dit.gguf", bytes: 2.5 * `+fmt.Sprint(pieceBytes)+`, pieces }];
		for (const length of [1, 1, 0.5]) {
			const bytes = new Uint8Array(length * `+fmt.Sprint(pieceBytes)+`).fill(pieces.length + 1);
			pieces.push(await test.digest(bytes));
			const ours = await (await navigator.storage.getDirectory()).getDirectoryHandle("undertone", { create: true });
			const w = await (await (await ours.getDirectoryHandle("pieces", { create: true })).getFileHandle(pieces.at(-1), { create: true })).createWritable();
			await w.write(bytes);
			await w.close();
		}
		await undertone.store.remember(location.href + "models/tiny/model.json", JSON.stringify({ name: "tiny", files }), true);
		}`+weights, &before)
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
	if b.eval(weights, &after); after != before {
		t.Errorf("of the weights %+v there is %+v", before, after)
	}
	var theirs []string
	if b.eval(look, &theirs); strings.Join(theirs, " ") != "data data data" {
		t.Errorf("what is theirs: %q", theirs)
	}
	b.become(`(await caches.keys()).length === 3`) // theirs, the last version's and the models'
	var name string
	b.eval(`return (await (await fetch("models/tiny/model.json")).json()).name`, &name)
	if name != "number-6" {
		t.Errorf("the model is %q", name)
	}

	h.asked()
	b.run(chromedp.Navigate(h.site() + "other.html"))
	b.until(`document.title === "another page"`)
	h.stop()
	var offline string
	b.eval(`return fetch("`+under+`other.html").then(() => "answered", () => "refused")`, &offline)
	if offline != "refused" {
		t.Errorf("without the server another page was %s", offline)
	}
	b.eval(`return fetch("`+under+`models/tiny/model.json").then((r) => r.json()).then((m) => m.name)`, &name)
	if name != "number-6" {
		t.Errorf("without the server the model is %q", name)
	}
}
