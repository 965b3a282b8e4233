package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const (
	isKept  = `globalThis.undertone?.offline?.state.offline === true && navigator.serviceWorker.controller !== null`
	waiting = `undertone.offline.state.update === "waiting"`
)

// visit opens the site in a browser that may have service workers and waits until
// it is kept.
func visit(t *testing.T, h *host, profile string) *tab {
	t.Helper()
	b := open(t, h.site(), options{serviceWorkers: true, profile: profile})
	b.ready()
	b.until(isKept)
	return b
}

// used lists the files of the site that the page has used, by name.
func (b *tab) used(h *host) (names []string) {
	b.t.Helper()
	var addresses []string
	b.call("site.used", &addresses)
	for _, a := range addresses {
		if name, ok := strings.CutPrefix(a, h.site()); ok {
			names = append(names, name)
		}
	}
	return names
}

// mixed are the hashed names that are not of the site's version.
func mixed(names []string, version map[string]bool) (foreign []string) {
	for _, n := range names {
		if strings.HasPrefix(n, "assets/") && !version[n] {
			foreign = append(foreign, n)
		}
	}
	return foreign
}

// coldStart is how long a page may take, from the navigation, to become usable
// without a network in a browser that has just been started.
const coldStart = 2 * time.Second

// startCold starts a browser again whose server is gone, and fails the test if the
// page never comes up in time: what else the machine does may slow down one of three
// starts, and each is logged.
func startCold(t *testing.T, h *host, profile string) *tab {
	t.Helper()
	for n := 1; ; n++ {
		b := open(t, h.site(), options{serviceWorkers: true, profile: profile})
		b.ready()
		var ms float64
		b.eval(`return performance.now()`, &ms)
		t.Logf("without a network the page was usable after %.0f ms", ms)
		if ms <= coldStart.Seconds()*1000 {
			return b
		}
		if n == 3 {
			t.Errorf("a cold start took %.0f ms, three times more than %v", ms, coldStart)
			return b
		}
		b.close()
	}
}

// TestBrowserColdStart stops the server and the browser, and starts the browser
// alone: the page comes up, says what it needs, and makes the same picture as before.
func TestBrowserColdStart(t *testing.T) {
	h := newHost(t, released(t, 1))
	profile := t.TempDir()
	b := visit(t, h, profile)

	b.step("without weights", func(t *testing.T) {
		h.stop()
		defer h.again()
		b.network(false)
		b.run(chromedp.Reload())
		defer b.network(true)
		b.ready()
		b.until(`!document.querySelector("#offline").hidden`)
		b.until(`document.querySelector("#load-note").textContent.includes("no network")`)
	})
	b.until(`document.querySelector("#offline").hidden`)
	b.loadModel()
	b.field("prompt", "the red frog at night")
	b.generate()
	before := b.canvas(0)
	b.close()
	h.stop()
	h.asked()

	b = startCold(t, h, profile)
	b.until(`document.querySelector("#load-note").textContent.includes("already on this device")`)
	b.loadModel()
	b.field("prompt", "the red frog at night")
	b.generate()
	if after := b.canvas(0); after != before {
		t.Errorf("with a network the picture was %v, without %v", before, after)
	}
}

// TestBrowserColdStartShipped does the same with the shipped model, and then takes its
// smaller version, of which everything that is equal is on this device already.
func TestBrowserColdStartShipped(t *testing.T) {
	h := newHost(t, folderOf(t, bothDist))
	profile := t.TempDir()
	b := visit(t, h, profile)
	draw := func() any {
		b.loadModel()
		b.field("prompt", "two red cats in a field at night, pixel art")
		b.field("seed", "11")
		b.field("steps", "2")
		b.generate()
		return b.canvas(0)
	}
	before := draw()
	b.close()
	h.stop()

	b = startCold(t, h, profile)
	b.until(`document.querySelector("#load-note").textContent.includes("already on this device")`)
	if after := draw(); after != before {
		t.Errorf("with a network the picture was %v, without %v", before, after)
	}

	h.again()
	h.asked()
	var r struct {
		Bytes   int64
		Storage struct{ Stored, Reused int64 }
	}
	b.call("host.loadInfo", &r, "models/sprites-q4/model.json", map[string]any{"device": "cpu", "store": true})
	if r.Bytes == 0 || r.Storage.Stored != r.Bytes || r.Storage.Reused < 2<<20 {
		t.Errorf("of the smaller model: %+v", r)
	}
	for _, name := range h.asked() {
		if strings.Contains(name, "/vae.") || strings.Contains(name, "/tokenizer.") {
			t.Errorf("%s was fetched again", name)
		}
	}
}

