package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
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
		if !b.is(`globalThis.axe`) { // not in this document yet
			b.run(chromedp.Evaluate(script+";0", nil))
		}
		var found []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
		b.call("layout.violations", &found)
		for _, v := range found {
			t.Errorf("%s: %s", v.ID, v.Help)
			for _, n := range v.Nodes {
				t.Logf("  %.200s\n  %s", n.HTML, n.FailureSummary)
			}
		}
	})
}

func TestBrowserAccessibility(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true})
	b.ready()
	b.rules(t, script, "welcome without a GPU")
	b.loadModel()
	b.field("prompt", "a red blurple frog")
	b.rules(t, script, "first picture")
	b.lean()
	b.eval(`document.querySelector("#add-direction").click()`, nil)
	b.rules(t, script, "two directions")
	b.click("#remove-direction-1")
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
	b.call("form.openDetails", nil, true)
	b.rules(t, script, "everything opened")

	b.step("targets of 44 pixels", func(t *testing.T) {
		b.run(chromedp.EmulateViewport(360, 740, chromedp.EmulateMobile))
		for _, pane := range panes {
			b.click("#tab-" + pane)
			b.call("drawn", nil)
			var found []string
			b.call("layout.smallTargets", &found)
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
	b.call("form.speak", nil, "zh-Hans")
	b.until(`document.documentElement.lang.startsWith("zh")`)
	b.rules(t, script, "Chinese")

	b.step("a fault", func(t *testing.T) {
		b.call("form.dropGIF", nil)
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
		b.call("layout.focus", &at)
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

// TestBrowserKeyboard uses no pointer at all: load, write, generate, compare, save.
// What is said to screen readers meanwhile is not more than they can say: one message
// in five seconds, wherever in the page it comes from.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL, options{noGPU: true, before: script("before/record_live_regions.js") + script("before/forbid_pointer.js")})
	folder := t.TempDir()
	b.run(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(folder))
	b.ready()
	b.focus("load-cpu")
	b.run(chromedp.KeyEvent(kb.Enter))
	b.until(idle)
	b.focus("prompt")
	b.run(chromedp.Evaluate(`document.activeElement.select()`, nil), chromedp.KeyEvent("a blue house"))
	if got := b.value("prompt"); got != "a blue house" {
		t.Fatalf("the prompt is %q", got)
	}
	b.generate()
	b.focus("weight") // guidance is switched on by changing its weight
	b.run(chromedp.KeyEvent(kb.ArrowUp))
	b.until(`document.querySelector('[data-preset=""]').getAttribute("aria-pressed") === "false"`)
	b.follows()
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

	b.until(`announced.some(({ text }) => text.includes("The picture is finished."))`)
	var said []struct {
		At           float64
		Region, Text string
	}
	b.eval(`return announced`, &said)
	for i := 1; i < len(said); i++ {
		if gap := said[i].At - said[i-1].At; gap < 4900 {
			t.Errorf("%+v follows %+v after %.0f ms", said[i], said[i-1], gap)
		}
	}
	t.Logf("said: %+v", said)
	b.silent(t)
}
