//go:build screenshots

package web

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestScreenshots writes pictures of every view, made with the shipped model, to
// build/screenshots (`make screenshots`). They are for people to look at; those
// that README and docs show lie in docs/images.
func TestScreenshots(t *testing.T) {
	folder := filepath.Join("..", "build", "screenshots")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	s := serve(t)
	b := open(t, s.URL, options{offline: true})
	var shot []byte
	take := func(name string) {
		b.eval(`
			document.activeElement.blur();
			for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
			await Promise.allSettled([...document.images].map((i) => i.decode()));`, nil)
		b.run(chromedp.ActionFunc(func(ctx context.Context) (err error) {
			shot, err = page.CaptureScreenshot().Do(ctx)
			return err
		}))
		if err := os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Log(name)
	}
	desktop := chromedp.EmulateViewport(1280, 860)
	phone := chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile)
	scheme := func(name string) chromedp.Action {
		return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}})
	}
	top := func() { b.eval(`scrollTo(0, 0); document.querySelector("#panel").scrollTo(0, 0)`, nil) }

	b.run(desktop)
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.eval(pictureHelpers, nil)
	take("welcome")
	b.run(phone)
	take("welcome-phone")
	b.run(desktop)
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	b.field("prompt", "a red car on the beach")
	b.click(`[data-preset="night"]`)
	b.generate()
	b.click("#keep")
	top()
	take("picture")
	b.run(scheme("dark"))
	take("picture-dark")
	b.run(scheme("light"), phone)
	top()
	take("picture-phone")
	b.run(desktop)
	b.click("#tab-compare")
	b.until(`!document.querySelector("#divider").hidden && ` + idle)
	top()
	take("compare")
	b.click("#tab-sweep")
	b.click("#sweep-go")
	b.until(`document.querySelectorAll(".sheet .tile:not([disabled])").length > 3 && ` + idle)
	top()
	take("sweep")
	b.click("#tab-steps")
	top()
	take("steps")
	b.click("#tab-how")
	b.until(`document.querySelector("#pane-how").textContent.includes("%") && ` + idle)
	top()
	take("how")
	b.eval(`document.querySelector("#pane-how canvas")?.scrollIntoView({ block: "start" })`, nil)
	take("how-blocks")
	b.run(phone)
	top()
	take("how-phone")
	b.run(desktop)
	for _, prompt := range []string{"a frog in a meadow", "a neon butterfly", "two cats in the snow"} {
		b.click("#tab-picture")
		b.field("prompt", prompt)
		b.generate()
		b.click("#keep")
	}
	b.click("#tab-gallery")
	top()
	take("gallery")
	b.click("#tab-picture")
	b.eval(`document.querySelector(".bars, [role=slider]")?.scrollIntoView({ block: "center" })`, nil)
	take("schedule")
	b.eval(`const l = document.querySelector("#language-field select"); l.value = "zh-Hans"; l.dispatchEvent(new Event("change", { bubbles: true }))`, nil)
	top()
	take("chinese")
	b.eval(`const l = document.querySelector("#language-field select"); l.value = "en"; l.dispatchEvent(new Event("change", { bubbles: true }))`, nil)

	b.eval(`test.drop((t) => t.items.add(new File(["GIF89a"], "x.png", { type: "image/png" })))`, nil)
	b.until(`!document.querySelector("#alert .alert").hidden`)
	top()
	take("fault-file")
	b.until(`navigator.serviceWorker.controller !== null || performance.now() > 60000`)
	b.run(chromedp.Reload())
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.eval(`
		Object.defineProperty(navigator, "onLine", { value: false, configurable: true });
		dispatchEvent(new Event("offline"))`, nil)
	top()
	take("offline")

	none := open(t, s.URL, options{noGPU: true})
	none.until(`document.querySelector("#welcome").textContent.includes("CPU")`)
	b = none
	take("fault-no-webgpu")
}
