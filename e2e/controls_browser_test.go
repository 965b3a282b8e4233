package e2e

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// request is what the page asked for.
type request struct {
	Prompt   string
	Seed     float64
	Listens  bool
	Guidance []struct {
		Positive, Negative string
		Weight             float64
		Schedule           struct {
			Kind  string
			Table []float64
		}
	}
}

func (b *tab) requests() (list []request) {
	b.t.Helper()
	b.eval(`return test.controls.requests`, &list)
	return list
}

func (b *tab) last() request {
	b.t.Helper()
	list := b.requests()
	if len(list) == 0 {
		b.t.Fatal("nothing was asked for")
	}
	return list[len(list)-1]
}

func (b *tab) barWeights() (w []float64) {
	b.t.Helper()
	b.call("controls.bars", &w)
	return w
}

// settle waits until no picture is made and none follows.
func (b *tab) settle() {
	b.t.Helper()
	b.call("controls.settle", nil)
	b.until(idle)
}

// loadedSmall opens the page with the small model loaded and one picture made. As to all
// tests to which the device does not matter, the CPU is quicker to it than a GPU in
// software, which first compiles its kernels.
func loadedSmall(t *testing.T) *tab {
	t.Helper()
	b := open(t, smallSite(t).URL, options{noGPU: true})
	b.loadModel()
	b.call("controls.record", nil)
	b.lean()
	b.unfold()
	b.generate()
	return b
}

func TestBrowserSchedule(t *testing.T) {
	t.Parallel()
	b := loadedSmall(t)
	b.run(chromedp.Click(`[name="live"][value="off"]`, chromedp.ByQuery))

	b.step("keyboard", func(t *testing.T) { b.barKeys(t) })
	b.step("keys between two frames", func(t *testing.T) {
		before := b.barWeights()
		b.call("controls.keys", nil, "ArrowUp", "ArrowUp", "PageUp", "ArrowLeft", "ArrowDown", "ArrowDown")
		w, last := b.barWeights(), len(before)-1
		if math.Abs(w[last]-before[last]-1.2) > 1e-6 || math.Abs(w[last-1]-before[last-1]+0.2) > 1e-6 {
			t.Errorf("the bars were %v and are %v", before, w)
		}
	})
	b.step("pointer", func(t *testing.T) { b.barStroke(t) })
	b.step("shapes", func(t *testing.T) {
		for _, kind := range []string{"constant", "step", "window", "bumps", "intervals", "table"} {
			b.click(`[name="schedule"][value="` + kind + `"]`)
			b.generate()
			if got := b.last().Guidance[0].Schedule.Kind; got != kind {
				t.Errorf("asked for %q, wanted %q", got, kind)
			}
			if says := b.text("#alert"); strings.Contains(says, "Code: guidance") {
				t.Errorf("%s: %s", kind, says)
			}
		}
	})
	b.step("directions", func(t *testing.T) { b.directions(t) })
	b.silent(t)
}

// barKeys changes the bars by the keyboard.
func (b *tab) barKeys(t *testing.T) {
	b.field("weight", "1")
	b.run(chromedp.Click(`[name="schedule"][value="constant"]`, chromedp.ByQuery), chromedp.Focus(`#bars > [tabindex="0"]`, chromedp.ByQuery))
	blocks := len(b.barWeights())
	b.keys(kb.Home, kb.ArrowUp, kb.ArrowUp, kb.ArrowRight, kb.PageDown, kb.End, "0")
	w := b.barWeights()
	if math.Abs(w[0]-1.2) > 1e-9 || w[1] != 0 || w[blocks-1] != 0 || w[2] != 1 && blocks > 3 {
		t.Errorf("the bars are %v", w)
	}
	var focus int
	b.call("controls.focusedBar", &focus)
	if focus != blocks-1 {
		t.Errorf("block %d has the focus", focus)
	}
	var inOrder int
	if b.eval(`return document.querySelectorAll('#bars > [tabindex="0"]').length`, &inOrder); inOrder != 1 {
		t.Errorf("%d bars are in the order of Tab", inOrder)
	}
	b.generate()
	if s := b.last().Guidance[0].Schedule; s.Kind != "table" || len(s.Table) != blocks || math.Abs(s.Table[0]-1.2) > 1e-3 {
		t.Errorf("it asked for %+v", s)
	}
}

