package e2e

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// starts presses Start as soon as it can be pressed, in the page and in frames.
const starts = `setInterval(() => {
	const button = document.querySelector("#load-cpu");
	if (button?.checkVisibility() && !button.disabled) button.click();
}, 20);`

// TestBrowserEmbedTime holds what a first picture takes in the embed, with the page that it is
// in, to that of the full page: of the browser's processors' time, from the document to the
// picture, in turn and in one browser, whose storage has the model.
func TestBrowserEmbedTime(t *testing.T) {
	t.Parallel()
	const most, rounds = 1.1, 3
	s := smallSite(t)
	host := hostPage(t, nil, element(s, `autoload="visible"`))
	b := open(t, s.URL+"/blank.html", options{noGPU: true, before: starts})
	var page, embed []float64
	for i := range rounds + 1 {
		p := b.takes(s.URL+"/blank.html", s.URL, `document.querySelector("#generate") && `+idle)
		e := b.takes(s.URL+"/blank.html", host, `test.embed.heard("image").length > 0`)
		if i > 0 { // the first downloads the model, and fills the caches
			page, embed = append(page, p), append(embed, e)
		}
	}
	slices.Sort(page)
	slices.Sort(embed)
	p, e := page[rounds/2], embed[rounds/2]
	t.Logf("the page %.2f s %.2f, the embed %.2f s %.2f: %.2f", p, page, e, embed, e/p)
	if e > most*p {
		t.Errorf("the first picture takes %.2f s in the embed, %.2f s in the page: %.2f times that, at most %.1f are allowed", e, p, e/p, most)
	}
	b.silent(t)
}

// takes is how many seconds of the processors it takes from one document to another that has
// become what it is to be.
func (b *tab) takes(from, to, until string) (seconds float64) {
	b.t.Helper()
	b.run(chromedp.Navigate(from))
	b.call("sleep", nil, 300)
	before := map[int64]float64{}
	for _, p := range b.processes() {
		before[p.ID] = p.CPUTime
	}
	b.run(chromedp.Navigate(to))
	b.until(until)
	for _, p := range b.processes() {
		seconds += p.CPUTime - before[p.ID]
	}
	return seconds
}
