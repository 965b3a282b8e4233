//go:build screenshots

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestScreenshotsEmbed takes pictures of a page of somebody else with the element in it:
// narrow and wide, light and dark, before its button is pressed, when it is open, with a
// picture and while it compares.
func TestScreenshotsEmbed(t *testing.T) {
	folder := filepath.Join("..", "build", "screenshots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	modernFont(t)
	s := serveFolder(t, folderOf(t, dist))
	host := hostPage(t, nil, `<style>body { font: 17px/1.6 system-ui; max-width: 46rem; margin: 2rem auto; padding: 0 16px } [data-theme=dark] { color-scheme: dark; background: #16151a; color: #eee }</style>
<p>A vector steers every block of the transformer. Move the slider, and see what it does to the picture.</p>`+element(s, `prompt="a red car on the beach" seed="7" preset="night neon" weight="1.5 1"`))
	b := open(t, host, options{webgpu: true})
	c := &screen{b, folder}
	for _, width := range []int64{360, 720} {
		for _, theme := range []string{"light", "dark"} {
			b.run(emulation.SetDeviceMetricsOverride(width, 860, 2, false))
			b.run(chromedp.Navigate(host))
			b.eval(`document.documentElement.dataset.theme = `+quote(theme), nil)
			name := fmt.Sprintf("embed-%d-%s-", width, theme)
			c.take(name + "1-before")
			b.eval(`document.querySelector("undertone-demo").load()`, nil)
			f := b.framed(0, "7")
			f.until(`document.querySelector("#load")?.disabled === false || document.querySelector("#another")?.checkVisibility()`)
			c.take(name + "2-open")
			if f.is(`document.querySelector("#load").checkVisibility()`) {
				f.start()
			}
			f.drawn()
			c.take(name + "3-picture")
			f.click("#compare")
			f.until(`document.querySelector(".compare[data-divided]")`)
			f.eval(`await test.sleep(300)`, nil)
			f.drawn()
			c.take(name + "4-compare")
		}
	}
}

// TestScreenshotsEmbedDialog takes pictures of the dialog that gives a picture to other
// pages, of the buttons under the picture, one of which opens it, and of the article with
// live figures.
func TestScreenshotsEmbedDialog(t *testing.T) {
	folder := filepath.Join("..", "build", "screenshots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	modernFont(t)
	s := serveFolder(t, folderOf(t, dist))
	b := open(t, s.URL, options{webgpu: true})
	c := &screen{b, folder}
	b.loadModel()
	b.generate()
	for _, width := range []int64{390, 820, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			c.at(width, 900)
			c.media("screen", "prefers-color-scheme "+scheme)
			name := fmt.Sprintf("embed-dialog-%d-%s-", width, scheme)
			b.eval(`document.querySelector("#embed").scrollIntoView({ block: "end" })`, nil)
			c.take(name + "1-buttons")
			b.click("#embed")
			b.until(`document.querySelector("#embed-dialog")?.open && document.querySelector("#embed-dialog undertone-demo").shadowRoot`)
			c.take(name + "2-dialog")
			b.eval(`document.querySelector("#embed-dialog .body").scrollTo(0, 9999)`, nil)
			c.take(name + "3-code")
			b.eval(`document.querySelector("#embed-dialog").close()`, nil)
		}
	}
	for _, width := range []int64{390, 820, 1440} {
		for _, scheme := range []string{"light", "dark"} {
			c.at(width, 900)
			c.media("screen", "prefers-color-scheme "+scheme)
			b.run(chromedp.Navigate(s.URL + "/docs/pooled-vector.html"))
			b.until(`document.querySelector("#figure-blocks").shadowRoot && document.querySelector("undertone-value").role`)
			for _, part := range []string{"h1", "#how-strongly-the-weight", "#what-is-lost-without-it"} {
				b.eval(`document.querySelector(`+quote(part)+`).scrollIntoView()`, nil)
				c.take(fmt.Sprintf("article-%d-%s-%s", width, scheme, strings.Trim(part, "#")))
			}
		}
	}
}
