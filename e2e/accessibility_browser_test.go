package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// axe is the field's own list of rules (axe-core, MPL-2.0), used in tests only.
func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("testdata/axe/node_modules/axe-core/axe.min.js")
	if os.IsNotExist(err) {
		t.Skip("axe-core is not installed: run npm ci --prefix e2e/testdata/axe")
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// rules holds what is shown to every rule of axe, best practices included.
func (b *tab) rules(t *testing.T, script, view string) {
	b.step(view, func(t *testing.T) {
		b.run(chromedp.Evaluate(script+";0", nil))
		var found []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
		b.eval(`
			for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
			await Promise.allSettled(document.getAnimations().map((a) => a.finished));
			const { violations } = await axe.run(document, { resultTypes: ["violations"] });
			return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 4).map(({ html, failureSummary }) => ({ html, failureSummary })) }));`, &found)
		for _, v := range found {
			t.Errorf("%s: %s", v.ID, v.Help)
			for _, n := range v.Nodes {
				t.Logf("  %.200s\n  %s", n.HTML, n.FailureSummary)
			}
		}
	})
}

// small lists what can be pressed and is under 44 pixels high or wide, at the
// width of a phone. What lies within a line of text is as high as the line.
const small = `
	return [...document.querySelectorAll("button, input, select, textarea, summary, [role=tab], [role=slider]")].map((e) => {
		// A hidden radio button or checkbox is pressed by its label.
		const box = /radio|checkbox/.test(e.type) ? e.closest("label") ?? e : e;
		const r = box.getBoundingClientRect();
		return { r, name: (e.id || e.className || e.name) + " " + (box.textContent || e.type || e.tagName).slice(0, 30) };
	}).filter(({ r }) => r.width > 1 && r.height > 1 && (r.height < 43.5 || r.width < 43.5)).map(({ r, name }) => name + ": " + Math.round(r.width) + "×" + Math.round(r.height));`

var panes = []string{"picture", "compare", "sweep", "steps", "gallery", "how"}

func TestBrowserAccessible(t *testing.T) {
	script := axe(t)
	s := smallSite(t)
	b := open(t, s.URL, options{})
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.rules(t, script, "welcome")
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	b.field("prompt", "a red blurple frog")
	b.generate()
	b.click("#keep")
	for _, pane := range panes {
		b.click("#tab-" + pane)
		switch pane {
		case "compare":
			b.until(`!document.querySelector("#divider").hidden && ` + idle)
		case "sweep":
			b.field("sweep-from", "0")
			b.field("sweep-to", "2")
			b.field("sweep-count", "3")
			b.click("#sweep-go")
			b.until(`document.querySelectorAll(".sheet .tile:not([disabled])").length === 3 && ` + idle)
		case "how":
			b.until(`document.querySelector("#pane-how").textContent.includes("%") && ` + idle)
		}
		b.rules(t, script, pane)
	}
	b.eval(`for (const d of document.querySelectorAll("details")) d.open = true`, nil)
	b.rules(t, script, "everything opened")

	b.step("targets of 44 pixels", func(t *testing.T) {
		b.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
		for _, pane := range panes {
			b.click("#tab-" + pane)
			b.eval(`for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)`, nil)
			var found []string
			b.eval(small, &found)
			for _, f := range found {
				t.Errorf("%s: %s", pane, f)
			}
			var over float64
			if b.eval(`return document.documentElement.scrollWidth - innerWidth`, &over); over > 0 {
				t.Errorf("%s: the page is %.0f pixels wider than the screen", pane, over)
			}
		}
	})
	b.rules(t, script, "phone")
	b.run(chromedp.EmulateViewport(1280, 900), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	for _, pane := range []string{"how", "sweep", "picture"} {
		b.click("#tab-" + pane)
		b.rules(t, script, "dark "+pane)
	}
	b.eval(`const l = document.querySelector("#language-field select"); l.value = "zh-Hans"; l.dispatchEvent(new Event("change", { bubbles: true }))`, nil)
	b.until(`document.documentElement.lang.startsWith("zh")`)
	b.rules(t, script, "Chinese")

	b.step("a fault", func(t *testing.T) {
		b.eval(`const t = new DataTransfer(); t.items.add(new File(["x"], "x.png", { type: "image/png" })); document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: t, bubbles: true, cancelable: true }))`, nil)
		b.until(`!document.querySelector("#alert .alert").hidden`)
	})
	b.rules(t, script, "alert")
}

// focus presses Tab until the element with that id has the focus.
func (b *tab) focus(id string) {
	b.t.Helper()
	for range 120 {
		var at struct {
			ID      string
			Outline string
			Width   float64
		}
		b.run(chromedp.KeyEvent(kb.Tab))
		b.eval(`const e = document.activeElement, c = getComputedStyle(e); return { id: e.id, outline: c.outlineStyle + " " + c.boxShadow, width: parseFloat(c.outlineWidth) }`, &at)
		if at.ID != id {
			continue
		}
		if strings.HasPrefix(at.Outline, "none none") || strings.HasPrefix(at.Outline, "none ") && at.Width == 0 && strings.HasSuffix(at.Outline, "none") {
			b.t.Errorf("#%s does not show that it has the focus: %s", id, at.Outline)
		}
		return
	}
	b.t.Fatalf("Tab never reaches #%s", id)
}

// listening notes what every live region says and when, except faults, which interrupt.
const listening = `addEventListener("DOMContentLoaded", () => {
	globalThis.said = [];
	new MutationObserver((list) => {
		const live = "[role=status], [role=log], [role=timer], [role=marquee], output, [aria-live]:not([aria-live=off])";
		const regions = new Set(list.map(({ target }) => (target.closest ? target : target.parentElement)?.closest(live)));
		for (const r of regions) if (r?.textContent.trim()) said.push({ at: performance.now(), region: r.id, text: r.textContent });
	}).observe(document, { childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
});`

// TestBrowserKeyboard uses no pointer at all: load, write, generate, compare, save.
// What is said to screen readers meanwhile is not more than they can say: one message
// in five seconds, wherever in the page it comes from.
func TestBrowserKeyboard(t *testing.T) {
	s := smallSite(t)
	b := open(t, s.URL, options{script: listening + `
		for (const kind of ["mousedown", "pointerdown"]) addEventListener(kind, () => { throw new Error("a pointer was used"); }, true);`})
	folder := t.TempDir()
	b.run(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(folder))
	b.eval(pictureHelpers, nil)
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.focus("load")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.until(idle)
	b.focus("prompt")
	b.run(chromedp.Evaluate(`document.activeElement.select()`, nil), chromedp.KeyEvent("a blue house"))
	if got := b.value("prompt"); got != "a blue house" {
		t.Fatalf("the prompt is %q", got)
	}
	b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierCtrl)))
	b.until(`document.querySelector("#note").textContent !== "" && ` + idle)
	b.focus("tab-picture")
	b.run(chromedp.KeyEvent(kb.ArrowRight))
	var at string
	if b.eval(`return document.activeElement.id`, &at); at != "tab-compare" {
		t.Errorf("the right arrow goes from the first tab to #%s", at)
	}
	b.run(chromedp.KeyEvent(" "))
	b.until(`!document.querySelector("#pane-compare").hidden && !document.querySelector("#divider").hidden && ` + idle)
	b.focus("divider")
	b.run(chromedp.KeyEvent(kb.ArrowLeft))
	b.focus("tab-compare")
	b.run(chromedp.KeyEvent(kb.ArrowLeft), chromedp.KeyEvent(" "))
	b.until(`!document.querySelector("#pane-picture").hidden`)
	b.focus("save")
	b.run(chromedp.KeyEvent(kb.Enter))
	var file string
	for range 100 {
		time.Sleep(50 * time.Millisecond)
		if list, _ := filepath.Glob(filepath.Join(folder, "*.png")); len(list) == 1 {
			file = list[0]
			break
		}
	}
	if file == "" {
		t.Error("no PNG was saved")
	}

	b.until(`said.some(({ text }) => text.includes("The picture is finished."))`)
	var said []struct {
		At           float64
		Region, Text string
	}
	b.eval(`return said`, &said)
	for i := 1; i < len(said); i++ {
		if gap := said[i].At - said[i-1].At; gap < 4900 {
			t.Errorf("%+v follows %+v after %.0f ms", said[i], said[i-1], gap)
		}
	}
	t.Logf("said: %+v", said)
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %q", wrong)
	}
}
