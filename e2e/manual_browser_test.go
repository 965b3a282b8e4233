package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserManual reads the pages that docs/ becomes: from the app's foot to a page of
// it, and back, without a fault of accessibility or anything wider than a phone.
func TestBrowserManual(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true})
	b.ready()
	var docs string
	b.eval(`return document.querySelector("[data-text=LinkDocs]").href`, &docs)
	if docs != s.URL+"/docs/index.html" {
		t.Fatalf("the page's link to its documentation is %q", docs)
	}
	b.run(chromedp.Navigate(docs))
	b.rules(t, script, "index")
	b.click(`main a[href="models.html"]`)
	b.run(chromedp.WaitVisible("#published-models", chromedp.ByQuery))
	b.rules(t, script, "models")
	b.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
	b.rules(t, script, "phone")
	var over float64
	if b.eval(`return document.documentElement.scrollWidth - innerWidth`, &over); over > 0 {
		t.Errorf("the page is %.0f pixels wider than the screen", over)
	}
	b.click(`header a.name`)
	b.run(chromedp.WaitVisible("#stage", chromedp.ByQuery))
	b.ready()
	b.quiet(t)
}
