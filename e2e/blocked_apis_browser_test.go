package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// denied is what a browser may refuse: with cookies blocked, in a frame of another
// site, in a private window. Some throw at the mere name.
const denied = `
	const refuse = (o, name) => Object.defineProperty(o, name, { configurable: true, get() { throw new DOMException("planted", "SecurityError"); } });
	for (const name of ["BroadcastChannel", "localStorage", "sessionStorage", "indexedDB", "caches"]) refuse(globalThis, name);
	for (const name of ["storage", "locks", "serviceWorker", "gpu", "clipboard", "share", "wakeLock"]) refuse(navigator, name);
	refuse(crypto, "subtle");`

// TestBrowserDenied opens the page where everything is refused: it starts, loads the
// model, and makes a picture.
func TestBrowserDenied(t *testing.T) {
	s := smallSite(t)
	s.prelude += "{" + denied + "}"
	// The tests' own helpers come after this script, and want a channel.
	script := `{
		const { BroadcastChannel: Channel } = globalThis;
		let last;
		const deny = () => {` + denied + `};
		Object.defineProperty(globalThis, "BroadcastChannel", { configurable: true, get() { queueMicrotask(() => { if (!last) { last = true; deny(); } }); return Channel; } });
	}`
	b := open(t, s.URL, options{script: script, offline: true})
	b.until(`document.querySelector("#load-cpu") && !document.querySelector("#no-webgpu").hidden && !document.querySelector("#load-cpu").disabled`)
	b.run(chromedp.Click("#load-cpu", chromedp.ByQuery))
	b.until(idle)
	b.generate()
	var refused bool
	if b.eval(`try { new BroadcastChannel("x"); return false } catch { return true }`, &refused); !refused {
		t.Error("nothing was refused")
	}
	b.eval(`document.querySelector("#storage").open = true; document.querySelector("#diagnostics").open = true`, nil)
	b.until(`document.querySelector("#diagnostics-text").value`)
	b.run(chromedp.Evaluate(`document.querySelector("#diagnostics-copy").click()`, nil))
	b.generate()
	for _, c := range b.complaints() {
		if !strings.Contains(c, "planted") {
			t.Errorf("the console has %s", c)
		}
	}
}
