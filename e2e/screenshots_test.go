//go:build screenshots

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestScreenshots writes pictures of every view, made with the shipped model, to
// build/screenshots (`make screenshots`), to be looked at one by one, and those
// that are published to their places.
func TestScreenshots(t *testing.T) {
	folder := filepath.Join("..", "build", "screenshots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	modernFont(t)
	site := folderOf(t, bothDist)
	visit := func(t *testing.T, o options, prelude string) (*server, *screen) {
		s := serveFolder(t, site)
		s.prelude = prelude
		c := &screen{open(t, s.URL, o), folder}
		c.desktop()
		return s, c
	}
	t.Run("views", func(t *testing.T) { _, c := visit(t, options{webgpu: true}, countSubmits); c.views() })
	t.Run("first visit", func(t *testing.T) { s, c := visit(t, options{webgpu: true}, countSubmits); c.firstVisit(s) })
	t.Run("app", func(t *testing.T) {
		// This host changes nothing in the files, which a service worker would refuse.
		c := &screen{open(t, newHost(t, site).site(), options{serviceWorkers: true, webgpu: true}), folder}
		c.desktop()
		c.app()
	})
	t.Run("update", func(t *testing.T) { shootUpdate(t, folder) })
	t.Run("no WebGPU", func(t *testing.T) {
		_, c := visit(t, options{before: "delete Navigator.prototype.gpu;"}, countSubmits)
		c.noGPU("fault-no-webgpu")
	})
	t.Run("no adapter", func(t *testing.T) { _, c := visit(t, options{noGPU: true}, countSubmits); c.noGPU("fault-no-adapter") })
	t.Run("no memory", func(t *testing.T) {
		_, c := visit(t, options{webgpu: true}, gpuFaults)
		c.ready()
		c.eval(`test.gpu.connect(); globalThis.planned = test.gpu.fault("no memory", 40); return null`, nil)
		c.fault("fault-memory", `document.querySelector("#load").click()`)
	})
	t.Run("GPU gone", func(t *testing.T) {
		_, c := visit(t, options{webgpu: true}, countSubmits)
		c.ready()
		c.loadModel()
		for range 2 {
			c.generate()
			c.crash()
		}
		c.generate()
		c.still()
		c.take("fault-gpu-gone")
	})
}

// made makes a picture of a prompt with a preset.
func (c *screen) made(prompt, preset string) {
	c.t.Helper()
	c.click("#tab-picture")
	c.field("prompt", prompt)
	c.click(`[data-preset="` + preset + `"]`)
	c.settled() // what follows the controls
	c.generate()
	c.still()
}

// settled waits until nothing is made and nothing follows.
func (c *screen) settled() {
	c.t.Helper()
	for range 2 {
		c.eval(`await test.sleep(300)`, nil)
		c.until(idle)
	}
}

// views are all that can be seen with a model.
func (c *screen) views() {
	c.ready()
	c.loadModel()
	c.take("ready")
	c.phone()
	c.take("ready-phone")
	c.desktop()
	c.eval(`document.querySelector("#tab-gallery").click()`, nil)
	c.take("gallery-empty")
	c.field("seed", "1") // of the pictures that others show
	c.made("a red car on the beach", "night")
	c.click("#keep")
	c.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	c.still()
	c.take("picture")
	c.at(1280, 800)
	c.take("install-wide")
	c.at(412, 732)
	c.take("install-narrow")
	c.phone()
	c.take("picture-phone")
	c.show("#weight-slider")
	c.take("readme-phone")
	c.at(360, 740)
	c.take("picture-phone-small")
	c.show("#settings")
	c.take("settings-phone")
	c.at(844, 390)
	c.take("picture-phone-turned")
	c.at(1920, 1080)
	c.take("picture-wide")
	c.desktop()
	c.media("", "prefers-color-scheme dark")
	c.take("picture-dark")
	c.media("", "forced-colors active", "prefers-color-scheme dark")
	c.take("forced-colors")
	c.media("", "forced-colors active")
	c.unfold()
	c.show("#bars")
	c.take("forced-colors-schedule")
	c.top()
	c.media("print")
	c.take("print")
	c.media("")
	c.eval(`document.querySelector("#surprise").focus()`, nil)
	c.run(chromedp.KeyEvent(kb.Tab))
	c.take("focus-chip")
	c.eval(`document.querySelector("#weight").focus()`, nil)
	c.run(chromedp.KeyEvent(kb.Tab))
	c.take("focus-slider")
	c.still()
	c.panel()
	c.finished()
	c.call("form.speak", nil, "zh-Hans")
	c.click("#alert .square")
	c.click("#tab-picture")
	c.desktop()
	c.take("chinese")
	c.phone()
	c.show("#weight-slider")
	c.take("chinese-phone")
}

// panel are the controls.
func (c *screen) panel() {
	c.unfold()
	c.show("#bars")
	c.take("schedule")
	c.click(`[name="schedule"][value="bumps"]`)
	c.click("#add-direction")
	c.field("positive", "sunset")
	c.still()
	c.settled()
	c.show("#bars")
	c.take("schedule-two")
	c.show("#settings")
	c.take("settings")
	c.top()
	c.take("directions")
	c.click("#remove-direction-1")
	c.field("prompt", "a red blurple frog")
	c.settled()
	c.eval(`document.querySelector("#understands").open = true`, nil)
	c.still()
	c.top()
	c.take("understands")
	c.eval(`document.querySelector("#understands").open = false; document.querySelectorAll("footer details").forEach((d) => (d.open = true))`, nil)
	c.until(`document.querySelector("#diagnostics-text").value.includes("Limits")`)
	c.show("footer")
	c.take("foot")
	c.eval(`document.querySelectorAll("footer details").forEach((d) => (d.open = false))`, nil)
	c.top()
}

// finished are the views of finished pictures.
func (c *screen) finished() {
	c.made("a red car on the beach", "night")
	c.click("#tab-compare")
	c.until(`!document.querySelector("#divider").hidden`)
	c.settled()
	c.still()
	c.top()
	c.take("compare")
	c.at(1280, 800)
	c.take("readme-compare")
	c.phone()
	c.take("compare-phone")
	c.desktop()
	c.eval(`document.querySelector('[name="compare-as"][value="pair"]').click()`, nil)
	c.take("compare-pair")
	c.eval(`document.querySelector('[name="compare-as"][value="slider"]').click()`, nil)
	c.click("#tab-sweep")
	c.still()
	c.take("sweep-empty")
	c.click("#sweep-go")
	c.until(`document.querySelectorAll(".sheet .tile:not([disabled])").length > 3`)
	c.still()
	c.take("sweep-working")
	c.until(idle)
	c.take("sweep")
	c.at(1280, 800)
	c.show(".sheet")
	c.take("readme-sweep")
	c.phone()
	c.take("sweep-phone")
	c.desktop()
	c.click("#tab-steps")
	c.still()
	c.take("steps")
	c.click("#tab-how")
	c.until(`document.querySelector("#pane-how").textContent.includes("%")`)
	c.settled()
	c.still()
	c.take("how")
	c.show("#pane-how .attention")
	c.take("how-blocks")
	c.at(1280, 800)
	c.show("#pane-how .attention")
	c.take("readme-how")
	c.desktop()
	c.show("#pane-how .end")
	c.take("how-end")
	c.media("", "prefers-color-scheme dark")
	c.show("#pane-how .attention")
	c.take("how-dark")
	c.media("")
	c.phone()
	c.take("how-phone")
	c.show("#pane-how .attention")
	c.take("how-phone-blocks")
	c.desktop()
	c.severalKept()
	c.faults()
}

// severalKept are the gallery, and several pictures at once.
func (c *screen) severalKept() {
	for _, p := range [][2]string{{"a frog in a meadow", ""}, {"a house in the snow", "neon"}, {"two cats in the snow", "sunset"}} {
		c.made(p[0], p[1])
		c.click("#keep")
		c.until(`document.querySelector("#keep").textContent === "In the gallery"`)
	}
	c.click(`[name="each"][value="4"]`)
	c.top()
	c.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)))
	c.until(`/2/.test(document.querySelector("#generate").textContent)`)
	c.still()
	c.take("working")
	c.until(idle)
	c.take("several")
	c.click("#tab-gallery")
	c.still()
	c.until(`document.querySelectorAll(".cards img").length === 4 && Array.from(document.querySelectorAll(".cards img")).every((i) => i.naturalWidth > 0)`)
	c.take("gallery")
	c.phone()
	c.take("gallery-phone")
	c.desktop()
}

// faults are a bad link, a bad file and a bad number.
func (c *screen) faults() {
	c.click("#tab-picture")
	c.eval(`location.hash = "#prompt=a+house&seed=1e99&steps=999"`, nil)
	c.until(`document.querySelector("#note").textContent.includes("999")`)
	c.top()
	c.take("link-bad")
	c.fault("fault-picture", `test.form.dropGIF()`)
	c.field("steps", "9999")
	c.still()
	c.fault("fault-steps", `document.querySelector("#generate").click()`)
}

// fault takes a picture of what the page says when a script has made trouble.
func (c *screen) fault(name, script string) {
	c.t.Helper()
	c.eval(script, nil)
	c.until(`!document.querySelector("#alert .alert").hidden`)
	c.top()
	c.take(name)
}

// noGPU is the page where there is none.
func (c *screen) noGPU(name string) {
	c.until(`/about \d/.test(document.querySelector("#no-webgpu").textContent)`)
	c.take(name)
	c.phone()
	c.take(name + "-phone")
}
