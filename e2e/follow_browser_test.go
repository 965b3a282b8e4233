package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// undrawn is whether the page says that the settings differ from the picture.
const undrawn = `document.querySelector("#undrawn").checkVisibility()`

// during holds what a script or a press begins, changes something meanwhile, and lets go.
// It returns how many pictures were asked for.
func (b *tab) during(begin, change func()) int {
	b.t.Helper()
	before := len(b.requests())
	b.call("controls.hold", nil)
	begin()
	b.until(`document.querySelector("#generate").getAttribute("aria-disabled") === "true"`)
	change()
	b.call("drawn", nil)
	b.until(undrawn)
	b.call("controls.letGo", nil)
	b.settle()
	return len(b.requests()) - before
}

// TestBrowserFollowAfterRun changes the controls while a picture is made: what they say
// then is made afterwards, or the page says that it is not.
func TestBrowserFollowAfterRun(t *testing.T) {
	t.Parallel()
	b := loadedSmall(t)
	b.call("controls.pretend", nil, 800) // so slow that each picture is shown as work
	for range 5 {
		b.generate()
	}
	presets := []string{}
	b.eval(`return Array.from(document.querySelectorAll("[data-preset]"), (c) => c.dataset.preset)`, &presets)
	chip := func(i int) func() { return func() { b.click(`[data-preset="` + presets[i] + `"]`) } }
	slide := func() { b.eval(`test.controls.slide(0.35); test.controls.slide(0.35, "change")`, nil) }

	b.step("a preset", func(t *testing.T) {
		b.field("seed", "77")
		if n := b.during(b.pressGenerate, chip(2)); n != 2 || len(b.last().Guidance) != 1 {
			t.Errorf("%d pictures, the last of %+v", n, b.last().Guidance)
		}
		if b.is(undrawn) {
			t.Error("what follows is called not drawn")
		}
	})
	b.step("the weight", func(t *testing.T) {
		b.field("seed", "78")
		if n := b.during(b.pressGenerate, slide); n != 2 || b.last().Guidance[0].Weight != 0.35 {
			t.Errorf("%d pictures, the last of %+v", n, b.last().Guidance)
		}
	})
	b.step("while looking on", func(t *testing.T) {
		chip(1)()
		b.follows()
		look := func() { b.click("#tab-how") }
		b.during(look, slide)
		if w := b.last().Guidance[0].Weight; w != 0.35 || b.is(undrawn) {
			t.Errorf("the last picture has weight %v, and is it called not drawn: %t", w, b.is(undrawn))
		}
		b.click("#tab-picture")
	})
	b.step("stopped", func(t *testing.T) {
		before := len(b.requests())
		b.field("seed", "79")
		b.call("controls.hold", nil)
		b.pressGenerate()
		b.until(`document.querySelector("#stop").checkVisibility()`)
		chip(2)()
		b.keys(kb.Escape)
		b.call("controls.letGo", nil)
		b.settle()
		if n := len(b.requests()) - before; n != 1 || !b.is(undrawn) {
			t.Errorf("after Stop %d pictures were asked for; is it called not drawn: %t", n, b.is(undrawn))
		}
		b.generate()
	})
	b.step("following off", func(t *testing.T) {
		b.click(`[name="live"][value="off"]`)
		b.field("seed", "80")
		if n := b.during(b.pressGenerate, slide); n != 1 || !b.is(undrawn) {
			t.Errorf("the weight: %d pictures; is it called not drawn: %t", n, b.is(undrawn))
		}
		b.field("seed", "81")
		if n := b.during(b.pressGenerate, chip(1)); n != 2 || b.is(undrawn) {
			t.Errorf("a preset: %d pictures; is it called not drawn: %t", n, b.is(undrawn))
		}
	})
	b.silent(t)
}
