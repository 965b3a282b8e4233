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

// bend serves another model.json, made from the site's own, and says what it serves.
func bend(t *testing.T, s *server, change func(m map[string]any)) {
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
}

// TestBrowserHostileManifest has the model's maker put markup into everything that a
// model.json may say in words; and say more than it may.
func TestBrowserHostileManifest(t *testing.T) {
	words := markup(t)
	printable := []string{} // a title must be
	for _, w := range words {
		if strings.IndexFunc(w, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
			printable = append(printable, w)
		}
	}
	const presets = 64
	each := (len(words) + presets - 1) / presets
	titles := bunches(printable, 200)
	s := smallSite(t)
	var list []map[string]any
	for i := range presets {
		some := strings.Join(words[min(i*each, len(words)):min((i+1)*each, len(words))], " ")
		list = append(list, map[string]any{"id": fmt.Sprint("p", i), "title": titles[i%len(titles)], "positive": some, "negative": "not " + some,
			"weight": 1, "head": 0, "schedule": map[string]any{"kind": "constant"}})
	}
	bend(t, s, func(m map[string]any) {
		m["title"], m["revision"] = titles[0], "<img src=x onerror=alert(1)>"
		m["licenses"] = map[string]any{"weights": titles[1], "data": titles[2]}
		m["presets"], m["examples"] = list, words
		m["defaults"].(map[string]any)["prompt"] = words[0]
		m["understands"] = map[string]any{"objects": words, "colours": words[:40], "places": words[40:80], "quality": words[80:120]}
	})
	b := trapped(t, s)
	b.step("presets", func(t *testing.T) {
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		var wrong []string
		b.eval(`
			const wrong = [], value = (id) => document.querySelector(id).value;
			for (const { id, title, positive, negative } of `+string(text)+`) {
				const chip = document.querySelector('[data-preset="' + id + '"]');
				chip.click();
				await new Promise(requestAnimationFrame);
				if (chip.textContent !== title) wrong.push("the title " + title + " became " + chip.textContent);
				if (value("#positive") !== positive || value("#negative") !== negative) wrong.push("the words " + positive + " became " + value("#positive"));
			}
			return wrong.slice(0, 5)`, &wrong)
		for _, w := range wrong {
			t.Errorf("%.300s", w)
		}
		b.unsprung(t)
		t.Logf("%d strings through the presets' words, %d through their titles", len(words), len(printable))
	})
	b.step("words, examples, terms", func(t *testing.T) {
		var chips []string
		b.eval(`
			document.querySelector("#understands").open = true;
			await test.drawn();
			return [...document.querySelectorAll("#understands .chips:first-of-type button")].map((e) => e.textContent)`, &chips)
		if fmt.Sprint(chips) != fmt.Sprint(words) {
			t.Errorf("the words became %.300q", chips)
		}
		b.eval(`for (const e of document.querySelectorAll("#prompt-examples button")) { e.click(); await test.drawn(); }`, nil)
		for _, title := range titles[:3] {
			if says := b.text("#edition"); !strings.Contains(says, title) {
				t.Errorf("%q is not among %.500q", title, says)
			}
		}
		b.unsprung(t)
	})
	b.step("a picture", func(t *testing.T) {
		b.generate()
		b.eval(`document.querySelector("#add-direction").click(); document.querySelector("#storage").open = true`, nil)
		for _, pane := range panes {
			b.eval(`document.querySelector("#tab-`+pane+`").click(); await test.drawn()`, nil)
			b.until(idle)
		}
		b.unsprung(t)
	})
	b.step("over the limits", func(t *testing.T) {
		for _, c := range []struct {
			bent   func(m map[string]any)
			limits []string
		}{
			{func(m map[string]any) { m["presets"] = append(list, list[0]) }, []string{"number of presets", "65", "64"}},
			{func(m map[string]any) { m["title"] = strings.Repeat("<b>", 67) }, []string{"title", "201", "200"}},
			{func(m map[string]any) { m["title"] = "\u202e<script>alert(1)</script>" }, []string{"title", "unprintable"}},
			{func(m map[string]any) { m["examples"] = strings.Split(strings.Repeat("<b>,", 1024)+"<b>", ",") }, []string{"over 1024"}},
			{func(m map[string]any) {
				m["presets"].([]any)[0].(map[string]any)["id"] = "<img src=x onerror=alert(1)>"
			}, []string{"preset id", "<img src=x onerror=alert(1)>", "64"}},
		} {
			bend(t, s, c.bent)
			b.run(chromedp.Reload())
			b.until(`document.querySelector("#alert .alert")?.hidden === false`)
			says := b.text("#alert .strong")
			for _, part := range c.limits {
				if !strings.Contains(says, part) {
					t.Errorf("it says %q, without %s", says, part)
				}
			}
			b.unsprung(t)
		}
	})
}

