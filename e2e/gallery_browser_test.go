package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/storage"
	"github.com/chromedp/chromedp"
)

// cards waits for so many pictures in the gallery.
func (b *tab) cards(n int) {
	b.t.Helper()
	b.until(fmt.Sprintf(`document.querySelectorAll(".cards > *").length === %d`, n))
}

// keepNext makes a picture of another seed and keeps it.
func (b *tab) keepNext(seed int) {
	b.t.Helper()
	b.click("#tab-picture")
	b.field("seed", fmt.Sprint(seed))
	b.generate()
	b.click("#keep")
}

// TestBrowserGallery keeps pictures in one tab and looks at them in another.
func TestBrowserGallery(t *testing.T) {
	t.Parallel()
	s, b := started(t, options{noGPU: true})
	c := b.another(s.URL)
	c.ready()
	c.eval(`document.querySelector("#tab-gallery").click()`, nil)
	c.until(`document.querySelector("#pane-gallery .empty").checkVisibility()`)

	b.run(page.BringToFront())
	shown, lean := b.canvasOf(picturePane), b.value("weight")
	b.step("pressed twice, kept once", func(t *testing.T) {
		b.eval(`const keep = document.querySelector("#keep"); keep.click(); keep.click()`, nil)
		b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
		var n int
		b.eval(`await test.sleep(200)`, nil) // in which the second would be kept
		if b.call("gallery.count", &n); n != 1 {
			t.Errorf("%d pictures are kept", n)
		}
	})
	b.step("another tab shows it", func(t *testing.T) {
		c.t = t
		c.cards(1)
		b.keepNext(41)
		c.cards(2)
		b.keepNext(42)
		c.cards(3)
		var order []string
		if c.eval(`return [...document.querySelectorAll(".cards .tile span")].map((e) => e.textContent)`, &order); fmt.Sprint(order) != "[a red frog a red frog a red frog]" {
			t.Errorf("the cards are %q", order)
		}
	})
	b.step("settings and picture come back there", func(t *testing.T) {
		c.t = t
		c.run(page.BringToFront())
		c.eval(`document.querySelector(".cards > :last-child .tile").click()`, nil)
		c.until(`!document.querySelector("#pane-picture").hidden && document.querySelector("#pane-picture .picture").checkVisibility()`)
		if c.canvasOf(picturePane) != shown {
			t.Error("another picture came back")
		}
		prompt, steps, weight := c.value("prompt"), c.value("steps"), c.value("weight")
		if prompt != "a red frog" || steps != "3" || weight != lean {
			t.Errorf("the form says %q, %s steps, weight %s", prompt, steps, weight)
		}
		c.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	})
	b.step("what one tab deletes is gone in the other", func(t *testing.T) {
		c.t = t
		c.eval(`document.querySelector("#tab-gallery").click()`, nil)
		c.eval(`document.querySelector(".cards > :last-child [data-do=delete]").click()`, nil) // not the newest
		c.cards(2)
		b.run(page.BringToFront())
		b.click("#tab-gallery")
		b.cards(2)
		b.click("#tab-picture")
		b.call("drawn", nil)
		if says := b.text("#keep"); says != "In the gallery" {
			t.Errorf("another picture was deleted, and the button says %q", says)
		}
		c.eval(`document.querySelector(".cards > :first-child [data-do=delete]").click()`, nil)
		b.until(`document.querySelector("#keep").textContent === "Save to gallery"`)
		b.click("#tab-gallery")
		b.cards(1)
	})
	b.step("a frame that never comes", func(t *testing.T) {
		b.eval(`test.frame = requestAnimationFrame;
			globalThis.requestAnimationFrame = () => 0;
			document.querySelector("#tab-sweep").click()`, nil)
		b.until(`document.querySelector("#pane-sweep").checkVisibility()`)
		b.eval(`globalThis.requestAnimationFrame = test.frame; document.querySelector("#tab-gallery").click()`, nil)
	})
	b.step("delete all, after a question", func(t *testing.T) { c.t = t; b.clearsGallery(t, c) })
	if wrong := append(b.complaints(), c.complaints()...); len(wrong) != 0 {
		t.Errorf("the pages complain: %q", wrong)
	}
}

// clearsGallery deletes all pictures, which another tab shows too.
func (b *tab) clearsGallery(t *testing.T, c *tab) {
	b.click("#gallery-clear")
	b.press("Cancel")
	b.until(`document.activeElement.id === "gallery-clear"`)
	b.cards(1)
	b.click("#gallery-clear")
	b.until(`document.activeElement.textContent === "Delete all"`)
	b.eval(`document.activeElement.click()`, nil)
	b.cards(0)
	c.cards(0)
	var n int
	if b.call("gallery.count", &n); n != 0 {
		t.Errorf("%d pictures are left", n)
	}
}

