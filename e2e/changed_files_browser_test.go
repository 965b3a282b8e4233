package e2e

import (
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// change has a server send a file with another bit.
func (s *server) change(t *testing.T, name string) {
	t.Helper()
	s.misbehave(name, arrivals(t, filepath.Join(s.dir, filepath.FromSlash(name)))["changed"])
}

// TestBrowserChangedFiles changes one bit of each file that the embed loads: it says so, and
// runs nothing of that file. (TestBrowserBoot does so for the page, TestBrowserEngineArrives
// for what comes with a model.)
func TestBrowserChangedFiles(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	const document = "/embed.html#seed=5"
	b := open(t, s.URL+document, options{noGPU: true})
	b.until(onCPU)
	var names, styles []string
	b.eval(`return [...new Set(test.site.used().map((name) => new URL(name).pathname))].filter((p) => /\.(js|css|wasm)$/.test(p)).sort()`, &names)
	if len(names) < 18 {
		t.Fatalf("loaded are %q", names)
	}
	for _, name := range names {
		if n := len(s.asked(name)); n != 1 {
			t.Errorf("%s was fetched %d times", name, n)
		}
	}
	for _, name := range names {
		if path.Ext(name) == ".css" {
			styles = append(styles, name)
			continue
		}
		b.step(name, func(t *testing.T) { b.changed(t, s, document, name) })
	}
	b.step("who watches comes late", func(t *testing.T) { b.changedEarly(t, s, document) })
	b.step("styles of the embed", func(t *testing.T) { b.changedStyles(t, s, document, styles) })
	b.step("styles of the page", func(t *testing.T) {
		b.run(chromedp.Navigate(s.URL))
		b.until(onCPU)
		b.eval(`return Array.from(document.querySelectorAll("link[rel=stylesheet]"), (l) => new URL(l.href).pathname)`, &styles)
		b.changedStyles(t, s, "/", styles)
	})
	b.step("texts", func(t *testing.T) {
		name := "/" + asset(t, s.dir, "zh", ".json")
		s.change(t, name)
		b.run(chromedp.Navigate(s.URL + "/embed.html#seed=5&lang=zh"))
		b.until(onCPU)
		if !b.is(`document.documentElement.lang === "en"`) {
			t.Error("changed texts are shown")
		}
	})
	b.step("modules that are loaded when they are needed", func(t *testing.T) {
		b.run(chromedp.Navigate(s.URL))
		b.until(onCPU)
		for _, name := range []string{"comparison", "film", "folder"} {
			name = "/" + asset(t, s.dir, name, ".js")
			s.change(t, name)
			var got string
			if b.eval(`return import(`+quote(name)+`).then(() => "run", () => "refused")`, &got); got != "refused" {
				t.Errorf("%s is %s", name, got)
			}
		}
	})
	b.step("what the element opens the embed with", func(t *testing.T) {
		s.change(t, "/"+asset(t, s.dir, "host", ".js"))
		before := len(s.asked("/embed.html"))
		b.run(chromedp.Navigate(hostPage(t, strictPolicy(s), element(s, `prompt="a red frog" seed="5"`))))
		b.until(`document.querySelector("undertone-demo").shadowRoot`)
		var wrong struct{ Code, Message string }
		if b.call("embed.refused", &wrong, "load", 0); wrong.Code != "embed-failed" || wrong.Message == "" {
			t.Errorf("load: %+v", wrong)
		}
		var heard []any
		if b.call("embed.heard", &heard, "error", 0); len(heard) != 1 {
			t.Errorf("events: %v", heard)
		}
		if !b.is(`document.querySelector("undertone-demo").shadowRoot.querySelector("small").textContent === `+quote(wrong.Message)) || len(s.asked("/embed.html")) != before {
			t.Error("it does not say so, or has opened")
		}
	})
	b.step("the engine", func(t *testing.T) {
		name := "/" + asset(t, s.dir, "engine", ".wasm")
		s.change(t, name)
		b.run(chromedp.Navigate(s.URL + document))
		b.until(onCPU)
		b.eval(`document.querySelector("#load-cpu").click()`, nil)
		b.until(`document.body.textContent.includes(` + quote(name+" is not the file that the site was built with") + `)`)
	})
	b.complaints()
}

// changedEarly changes a script that the browser refuses before boot.js has run.
func (b *tab) changedEarly(t *testing.T, s *server, document string) {
	s.misbehave("/boot.js", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Second)
		http.ServeFile(w, r, filepath.Join(s.dir, "boot.js"))
	})
	defer s.misbehave("/boot.js", nil)
	b.changed(t, s, document, "/"+asset(t, s.dir, "png", ".js"))
}

// changed opens a document of which one script or program is changed.
func (b *tab) changed(t *testing.T, s *server, document, name string) {
	s.change(t, name)
	defer s.misbehave(name, nil)
	b.run(chromedp.Navigate(s.URL + "/blank.html"))
	b.run(chromedp.Navigate(s.URL + document))
	b.until(incomplete + ` && document.querySelector("#broken").textContent.includes(` + quote(strings.TrimPrefix(name, "/")) + `)`)
	if !b.is(`document.documentElement.dataset.state === "failed"`) {
		t.Error("the embed has started")
	}
	if path.Ext(name) == ".js" && !b.is(`globalThis.undertone === undefined`) {
		t.Error("scripts of the embed have run")
	}
}

// changedStyles opens a document of which all styles are changed.
func (b *tab) changedStyles(t *testing.T, s *server, document string, styles []string) {
	for _, name := range styles {
		s.change(t, name)
		defer s.misbehave(name, nil)
	}
	b.run(chromedp.Navigate(s.URL + "/blank.html"))
	b.run(chromedp.Navigate(s.URL + document))
	b.until(incomplete)
	text := b.text("#broken")
	for _, name := range styles {
		if !strings.Contains(text, name[1:]) {
			t.Errorf("of %s it does not tell: %q", name, text)
		}
	}
	if !b.is(`document.styleSheets.length === 0`) || len(styles) < 4 {
		t.Errorf("of %q some are applied", styles)
	}
}
