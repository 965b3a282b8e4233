package e2e

import (
	"context"
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focused is the id of what has the focus, or its tag.
func (b *tab) focused() (id string) {
	b.t.Helper()
	b.call("drawn", nil)
	b.eval(`return document.activeElement.id || document.activeElement.tagName`, &id)
	return id
}

// TestBrowserInput is the keyboard, the input methods of Chinese and Japanese, and the
// wheel of the mouse.
func TestBrowserInput(t *testing.T) {
	t.Parallel()
	b := open(t, smallSite(t).URL, options{noGPU: true})
	b.ready()
	b.step("focus while loading", func(t *testing.T) {
		b.run(chromedp.Focus("#load-cpu", chromedp.ByQuery))
		b.keys(kb.Enter)
		b.until(idle)
		if at := b.focused(); at != "generate" {
			t.Errorf("after the model was loaded by the keyboard, %s has the focus", at)
		}
	})
	b.call("controls.record", nil)
	b.step("composing", func(t *testing.T) { b.composing(t) })
	b.step("wheel", func(t *testing.T) { b.wheel(t) })
	b.step("session", func(t *testing.T) { b.session(t) })
	b.silent(t)
}

// session draws other pictures, and goes back and forth among them.
func (b *tab) session(t *testing.T) {
	b.click(`[name="live"][value="off"]`)
	b.field("prompt", "a frog")
	b.generate()
	first, seed := b.canvasOf(picturePane), b.value("seed")
	b.call("form.countAnswers", nil)
	b.click("#another")
	b.until(`test.answers > 0`)
	b.follows()
	if b.canvasOf(picturePane) == first || b.value("seed") == seed {
		t.Error("Another made the same picture")
	}
	b.eval(`document.activeElement.blur()`, nil)
	b.run(chromedp.KeyEvent("z", chromedp.KeyModifiers(input.ModifierCtrl)))
	if b.canvasOf(picturePane) != first || b.value("seed") != seed {
		t.Errorf("Ctrl+Z shows another picture, or its seed %s, which was %s", b.value("seed"), seed)
	}
	b.run(chromedp.KeyEvent("y", chromedp.KeyModifiers(input.ModifierCtrl)))
	if b.canvasOf(picturePane) == first {
		t.Error("Ctrl+Y stays at the first picture")
	}
	b.run(chromedp.Focus("#prompt", chromedp.ByQuery), chromedp.KeyEvent("z", chromedp.KeyModifiers(input.ModifierCtrl)))
	if b.canvasOf(picturePane) == first {
		t.Error("Ctrl+Z in the prompt changes the picture")
	}
	b.click("#undo")
	if b.canvasOf(picturePane) != first || !b.is(`document.querySelectorAll(".session .tile").length >= 2`) {
		t.Error("the button goes back to another picture")
	}
}

// composing presses the page's keys while a word is composed, and afterwards.
func (b *tab) composing(t *testing.T) {
	b.click(`[name="live"][value="always"]`)
	before := len(b.requests()) // Start has drawn a picture
	b.run(chromedp.Focus("#prompt", chromedp.ByQuery))
	compose := func(text string) {
		b.run(chromedp.ActionFunc(input.ImeSetComposition(text, int64(len(text)), int64(len(text))).Do))
	}
	compose("ni")
	b.pressGenerate()
	b.call("drawn", nil)
	b.eval(`await test.sleep(300)`, nil) // a picture that follows would have begun
	if n := len(b.requests()) - before; n != 0 {
		t.Errorf("a word that is not finished, and Ctrl+Enter, which ends it, asked for %d pictures", n)
	}
	b.run(chromedp.ActionFunc(input.InsertText("你").Do))
	b.until(fmt.Sprintf(`test.controls.requests.length > %d`, before)) // the whole word is followed
	b.follows()
	if n := len(b.requests()) - before; n != 1 {
		t.Errorf("a whole word asked for %d pictures", n)
	}
	b.click(`[name="live"][value="off"]`)
	before = len(b.requests())
	b.call("controls.hold", nil)
	b.run(chromedp.Focus("#prompt", chromedp.ByQuery))
	b.run(chromedp.ActionFunc(input.InsertText("好").Do))
	b.pressGenerate()
	b.until(fmt.Sprintf(`test.controls.requests.length === %d`, before+1) + ` && document.querySelector("#stop").checkVisibility()`)
	compose("hao")
	b.keys(kb.Escape)
	b.call("drawn", nil)
	if !b.is(`document.querySelector("#stop").checkVisibility()`) {
		t.Error("Escape, which gives up a word, stopped the picture")
	}
	b.run(chromedp.ActionFunc(input.InsertText("").Do))
	b.keys(kb.Escape)
	b.until(idle)
	b.call("controls.letGo", nil)
}

// wheel turns the wheel over a number field that has the cursor.
func (b *tab) wheel(t *testing.T) {
	b.field("seed", "7")
	var at struct{ X, Y float64 }
	b.call("form.middle", &at, "#seed")
	var before float64
	b.eval(`return scrollY`, &before)
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		return input.DispatchMouseEvent(input.MouseWheel, at.X, at.Y).WithDeltaX(0).WithDeltaY(-120).Do(ctx)
	}))
	b.until(fmt.Sprintf(`scrollY < %v`, before))
	if got := b.value("seed"); got != "7" {
		t.Errorf("the wheel made the seed %s", got)
	}
	b.until(`!document.querySelector("#seed").readOnly`) // as it is for a moment after the wheel
	b.keys(kb.ArrowUp)
	if got := b.value("seed"); got != "8" || b.focused() != "seed" {
		t.Errorf("after the wheel, arrow up makes the seed %s, and %s has the focus", got, b.focused())
	}
}
