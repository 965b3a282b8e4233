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
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestBrowserPage uses the page with the shipped model, from the first look to a picture
// that is stopped.
func TestBrowserPage(t *testing.T) {
	s := serve(t)
	b := open(t, s.URL, options{webgpu: true})

	b.ready()
	var after float64
	b.eval(`return performance.now()`, &after)
	t.Logf("usable %.0f ms after it was opened (with an untouched cache, on this machine as it is)", after)

	if says := b.text("#load"); !strings.Contains(says, "MB") {
		t.Errorf("Start says %q, without the size", says)
	}
	time.Sleep(time.Second)
	for _, part := range []string{".gguf", "tokenizer"} {
		if asked := s.asked(part); len(asked) != 0 {
			t.Errorf("before Load was pressed the page asked for %v", asked)
		}
	}
	b.pressGenerate()
	b.until(`document.querySelector("#note").textContent.includes("Press Start")`)

	b.loadModel()
	first := b.firstPicture(t, s)

	b.step("same seed", func(t *testing.T) {
		b.generate()
		if again := b.canvas(0); again != first {
			t.Errorf("the same seed gave %v, then %v", first, again)
		}
		if note := b.text("#note"); !strings.Contains(note, "same picture") {
			t.Errorf("it says %q", note)
		}
	})
	b.step("stop", func(t *testing.T) {
		b.field("seed", "12345")
		b.field("steps", "20")
		b.pressGenerate()
		b.until(`document.querySelector("#generate").textContent.startsWith("Step 1")`)
		b.keys(kb.Escape)
		b.stops(t)
		if note := b.text("#note"); note != "Stopped." {
			t.Errorf("it says %q", note)
		}
		if after := b.canvas(0); after != first {
			t.Error("the last picture is gone")
		}
	})
	b.step("another weight", func(t *testing.T) {
		b.field("seed", "7")
		b.field("steps", "2")
		b.field("weight", "0")
		b.generate()
		if zero := b.canvas(0); zero.Hash == first.Hash || zero.Colours < 100 {
			t.Errorf("weight 0 gave %v, the preset's %v", zero, first)
		}
	})
	b.silent(t)
	for _, p := range s.asked("") {
		if strings.Contains(p, "car") {
			t.Errorf("the prompt is in the request %s", p)
		}
	}
}

// firstPicture makes a picture with the model that was loaded just now.
func (b *tab) firstPicture(t *testing.T, s *server) (first shown) {
	if asked := s.asked(".gguf"); len(asked) != 3 {
		t.Errorf("loading asked for %v, wanted three files, once each", asked)
	}
	if device := b.text("#device"); !strings.Contains(device, "WebGPU") {
		t.Errorf("the device is called %q", device)
	}
	b.field("prompt", "a red car on the beach at sunset")
	b.field("steps", "2")
	b.call("form.countDrawings", nil)
	b.generate()
	first = b.canvas(0)
	if first.Width != 256 || first.Colours < 100 {
		t.Errorf("the picture is %d×%d with %d colours", first.Width, first.Height, first.Colours)
	}
	if !b.is(`test.drawings >= 1`) {
		t.Error("no preview was drawn")
	}
	if times := b.text("#times"); !strings.Contains(times, "2 steps") {
		t.Errorf("the times are %q", times)
	}
	return first
}

// stops waits until nothing is made, a second at most.
func (b *tab) stops(t *testing.T) {
	t.Helper()
	start := time.Now()
	b.until(idle)
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %v to stop", d)
	}
}

