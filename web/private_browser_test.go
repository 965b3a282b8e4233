package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"undertone/engine"
	"undertone/engine/recipe"
)

// eavesdropper is a proxy through which the browser has to go, whoever in it asks:
// page, worker or service worker.
type eavesdropper struct {
	*httptest.Server
	mu    sync.Mutex
	heard []string // host, address, headers and body of every request
	hosts map[string]int
}

func eavesdrop(t *testing.T, origin string) *eavesdropper {
	at, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	e := &eavesdropper{hosts: map[string]int{}}
	onward := httputil.NewSingleHostReverseProxy(at)
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		e.mu.Lock()
		e.hosts[r.Host]++
		e.heard = append(e.heard, fmt.Sprint(r.Method, " ", r.Host, r.URL, r.Header, string(body)))
		e.mu.Unlock()
		if r.Host != at.Host {
			http.Error(w, "not here", http.StatusBadGateway)
			return
		}
		r.URL.Scheme, r.URL.Host = "", ""
		onward.ServeHTTP(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

// TestBrowserPrivate listens to everything the browser asks for in a session with
// the shipped model: only the site's own origin is asked, and no request holds a
// word of the prompts.
func TestBrowserPrivate(t *testing.T) {
	s := serve(t)
	e := eavesdrop(t, s.URL)
	b := open(t, s.URL, options{offline: true, proxy: e.URL})
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.eval(pictureHelpers, nil)
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	b.field("prompt", "a zebrafinch in a meadow")
	b.field("steps", "1")
	b.field("positive", "quetzalcoatl")
	b.generate()
	b.eval(`location.hash = "#prompt=capybara&seed=5"`, nil)
	b.until(`document.querySelector("#prompt").value === "capybara"`)
	b.generate()
	b.run(chromedp.Reload())
	b.until(`document.querySelector("#load")?.disabled === false`)

	e.mu.Lock()
	defer e.mu.Unlock()
	at, _ := url.Parse(s.URL)
	if e.hosts[at.Host] < 5 {
		t.Fatalf("the proxy heard %v", e.hosts)
	}
	for host, n := range e.hosts {
		// Chromium itself looks for its maker's services; the page must not be who asks.
		if host != at.Host && !strings.Contains(host, "google") && !strings.Contains(host, "gvt1.com") {
			t.Errorf("%d requests went to %s", n, host)
		}
	}
	for _, heard := range e.heard {
		for _, word := range []string{"zebrafinch", "quetzalcoatl", "capybara"} {
			if strings.Contains(strings.ToLower(heard), word) {
				t.Errorf("%q is in the request %.300s", word, heard)
			}
		}
	}
}

// TestBrowserHostileModel puts markup and scripts into every text that model.json
// holds for people, and into the parameters of a picture that is dropped.
func TestBrowserHostileModel(t *testing.T) {
	list, err := os.ReadFile(filepath.Join("testdata", "markup.txt"))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSpace(string(list)), "\n")
	s := smallSite(t)
	const address = "/models/sprites/model.json"
	file, err := os.ReadFile(filepath.Join(s.dir, filepath.FromSlash(address)))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(file, &m); err != nil {
		t.Fatal(err)
	}
	take := func(n int) []string { return words[len(words)-n:] }
	m["title"], m["examples"] = words[0], take(60)
	var presets []any
	for i, w := range take(60) {
		presets = append(presets, map[string]any{"id": fmt.Sprint("p", i), "title": w, "positive": w, "negative": w, "weight": 1, "head": 0, "schedule": map[string]any{"kind": "constant"}})
	}
	m["presets"] = presets
	vocabulary := map[string]any{}
	for i, kind := range []string{"objects", "colours", "counts", "places", "styles", "quality", "relations"} {
		vocabulary[kind] = words[i*30 : i*30+30]
	}
	m["understands"] = vocabulary
	m["licenses"] = map[string]string{"weights": words[1], "data": words[2]}
	bent, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	s.misbehave(address, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(bent)
	})
	b := open(t, s.URL, options{script: `globalThis.dialogs = 0; globalThis.confirm = globalThis.alert = globalThis.prompt = () => { dialogs++ };`})
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.eval(pictureHelpers, nil)
	elements := `document.querySelectorAll("script, iframe, object, embed, style, link, base, meta, form, video, audio, [onerror], [onload], [onclick]").length`
	var before, shown int
	b.eval(`return `+elements, &before)
	b.eval(`
		globalThis.wrong = [];
		addEventListener("securitypolicyviolation", (e) => wrong.push("policy: " + e.violatedDirective));
		for (const d of document.querySelectorAll("details")) d.open = true;
		const chips = document.querySelectorAll("#panel .chip");
		for (const chip of chips) { chip.click(); await test.drawn(); }
		return chips.length`, &shown)
	if shown < 100 {
		t.Errorf("only %d chips are shown", shown)
	}
	for _, w := range take(40) {
		var file bytes.Buffer
		if err := png.Encode(&file, image.NewNRGBA(image.Rect(0, 0, 16, 16))); err != nil {
			t.Fatal(err)
		}
		marked, err := recipe.WritePNG(file.Bytes(), engine.Parameters{Request: engine.Request{Prompt: w, Seed: 1, Steps: 2, Size: 16, CFG: 1}, Model: w, Revision: w})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		b.eval(`
			const bytes = Uint8Array.from(atob(`+quote(base64.StdEncoding.EncodeToString(marked))+`), (c) => c.charCodeAt(0));
			document.activeElement.blur();
			test.drop((t) => t.items.add(new File([bytes], "x.png", { type: "image/png" })));
			for (let i = 0; i < 100 && document.querySelector("#prompt").value !== `+quote(w)+`; i++) await test.sleep(20);
			return document.querySelector("#prompt").value`, &got)
		if got != w {
			t.Errorf("the prompt %q became %q", w, got)
		}
	}
	var after, dialogs int
	var wrong []string
	b.eval(`return `+elements, &after)
	b.eval(`return dialogs`, &dialogs)
	b.eval(`return wrong`, &wrong)
	if after != before || dialogs != 0 || len(wrong) != 0 {
		t.Errorf("%d elements became %d, %d dialogs, %q", before, after, dialogs, wrong)
	}
}