// TestBrowserGalleryFull: when the browser gives no more room, or the gallery holds as
// many as it takes, nothing is deleted before somebody says so.
func TestBrowserGalleryFull(t *testing.T) {
	t.Parallel()
	s, profile := smallSite(t), t.TempDir()
	visit := func() *tab {
		b := open(t, s.URL, options{noGPU: true, profile: profile})
		b.loadModel()
		b.generate()
		return b
	}
	b := visit()
	left := func() (n int) {
		b.t.Helper()
		b.call("gallery.count", &n)
		return n
	}
	b.click("#keep")
	b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	// A browser that has just written allows itself some more without asking for the quota.
	if err := chromedp.Cancel(b.ctx); err != nil {
		t.Fatal(err)
	}
	b = visit()

	b.step("the quota is short", func(t *testing.T) {
		b.run(storage.OverrideQuotaForOrigin(s.URL).WithQuotaSize(1))
		b.keepNext(2)
		b.until(`document.querySelector("#pane-gallery .ask").checkVisibility()`)
		if says := b.text("#pane-gallery .ask"); !strings.Contains(says, "is full") || !strings.Contains(says, "1 pictures") {
			t.Errorf("it asks %q", says)
		}
		b.press("Not now")
		b.until(`!document.querySelector("#pane-gallery .ask").checkVisibility()`)
		if n := left(); n != 1 {
			t.Errorf("%d pictures are kept", n)
		}
		b.click("#tab-picture")
		b.until(`document.querySelector("#keep").textContent === "Save to gallery"`)
		b.click("#keep")
		b.until(`document.querySelector("#pane-gallery .ask").checkVisibility()`)
		b.run(storage.OverrideQuotaForOrigin(s.URL)) // as if what is deleted made the room
		b.press("Delete the oldest")
		b.click("#tab-picture")
		b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
		var file string
		b.call("gallery.firstFile", &file)
		if p := recipeOf(t, b.decoded(file)); p.Seed != 2 {
			t.Errorf("what is left has the seed %d", p.Seed)
		}
	})
	b.step("two hundred", func(t *testing.T) {
		b.call("gallery.fill", nil, 200)
		b.click("#tab-gallery")
		b.cards(200)
		b.keepNext(3)
		b.until(`document.querySelector("#pane-gallery .ask").checkVisibility()`)
		if says := b.text("#pane-gallery .ask"); !strings.Contains(says, "with 200 pictures") || !strings.Contains(says, "oldest 20") {
			t.Errorf("it asks %q", says)
		}
		b.press("Delete the oldest")
		b.cards(181)
		if n := left(); n != 181 {
			t.Errorf("%d pictures are kept", n)
		}
	})
	b.silent(t)
}

// TestBrowserGalleryRefused: where the browser keeps nothing, the page works, and says so.
func TestBrowserGalleryRefused(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]string{
		"no access":        script("before/storage_access_denied.js"),
		"cannot be opened": script("before/database_open_fails.js"),
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t, smallSite(t).URL, options{noGPU: true, before: before})
			b.loadModel()
			b.generate()
			b.click("#keep")
			b.until(`document.querySelector("#action-note").textContent.includes("stores nothing for this page")`)
			if says := b.text("#keep"); says != "Save to gallery" {
				t.Errorf("the button says %q", says)
			}
			b.click("#tab-gallery")
			b.until(`document.querySelector("#pane-gallery").textContent.includes("Save pictures as files instead")`)
			b.click("#tab-picture")
			b.generate()
			b.silent(t)
		})
	}
}

// TestBrowserShare stands in for the system's share sheet, which no test can see.
func TestBrowserShare(t *testing.T) {
	t.Parallel()
	b := open(t, smallSite(t).URL, options{noGPU: true, before: script("before/share_sheet.js")})
	b.loadModel()
	b.field("prompt", "a blue car")
	b.generate()
	shown := b.canvasOf(picturePane)
	fits := func(t *testing.T, expression string) {
		t.Helper()
		if p := recipeOf(t, b.blob(expression)); p.Prompt != "a blue car" {
			t.Errorf("the file says %+v", p)
		}
		var pixels string
		if b.eval(`return test.share.fileHash(`+expression+`)`, &pixels); pixels != shown {
			t.Error("the file holds another picture")
		}
	}

	b.step("with the file", func(t *testing.T) {
		b.click("#share")
		b.until(`shared.length === 1`)
		var what struct{ Title, Text, Name, Type, URL string }
		b.call("share.shared", &what, 0)
		if what.Title != "Undertone" || what.Text != "a blue car" || what.URL != "" || what.Type != "image/png" || !strings.HasPrefix(what.Name, "undertone-a-blue-car-") {
			t.Errorf("shared is %+v", what)
		}
		fits(t, "shared[0].files[0]")
	})
	b.step("where files are not taken, the link", func(t *testing.T) {
		b.eval(`sheet.files = false`, nil)
		b.click("#share")
		b.until(`shared.length === 2`)
		var url string
		files := b.is(`"files" in shared[1]`)
		if b.eval(`return shared[1].url`, &url); files || !strings.Contains(url, "#prompt=a+blue+car&") {
			t.Errorf("shared is %q, with files: %v", url, files)
		}
	})
	b.step("a sheet that is closed is no fault", func(t *testing.T) {
		b.eval(`sheet.closed = true`, nil)
		b.click("#share")
		b.until(`shared.length === 3`)
		b.call("drawn", nil)
		if !b.is(noAlert) {
			t.Errorf("it says %q", b.text("#alert"))
		}
	})
	b.step("copy image", func(t *testing.T) {
		b.click("#copy-image")
		b.until(`document.querySelector("#action-note").textContent === "Copied."`)
		fits(t, "copied[0]")
		b.eval(`globalThis.refuseClipboard = true`, nil)
		b.click("#copy-image")
		b.until(`document.querySelector("#action-note").textContent.includes("did not")`)
	})
	b.silent(t)
}