// barStroke draws over the bars with the mouse, in one quick stroke.
func (b *tab) barStroke(t *testing.T) {
	var box struct{ Left, Top, Width, Height float64 }
	b.call("controls.box", &box)
	// From the top of the first bar to the bottom of the last, in one quick stroke.
	b.run(chromedp.ActionFunc(func(ctx context.Context) error {
		at := func(kind input.MouseType, x, y float64) error {
			return input.DispatchMouseEvent(kind, box.Left+x*box.Width, box.Top+y*box.Height).WithButton(input.Left).WithButtons(1).WithClickCount(1).Do(ctx)
		}
		for _, err := range []error{at(input.MousePressed, 0.01, 0.01), at(input.MouseMoved, 0.99, 0.99), at(input.MouseReleased, 0.99, 0.99)} {
			if err != nil {
				return err
			}
		}
		return nil
	}))
	w := b.barWeights()
	for i := 1; i < len(w); i++ {
		if w[i] >= w[i-1] {
			t.Fatalf("the bars are %v, wanted one line downwards", w)
		}
	}
	if w[0] < 2 || w[len(w)-1] > -1 {
		t.Errorf("the bars are %v, wanted the whole range", w)
	}
}

// directions adds as many directions as there can be, and removes them.
func (b *tab) directions(t *testing.T) {
	b.run(chromedp.Click("#add-direction", chromedp.ByQuery))
	b.field("positive", "red moon")
	b.field("weight-1", "-0.5")
	b.generate()
	g := b.last().Guidance
	if len(g) != 2 || g[1].Positive != "red moon" || g[1].Weight != -0.5 || g[0].Positive == "red moon" {
		t.Errorf("asked for %+v", g)
	}
	if says := b.text(".lie"); !strings.Contains(says, "°") {
		t.Errorf("how the direction lies: %q", says)
	}
	for range 20 {
		b.eval(`document.querySelector("#add-direction:not([hidden])")?.click(); await test.drawn()`, nil)
	}
	var n int
	if b.eval(`return document.querySelectorAll(".direction:not([hidden])").length`, &n); n != 8 {
		t.Errorf("there are %d directions, wanted 8", n)
	}
	for range 20 {
		b.eval(`document.querySelector("#remove-direction:not([hidden])")?.click(); await test.drawn()`, nil)
	}
	b.generate()
	if g := b.last().Guidance; len(g) != 1 {
		t.Errorf("asked for %d directions, wanted 1", len(g))
	}
}

func TestBrowserLive(t *testing.T) {
	b := loadedSmall(t)
	b.step("moving", func(t *testing.T) { b.followsSlider(t) })
	b.step("on release", func(t *testing.T) { b.followsRelease(t) })
	b.step("chosen", func(t *testing.T) {
		b.click(`[name="live"][value="always"]`)
		if n := b.follow(sweep); n < 2 || b.last().Guidance[0].Weight != 1.5 {
			t.Errorf("always, and %d pictures followed, the last of %+v", n, b.last().Guidance)
		}
		b.click(`[name="live"][value="off"]`)
		if n := b.follow(sweep + `; test.controls.slide(1, "change")`); n != 0 {
			t.Errorf("off, and %d pictures followed", n)
		}
	})
	b.silent(t)
}

// sweep moves the slider from 0 to 1.5.
const sweep = `await test.controls.sweep()`

