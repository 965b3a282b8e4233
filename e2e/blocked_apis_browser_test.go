package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserBlockedAPIs opens the page where everything is refused that a browser may
// refuse: it starts, loads the
// model, and makes a picture.
func TestBrowserBlockedAPIs(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.prelude += script("before/block_apis.js")
	b := open(t, s.URL, options{before: script("before/block_apis.js"), serviceWorkers: true})
	b.until(onCPU)
	b.run(chromedp.Click("#load-cpu", chromedp.ByQuery))
	b.until(idle)
	b.generate()
	var refused bool
	if b.eval(`try { new BroadcastChannel("x") } catch { return true }`, &refused); !refused {
		t.Error("nothing was refused")
	}
	b.eval(`document.querySelector("#storage").open = true; document.querySelector("#diagnostics").open = true`, nil)
	b.until(`document.querySelector("#diagnostics-text").value`)
	b.run(chromedp.Evaluate(`document.querySelector("#diagnostics-copy").click()`, nil))
	b.generate()
	b.quiet(t)
}
