package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"undertone/engine"
	"undertone/engine/recipe"
)

// pictureHelpers: what is on a canvas by its selector, and the gallery's records.
const pictureHelpers = `
	test.print = async (selector) => {
		const c = document.querySelector(selector);
		return test.digest(c.getContext("2d").getImageData(0, 0, c.width, c.height).data);
	};
	test.kept = () => new Promise((done, fail) => {
		const open = indexedDB.open("undertone-gallery", 1);
		open.onerror = () => fail(open.error);
		open.onsuccess = () => {
			const all = open.result.transaction("pictures").objectStore("pictures").getAll();
			all.onsuccess = () => { open.result.close(); done(all.result); };
		};
	});
	test.base64 = async (blob) => {
		const bytes = new Uint8Array(await blob.arrayBuffer());
		return btoa(Array.from(bytes, (b) => String.fromCharCode(b)).join(""));
	};
	test.drop = (make) => {
		const dataTransfer = new DataTransfer();
		make(dataTransfer);
		for (const type of ["dragenter", "dragover", "drop"]) document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
	};
	test.paste = (target, text) => {
		const clipboardData = new DataTransfer();
		clipboardData.setData("text/plain", text);
		return target.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
	};
	// What is drawn after the next frames.
	test.drawn = async () => { for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame); };`

func (b *tab) print(selector string) (hash string) {
	b.t.Helper()
	b.eval(`await test.drawn(); return test.print(`+quote(selector)+`)`, &hash)
	return hash
}

// value is what a field shows.
func (b *tab) value(id string) (s string) {
	b.t.Helper()
	b.eval(`await test.drawn(); return document.getElementById(`+quote(id)+`).value`, &s)
	return s
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.Click(selector, chromedp.ByQuery))
}

func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be written
	}
	return string(text)
}

const hero = "#pane-picture .easel canvas"

// started opens the page with the small model, loads it, and makes a picture.
func started(t *testing.T) (*server, *tab) {
	s := smallSite(t)
	b := open(t, s.URL, options{script: `globalThis.confirm = globalThis.alert = globalThis.prompt = () => { globalThis.dialogs = (globalThis.dialogs ?? 0) + 1 };`})
	b.run(browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeClipboardReadWrite, browser.PermissionTypeClipboardSanitizedWrite}).WithOrigin(s.URL))
	b.eval(pictureHelpers, nil)
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	b.field("prompt", "a red frog")
	b.field("steps", "3")
	b.generate()
	return s, b
}

func TestBrowserPictures(t *testing.T) {
	s, b := started(t)
	guided := b.print(hero)

	var plain string
	b.step("compare", func(t *testing.T) {
		b.click("#tab-compare")
		b.until(`!document.querySelector("#divider").hidden && ` + idle)
		left, right := "#pane-compare figure:first-child canvas", "#pane-compare figure:nth-child(2) canvas"
		if got := b.print(right); got != guided {
			t.Error("the right picture is not the one that was made")
		}
		if plain = b.print(left); plain == guided {
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
		var apart bool
		b.eval(`const [a, b] = document.querySelectorAll("#pane-compare figure"); return a.getBoundingClientRect().right <= b.getBoundingClientRect().left`, &apart)
		if !apart {
			t.Error("the two pictures are not side by side")
		}
	})

	b.step("sweep", func(t *testing.T) {
		b.click("#tab-sweep")
		b.field("sweep-from", "0")
		b.field("sweep-to", "2")
		b.field("sweep-count", "3")
		b.click("#sweep-go")
		b.until(`document.querySelectorAll(".sheet .tile:not([disabled])").length === 3 && ` + idle)
		if got := b.print(".sheet .tile:first-child canvas"); got != plain {
			t.Errorf("%s is another picture than without guidance", b.text(".sheet .tile:first-child"))
		}
		last := b.print(".sheet .tile:last-child canvas")
		b.click(".sheet .tile:last-child")
		b.until(`!document.querySelector("#pane-picture").hidden`)
		if weight := b.value("weight"); weight != "2" || b.print(hero) != last {
			t.Errorf("the last place of the sheet gave the weight %s", weight)
		}
		b.generate()
		if b.print(hero) != last {
			t.Error("the settings of the sheet make another picture")
		}
	})

	b.step("steps", func(t *testing.T) {
		b.click("#tab-steps")
		b.until(`document.querySelectorAll(".strip .tile").length === 4`) // three steps, and the picture
		final := b.print("#pane-steps .way figure canvas")
		b.run(chromedp.Focus("#step-scrub", chromedp.ByQuery), chromedp.KeyEvent(kb.Home))
		if got := b.print("#pane-steps .way figure canvas"); got == final {
			t.Error("the first step looks like the picture")
		}
		if says := b.text("#pane-steps figcaption"); !strings.Contains(says, "step 1 of 3") {
			t.Errorf("it says %q", says)
		}
	})

	b.step("several", func(t *testing.T) {
		b.click("#tab-picture")
		before := b.print(hero)
		b.eval(`document.querySelector('[name="each"][value="2"]').click()`, nil)
		b.generate()
		b.until(`document.querySelectorAll(".others .tile").length === 2`)
		if b.print(".others .tile:first-child canvas") != before {
			t.Error("the first of several has another seed")
		}
		b.click(".others .tile:last-child")
		if b.print(hero) == before {
			t.Error("the second picture is the first")
		}
		b.click(".others .tile:first-child")
		b.eval(`document.querySelector('[name="each"][value="1"]').click()`, nil)
	})
	b.gallery(t, s)
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %q", wrong)
	}
}

