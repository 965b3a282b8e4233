package e2e

import (
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// shown is what is on a canvas.
type shown struct {
	Width, Height, Colours int
	Hash                   string
}

func (b *tab) canvas(i string) (s shown) {
	b.t.Helper()
	b.eval("return test.canvas("+i+")", &s)
	return s
}

// field sets a field as a person does who replaces its text.
func (b *tab) field(id, value string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible("#"+id, chromedp.ByQuery), chromedp.Focus("#"+id, chromedp.ByQuery), chromedp.Evaluate(`document.activeElement.select?.()`, nil),
		chromedp.ActionFunc(input.InsertText(value).Do))
}

const idle = `document.querySelector("#generate").getAttribute("aria-disabled") === "false"`

// generate presses Ctrl+Enter and waits for the end: until the API has answered, well
// or badly, what was asked for after the press, and the page shows it. (What stands in
// the page alone does not tell: a picture may be made between two frames, and a note
// may be that of the picture before.)
func (b *tab) generate() {
	b.t.Helper()
	b.run(chromedp.Evaluate(`document.querySelector("#alert .alert:not([hidden]) .square")?.click()`, nil))
	b.until(`document.querySelector("#alert .alert").hidden`)
	b.eval(`
		if (test.answers === undefined) {
			const { prototype } = undertone.Undertone, { generate } = prototype;
			prototype.generate = async function (request) {
				try { return await generate.call(this, request); } finally { test.answers++; }
			};
		}
		test.answers = 0;`, nil)
	b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierCtrl)))
	b.until(`test.answers > 0`)
	b.eval(`for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)`, nil)
	b.until(idle)
}

func (b *tab) text(selector string) (s string) {
	b.t.Helper()
	b.eval(`return document.querySelector("`+selector+`").textContent`, &s)
	return s
}

