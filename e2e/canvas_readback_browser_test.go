package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"image/png"
	"testing"

	"github.com/chromedp/chromedp"

	"undertone/engine"
	"undertone/engine/recipe"
)

// blurred makes every way to read a canvas back answer with stripes, as browsers do
// that guard against fingerprinting, and counts who asks. What is on a canvas is told
// by test.print all the same.
const blurred = `
	globalThis.readBacks = 0;
	{
		const read = CanvasRenderingContext2D.prototype.getImageData;
		globalThis.unblurred = (c) => read.call(c.getContext("2d"), 0, 0, c.width, c.height);
		const stripes = (c, of) => {
			const striped = of === HTMLCanvasElement ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
			Object.assign(striped, { width: c.width, height: c.height });
			const context = striped.getContext("2d");
			for (let x = 0; x < c.width; x += 2) context.fillRect(x, 0, 1, c.height);
			return striped;
		};
		const blur = (of, name, make) => {
			const given = of.prototype[name];
			of.prototype[name] = function (...a) { readBacks++; return make(this, given, a); };
		};
		for (const of of [CanvasRenderingContext2D, OffscreenCanvasRenderingContext2D]) {
			blur(of, "getImageData", (c, given, a) => { const image = given.apply(c, a); image.data.forEach((_, i) => (image.data[i] = (i & 4) * 63)); return image; });
		}
		for (const [of, name] of [[HTMLCanvasElement, "toBlob"], [HTMLCanvasElement, "toDataURL"], [OffscreenCanvas, "convertToBlob"], [OffscreenCanvas, "transferToImageBitmap"]]) {
			blur(of, name, (c, given, a) => given.apply(stripes(c, of), a));
		}
	}
	{
		const make = URL.createObjectURL;
		URL.createObjectURL = (blob) => { globalThis.saved = blob; return make.call(URL, blob); };
		globalThis.copied = [];
		Object.defineProperty(navigator, "clipboard", { value: {
			write: async ([item]) => void copied.push(await item.getType("image/png")),
			writeText: async (text) => void (globalThis.copiedText = text),
		} });
	}`

// TestBrowserBlurredCanvas: where a canvas cannot be read back, every picture that is
// saved, copied, kept or carried over a reload has its own pixels, and comes back with
// them.
func TestBrowserBlurredCanvas(t *testing.T) {
	b := open(t, smallSite(t).URL, options{script: blurred})
	helpers := pictureHelpers + `test.print = (selector) => test.digest(unblurred(document.querySelector(selector)).data);`
	b.eval(helpers, nil)
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	b.field("prompt", "a red frog")
	b.generate()
	shown := b.print(hero)
	unread := func(t *testing.T) {
		t.Helper()
		var n int
		if b.eval(`return readBacks`, &n); n != 0 {
			t.Errorf("a canvas was read back %d times", n)
		}
	}
	var file string
	holds := func(t *testing.T, script string) {
		t.Helper()
		b.eval(`return test.base64(`+script+`)`, &file)
		data, err := base64.StdEncoding.DecodeString(file)
		if err != nil {
			t.Fatal(err)
		}
		if p, notices, err := recipe.FromPNG(data, engine.Request{}, recipe.Limits{MaxSteps: 50, Sizes: []recipe.Size{recipe.Square(16), recipe.Square(24)}, Blocks: 57}, nil); err != nil || len(notices) != 0 || p.Prompt != "a red frog" {
			t.Errorf("the file says %+v, %v, %v", p, notices, err)
		}
		m, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		var pixels []byte
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				r, g, b, a := m.At(x, y).RGBA()
				pixels = append(pixels, byte(r>>8), byte(g>>8), byte(b>>8), byte(a>>8))
			}
		}
		if fmt.Sprintf("%x", sha256.Sum256(pixels)) != shown {
			t.Error("the file holds another picture")
		}
		unread(t)
	}
	same := func(t *testing.T) {
		t.Helper()
		b.until(`document.querySelector("#pane-picture .easel")?.checkVisibility()`)
		if b.print(hero) != shown {
			t.Error("another picture came back")
		}
		unread(t)
	}
	b.step("save", func(t *testing.T) {
		b.click("#save")
		b.until(`globalThis.saved?.type === "image/png"`)
		holds(t, "saved")
	})
	b.step("copy", func(t *testing.T) {
		b.click("#copy-image")
		b.until(`copied.length === 1`)
		holds(t, "copied[0]")
	})
	b.step("reload", func(t *testing.T) {
		b.run(chromedp.Reload())
		b.eval(helpers, nil)
		b.until(`document.querySelector("#load")?.disabled === false`)
		same(t)
	})
	b.step("keep", func(t *testing.T) {
		b.eval(`document.querySelector("#keep").click()`, nil) // which lies below what invites to load
		b.until(`document.querySelector("#keep").textContent === "Kept"`)
		holds(t, "(await test.kept())[0].file")
		b.eval(`document.querySelector("#tab-gallery").click()`, nil)
		b.until(`document.querySelector(".cards .tile")`)
		b.eval(`document.querySelector(".cards .tile").click()`, nil)
		same(t)
	})
	b.step("drop", func(t *testing.T) {
		b.field("prompt", "something else")
		b.eval(`
			const bytes = Uint8Array.from(atob(`+quote(file)+`), (c) => c.charCodeAt(0));
			test.drop((t) => t.items.add(new File([bytes], "x.png", { type: "image/png" })));`, nil)
		b.until(`document.querySelector("#prompt").value === "a red frog"`)
		same(t)
	})
	b.step("the stripes", func(t *testing.T) { // the blur works
		var hash string
		b.eval(`const c = document.querySelector(`+quote(hero)+`); return test.digest(c.getContext("2d").getImageData(0, 0, c.width, c.height).data)`, &hash)
		if hash == shown {
			t.Error("a canvas that is read back is not blurred")
		}
	})
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %q", wrong)
	}
}
