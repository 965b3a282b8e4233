package e2e

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserCanvasReadback: where a canvas cannot be read back, every picture that is
// saved, copied, kept or carried over a reload has its own pixels, and comes back with
// them.
func TestBrowserCanvasReadback(t *testing.T) {
	t.Parallel()
	b := open(t, smallSite(t).URL, options{noGPU: true, before: script("before/canvas_noise.js")})
	b.loadModel()
	b.field("prompt", "a red frog")
	b.generate()
	shown := b.canvasOf(picturePane)
	unread := func(t *testing.T) {
		t.Helper()
		var n int
		if b.eval(`return readBacks`, &n); n != 0 {
			t.Errorf("a canvas was read back %d times", n)
		}
	}
	var file []byte
	holds := func(t *testing.T, expression string) {
		t.Helper()
		file = b.blob(expression)
		if p := recipeOf(t, file); p.Prompt != "a red frog" {
			t.Errorf("the file says %+v", p)
		}
		if fmt.Sprintf("%x", sha256.Sum256(pixels(t, file).Pix)) != shown {
			t.Error("the file holds another picture")
		}
		unread(t)
	}
	same := func(t *testing.T) {
		t.Helper()
		b.until(`document.querySelector("#pane-picture .picture")?.checkVisibility()`)
		if b.canvasOf(picturePane) != shown {
			t.Error("another picture came back")
		}
		unread(t)
	}
	b.step("save", func(t *testing.T) {
		b.click("#save")
		b.until(`globalThis.saved?.type === "image/png"`)
		holds(t, "saved")
	})
	b.step("copy", func(t *testing.T) {
		b.click("#copy-image")
		b.until(`copied.length === 1`)
		holds(t, "copied[0]")
	})
	b.step("reload", func(t *testing.T) {
		b.run(chromedp.Reload())
		b.ready()
		same(t)
	})
	b.step("keep", func(t *testing.T) {
		b.eval(`document.querySelector("#keep").click()`, nil) // which lies below what invites to load
		b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
		holds(t, "(await test.gallery.records())[0].file")
		b.eval(`document.querySelector("#tab-gallery").click()`, nil)
		b.until(`document.querySelector(".cards .tile")`)
		b.eval(`document.querySelector(".cards .tile").click()`, nil)
		same(t)
	})
	b.step("drop", func(t *testing.T) {
		b.field("prompt", "something else")
		b.dropped("x.png", file)
		b.until(`document.querySelector("#prompt").value === "a red frog"`)
		same(t)
	})
	b.step("the stripes", func(t *testing.T) { // the blur works
		var hash string
		b.eval(`const c = document.querySelector(`+quote(picturePane)+`); return test.digest(c.getContext("2d").getImageData(0, 0, c.width, c.height).data)`, &hash)
		if hash == shown {
			t.Error("a canvas that is read back is not blurred")
		}
	})
	b.silent(t)
}