// follow is how many pictures a script asks for, until nothing more happens.
func (b *tab) follow(script string) int {
	b.t.Helper()
	before := len(b.requests())
	b.eval(script, nil)
	b.settle()
	return len(b.requests()) - before
}

// followsSlider moves the slider while pictures seem to be quick.
func (b *tab) followsSlider(t *testing.T) {
	b.call("controls.watchFlicker", nil)
	n := b.follow(sweep)
	if n < 2 || n > 31 {
		t.Errorf("%d pictures followed 31 movements", n)
	}
	if w := b.last().Guidance[0].Weight; w != 1.5 {
		t.Errorf("the last picture has weight %v, wanted that of the slider, 1.5", w)
	}
	if b.last().Listens {
		t.Error("a picture that follows a moving slider waits for its steps")
	}
	var seen struct{ Stop, Bar, Blank int }
	if b.call("controls.flicker", &seen); seen.Stop+seen.Bar+seen.Blank != 0 {
		t.Errorf("it flickers: %+v", seen)
	}
	var most int
	if b.call("controls.mostAtOnce", &most); most != 1 {
		t.Errorf("%d pictures were asked for at once", most)
	}
	if says := b.text("#pace"); !strings.Contains(says, "50") || !strings.Contains(says, "while you drag") {
		t.Errorf("it says %q", says)
	}
	// The seed and the schedule are followed too.
	if n := b.follow(`document.querySelector("#dice").click()`); n != 1 {
		t.Errorf("a new seed made %d pictures", n)
	}
	if n := b.follow(`document.querySelector('[name="schedule"][value="window"]').click()`); n != 1 {
		t.Errorf("another schedule made %d pictures", n)
	}
	if n := b.follow(`await test.controls.release(1.5)`); n != 0 {
		t.Errorf("the same weight again made %d pictures", n)
	}
}

// followsRelease moves the slider while pictures seem to take long.
func (b *tab) followsRelease(t *testing.T) {
	b.call("controls.pretend", nil, 800)
	for range 5 {
		b.generate()
	}
	if n := b.follow(sweep); n != 0 {
		t.Errorf("on a slow device %d pictures followed a moving slider", n)
	}
	if n := b.follow(`await test.controls.release(0.7)`); n != 1 || b.last().Guidance[0].Weight != 0.7 {
		t.Errorf("letting go made %d pictures, the last of %+v", n, b.last().Guidance)
	}
	// A slow picture for an older weight is given up.
	n := b.follow(`await test.controls.release(0.1, 0.2, 0.3)`)
	if n < 1 || n > 3 || b.last().Guidance[0].Weight != 0.3 {
		t.Errorf("three times letting go made %d pictures, the last of %+v", n, b.last().Guidance)
	}
	if says := b.text("#pace"); !strings.Contains(says, "let go") {
		t.Errorf("it says %q", says)
	}
}

