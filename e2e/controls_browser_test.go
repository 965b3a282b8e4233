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

// recordRequests lists what the page asks the API for, how many pictures were
// being made at once, and lets a test decide how long pictures seem to take.
const recordRequests = `
	globalThis.asked = [];
	globalThis.seem = { ms: 50, busy: 0, most: 0 };
	const generate = undertone.Undertone.prototype.generate;
	undertone.Undertone.prototype.generate = async function (request) {
		asked.push({ prompt: request.prompt, seed: request.seed, listens: typeof request.onStep === "function", guidance: request.guidance });
		seem.most = Math.max(seem.most, ++seem.busy);
		try {
			const result = await generate.call(this, request);
			result.timings = { ...result.timings, totalMs: seem.ms, prepareMs: 0 };
			return result;
		} finally {
			seem.busy--;
		}
	};
	test.drawn = async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); };
	test.bars = () => Array.from(document.querySelectorAll("#bars > span"), (b) => Number(b.getAttribute("aria-valuenow")));
	test.slide = (value, kind = "input") => {
		const s = document.querySelector("#weight-slider");
		s.value = value;
		s.dispatchEvent(new Event(kind));
	};`

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
	b.eval(`return asked`, &list)
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
	b.eval(`await test.drawn(); return test.bars()`, &w)
	return w
}

// settle waits until no picture is made and none follows.
func (b *tab) settle() {
	b.t.Helper()
	b.eval(`
		for (let i = 0; i < 2; i++) {
			await test.drawn();
			while (seem.busy) await test.sleep(20);
			await test.sleep(100);
		}`, nil)
	b.until(idle)
}

// keys presses keys, one after the other.
func (b *tab) keys(list ...string) {
	b.t.Helper()
	for _, k := range list {
		b.run(chromedp.KeyEvent(k))
	}
}

// loadedSmall opens the page with the small model loaded and one picture made.
func loadedSmall(t *testing.T, o options) *tab {
	t.Helper()
	b := open(t, smallSite(t).URL, o)
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	b.eval(recordRequests, nil)
	b.generate()
	return b
}

func TestBrowserSchedule(t *testing.T) {
	b := loadedSmall(t, options{})
	b.run(chromedp.Click(`[name="live"][value="off"]`, chromedp.ByQuery))

	b.step("keyboard", func(t *testing.T) {
		b.field("weight", "1")
		b.run(chromedp.Click(`[name="schedule"][value="constant"]`, chromedp.ByQuery), chromedp.Focus(`#bars > [tabindex="0"]`, chromedp.ByQuery))
		blocks := len(b.barWeights())
		b.keys(kb.Home, kb.ArrowUp, kb.ArrowUp, kb.ArrowRight, kb.PageDown, kb.End, "0")
		w := b.barWeights()
		if math.Abs(w[0]-1.2) > 1e-9 || w[1] != 0 || w[blocks-1] != 0 || w[2] != 1 && blocks > 3 {
			t.Errorf("the bars are %v", w)
		}
		var focus int
		b.eval(`return Array.from(document.querySelectorAll("#bars > span")).indexOf(document.activeElement)`, &focus)
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
	})

	b.step("keys between two frames", func(t *testing.T) {
		before := b.barWeights()
		b.eval(`
			const bar = document.querySelector('#bars > [tabindex="0"]');
			bar.focus();
			await test.drawn();
			for (const key of ["ArrowUp", "ArrowUp", "PageUp", "ArrowLeft", "ArrowDown", "ArrowDown"]) {
				document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
			}`, nil)
		w, last := b.barWeights(), len(before)-1
		if math.Abs(w[last]-before[last]-1.2) > 1e-6 || math.Abs(w[last-1]-before[last-1]+0.2) > 1e-6 {
			t.Errorf("the bars were %v and are %v", before, w)
		}
	})

	b.step("pointer", func(t *testing.T) {
		var box struct{ Left, Top, Width, Height float64 }
		b.eval(`
			const c = document.querySelector("#bars");
			c.scrollIntoView({ block: "center" });
			await test.drawn();
			const r = c.getBoundingClientRect();
			return { left: r.left, top: r.top, width: r.width, height: r.height }`, &box)
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
	})

	b.step("shapes", func(t *testing.T) {
		for _, kind := range []string{"constant", "step", "window", "bumps", "intervals", "table"} {
			b.run(chromedp.Click(`[name="schedule"][value="`+kind+`"]`, chromedp.ByQuery))
			b.generate()
			if got := b.last().Guidance[0].Schedule.Kind; got != kind {
				t.Errorf("asked for %q, wanted %q", got, kind)
			}
			if says := b.text("#alert"); strings.Contains(says, "Code: guidance") {
				t.Errorf("%s: %s", kind, says)
			}
		}
	})

	b.step("directions", func(t *testing.T) {
		b.run(chromedp.Click("#add-direction", chromedp.ByQuery))
		b.field("positive", "red moon")
		b.field("weight", "-0.5")
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
	})
	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}