func TestBrowserPage(t *testing.T) {
	s := serve(t)
	b := open(t, s.URL, options{})

	b.until(`document.querySelector("#load")?.disabled === false`)
	var usable float64
	b.eval(`return performance.now()`, &usable)
	t.Logf("usable %.0f ms after it was opened (with an untouched cache, on this machine as it is)", usable)

	if says := b.text("#load"); !strings.Contains(says, "MB") {
		t.Errorf("Load says %q, without the size", says)
	}
	time.Sleep(time.Second)
	for _, part := range []string{".gguf", "tokenizer"} {
		if asked := s.asked(part); len(asked) != 0 {
			t.Errorf("before Load was pressed the page asked for %v", asked)
		}
	}
	b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierCtrl)))
	b.until(`document.querySelector("#note").textContent.includes("Load the model")`)

	// Load and the first picture.
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	if asked := s.asked(".gguf"); len(asked) != 3 {
		t.Errorf("loading asked for %v, wanted three files, once each", asked)
	}
	if device := b.text("#device"); !strings.Contains(device, "WebGPU") {
		t.Errorf("the device is called %q", device)
	}
	b.field("prompt", "a red car on the beach at sunset")
	b.field("steps", "2")
	b.eval(`
		globalThis.previews = 0;
		const put = CanvasRenderingContext2D.prototype.drawImage;
		CanvasRenderingContext2D.prototype.drawImage = function (...a) { previews++; return put.apply(this, a); };`, nil)
	b.generate()
	first := b.canvas("0")
	if first.Width != 256 || first.Colours < 100 {
		t.Errorf("the picture is %d×%d with %d colours", first.Width, first.Height, first.Colours)
	}
	var previews int
	if b.eval(`return previews`, &previews); previews < 1 {
		t.Error("no preview was drawn")
	}
	if times := b.text("#times"); !strings.Contains(times, "2 steps") {
		t.Errorf("the times are %q", times)
	}

	b.step("same seed", func(t *testing.T) {
		b.generate()
		if again := b.canvas("0"); again != first {
			t.Errorf("the same seed gave %v, then %v", first, again)
		}
		if note := b.text("#note"); !strings.Contains(note, "same picture") {
			t.Errorf("it says %q", note)
		}
	})

	var moved, zero shown
	b.step("weight", func(t *testing.T) {
		b.field("weight", "4")
		b.generate()
		if moved = b.canvas("0"); moved.Hash == first.Hash {
			t.Error("another weight gave the same picture")
		}
		b.field("weight", "0")
		b.generate()
		if zero = b.canvas("0"); zero.Hash == moved.Hash {
			t.Error("weight 0 gave the picture of weight 4")
		}
		b.run(chromedp.Click(`[data-preset=""]`, chromedp.ByQuery))
		b.generate()
		if off := b.canvas("0"); off != zero {
			t.Errorf("weight 0 gave %v, no guidance %v", zero, off)
		}
	})

	b.step("compare", func(t *testing.T) {
		b.run(chromedp.Click(`[data-preset="`+b.preset()+`"]`, chromedp.ByQuery))
		b.field("weight", "4")
		b.generate()
		b.run(chromedp.Click("#tab-compare", chromedp.ByQuery))
		b.until(`document.querySelectorAll("#pane-compare figure:not([hidden])").length === 2 && ` + idle)
		at := func(figure string) string {
			return `[...document.querySelectorAll("canvas")].indexOf(document.querySelector("#pane-compare figure:` + figure + ` canvas"))`
		}
		if plain, guided := b.canvas(at("first-child")), b.canvas(at("nth-child(2)")); guided != moved || plain != zero {
			t.Errorf("side by side are %v and %v, wanted %v and %v", guided, plain, moved, zero)
		}
		b.run(chromedp.Click("#tab-picture", chromedp.ByQuery))
		b.until(`document.querySelector("#pane-compare").hidden`)
	})

	b.step("stop", func(t *testing.T) {
		before := b.canvas("0")
		b.field("seed", "12345")
		b.field("steps", "20")
		b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierCtrl)))
		b.until(`document.querySelector("#generate").textContent.startsWith("Step 1")`)
		b.run(chromedp.KeyEvent(kb.Escape))
		start := time.Now()
		b.until(idle)
		if d := time.Since(start); d > time.Second {
			t.Errorf("it took %v to stop", d)
		}
		if note := b.text("#note"); note != "Stopped." {
			t.Errorf("it says %q", note)
		}
		if after := b.canvas("0"); after != before {
			t.Error("the last picture is gone")
		}
	})

	b.step("errors", func(t *testing.T) {
		before := b.canvas("0")
		refused := func(code, limit string) {
			t.Helper()
			b.generate()
			if says := b.text("#alert"); !strings.Contains(says, "Code: "+code) || !strings.Contains(says, limit) {
				t.Errorf("it says %q, wanted the code %s and the limit %s", says, code, limit)
			}
			if after := b.canvas("0"); after != before {
				t.Errorf("%s: the last picture is gone", code)
			}
		}
		b.field("steps", "2")
		b.field("seed", "4294967296")
		refused("seed-range", "4294967295")
		b.field("seed", "")
		refused("seed-range", "NaN")
		b.field("seed", "7")
		b.field("steps", "999")
		var most string
		b.eval(`return document.querySelector("#steps").max`, &most)
		refused("steps-range", most)
		b.field("steps", "2")
		b.field("weight", "1000")
		refused("guidance-invalid", "20")
		b.field("weight", "")
		refused("guidance-invalid", "NaN")
		b.field("weight", "1")
		b.eval(`document.querySelector('[name="schedule"][value="step"]').click()`, nil)
		b.field("first", "99")
		refused("guidance-invalid", "99")
		b.field("first", "0")
		b.eval(`const p = document.querySelector("#prompt"); p.value = "frog ".repeat(200000); p.dispatchEvent(new Event("input"))`, nil)
		refused("prompt-too-long", "4096")
		b.eval(`const p = document.querySelector("#prompt"); p.value = "frog\x00\x01\x02"; p.dispatchEvent(new Event("input"))`, nil)
		refused("prompt-not-text", "U+0000")
		b.field("prompt", "")
		b.generate()
		if after := b.canvas("0"); after == before || after.Colours < 100 {
			t.Errorf("after all errors the empty prompt gave %v", after)
		}
		var hidden bool
		if b.eval(`return document.querySelector("#alert .alert").hidden`, &hidden); !hidden {
			t.Errorf("the last error stayed: %s", b.text("#alert"))
		}
	})

	b.step("save", func(t *testing.T) {
		dir := t.TempDir()
		b.field("prompt", "a frog, twice")
		b.generate()
		b.run(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir).WithEventsEnabled(true),
			chromedp.Click("#save", chromedp.ByQuery))
		file := filepath.Join(dir, "undertone-a-frog-twice-7.png")
		for range 100 {
			if _, err := os.Stat(file); err == nil {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		saved, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		var pixels []int
		b.eval(`const c = document.querySelector("canvas"); return Array.from(c.getContext("2d").getImageData(0, 0, c.width, c.height).data)`, &pixels)
		if differ := differences(saved, pixels); differ != 0 {
			t.Errorf("%d pixels of the saved file differ from the page", differ)
		}
	})

	if c := b.complaints(); len(c) != 0 {
		t.Errorf("the console has %v", c)
	}
	for _, p := range s.asked("") {
		if strings.Contains(p, "frog") || strings.Contains(p, "car") {
			t.Errorf("the prompt is in the request %s", p)
		}
	}
}