func TestBrowserWords(t *testing.T) {
	t.Parallel()
	b := loadedSmall(t)
	marked := func() (words []string) {
		t.Helper()
		b.call("controls.marked", &words)
		return words
	}
	b.field("prompt", "a red wombat in the ho")
	if got := fmt.Sprint(marked()); got != "[wombat]" {
		t.Errorf("marked are %s", got)
	}
	b.step("nearest", func(t *testing.T) {
		b.eval(`await test.drawn(); document.querySelector("#unknown-words + .near-words button").click()`, nil)
		if got := b.value("prompt"); got != "a red cat in the ho" {
			t.Errorf("the nearest word made it %q", got)
		}
		if b.is(`document.querySelector("#understands").open`) {
			t.Error("the list of words is open while some are known")
		}
		b.eval(`test.form.type("positive", "wombats"); await test.drawn(); document.querySelector("#positive-unknown + .near-words button").click()`, nil)
		if got := b.value("positive"); got != "cat" && got != "cats" {
			t.Errorf("the nearest word made the direction %q", got)
		}
		b.field("prompt", "zeppelins ")
		b.until(`document.querySelector("#understands").open && document.querySelector("#unknown-words").checkVisibility()`)
		b.eval(`document.querySelector("#prompt-examples button").click()`, nil)
		if got := b.value("prompt"); got != "a frog" {
			t.Errorf("the example made it %q", got)
		}
		b.eval(`document.querySelector("#prompt").focus(); document.execCommand("undo")`, nil)
		if got := b.value("prompt"); got != "zeppelins " {
			t.Errorf("undoing the example made it %q", got)
		}
	})
	b.field("prompt", "a red ho")
	b.eval(`await test.drawn(); document.querySelector("#suggestions button").click()`, nil)
	if got := marked(); len(got) != 0 {
		t.Errorf("marked are %v", got)
	}
	if got := b.value("prompt"); got != "a red house " {
		t.Errorf("the suggestion made it %q", got)
	}

	before := len(b.requests())
	b.run(chromedp.Click("#surprise", chromedp.ByQuery))
	b.until(fmt.Sprintf(`test.controls.requests.length > %d`, before))
	b.follows()
	if got := b.last().Prompt; got == "a red house " || got == "" || got != b.value("prompt") {
		t.Errorf("the surprise is %q", got)
	}
	if got := marked(); len(got) != 0 {
		t.Errorf("the surprise has unknown words: %v", got)
	}

	b.step("several at once", func(t *testing.T) {
		before := len(b.requests())
		b.run(chromedp.Click(`[name="each"][value="4"]`, chromedp.ByQuery))
		b.generate()
		b.settle()
		seeds := map[float64]bool{}
		for _, r := range b.requests()[before:] {
			seeds[r.Seed] = true
		}
		if n := len(b.requests()) - before; n != 4 || len(seeds) != 4 {
			t.Errorf("%d pictures, the seeds are %v", n, seeds)
		}
		b.run(chromedp.Click(`[name="each"][value="1"]`, chromedp.ByQuery))
	})

	b.step("language", func(t *testing.T) { b.speaksChinese(t) })
	b.silent(t)
}

// speaksChinese changes the language of a page that the browser has translated, and
// reloads it.
func (b *tab) speaksChinese(t *testing.T) {
	t.Helper()
	b.eval(`globalThis.texts = undertone.texts; undertone.texts = () => Promise.reject(new Error("no network"))`, nil)
	b.call("form.choose", nil, "language", "zh-Hans")
	b.until(`document.querySelector("#alert").textContent.includes("could not be loaded")`)
	if !b.is(`document.documentElement.lang === "en" && document.querySelector("#language").value === "en"`) {
		t.Error("without its texts another language is spoken")
	}
	// Of two languages the one that was chosen last is spoken and remembered, whichever comes first.
	b.eval(`undertone.texts = (tag) => test.sleep(300).then(() => globalThis.texts(tag))`, nil)
	b.call("form.choose", nil, "language", "zh-Hans")
	b.call("form.choose", nil, "language", "en")
	b.eval(`await test.sleep(600)`, nil)
	if !b.is(`document.documentElement.lang === "en" && localStorage.getItem("undertone.language") === "en"`) {
		t.Error("a language that was given up is spoken, or remembered")
	}
	b.eval(`undertone.texts = globalThis.texts`, nil)
	b.call("controls.translatePage", nil) // as a browser does that translates pages
	b.call("form.speak", nil, "zh-Hans")
	b.until(`document.documentElement.lang === "zh-Hans" && document.querySelector("#generate").textContent.startsWith("生成")`)
	b.call("drawn", nil)
	var left []string
	b.call("controls.untranslated", &left)
	if len(left) != 0 {
		t.Errorf("in Chinese, these remain: %q", left)
	}
	b.run(chromedp.Reload())
	b.until(running)
	if says := b.text(".welcome h2"); !strings.Contains(says, "文字") {
		t.Errorf("after a reload the heading is %q", says)
	}
}