func TestBrowserLive(t *testing.T) {
	b := loadedSmall(t, options{})
	// count is how many pictures a script asks for, until nothing more happens.
	count := func(script string) int {
		t.Helper()
		before := len(b.requests())
		b.eval(script, nil)
		b.settle()
		return len(b.requests()) - before
	}
	const sweep = `for (let i = 0; i <= 30; i++) { test.slide(i / 20); await test.sleep(8); }`

	b.step("moving", func(t *testing.T) {
		b.eval(`
			globalThis.seen = { stop: 0, bar: 0, blank: 0 };
			const c = document.querySelector("#pane-picture canvas");
			globalThis.watch = setInterval(() => {
				if (!document.querySelector("#stop").hidden) seen.stop++;
				if (!document.querySelector("#pane-picture .bar").hidden) seen.bar++;
				const { data } = c.getContext("2d").getImageData(0, 0, 1, 1);
				if (data[3] !== 255) seen.blank++;
			}, 5)`, nil)
		n := count(sweep)
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
		if b.eval(`clearInterval(watch); return seen`, &seen); seen.Stop+seen.Bar+seen.Blank != 0 {
			t.Errorf("it flickers: %+v", seen)
		}
		var most int
		if b.eval(`return seem.most`, &most); most != 1 {
			t.Errorf("%d pictures were asked for at once", most)
		}
		if says := b.text("#pace"); !strings.Contains(says, "50") || !strings.Contains(says, "while you move") {
			t.Errorf("it says %q", says)
		}
		// The seed and the schedule are followed too.
		if n := count(`document.querySelector("#dice").click()`); n != 1 {
			t.Errorf("a new seed made %d pictures", n)
		}
		if n := count(`document.querySelector('[name="schedule"][value="window"]').click()`); n != 1 {
			t.Errorf("another schedule made %d pictures", n)
		}
		if n := count(`test.slide(1.5); test.slide(1.5, "change")`); n != 0 {
			t.Errorf("the same weight again made %d pictures", n)
		}
	})

	b.step("on release", func(t *testing.T) {
		b.eval(`seem.ms = 800`, nil)
		for range 5 {
			b.generate()
		}
		if n := count(sweep); n != 0 {
			t.Errorf("on a slow device %d pictures followed a moving slider", n)
		}
		if n := count(`test.slide(0.7); test.slide(0.7, "change")`); n != 1 || b.last().Guidance[0].Weight != 0.7 {
			t.Errorf("letting go made %d pictures, the last of %+v", n, b.last().Guidance)
		}
		// A slow picture for an older weight is given up.
		n := count(`for (const w of [0.1, 0.2, 0.3]) { test.slide(w); test.slide(w, "change"); await test.drawn(); }`)
		if n < 1 || n > 3 || b.last().Guidance[0].Weight != 0.3 {
			t.Errorf("three times letting go made %d pictures, the last of %+v", n, b.last().Guidance)
		}
		if says := b.text("#pace"); !strings.Contains(says, "let go") {
			t.Errorf("it says %q", says)
		}
	})

	b.step("chosen", func(t *testing.T) {
		b.run(chromedp.Click(`[name="live"][value="always"]`, chromedp.ByQuery))
		if n := count(sweep); n < 2 || b.last().Guidance[0].Weight != 1.5 {
			t.Errorf("always, and %d pictures followed, the last of %+v", n, b.last().Guidance)
		}
		b.run(chromedp.Click(`[name="live"][value="off"]`, chromedp.ByQuery))
		if n := count(sweep + `test.slide(1, "change")`); n != 0 {
			t.Errorf("off, and %d pictures followed", n)
		}
	})
	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}

func TestBrowserWords(t *testing.T) {
	b := loadedSmall(t, options{})
	marked := func() (words []string) {
		t.Helper()
		b.eval(`await test.drawn(); return Array.from(document.querySelectorAll("#mirror:not([hidden]) mark"), (m) => m.textContent)`, &words)
		return words
	}
	b.field("prompt", "a red wombat in the ho")
	if got := fmt.Sprint(marked()); got != "[wombat]" {
		t.Errorf("marked are %s", got)
	}
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
	b.until(fmt.Sprintf(`asked.length > %d`, before))
	b.settle()
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

	b.step("language", func(t *testing.T) {
		b.run(chromedp.SetValue("#language", "zh-Hans", chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#language").dispatchEvent(new Event("change"))`, nil))
		b.until(`document.documentElement.lang === "zh-Hans" && document.querySelector("#generate").textContent.startsWith("生成")`)
		var left []string
		// What remains in Latin letters alone are names, the prompt's words and numbers.
		b.eval(`return Array.from(document.querySelectorAll("[data-text], h2, label, .tab, .panel p.muted"), (e) => e.textContent.trim())
			.filter((s) => s.length > 3 && !/[\u4e00-\u9fff]/.test(s) && /[a-z]{4}/.test(s))`, &left)
		if len(left) != 0 {
			t.Errorf("in Chinese, these remain: %q", left)
		}
		b.run(chromedp.Reload())
		b.until(`document.documentElement.dataset.state === "running"`)
		if says := b.text(".welcome h2"); !strings.Contains(says, "文字") {
			t.Errorf("after a reload the heading is %q", says)
		}
	})
	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
}
