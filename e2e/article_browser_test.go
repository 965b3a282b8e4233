package e2e

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserArticle reads the article with live figures: before a touch it is text and
// pictures, and a number in a sentence changes what its figure is asked for.
func TestBrowserArticle(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := smallSite(t)
	b := open(t, s.URL+"/docs/pooled-vector.html", options{noGPU: true})
	b.until(`document.querySelector("#figure-weight").shadowRoot && document.querySelector("undertone-value").role === "slider"`)
	b.until(`Array.from(document.querySelectorAll("undertone-demo"), (e) => e.shadowRoot.querySelector("img")).every((i) => i.complete && i.naturalWidth === 256)`)
	b.rules(t, script, "article")
	if n := len(s.asked("/embed.html")) + int(s.bytes("page.")); n != 0 {
		t.Errorf("%d requests or bytes for the demo before a touch", n)
	}
	b.run(chromedp.EmulateViewport(390, 800, chromedp.EmulateMobile))
	b.call("drawn", nil)
	if !b.is(`document.documentElement.scrollWidth <= innerWidth`) {
		t.Error("the article is wider than a phone")
	}
	b.run(chromedp.EmulateViewport(1000, 800))
	attribute := func(id, name, want string) {
		t.Helper()
		var got string
		if b.eval(`return document.querySelector("#`+id+`").getAttribute("`+name+`") ?? "none"`, &got); got != want {
			t.Errorf("%s of %s is %s, wanted %s", name, id, got, want)
		}
	}
	b.step("keys", func(t *testing.T) {
		b.eval(`document.querySelector("[for=figure-weight]").focus()`, nil)
		b.keys(kb.ArrowLeft)
		attribute("figure-weight", "weight", "1.75")
		b.until(`document.querySelector("#figure-weight").settings()?.guidance?.[0]?.weight === 1.75`) // the frame has said so
		b.keys(kb.End, kb.ArrowRight)
		attribute("figure-weight", "weight", "3")
		b.until(`document.querySelector("#figure-weight").settings().guidance[0].weight === 3`)
	})
	b.step("slider of the frame", func(t *testing.T) {
		b.eval(`document.querySelector("#figure-weight").controls = "guidance another"`, nil)
		f := b.framed(0, "1")
		f.until(onCPU)
		f.click("#load-cpu")
		f.drawn()
		f.until(`document.querySelector("#weight-slider")?.checkVisibility() && document.querySelector("#weight-slider").value === "3"`)
		f.eval(`const s = document.querySelector("#weight-slider"); s.value = 1.5; s.dispatchEvent(new Event("input", { bubbles: true }))`, nil)
		b.until(`document.querySelector("[for=figure-weight]").value === "1.5" && document.querySelector("[for=figure-weight]").ariaValueNow === "1.5"`)
		attribute("figure-weight", "weight", "3") // what the host asks for is its own
		// The page's colours change nothing of it.
		b.eval(`document.documentElement.style.colorScheme = "dark"`, nil)
		f.until(`document.querySelector("#weight-slider").value === "1.5" && getComputedStyle(document.documentElement).colorScheme === "dark"`)
		// The same value again is asked for: the reader had changed it.
		b.eval(`document.querySelector("[for=figure-weight]").value = "3"`, nil)
		f.until(`document.querySelector("#weight-slider").value === "3"`)
	})
	b.step("drag", func(t *testing.T) {
		var at []float64
		b.eval(`const e = document.querySelector("#last"); e.scrollIntoView({ block: "center" }); await test.drawn(); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]`, &at)
		b.run(chromedp.MouseEvent("mousePressed", at[0], at[1], chromedp.ButtonLeft),
			chromedp.MouseEvent("mouseMoved", at[0]+13, at[1], chromedp.ButtonLeft),
			chromedp.MouseEvent("mouseReleased", at[0]+13, at[1], chromedp.ButtonLeft))
		attribute("figure-blocks", "schedule", "window:0-4")
		if got := b.text("#figure-blocks"); got == "" || !b.is(`document.querySelector("#last").ariaValueNow === "4"`) {
			t.Error("the number does not say that it is 4")
		}
	})
	b.step("words", func(t *testing.T) {
		choose := func(value string) {
			b.eval(`const s = document.querySelector("[sets=ablate]").shadowRoot.querySelector("select"); s.value = `+quote(value)+`; s.dispatchEvent(new Event("change"))`, nil)
		}
		attribute("figure-ablation", "ablate", "pooled:zero")
		choose("pooled:random")
		attribute("figure-ablation", "ablate", "pooled:random")
		b.until(`document.querySelector("#figure-ablation").settings()?.ablate?.pooled === "random"`)
		choose("")
		attribute("figure-ablation", "ablate", "none")
	})
	b.quiet(t)
}
