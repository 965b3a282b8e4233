package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/chromedp/chromedp"
)

// changeManifest serves another model.json, made from the site's own, and beside it a
// description that says nothing, so that the page has to ask the engine.
func changeManifest(t *testing.T, s *server, change func(m map[string]any)) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "models", "sprites", "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if text, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	s.misbehave("/models/sprites/model.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(text)
	})
	s.misbehave("/models/sprites/description.json", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("null")) })
}

// TestBrowserMarkupInManifest has the model's maker put markup into everything that a
// model.json may say in words; and say more than it may.
func TestBrowserMarkupInManifest(t *testing.T) {
	t.Parallel()
	words := markup(t)
	printable := []string{} // a title must be
	for _, w := range words {
		if strings.IndexFunc(w, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
			printable = append(printable, w)
		}
	}
	const presets = 64
	each := (len(words) + presets - 1) / presets
	titles := joined(printable, 200)
	s := smallSite(t)
	var list []map[string]any
	for i := range presets {
		some := strings.Join(words[min(i*each, len(words)):min((i+1)*each, len(words))], " ")
		list = append(list, map[string]any{"id": fmt.Sprint("p", i), "title": titles[i%len(titles)], "positive": some, "negative": "not " + some,
			"weight": 1, "head": 0, "schedule": map[string]any{"kind": "constant"}})
	}
	changeManifest(t, s, func(m map[string]any) {
		m["title"], m["revision"] = titles[0], "<img src=x onerror=alert(1)>"
		m["licenses"] = map[string]any{"weights": titles[1], "data": titles[2]}
		m["presets"], m["examples"] = list, words
		m["defaults"].(map[string]any)["prompt"] = words[0]
		m["understands"] = map[string]any{"objects": words, "colours": words[:40], "places": words[40:80], "quality": words[80:120]}
	})
	b := loadedWithTrap(t, s)
	b.step("presets", func(t *testing.T) {
		var wrong []string
		b.call("markup.presets", &wrong, list)
		for _, w := range wrong {
			t.Errorf("%.300s", w)
		}
		b.nothingCaught(t)
		t.Logf("%d strings through the presets' words, %d through their titles", len(words), len(printable))
	})
	b.step("words, examples, terms", func(t *testing.T) {
		var chips []string
		b.call("markup.understood", &chips)
		if fmt.Sprint(chips) != fmt.Sprint(words) {
			t.Errorf("the words became %.300q", chips)
		}
		b.call("markup.pressExamples", nil)
		for _, title := range titles[:3] {
			if says := b.text("#edition"); !strings.Contains(says, title) {
				t.Errorf("%q is not among %.500q", title, says)
			}
		}
		b.nothingCaught(t)
	})
	b.step("a picture", func(t *testing.T) {
		b.generate()
		b.eval(`document.querySelector("#add-direction").click(); document.querySelector("#storage").open = true`, nil)
		for _, pane := range panes {
			b.eval(`document.querySelector("#tab-`+pane+`").click(); await test.drawn()`, nil)
			b.until(idle)
		}
		b.nothingCaught(t)
	})
	b.step("over the limits", func(t *testing.T) { b.overLimits(t, s, list) })
}

// overLimits serves manifests that say more than they may.
func (b *tab) overLimits(t *testing.T, s *server, presets []map[string]any) {
	for _, c := range []struct {
		change func(m map[string]any)
		limits []string
	}{
		{func(m map[string]any) { m["presets"] = append(presets, presets[0]) }, []string{"number of presets", "65", "64"}},
		{func(m map[string]any) { m["title"] = strings.Repeat("<b>", 67) }, []string{"title", "201", "200"}},
		{func(m map[string]any) { m["title"] = "\u202e<script>alert(1)</script>" }, []string{"title", "unprintable"}},
		{func(m map[string]any) { m["examples"] = strings.Split(strings.Repeat("<b>,", 1024)+"<b>", ",") }, []string{"over 1024"}},
		{func(m map[string]any) {
			m["presets"].([]any)[0].(map[string]any)["id"] = "<img src=x onerror=alert(1)>"
		}, []string{"preset id", "<img src=x onerror=alert(1)>", "64"}},
	} {
		changeManifest(t, s, c.change)
		b.run(chromedp.Reload())
		b.until(`document.querySelector("#alert .alert")?.hidden === false`)
		says := b.text("#alert .alert") // its details are folded
		for _, part := range c.limits {
			if !strings.Contains(says, part) {
				t.Errorf("it says %q, without %s", says, part)
			}
		}
		b.nothingCaught(t)
	}
}

// TestBrowserMarkupInTranslations builds the site with languages that say nothing but
// markup: whoever translates the page can change what it says, and not what it does.
func TestBrowserMarkupInTranslations(t *testing.T) {
	t.Parallel()
	words := markup(t)
	site, n := translatedSite(t, words)
	b := loadedWithTrap(t, serveFolder(t, site))
	for _, language := range []string{"en", "zh-Hans"} {
		b.call("form.speak", nil, language)
		b.call("drawn", nil)
		b.generate()
		for _, pane := range panes {
			b.eval(`document.querySelector("#tab-`+pane+`").click(); await test.drawn()`, nil)
			b.until(idle)
		}
		b.call("form.openDetails", nil, true)
		b.eval(`document.querySelector("#tab-picture").click(); await test.drawn()`, nil)
		b.click("#keep")
		b.call("form.dropGIF", nil)
		b.until(`!` + noAlert)
		b.call("drawn", nil)
		var said int
		b.call("markup.count", &said, words)
		if said < 100 {
			t.Errorf("%s: only %d texts of the page are markup", language, said)
		}
		b.nothingCaught(t)
	}
	if n < 300 {
		t.Errorf("only %d texts were replaced", n)
	}
	t.Logf("%d strings through translations, in %d texts", min(n, len(words)), n)
}

// translatedSite builds the small site with languages all of whose texts are words, one
// after the other; how many texts that are.
func translatedSite(t *testing.T, words []string) (site string, n int) {
	t.Helper()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var replaced func(v any) any
	replaced = func(v any) any {
		if m, ok := v.(map[string]any); ok {
			for name := range m {
				m[name] = replaced(m[name])
			}
			return m
		}
		n++
		return words[(n-1)%len(words)]
	}
	replace := map[string]string{}
	for _, language := range []string{"en", "zh"} {
		file, err := filepath.Abs(filepath.Join("..", "wasm", "page", "words", language+".json"))
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var all any
		if err := json.Unmarshal(text, &all); err != nil {
			t.Fatal(err)
		}
		replace[file] = in(language + ".json")
		write(t, replace[file], quote(replaced(all)))
	}
	write(t, in("overlay.json"), quote(map[string]any{"Replace": replace}))
	program := exec.Command("make", "--no-print-directory", "-C", "..", "wasm", "PROGRAM="+dir)
	program.Env = append(os.Environ(), "GOFLAGS=-overlay="+in("overlay.json"))
	if err := commands(program); err != nil {
		t.Fatal(err)
	}
	if err := buildSite(in("site"), dir, smallModel(t)); err != nil {
		t.Fatal(err)
	}
	return in("site"), n
}