// gallery keeps a picture, finds it again after a reload, and deletes it.
func (b *tab) gallery(t *testing.T, s *server) {
	shown := b.print(hero)
	var file string
	b.step("keep", func(t *testing.T) {
		b.eval(`await new Promise((done) => { const r = indexedDB.open("somebody-else", 1); r.onupgradeneeded = () => r.result.createObjectStore("x"); r.onsuccess = () => { r.result.close(); done(); }; });`, nil)
		b.click("#keep")
		b.until(`document.querySelector("#keep").textContent === "Kept"`)
		b.eval(`return test.base64((await test.kept())[0].file)`, &file)
	})
	b.step("the file says what made it", func(t *testing.T) {
		data, err := base64.StdEncoding.DecodeString(file)
		if err != nil {
			t.Fatal(err)
		}
		p, notices, err := recipe.FromPNG(data, engine.Request{}, recipe.Limits{MaxSteps: 50, Sizes: []recipe.Size{recipe.Square(16), recipe.Square(24)}, Blocks: 57}, nil)
		if err != nil || len(notices) != 0 || p.Prompt != "a red frog" || p.Steps != 3 || len(p.Guidance) != 1 || p.Guidance[0].Weight != 2 || p.Plan == "" || p.Backend == "" {
			t.Errorf("%+v, %v, %v", p, notices, err)
		}
	})
	b.step("reload", func(t *testing.T) {
		before := len(s.asked("models/"))
		b.run(chromedp.Reload())
		b.eval(pictureHelpers, nil)
		b.until(`document.querySelector("#load")?.disabled === false`)
		b.eval(`document.querySelector("#tab-gallery").click()`, nil)
		b.click(".cards .tile")
		b.until(`!document.querySelector("#pane-picture").hidden && !document.querySelector("#pane-picture .easel").hidden`)
		if b.print(hero) != shown {
			t.Error("another picture came back")
		}
		if prompt, steps := b.value("prompt"), b.value("steps"); prompt != "a red frog" || steps != "3" {
			t.Errorf("the form says %q, %s steps", prompt, steps)
		}
		for _, path := range s.asked("models/")[before:] {
			if !strings.HasSuffix(path, "model.json") {
				t.Errorf("restoring asked for %s", path)
			}
		}
	})
	b.step("delete", func(t *testing.T) {
		b.click("#tab-gallery")
		b.click(".cards [data-do=delete]")
		b.until(`document.querySelectorAll(".cards > *").length === 0`)
		var left int
		if b.eval(`return (await test.kept()).length`, &left); left != 0 {
			t.Errorf("%d pictures are left", left)
		}
		var others []string
		if b.eval(`return (await indexedDB.databases()).map((d) => d.name).sort()`, &others); fmt.Sprint(others) != "[somebody-else undertone-gallery]" {
			t.Errorf("the databases are %v", others)
		}
	})
	b.step("drop", func(t *testing.T) {
		b.field("prompt", "something else")
		b.eval(`
			const bytes = Uint8Array.from(atob(`+quote(file)+`), (c) => c.charCodeAt(0));
			test.drop((t) => t.items.add(new File([bytes], "x.png", { type: "image/png" })));`, nil)
		b.until(`document.querySelector("#prompt").value === "a red frog"`)
		if says := b.text("#keep"); says != "Keep" {
			t.Errorf("what was dropped is not in the gallery, but the button says %q", says)
		}
		b.eval(`test.drop((t) => t.items.add(new File(["GIF89a"], "x.png", { type: "image/png" })));`, nil)
		b.until(`document.querySelector("#alert").textContent.includes("picture-invalid")`)
	})
}

