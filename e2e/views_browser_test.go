package e2e

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// started opens the page with the small model, loads it, and makes a picture.
func started(t *testing.T, o options) (*server, *tab) {
	s := smallSite(t)
	o.before = script("before/forbid_dialogs.js")
	b := open(t, s.URL, o)
	b.run(browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeClipboardReadWrite, browser.PermissionTypeClipboardSanitizedWrite}).WithOrigin(s.URL))
	b.loadModel()
	b.field("prompt", "a red frog")
	b.field("steps", "3")
	b.lean()
	b.generate()
	return s, b
}

// TestBrowserViews looks at a picture in every view of the page.
func TestBrowserViews(t *testing.T) {
	t.Parallel()
	s, b := started(t, options{noGPU: true})
	guided := b.canvasOf(picturePane)

	var plain string
	b.step("compare", func(t *testing.T) { plain = b.compares(t, guided) })

	b.step("hold and save", func(t *testing.T) { b.holds(t, guided) })

	b.step("sweep", func(t *testing.T) {
		b.click("#tab-sweep")
		b.field("sweep-from", "0")
		b.field("sweep-to", "2")
		b.field("sweep-count", "3")
		b.call("drawn", nil)
		name := b.text("#sweep-of")
		if says := b.text("#sweep-go"); name == "" || says != name+": make 3 pictures" {
			t.Errorf("of %q the button says %q", name, says)
		}
		b.click("#sweep-go")
		b.until(`document.querySelectorAll(".sheet .tile:not([disabled])").length === 3 && ` + idle)
		if got := b.canvasOf(".sheet .tile:first-child canvas"); got != plain {
			t.Errorf("%s is another picture than without guidance", b.text(".sheet .tile:first-child"))
		}
		last := b.canvasOf(".sheet .tile:last-child canvas")
		b.click(".sheet .tile:last-child")
		b.until(`!document.querySelector("#pane-picture").hidden`)
		if weight := b.value("weight"); weight != "2" || b.canvasOf(picturePane) != last {
			t.Errorf("the last place of the sheet gave the weight %s", weight)
		}
		b.generate()
		if b.canvasOf(picturePane) != last {
			t.Error("the settings of the sheet make another picture")
		}
	})

	b.step("steps", func(t *testing.T) { b.watchesSteps(t, plain) })

	b.step("flow", func(t *testing.T) { b.followsFlow(t) })

	b.step("several", func(t *testing.T) {
		b.click("#tab-picture")
		before := b.canvasOf(picturePane)
		b.eval(`document.querySelector('[name="each"][value="2"]').click()`, nil)
		b.generate()
		b.until(`document.querySelectorAll(".others .tile").length === 2`)
		if b.canvasOf(".others .tile:first-child canvas") != before {
			t.Error("the first of several has another seed")
		}
		b.click(".others .tile:last-child")
		if b.canvasOf(picturePane) == before {
			t.Error("the second picture is the first")
		}
		b.click(".others .tile:first-child")
		b.eval(`document.querySelector('[name="each"][value="1"]').click()`, nil)
	})
	b.gallery(t, s)
	b.silent(t)
}

// watchesSteps goes through the steps of a picture and of the same without guidance.
func (b *tab) watchesSteps(t *testing.T, plain string) {
	b.click("#tab-steps")
	b.until(`document.querySelectorAll(".strip .tile").length === 4 && ` + idle) // three steps, and the picture
	left, right := "#pane-steps figure:first-child canvas", "#pane-steps figure:nth-child(2) canvas"
	final := b.canvasOf(right)
	if final != b.canvasOf(picturePane) || b.canvasOf(left) != plain {
		t.Error("at the end it is not the picture, beside that without guidance")
	}
	if !b.is(`test.layout.sideBySide("#pane-steps")`) {
		t.Error("the two are not side by side")
	}
	b.run(chromedp.Focus("#step-scrub", chromedp.ByQuery), chromedp.KeyEvent(kb.Home))
	if got, other := b.canvasOf(right), b.canvasOf(left); got == final || other == plain || got == other {
		t.Error("the first steps look like the pictures, or like each other")
	}
	for _, c := range [][2]string{{"#pane-steps figure:first-child figcaption", "Without guidance"}, {"#pane-steps figure:nth-child(2) figcaption", " · 2"}} {
		if says := b.text(c[0]); !strings.Contains(says, "step 1 of 3") || !strings.HasSuffix(says, c[1]) {
			t.Errorf("%s says %q", c[0], says)
		}
	}
}