// TestBrowserHostileTranslations builds the program with languages that say nothing but
// markup: whoever translates the page can change what it says, and not what it does.
func TestBrowserHostileTranslations(t *testing.T) {
	words := markup(t)
	s := smallSite(t)
	dir := t.TempDir()
	replace, used := map[string]string{}, map[string]bool{}
	n := 0
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
		var bent func(v any) any
		bent = func(v any) any {
			if m, ok := v.(map[string]any); ok {
				for name := range m {
					m[name] = bent(m[name])
				}
				return m
			}
			w := words[n%len(words)]
			used[w] = true
			n++
			return w
		}
		if text, err = json.Marshal(bent(all)); err != nil {
			t.Fatal(err)
		}
		replace[file] = filepath.Join(dir, language+".json")
		if err := os.WriteFile(replace[file], text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(in("overlay.json"), overlay, 0o644); err != nil {
		t.Fatal(err)
	}
	program := exec.Command("make", "--no-print-directory", "-C", "..", "wasm", "PROGRAM="+dir)
	program.Env = append(os.Environ(), "GOFLAGS=-overlay="+in("overlay.json"))
	if err := commands(program); err != nil {
		t.Fatal(err)
	}
	if err := buildSite(in("site"), dir, filepath.Join(filepath.Dir(s.dir), "fixture", "sprites")); err != nil {
		t.Fatal(err)
	}

	b := trapped(t, serveFolder(t, in("site")))
	for _, language := range []string{"en", "zh-Hans"} {
		b.eval(`
			const l = document.querySelector("#language");
			l.value = `+quote(language)+`;
			l.dispatchEvent(new Event("change"));
			await test.drawn();`, nil)
		b.generate()
		for _, pane := range panes {
			b.eval(`document.querySelector("#tab-`+pane+`").click(); await test.drawn()`, nil)
			b.until(idle)
		}
		b.eval(`for (const d of document.querySelectorAll("details")) d.open = true; document.querySelector("#tab-picture").click(); await test.drawn()`, nil)
		b.click("#keep")
		b.eval(`
			test.drop((t) => t.items.add(new File(["GIF89a"], "x.png", { type: "image/png" })));
			while (document.querySelector("#alert .alert").hidden) await test.drawn();`, nil)
		var said int
		b.eval(`
			const all = new Set(`+quoteAll(words)+`);
			const texts = [...document.querySelectorAll("*")].flatMap((e) => [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).concat([...e.attributes].map((a) => a.value)));
			return texts.filter((s) => all.has(s)).length`, &said)
		if said < 100 {
			t.Errorf("%s: only %d texts of the page are the bent ones", language, said)
		}
		b.unsprung(t)
	}
	if len(used) < 300 {
		t.Errorf("only %d strings were used", len(used))
	}
	t.Logf("%d strings through translations, in %d texts", len(used), n)
}

func quoteAll(list []string) string {
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings can always be written
	}
	return string(text)
}