// TestBrowserLinks: links fill in the form, run nothing, and whatever stands in
// them is text.
func TestBrowserLinks(t *testing.T) {
	s, b := started(t)
	b.step("copy", func(t *testing.T) {
		var link string
		b.click("#copy-link")
		b.until(`document.querySelector("#action-note").textContent !== ""`)
		b.eval(`return navigator.clipboard.readText()`, &link)
		if !strings.HasPrefix(link, s.URL+"/#prompt=a+red+frog&seed=") || !strings.Contains(link, "&steps=3&size=") || !strings.Contains(link, "&guidance=") {
			t.Errorf("the link is %q", link)
		}
		var types []string
		b.click("#copy-image")
		b.until(`document.querySelector("#action-note").textContent === "Copied."`)
		if b.eval(`return (await navigator.clipboard.read())[0].types`, &types); fmt.Sprint(types) != "[image/png]" {
			t.Errorf("on the clipboard is %v", types)
		}
		b.field("prompt", "something else")
		b.field("steps", "7")
		b.eval(`test.paste(document.querySelector("#prompt"), `+quote(link)+`)`, nil)
		if prompt, steps := b.value("prompt"), b.value("steps"); prompt != "a red frog" || steps != "3" {
			t.Errorf("pasted, it gives %q and %s steps", prompt, steps)
		}
		var untouched bool
		if b.eval(`return test.paste(document.querySelector("#prompt"), "https://example.org/#top and more words")`, &untouched); !untouched {
			t.Error("other text cannot be pasted")
		}
	})
	b.step("open", func(t *testing.T) {
		b.eval(`await test.sleep(500)`, nil) // pictures that follow what was typed before
		b.until(idle)
		before := len(s.asked(""))
		var submits, after int
		b.eval(`return test.submits()`, &submits)
		b.eval(`location.hash = "#prompt=a+house+%F0%9F%8F%A0&seed=1e99&steps=999&size=5&guidance=[{%22positive%22:%22night%22,%22weight%22:1e6}]"`, nil)
		b.until(`document.querySelector("#note").textContent.includes("Filled in from the link")`)
		if prompt, seed, weight := b.value("prompt"), b.value("seed"), b.value("weight"); prompt != "a house 🏠" || seed != "4294967295" || weight != "20" {
			t.Errorf("%q, seed %s, weight %s", prompt, seed, weight)
		}
		if note := b.text("#note"); !strings.Contains(note, "999") || !strings.Contains(note, "4294967295 is used") {
			t.Errorf("of what was changed it says %q", note)
		}
		b.eval(`await test.sleep(300)`, nil)
		if b.eval(`return test.submits()`, &after); after != submits {
			t.Error("a link made a picture")
		}
		if now := len(s.asked("")); now != before {
			t.Errorf("a link asked the server for %v", s.asked("")[before:])
		}
	})
	b.step("diagnostics", func(t *testing.T) {
		b.eval(`document.querySelector("#diagnostics").open = true`, nil)
		b.until(`document.querySelector("#diagnostics-text").value.includes("Limits")`)
		text := b.value("diagnostics-text")
		for _, part := range []string{"Undertone: ", "Chrome", "Features: ", "maxBufferSize", "Last picture: ", "Plan: "} {
			if !strings.Contains(text, part) {
				t.Errorf("%q is missing in\n%s", part, text)
			}
		}
		if strings.Contains(text, "frog") || strings.Contains(text, "Prompt") || strings.Contains(text, "Direction") {
			t.Errorf("words were not asked for:\n%s", text)
		}
		b.eval(`document.querySelector("#diagnostics-prompt").click()`, nil)
		if text = b.value("diagnostics-text"); !strings.Contains(text, `Prompt: "`) || !strings.Contains(text, `Direction: "`) {
			t.Errorf("the prompt was asked for:\n%s", text)
		}
	})
	b.step("the longest prompt", func(t *testing.T) {
		b.eval(`location.hash = "#steps=1&guidance=[]&prompt=" + "é".repeat(2048)`, nil)
		b.until(`document.querySelector("#prompt").value.length === 2048`)
		b.generate()
		var hidden bool
		if b.eval(`return document.querySelector("#alert .alert").hidden`, &hidden); !hidden {
			t.Errorf("4096 bytes are refused: %s", b.text("#alert"))
		}
		b.eval(`const p = document.querySelector("#prompt"); p.value += "e"; p.dispatchEvent(new Event("input"))`, nil)
		b.generate()
		if says := b.text("#alert"); !strings.Contains(says, "prompt-too-long") || !strings.Contains(says, "4097") {
			t.Errorf("of 4097 bytes it says %q", says)
		}
	})
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %q", wrong)
	}
}