// TestBrowserForm sets every field, well and badly: pictures follow the weight, what cannot
// be made is refused with its limit while the last picture stays, and what is saved is what
// is shown.
func TestBrowserForm(t *testing.T) {
	t.Parallel()
	b := open(t, quantizedSite(t).URL, options{noGPU: true})
	b.loadModel()
	b.click(`[name="live"][value="off"]`) // pictures are made by the button alone
	b.field("prompt", "a red frog")
	b.field("seed", "7")
	b.field("steps", "2")
	b.generate()
	first := b.canvas(0)

	var moved, zero shown
	b.step("weight", func(t *testing.T) {
		b.field("weight", "4")
		b.generate()
		if moved = b.canvas(0); moved.Hash == first.Hash {
			t.Error("another weight gave the same picture")
		}
		b.field("weight", "0")
		b.generate()
		if zero = b.canvas(0); zero.Hash == moved.Hash {
			t.Error("weight 0 gave the picture of weight 4")
		}
		b.click(`[data-preset=""]`)
		b.generate()
		if off := b.canvas(0); off != zero {
			t.Errorf("weight 0 gave %v, no guidance %v", zero, off)
		}
	})
	b.step("compare", func(t *testing.T) {
		b.click(`[data-preset="` + b.preset() + `"]`)
		b.field("weight", "4")
		b.generate()
		b.click("#tab-compare")
		b.until(`document.querySelectorAll("#pane-compare figure:not([hidden])").length === 2 && ` + idle)
		plain, guided := b.canvasOf("#pane-compare figure:first-child canvas"), b.canvasOf("#pane-compare figure:nth-child(2) canvas")
		if guided != moved.Hash || plain != zero.Hash {
			t.Errorf("side by side are %v and %v, wanted %v and %v", guided, plain, moved, zero)
		}
		b.click("#tab-picture")
		b.until(`document.querySelector("#pane-compare").hidden`)
	})
	b.step("errors", func(t *testing.T) { b.formErrors(t) })
	b.step("save", func(t *testing.T) {
		dir := t.TempDir()
		b.field("prompt", "a frog, twice")
		b.generate()
		b.run(browser.SetDownloadBehavior(browser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(dir).WithEventsEnabled(true),
			chromedp.Click("#save", chromedp.ByQuery))
		saved := downloaded(t, filepath.Join(dir, "undertone-a-frog-twice-7.png"))
		var pixels []int
		b.eval(`return Array.from(test.pixels(document.querySelector("canvas")))`, &pixels)
		if differ := differences(saved, pixels); differ != 0 {
			t.Errorf("%d pixels of the saved file differ from the page", differ)
		}
	})
	b.silent(t)
}

// formErrors asks for what cannot be made.
func (b *tab) formErrors(t *testing.T) {
	before := b.canvas(0)
	refused := func(code, limit string) {
		t.Helper()
		b.generate()
		if says := b.text("#alert"); !strings.Contains(says, "Code: "+code) || !strings.Contains(says, limit) {
			t.Errorf("it says %q, wanted the code %s and the limit %s", says, code, limit)
		}
		if after := b.canvas(0); after != before {
			t.Errorf("%s: the last picture is gone", code)
		}
	}
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
	b.unfold()
	b.eval(`document.querySelector('[name="schedule"][value="step"]').click()`, nil)
	b.field("first", "99")
	refused("guidance-invalid", "99")
	b.field("first", "0")
	b.call("form.type", nil, "prompt", strings.Repeat("frog ", 200000))
	refused("prompt-too-long", "4096")
	b.call("form.type", nil, "prompt", "frog\x00\x01\x02")
	refused("prompt-not-text", "U+0000")
	b.field("prompt", "")
	b.generate()
	if after := b.canvas(0); after == before || after.Colours < 100 {
		t.Errorf("after all errors the empty prompt gave %v", after)
	}
	if !b.is(noAlert) {
		t.Errorf("the last error stayed: %s", b.text("#alert"))
	}
}

// downloaded waits for a picture's file and reads it.
func downloaded(t *testing.T, file string) image.Image {
	t.Helper()
	for range 200 {
		if exists(file) {
			break
		}
		time.Sleep(50 * time.Millisecond)
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
	return saved
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
		"WebGPU":             {before: "delete Navigator.prototype.gpu;"},
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
			if o.noGPU {
				b.generateOnCPU(t)
			}
		})
	}
}

// drags moves the slider of the shipped model: pictures of as many steps as it proposes
// follow, more than one for each second that the browser computes. (A clock would tell what
// else the machine does, which halves what a processor does in a second, too. Without SIMD
// a picture takes three seconds.)
func (b *tab) drags(t *testing.T) {
	b.field("steps", "4")
	b.lean()
	b.unfold()
	b.click(`[name="live"][value="always"]`)
	b.generate()
	computed := func() (seconds float64) {
		for _, p := range b.processes() {
			if p.Type == "renderer" {
				seconds += p.CPUTime
			}
		}
		return seconds
	}
	begin := computed()
	var made, ms float64
	b.call("controls.drag", &ms, 2000)
	b.settle()
	took := computed() - begin
	b.eval(`return test.made - 1`, &made) // one before
	if t.Logf("%.0f pictures follow a slider that is dragged for %.1f s, and take %.2f s of a processor: %s", made, ms/1e3, took, b.text("#pace")); made <= took {
		t.Errorf("%.0f pictures take %.2f s of a processor, more than one a second are wanted", made, took)
	}
}

// generateOnCPU makes a picture on the CPU and stops another one.
func (b *tab) generateOnCPU(t *testing.T) {
	b.loadModel()
	if device := b.text("#device"); device != "CPU" {
		t.Errorf("the device is called %q", device)
	}
	b.field("steps", "1")
	b.generate()
	if c := b.canvas(0); c.Colours < 100 {
		t.Errorf("the CPU's picture has %d colours", c.Colours)
	}
	t.Logf("on the CPU: %s", b.text("#times"))
	b.drags(t)

	// The CPU computes on the worker's only thread, and yet can be stopped.
	b.field("steps", "50")
	b.pressGenerate()
	b.until(`!document.querySelector("#stop").hidden`)
	time.Sleep(300 * time.Millisecond)
	b.run(chromedp.Click("#stop", chromedp.ByQuery))
	b.stops(t)
}