// TestBrowserUpdateWhileDrawing puts up a new version while pictures are made: the open page
// keeps its own to the end, and takes the new one when it is told to.
func TestBrowserUpdateWhileDrawing(t *testing.T) {
	t.Parallel()
	one, two := released(t, 1), released(t, 2)
	h := newHost(t, one)
	b := visit(t, h, "")
	b.call("site.beginPictures", nil)
	b.until(`test.site.hashes.length > 0`)

	h.asked()
	h.put(two)
	b.eval(`undertone.offline.check()`, nil)
	b.until(waiting)
	var n int
	b.eval(`return test.site.hashes.length`, &n)
	b.until(fmt.Sprintf(`test.site.hashes.length > %d`, n+1)) // one was begun after the new version was there
	var hashes []string
	b.call("site.endPictures", &hashes)
	if len(hashes) != 1 {
		t.Errorf("the pictures before and after the update came differ: %v", hashes)
	}
	first := files(t, one)
	if m := mixed(b.used(h), first); len(m) != 0 {
		t.Errorf("the page of the first version used %v", m)
	}
	if !b.is(running) {
		t.Error("the page does not run")
	}

	// Another load of the same page is still the first version: nobody has chosen.
	b.run(chromedp.Reload())
	b.until(isKept)
	b.ready()
	if m := mixed(b.used(h), first); len(m) != 0 {
		t.Errorf("after a reload the page used %v", m)
	}
	b.until(waiting)
	b.ready()
	b.field("prompt", "the blue cat")
	b.until(`!document.querySelector("#update .news").hidden`)
	t.Logf("it says: %s", b.text("#update"))
	b.call("site.pressUpdate", nil)
	b.arrive(`!globalThis.old && ` + isKept)
	b.ready()
	b.until(`document.querySelector("#prompt").value === "the blue cat"`)
	var hash string
	b.call("site.picture", &hash)
	if hash != hashes[0] {
		t.Errorf("the second version's picture is %s, the first's %s", hash, hashes[0])
	}
	used := b.used(h)
	if m := mixed(used, files(t, two)); len(m) != 0 || len(used) == 0 {
		t.Errorf("the page of the second version used %v, all in all %v", m, used)
	}
	b.become(`(await caches.keys()).length === 2`) // the second version's and the models'
	b.silent(t)
}

// TestBrowserInstallable asks the browser what it thinks of the manifest.
func TestBrowserInstallable(t *testing.T) {
	t.Parallel()
	h := newHost(t, light(t, 1))
	b := visitLight(t, h)
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		_, faults, data, _, err := page.GetAppManifest().Do(ctx)
		if err != nil {
			return err
		}
		for _, f := range faults {
			t.Errorf("the manifest: line %d: %s", f.Line, f.Message)
		}
		if !strings.Contains(data, "Undertone") {
			t.Errorf("the manifest is %q", data)
		}
		missing, err := page.GetInstallabilityErrors().Do(ctx)
		for _, m := range missing {
			if m.ErrorID != "in-incognito" {
				t.Errorf("it cannot be installed: %s %v", m.ErrorID, m.ErrorArguments)
			}
		}
		return err
	}))
	var prompted bool
	b.call("site.install", &prompted)
	if !prompted {
		t.Error("the browser's offer to install was not taken up")
	}
}
