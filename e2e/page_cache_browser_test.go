package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// corrupt changes what the browser's cache has of a file of the site, as site.js knows how.
func (b *tab) corrupt(name, how string) {
	b.t.Helper()
	var n int
	if b.call("site.corrupt", &n, name, how); n == 0 {
		b.t.Fatalf("no cache holds %s", name)
	}
}

// tourFile is a name of what the Lab's tour shows.
var tourFile = regexp.MustCompile(`^assets/(pooled|guidance|weight|block)\.\w+\.json$`)

// TestBrowserCorruptCache changes what the browser has stored of the page: nothing of it
// runs or is shown, and it is fetched again as soon as there is a network.
func TestBrowserCorruptCache(t *testing.T) {
	t.Parallel()
	one, two := light(t, 1), light(t, 2)
	h := newHost(t, one)
	b := visitLight(t, h)
	store, program := asset(t, one, "store", ".js"), asset(t, one, "page", ".wasm")
	b.step("a script, before a reload", func(t *testing.T) {
		b.corrupt(store, "evil")
		b.reload()
		b.clean(t)
	})
	b.step("every file, before a reload", func(t *testing.T) {
		for name := range files(t, one) {
			// Of the first model only; for those who read links; for the manual; for pages with an embed; the Lab's; the bench's.
			if slices.ContainsFunc([]string{"engine.", "link-preview.", "docs.", "host.", "lab.", "experiments.", "bench"}, func(of string) bool { return strings.HasPrefix(name, "assets/"+of) }) || tourFile.MatchString(name) {
				continue
			}
			if strings.HasPrefix(name, "assets/") && !strings.Contains(name, ".png") && !strings.Contains(name, ".webp") || name == "index.html" || name == "undertone.js" {
				b.corrupt(name, "evil")
			}
		}
		if n := b.reload(); n != 1 {
			t.Errorf("the page is version %d", n)
		}
		b.clean(t)
	})
	b.step("the program is cut", func(t *testing.T) {
		b.corrupt(program, "cut")
		b.eval(`await undertone.compiled()`, nil)
		b.reload()
		b.clean(t)
	})
	b.step("without a network", func(t *testing.T) {
		b.corrupt(program, "cut")
		h.stop()
		b.run(chromedp.Reload())
		b.until(`undertone.offline.state.refused`)
		var state struct {
			Offline      bool
			Refused, Why string
			Compiled     bool
		}
		b.call("site.state", &state)
		if state.Offline || state.Refused != program || state.Why != "missing" || state.Compiled {
			t.Errorf("of the cut program the page says %+v", state)
		}
		h.again()
		b.reload()
		b.clean(t)
	})
	b.step("model.json", func(t *testing.T) { b.corruptManifest(t, h) })
	b.step("before an update", func(t *testing.T) {
		h.put(two)
		b.corrupt(store, "evil")
		b.corrupt(program, "cut")
		h.asked()
		if update := b.look(); update != "waiting" {
			t.Fatalf("the update is %q", update)
		}
		if asked := h.asked(); !slices.Contains(asked, store) {
			t.Errorf("the changed script was taken over: only %v were fetched", asked)
		}
		b.take(`globalThis.undertone?.version === 2 && ` + lightKept)
		b.clean(t)
		if n := b.reload(); n != 2 {
			t.Errorf("the page is version %d", n)
		}
		b.clean(t)
	})
}

// corruptManifest changes what is kept of the model.json of a light site, which is number 1.
func (b *tab) corruptManifest(t *testing.T, h *host) {
	const name = "models/tiny/model.json"
	read := func() (text string) {
		b.call("site.modelName", &text, name)
		return text
	}
	for _, how := range []string{"cut", "other number", "empty"} {
		if got := read(); got != "number-1" {
			t.Errorf("with a network the model is %q", got)
		}
		b.corrupt(name, how)
		h.stop()
		if got := read(); got != "refused" {
			t.Errorf("without a network the changed model is %q", got)
		}
		h.again()
	}
}

// clean fails the test where something changed has run or is still kept.
func (b *tab) clean(t *testing.T) {
	t.Helper()
	if b.is(`globalThis.evil === true`) {
		t.Error("the changed script ran")
	}
	var still []string
	if b.call("site.corrupted", &still); len(still) != 0 {
		t.Errorf("still changed: %v", still)
	}
}

// TestBrowserHostChangesPage has a host that adds a line to the page and says that its
// answers vary with everything: the page is kept all the same and follows updates.
func TestBrowserHostChangesPage(t *testing.T) {
	t.Parallel()
	one, two := light(t, 1), light(t, 2)
	h := newHost(t, one)
	line := func(n int) string { return fmt.Sprintf(`<meta name="line" content="%d">`, n) }
	h.changes(line(1), "*")
	b := visitLight(t, h)
	state := func(line string, version int, changed bool) {
		b.t.Helper()
		b.until(fmt.Sprintf(`undertone.offline.state.changed === %v`, changed))
		var got string
		b.eval(`return document.querySelector("meta[name=line]")?.content ?? ""`, &got)
		if n := b.version(); got != line || n != version {
			b.t.Errorf("the page is version %d with the line %q, wanted %d with %q", n, got, version, line)
		}
	}
	state("1", 1, true)
	b.step("without a network", func(t *testing.T) {
		h.stop()
		b.reload()
		state("1", 1, true)
		h.again()
	})
	b.step("another line", func(t *testing.T) {
		h.changes(line(2), "Cookie")
		b.reload()
		state("2", 1, true)
	})
	b.step("a page of somebody else", func(t *testing.T) {
		login := func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>Log in</title>")
		}
		h.misbehave("", login)
		h.misbehave("index.html", login)
		b.reload()
		state("2", 1, true)
		h.misbehave("", nil)
		h.misbehave("index.html", nil)
	})
	b.step("an update", func(t *testing.T) {
		h.put(two)
		b.reload() // the network's page is the second version's already
		state("2", 1, true)
		if b.look(); !slices.Contains(h.asked(), "sw.js") {
			t.Error("the browser did not look")
		}
		b.until(waiting)
		b.take(`globalThis.undertone?.version === 2 && ` + lightKept)
		state("2", 2, true)
	})
	b.step("no line any more", func(t *testing.T) {
		h.changes("", "")
		b.reload()
		state("", 2, false)
	})
}

// TestBrowserCannotBeKept looks at what the page says where it cannot be kept.
func TestBrowserCannotBeKept(t *testing.T) {
	t.Parallel()
	dir := released(t, 1)
	h := newHost(t, dir)
	style := asset(t, dir, "page", ".css")
	h.misbehave(style, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "body{}")
	})
	b := open(t, h.site(), options{serviceWorkers: true})
	told := func(part string) {
		b.t.Helper()
		b.until(fmt.Sprintf(`document.querySelector("#offline-state")?.hidden === false && document.querySelector("#offline-state").textContent.includes(%q)`, part))
		if text := b.text("#offline-state"); !strings.HasPrefix(text, "Does not work offline") || !strings.Contains(text, "hosting.md") {
			b.t.Errorf("it says %q", text)
		}
	}
	told(style)
	h.misbehave(style, nil)
	h.misbehave("sw.js", html(http.StatusOK))
	b.run(chromedp.Reload())
	told("sw.js")
	h.misbehave("sw.js", nil)
	b.run(chromedp.Reload())
	b.until(isKept)
	b.until(`document.querySelector("#offline-state").textContent === "Works offline"`)
}