// preset is the id of the model's first preset.
func (b *tab) preset() (id string) {
	b.t.Helper()
	b.eval(`return document.querySelectorAll("[data-preset]")[1].dataset.preset`, &id)
	return id
}

func differences(m image.Image, rgba []int) (n int) {
	size := m.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
			i := 4 * (y*size.X + x)
			if i+3 >= len(rgba) || int(c.R) != rgba[i] || int(c.G) != rgba[i+1] || int(c.B) != rgba[i+2] || int(c.A) != rgba[i+3] {
				n++
			}
		}
	}
	return n
}

// TestBrowserNoWebGPU opens the page where navigator.gpu is absent, and where it
// is there but offers no adapter, and makes a picture on the CPU.
func TestBrowserNoWebGPU(t *testing.T) {
	for name, o := range map[string]options{
		"WebGPU":             {script: "delete Navigator.prototype.gpu;"},
		"graphics processor": {noGPU: true},
	} {
		t.Run("no "+name, func(t *testing.T) {
			s := serve(t)
			b := open(t, s.URL, o)
			b.until(`document.querySelector("#no-webgpu:not([hidden])") !== null`)
			if says := b.text("#no-webgpu"); !strings.Contains(says, name) || !strings.Contains(says, "Chrome") && !strings.Contains(says, "Settings") {
				t.Errorf("it says %q", says)
			}
			b.until(`/about \d/.test(document.querySelector("#no-webgpu").textContent)`)
			t.Logf("it says: %s", b.text("#no-webgpu"))
			code := map[bool]string{true: "adapter-missing", false: "webgpu-missing"}[o.noGPU]
			var f fault
			b.eval(`return test.refused(undertone.Undertone.load("models/sprites/model.json"))`, &f)
			if f.Code != code || f.Advice == "" {
				t.Errorf("the API says %+v, wanted %s", f, code)
			}
			if asked := s.asked(".gguf"); len(asked) != 0 {
				t.Errorf("weights were fetched for a device that is not there: %v", asked)
			}
			if !o.noGPU {
				return
			}
			b.run(chromedp.Click("#load-cpu", chromedp.ByQuery))
			b.until(idle)
			if device := b.text("#device"); device != "CPU" {
				t.Errorf("the device is called %q", device)
			}
			b.field("steps", "1")
			b.generate()
			if c := b.canvas("0"); c.Colours < 100 {
				t.Errorf("the CPU's picture has %d colours", c.Colours)
			}
			t.Logf("on the CPU: %s", b.text("#times"))

			// The CPU computes on the worker's only thread, and yet can be stopped.
			b.field("steps", "9")
			b.run(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(input.ModifierCtrl)))
			b.until(`!document.querySelector("#stop").hidden`)
			time.Sleep(time.Second)
			start := time.Now()
			b.run(chromedp.Click("#stop", chromedp.ByQuery))
			b.until(idle)
			if d := time.Since(start); d > time.Second {
				t.Errorf("it took %v to stop", d)
			}
		})
	}
}
