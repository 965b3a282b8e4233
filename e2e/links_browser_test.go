package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestBrowserLinks: links fill in the form, run nothing, and whatever stands in
// them is text.
func TestBrowserLinks(t *testing.T) {
	t.Parallel()
	s, b := started(t, options{})
	b.step("copy", func(t *testing.T) {
		var link string
		b.click("#copy-link")
		b.until(`document.querySelector("#action-note").textContent.startsWith("Link copied.")`)
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
		b.call("form.pasteIntoPrompt", nil, link)
		if prompt, steps := b.value("prompt"), b.value("steps"); prompt != "a red frog" || steps != "3" {
			t.Errorf("pasted, it gives %q and %s steps", prompt, steps)
		}
		var untouched bool
		if b.call("form.pasteIntoPrompt", &untouched, "https://example.org/#top and more words"); !untouched {
			t.Error("other text cannot be pasted")
		}
	})
	b.call("form.sayTwice", nil, "copy-link")
	b.step("open", func(t *testing.T) { b.opensLink(t, s) })
	b.step("diagnostics", func(t *testing.T) { b.diagnostics(t) })
	b.step("what is said twice", func(t *testing.T) {
		if !b.is(`await test.form.saidTwice`) {
			t.Error("what is said a second time goes with the first")
		}
	})
	b.step("the longest prompt", func(t *testing.T) {
		b.eval(`location.hash = "#steps=1&guidance=[]&prompt=" + "é".repeat(2048)`, nil)
		b.until(`document.querySelector("#prompt").value.length === 2048`)
		b.generate()
		if !b.is(noAlert) {
			t.Errorf("4096 bytes are refused: %s", b.text("#alert"))
		}
		b.eval(`test.form.type("prompt", test.form.value("prompt") + "e")`, nil)
		b.generate()
		if says := b.text("#alert"); !strings.Contains(says, "prompt-too-long") || !strings.Contains(says, "4097") {
			t.Errorf("of 4097 bytes it says %q", says)
		}
	})
	b.silent(t)
}

// TestBrowserShared: who comes by a link sees what it is of before anything is loaded,
// and one press loads and draws it.
func TestBrowserShared(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, s.URL+"/#prompt=two+cats+in+the+snow&seed=5&steps=2&guidance="+url.QueryEscape(`[{"positive":"fine","negative":"","weight":2},{"positive":"my own words","weight":-1}]`), options{noGPU: true})
	b.ready()
	b.call("drawn", nil)
	if says := b.text("#heading"); says != "“two cats in the snow”, fine, my own words" {
		t.Errorf("the heading is %q", says)
	}
	if says := b.text("#load"); !strings.HasPrefix(says, "Start · ") {
		t.Errorf("the button says %q", says)
	}
	b.field("prompt", "one cat")
	b.until(`document.querySelector("#heading").textContent.includes("“one cat”")`)
	b.call("form.speak", nil, "zh-Hans")
	b.until(`document.querySelector("#heading").textContent === "“one cat”，fine，my own words"`)
	if made := len(s.asked("engine.wasm")); made != 0 {
		t.Errorf("the engine was asked for %d times before a press", made)
	}
	b.click("#load-cpu")
	b.until(`!document.querySelector("#pane-picture .picture").hidden && ` + idle)
	if prompt, seed := b.value("prompt"), b.value("seed"); prompt != "one cat" || seed != "5" {
		t.Errorf("%q was drawn with the seed %s", prompt, seed)
	}
	if got := b.canvasOf(picturePane); got == "" || !b.is(noAlert) {
		t.Errorf("nothing was drawn: %s", b.text("#alert"))
	}
	b.silent(t)
}

// opensLink fills in a link that is wrong in many ways: nothing is made or fetched.
func (b *tab) opensLink(t *testing.T, s *server) {
	b.settle() // pictures that follow what was typed before
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
	b.settle()
	if b.eval(`return test.submits()`, &after); after != submits {
		t.Error("a link made a picture")
	}
	if now := len(s.asked("")); now != before {
		t.Errorf("a link asked the server for %v", s.asked("")[before:])
	}
}

// diagnostics looks at the text that people may send when something is wrong.
func (b *tab) diagnostics(t *testing.T) {
	b.eval(`document.querySelector("#diagnostics").open = true`, nil)
	b.until(`document.querySelector("#diagnostics-text").value.includes("Limits")`)
	text := b.value("diagnostics-text")
	for _, part := range []string{"Undertone: ", "Chrome", "Features: ", "maxBufferSize", "Last picture: ", "Choice: Runs on the CPU, which is faster here", "Plan: "} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in\n%s", part, text)
		}
	}
	if says := b.text("#device"); says != "CPU, faster here than WebGPU without a GPU" {
		t.Errorf("the device is called %q", says)
	}
	if strings.Contains(text, "frog") || strings.Contains(text, "Prompt") || strings.Contains(text, "Direction") {
		t.Errorf("words were not asked for:\n%s", text)
	}
	b.eval(`document.querySelector("#diagnostics-prompt").click()`, nil)
	if text = b.value("diagnostics-text"); !strings.Contains(text, `Prompt: "`) || !strings.Contains(text, `Direction: "`) {
		t.Errorf("the prompt was asked for:\n%s", text)
	}
}
