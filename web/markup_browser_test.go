package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/chromedp/chromedp"

	"undertone/engine"
	"undertone/engine/recipe"
	"undertone/guidance"
)

// trap runs before the page: it catches dialogs, violations of the page's policy, and
// every element or attribute that only markup could have made. What index.html brings
// is left out; the page itself makes none of these.
const trap = `
	globalThis.caught = [];
	for (const name of ["alert", "confirm", "prompt", "open"]) globalThis[name] = () => caught.push(name);
	addEventListener("securitypolicyviolation", (e) => caught.push("policy: " + e.violatedDirective + " " + e.sample));
	const own = new WeakSet();
	document.addEventListener("readystatechange", () => {
		if (document.readyState === "interactive") for (const e of document.querySelectorAll("*")) own.add(e);
	});
	const foreign = /^(script|iframe|frame|frameset|object|embed|style|link|meta|base|a|form|video|audio|source|track|math|marquee|template|noscript|body|title|xmp|animate|set|use|image|foreignobject)$/i;
	const look = (e) => {
		if (own.has(e) || e.nodeType !== 1) return;
		const odd = [...e.attributes].some(({ name, value }) => /^on/i.test(name) || /^\s*(javascript|data|https?):/i.test(value) && /^(href|src|action|formaction|srcdoc|data|xlink:href)$/i.test(name));
		if (foreign.test(e.localName) || odd || e.localName === "img" && !e.src.startsWith("blob:")) caught.push("element: " + e.outerHTML.slice(0, 200));
	};
	new MutationObserver((list) => {
		for (const { addedNodes } of list) for (const n of addedNodes) { look(n); n.querySelectorAll?.("*").forEach(look); }
	}).observe(document, { childList: true, subtree: true });
	globalThis.sprung = () => [...new Set(caught)].slice(0, 10);`

// unsprung holds a tab to an empty trap and a silent console.
func (b *tab) unsprung(t *testing.T) {
	t.Helper()
	var caught []string
	b.eval(`
		for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
		await test.sleep(50);
		document.querySelectorAll("*").forEach(look);
		return sprung();`, &caught)
	for _, c := range caught {
		t.Error(c)
	}
	if wrong := b.complaints(); len(wrong) != 0 {
		t.Errorf("the page complains: %.500q", wrong)
	}
}

// markup are strings that would do something if they were taken for more than text.
func markup(t *testing.T) []string {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("testdata", "markup.txt"))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Split(strings.TrimSpace(string(list)), "\n")
	if len(words) < 300 {
		t.Fatalf("only %d strings", len(words))
	}
	return words
}

// bunches joins strings to texts of at most so many bytes.
func bunches(words []string, most int) (list []string) {
	for _, w := range words {
		if n := len(list) - 1; n >= 0 && len(list[n])+1+len(w) <= most {
			list[n] += " " + w
		} else {
			list = append(list, w)
		}
	}
	return list
}

// ready opens the small model's page with the trap, and loads it.
func trapped(t *testing.T, s *server) *tab {
	t.Helper()
	b := open(t, s.URL, options{script: trap})
	b.eval(pictureHelpers, nil)
	b.until(`document.querySelector("#load")?.disabled === false`)
	b.run(chromedp.Click("#load", chromedp.ByQuery))
	b.until(idle)
	return b
}