// followsFlow changes the weight, which the drawing of the data's way shows at once, and
// looks whether the drawing can be read on the smallest screen.
func (b *tab) followsFlow(t *testing.T) {
	b.click("#tab-how")
	b.until(`document.querySelector(".flow .bars") && ` + idle)
	var before string
	b.eval(`return document.querySelector(".flow .bars").getAttribute("d")`, &before)
	b.field("weight", "-1.25")
	b.until(`document.querySelector(".flow .adds").textContent.startsWith("+ −1.25 × ") && document.querySelector(".flow").getAttribute("aria-label").includes(": −1.25 × ")`)
	if b.is(`document.querySelector(".flow .bars").getAttribute("d") === ` + quote(before)) {
		t.Error("the blocks' bars do not follow the weight")
	}
	b.run(chromedp.EmulateViewport(320, 568, chromedp.EmulateMobile))
	for _, language := range []string{"zh-Hans", "en"} {
		b.call("form.speak", nil, language)
		b.call("drawn", nil)
		var small []string
		if b.call("layout.flow", &small); len(small) != 0 {
			t.Errorf("in %s at 320 pixels these cannot be read: %q", language, small)
		}
	}
	b.run(chromedp.EmulateViewport(1280, 900))
	b.field("weight", "2")
	b.generate()
}

// holds compares with a picture that is held, and saves both.
func (b *tab) holds(t *testing.T, guided string) {
	left, right := "#pane-compare figure:first-child canvas", "#pane-compare figure:nth-child(2) canvas"
	seed := b.value("seed")
	b.click("#compare-hold")
	b.field("seed", "99")
	b.generate()
	if !b.is(`!document.querySelector("#pane-compare").hidden`) || b.canvasOf(left) != guided || b.canvasOf(right) == guided {
		t.Error("the picture that is held does not stay beside a new one")
	}
	if says := b.text("#pane-compare figure:nth-child(2) figcaption"); says != "Seed 99" {
		t.Errorf("what differs is said to be %q", says)
	}
	b.call("film.watch", nil)
	b.click("#compare-save")
	b.until(`test.film.file()`)
	file := b.blob(`test.film.file()`)
	if p := recipeOf(t, file); p.Seed != 99 || p.Prompt != "a red frog" {
		t.Errorf("the file says %+v", p)
	}
	m, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if size := m.Bounds().Size(); size.X != 2*16+8 || size.Y <= 16 {
		t.Fatalf("the file is of %v", size)
	}
	for i, want := range []string{left, right} {
		x := i * (16 + 8)
		part := image.NewNRGBA(image.Rect(0, 0, 16, 16))
		draw.Draw(part, part.Rect, m, image.Pt(x, 0), draw.Src)
		if sum := fmt.Sprintf("%x", sha256.Sum256(part.Pix)); sum != b.canvasOf(want) {
			t.Errorf("picture %d of the file is another one", i)
		}
	}
	b.click("#compare-zoom")
	b.until(`getComputedStyle(document.querySelector("` + right + `")).objectFit === "none"`) // 1:1
	b.click("#compare-zoom")
	b.click("#compare-hold")
	b.field("seed", seed)
	b.generate()
	if b.canvasOf(right) != guided || b.canvasOf(left) == guided {
		t.Error("once it is let go, the picture is not beside the one without guidance")
	}
}

