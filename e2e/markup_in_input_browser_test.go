package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
		if (document.readyState !== "interactive") return;
		for (const e of document.querySelectorAll("*")) own.add(e);
		new MutationObserver((list) => {
			for (const { addedNodes } of list) for (const n of addedNodes) { look(n); n.querySelectorAll?.("*").forEach(look); }
		}).observe(document, { childList: true, subtree: true });
	});
	const foreign = /^(script|iframe|frame|frameset|object|embed|style|link|meta|base|a|form|video|audio|source|track|math|marquee|template|noscript|body|title|xmp|animate|set|use|image|foreignobject)$/i;
	const look = (e) => {
		if (own.has(e) || e.nodeType !== 1) return;
		const odd = [...e.attributes].some(({ name, value }) => /^on/i.test(name) || /^\s*(javascript|data|https?):/i.test(value) && /^(href|src|action|formaction|srcdoc|data|xlink:href)$/i.test(name));
		if (foreign.test(e.localName) || odd || e.localName === "img" && !e.src.startsWith("blob:")) caught.push("element: " + e.outerHTML.slice(0, 200));
	};
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

// trapped opens the small model's page with the trap, and loads it.
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
			p := engine.Parameters{Request: engine.Request{Prompt: text, Steps: 2, Size: recipe.Square(16), CFG: 1}, Model: words[i], Revision: words[i+100], Precision: words[i+50], Backend: words[i+150], Plan: words[i+200]}
			for k := range recipe.MaxTerms {
				at := (i*recipe.MaxTerms + k) % len(words)
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
				if (!note.includes(`+quote(strings.TrimSpace(p.Model))+`.slice(0, 15))) wrong.push("of the other model it says " + note);`)
		}
		b.unsprung(t)
		t.Logf("%d strings through the text chunks, in %d files with %d directions each", len(words), len(texts), recipe.MaxTerms)
	})

	b.step("the trap", func(t *testing.T) {
		var caught []string
		b.eval(`
			const p = document.querySelector("#note");
			const planted = [["a", "href"], ["iframe", "title"], ["img", "alt"], ["i", "title"]].map(([tag, name]) => {
				const e = document.createElement(tag);
				e.setAttribute(name, "0");
				return e;
			});
			p.append(...planted);
			try { p.innerHTML = "<u>0</u>"; } catch {} // which the policy forbids
			await test.drawn();
			planted.forEach((e) => e.remove());
			return sprung();`, &caught)
		if len(caught) != 4 || !strings.Contains(fmt.Sprint(caught), "policy: require-trusted-types-for") {
			t.Errorf("it has caught %q", caught)
		}
		b.complaints()
	})
}