// TestBrowserMarkup puts markup and scripts where words are expected: in links, under
// the prompt, and in the text chunks of pictures. All of it is text.
func TestBrowserMarkup(t *testing.T) {
	words := markup(t)
	b := trapped(t, smallSite(t))
	wrong := func(t *testing.T, script string) {
		t.Helper()
		var list []string
		b.eval(`const wrong = []; `+script+`; return wrong.slice(0, 5)`, &list)
		for _, w := range list {
			t.Errorf("%.300s", w)
		}
	}

	b.step("links", func(t *testing.T) {
		const batch = 40 // in the time of one call, also on a busy machine
		for from := 0; from < len(words); from += batch {
			text, err := json.Marshal(words[from:min(from+batch, len(words))])
			if err != nil {
				t.Fatal(err)
			}
			wrong(t, `
				const field = document.querySelector("#prompt"), positive = document.querySelector("#positive");
				const arrived = async (word, way) => {
					await new Promise(requestAnimationFrame);
					if (field.value !== word) wrong.push(way + ": the prompt " + word + " became " + field.value);
					if (positive.value !== word) wrong.push(way + ": the direction " + word + " became " + positive.value);
				};
				for (const [i, word] of `+string(text)+`.entries()) {
					const direction = encodeURIComponent(JSON.stringify([{ positive: word, negative: word, weight: 1 }]));
					const hash = "#prompt=" + encodeURIComponent(word) + "&seed=" + i + "&guidance=" + direction, link = "https://example.org/" + hash;
					const changed = new Promise((done) => addEventListener("hashchange", done, { once: true }));
					location.hash = hash;
					await changed;
					await arrived(word, "hash");
					if (i % 4) continue;
					field.value = "";
					field.dispatchEvent(new Event("input"));
					if (i % 8) test.paste(document.body, link);
					else test.drop((t) => { t.setData("text/uri-list", link); t.setData("text/plain", link); });
					await arrived(word, "pasted or dropped");
				}`)
		}
		b.unsprung(t)
		t.Logf("%d strings through the hash, every fourth pasted or dropped too", len(words))
	})

	b.step("prompt", func(t *testing.T) {
		texts := bunches(words, 380) // longer ones are not marked
		list, err := json.Marshal(texts)
		if err != nil {
			t.Fatal(err)
		}
		wrong(t, `
			const field = document.querySelector("#prompt"), mirror = document.querySelector("#mirror");
			document.activeElement.blur();
			for (const text of `+string(list)+`) {
				field.value = text;
				field.dispatchEvent(new Event("input"));
				await test.drawn();
				if (mirror.hidden || !mirror.textContent.endsWith(text)) wrong.push("the mirror of " + text + " is " + mirror.textContent);
			}`)
		b.unsprung(t)
		t.Logf("%d strings through the prompt, in %d texts", len(words), len(texts))
	})

	b.step("files", func(t *testing.T) {
		var blank bytes.Buffer
		if err := png.Encode(&blank, image.NewNRGBA(image.Rect(0, 0, 16, 16))); err != nil {
			t.Fatal(err)
		}
		texts := bunches(words, 380)
		for i, text := range texts {
			p := engine.Parameters{Request: engine.Request{Prompt: text, Steps: 2, Size: 16, CFG: 1}, Model: words[i], Revision: words[i+100], Precision: words[i+50], Backend: words[i+150], Plan: words[i+200]}
			for k := range engine.MaxTerms {
				at := (i*engine.MaxTerms + k) % len(words)
				p.Guidance = append(p.Guidance, engine.Term{Positive: words[at], Negative: words[len(words)-1-at], Weight: 1, Schedule: guidance.Schedule{Kind: "constant"}})
			}
			file, err := recipe.WritePNG(blank.Bytes(), p)
			if err != nil {
				t.Fatal(err)
			}
			wrong(t, `
				const bytes = Uint8Array.from(atob(`+quote(base64.StdEncoding.EncodeToString(file))+`), (c) => c.charCodeAt(0));
				const field = document.querySelector("#prompt"), text = `+quote(text)+`;
				test.drop((t) => t.items.add(new File([bytes], `+quote(words[i])+` + ".png", { type: "image/png" })));
				for (let i = 0; i < 100 && field.value !== text; i++) await new Promise(requestAnimationFrame);
				if (field.value !== text) wrong.push("the prompt " + text + " became " + field.value);
				if (document.querySelector("#positive").value !== `+quote(p.Guidance[0].Positive)+`) wrong.push("the direction became " + document.querySelector("#positive").value);
				const note = document.querySelector("#note").textContent;
				if (!note.includes(`+quote(strings.TrimSpace(p.Model))+`)) wrong.push("of the other model it says " + note);`)
		}
		b.unsprung(t)
		t.Logf("%d strings through the text chunks, in %d files with %d directions each", len(words), len(texts), engine.MaxTerms)
	})
}

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
			{func(m map[string]any) { m["examples"] = strings.Split(strings.Repeat("<b>,", 1024)+"<b>", ",") }, []string{"examples", "1025", "1024"}},
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
	if err := buildSite(in("site"), filepath.Join(filepath.Dir(s.dir), "fixture", "sprites"), dir); err != nil {
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