// compares looks at a picture beside the one without guidance, whose hash it returns.
func (b *tab) compares(t *testing.T, guided string) (plain string) {
	b.click("#tab-compare")
	b.until(`!document.querySelector("#divider").hidden && ` + idle)
	left, right := "#pane-compare figure:first-child canvas", "#pane-compare figure:nth-child(2) canvas"
	if got := b.canvasOf(right); got != guided {
		t.Error("the right picture is not the one that was made")
	}
	if plain = b.canvasOf(left); plain == guided {
		t.Error("without guidance it is the same picture")
	}
	at := func() (v float64) {
		b.eval(`await test.drawn(); return parseFloat(document.querySelector("#pane-compare .pair").style.getPropertyValue("--at"))`, &v)
		return v
	}
	b.run(chromedp.Focus("#divider", chromedp.ByQuery), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	if got := at(); got != 0.52 {
		t.Errorf("two steps right of the middle the divider is at %v", got)
	}
	b.run(chromedp.KeyEvent(kb.End))
	if got := at(); got != 1 {
		t.Errorf("at the end the divider is at %v", got)
	}
	b.eval(`document.querySelector('[name="compare-as"][value="pair"]').click()`, nil)
	b.until(`document.querySelector("#divider").hidden`)
	if !b.is(`test.layout.sideBySide("#pane-compare")`) {
		t.Error("the two pictures are not side by side")
	}
	return plain
}

// gallery keeps a picture, finds it again after a reload, and deletes it.
func (b *tab) gallery(t *testing.T, s *server) {
	shown := b.canvasOf(picturePane)
	var file []byte
	b.step("keep", func(t *testing.T) {
		b.call("gallery.otherDatabase", nil, "somebody-else")
		b.click("#keep")
		b.until(`document.querySelector("#keep").textContent === "In the gallery"`)
		file = b.blob(`(await test.gallery.records())[0].file`)
	})
	b.step("the file says what made it", func(t *testing.T) {
		if p := recipeOf(t, file); p.Prompt != "a red frog" || p.Steps != 3 || len(p.Guidance) != 1 || p.Guidance[0].Weight != 2 || p.Plan == "" || p.Backend == "" {
			t.Errorf("%+v", p)
		}
	})
	b.step("reload", func(t *testing.T) {
		before := len(s.asked("models/"))
		b.run(chromedp.Reload())
		b.ready()
		b.eval(`document.querySelector("#tab-gallery").click()`, nil)
		b.click(".cards .tile")
		b.until(`!document.querySelector("#pane-picture").hidden && !document.querySelector("#pane-picture .picture").hidden`)
		if b.canvasOf(picturePane) != shown {
			t.Error("another picture came back")
		}
		if prompt, steps := b.value("prompt"), b.value("steps"); prompt != "a red frog" || steps != "3" {
			t.Errorf("the form says %q, %s steps", prompt, steps)
		}
		for _, path := range s.asked("models/")[before:] {
			if !strings.HasSuffix(path, "description.json") {
				t.Errorf("restoring asked for %s", path)
			}
		}
	})
	b.step("delete", func(t *testing.T) {
		b.click("#tab-gallery")
		b.click(".cards [data-do=delete]")
		b.until(`document.querySelectorAll(".cards > *").length === 0`)
		var left int
		if b.call("gallery.count", &left); left != 0 {
			t.Errorf("%d pictures are left", left)
		}
		var others []string
		if b.call("gallery.databases", &others); fmt.Sprint(others) != "[somebody-else undertone-gallery]" {
			t.Errorf("the databases are %v", others)
		}
	})
	b.step("drop", func(t *testing.T) {
		b.field("prompt", "something else")
		b.dropped("x.png", file)
		b.restored("a red frog")
		if says := b.text("#keep"); says != "Save to gallery" {
			t.Errorf("what was dropped is not in the gallery, but the button says %q", says)
		}
		b.call("form.dropGIF", nil)
		b.until(`document.querySelector("#alert").textContent.includes("picture-invalid")`)
	})
}
