package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// builtHosts are the whole sites that `make hosts` leaves in build/hosts: where each lies,
// where its page is, and how a reader makes it dark, where the generator has a switch.
var builtHosts = []struct{ name, folder, path, dark string }{
	{"MkDocs Material", "mkdocs/site", "/guidance/", `document.querySelector("label[for=__palette_1]").click()`},
	{"Docusaurus", "docusaurus/build", "/guidance/", `document.documentElement.dataset.theme = "dark"`},
	{"VitePress", "vitepress/.vitepress/dist", "/guidance.html", `document.querySelector(".VPSwitchAppearance").click()`},
	{"Sphinx", "sphinx/out", "/guidance.html", ""},
	{"Hugo", "hugo/public", "/guidance/", ""},
	{"mdBook", "mdbook/book", "/guidance.html", `document.querySelector("#mdbook-theme-coal").click()`},
	{"Jupyter", "jupyter", "/guidance.html", ""},
}

// TestBrowserBuiltHosts goes through the element in the sites of the generators with all their
// scripts and styles, where `make hosts` has built them. It leaves pictures of each beside them.
func TestBrowserBuiltHosts(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "build", "hosts")
	if !exists(filepath.Join(root, "mkdocs", "site")) {
		t.Skip("the sites are not built: make hosts")
	}
	script := axe(t)
	s := serveFolder(t, folderOf(t, dist))
	b := open(t, s.URL+"/blank.html", options{noGPU: true})
	for _, h := range builtHosts {
		b.step(h.name, func(t *testing.T) {
			folder := filepath.Join(root, filepath.FromSlash(h.folder))
			if !exists(folder) {
				t.Skip("it is not built: make hosts")
			}
			b.run(chromedp.EmulateViewport(1280, 900), chromedp.Navigate(serveBuilt(t, folder, s.URL+"/")+h.path))
			b.until(`document.querySelector("undertone-demo")?.shadowRoot?.querySelector("img").naturalWidth === 256`)
			f := b.openedByKeys(t, 80)
			b.followsSite(h.dark, f)
			f.click("#load-cpu")
			f.drawn()
			b.steered(t, f)
			b.shift(t)
			b.heldToRules(t, f, script)
			b.printed(t)
			b.leaves(t)
			for _, width := range []int64{360, 720} {
				b.narrowHost(t, h.dark, width, filepath.Join(root, strings.ToLower(strings.Fields(h.name)[0])))
			}
			for _, c := range b.complaints() {
				if strings.Contains(c, "undertone") || strings.Contains(c, s.URL) {
					t.Errorf("the page complains: %.300s", c)
				}
			}
		})
	}
}

// serveBuilt serves a built site, in which the address of ours stands for the example's.
func serveBuilt(t *testing.T, folder, site string) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Join(folder, filepath.FromSlash(path.Clean(r.URL.Path)))
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			name = filepath.Join(name, "index.html")
		}
		text, err := os.ReadFile(name)
		if kind := map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript"}[filepath.Ext(name)]; err == nil && kind != "" {
			w.Header().Set("Content-Type", kind)
			w.Write([]byte(strings.ReplaceAll(string(text), exampleSite, site)))
			return
		}
		http.ServeFile(w, r, name)
	}))
	t.Cleanup(web.Close)
	return web.URL
}

// openedByKeys goes to the element with Tab, pressed at most so many times, and opens it
// with Enter.
func (b *tab) openedByKeys(t *testing.T, most int) *frame {
	b.shift(t)
	b.tabbed(most, `document.activeElement?.localName === "undertone-demo"`)
	b.keys(kb.Enter)
	f := b.framed(0, "7")
	f.until(onCPU)
	b.shift(t)
	return f
}

// followsSite turns the site's own switch, and changes the element's attributes.
func (b *tab) followsSite(dark string, f *frame) {
	b.t.Helper()
	const background = `getComputedStyle(document.documentElement).backgroundColor === `
	f.until(background + `"rgb(255, 255, 255)"`)
	if dark == "" {
		dark = `document.querySelector("undertone-demo").theme = "dark"`
	}
	b.eval(dark, nil)
	f.until(background + `"rgb(29, 26, 36)"`)
	b.eval(`Object.assign(document.querySelector("undertone-demo"), { theme: "light", lang: "zh" })`, nil)
	f.until(background + `"rgb(255, 255, 255)" && document.documentElement.lang === "zh-Hans"`)
	b.eval(`Object.assign(document.querySelector("undertone-demo"), { theme: null, lang: "en" })`, nil)
	f.until(background + `"rgb(29, 26, 36)" || ` + background + `"rgb(255, 255, 255)"`)
}

// steered moves a slider by its key, and waits for the picture that follows.
func (b *tab) steered(t *testing.T, f *frame) {
	var before string
	f.eval(`return test.canvasHash(".single canvas")`, &before)
	f.eval(`document.querySelector("#weight-slider").focus()`, nil)
	b.keys(kb.ArrowLeft, kb.ArrowLeft, kb.ArrowLeft)
	f.until(`document.querySelector("#weight").value !== "2"`)
	f.eval(`while (await test.canvasHash(".single canvas") === `+quote(before)+`) await test.sleep(20)`, nil)
	f.drawn()
}

// heldToRules holds the element, and the document in its frame, to every rule of axe.
func (b *tab) heldToRules(t *testing.T, f *frame, script string) {
	var found []any
	b.run(chromedp.Evaluate(script+";0", nil))
	b.eval(`const { violations } = await axe.run("undertone-demo", { iframes: false, resultTypes: ["violations"] });
		return violations.map(({ id, nodes }) => id + ": " + nodes[0].html)`, &found)
	if len(found) != 0 {
		t.Errorf("in the page: %q", found)
	}
	if _, err := f.evaluate(script + ";0"); err != nil {
		t.Fatal(err)
	}
	if f.eval(`return test.layout.violations()`, &found); len(found) != 0 {
		t.Errorf("in the frame: %v", found)
	}
}

// leaves goes with Tab through the frame and out of it.
func (b *tab) leaves(t *testing.T) {
	b.eval(`document.querySelector("main, article, [role=main], body").insertAdjacentHTML("beforeend", "<a id=after href=#>After.</a>"); document.querySelector("undertone-demo").focus()`, nil)
	b.tabbed(60, `document.activeElement?.localName !== "undertone-demo"`)
}

// narrowHost opens the page anew on a narrow screen, and takes pictures of it: of the poster, and
// of a picture in the dark, where the site can be.
func (b *tab) narrowHost(t *testing.T, dark string, width int64, name string) {
	b.run(emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600), chromedp.Reload())
	b.until(`document.querySelector("undertone-demo")?.shadowRoot?.querySelector("img").naturalWidth === 256`)
	take := func(what string) {
		b.eval(`document.querySelector("undertone-demo").scrollIntoView({ block: "center" }); await test.sleep(500)`, nil)
		b.photograph(fmt.Sprintf("%s-%d-%s.png", name, width, what))
		if b.is(`document.querySelector("undertone-demo").getBoundingClientRect().right > innerWidth || document.documentElement.scrollWidth > innerWidth`) {
			t.Errorf("%d pixels wide, the %s does not fit", width, what)
		}
	}
	take("poster")
	b.eval(`await document.querySelector("undertone-demo").load()`, nil)
	f := b.framed(0, "7")
	f.until(onCPU)
	f.click("#load-cpu")
	f.drawn()
	take("picture")
	if dark != "" {
		b.eval(dark, nil)
		take("dark")
	}
	b.run(emulation.ClearDeviceMetricsOverride())
}

// photograph writes what the tab shows.
func (b *tab) photograph(file string) {
	b.t.Helper()
	var shot []byte
	b.run(chromedp.CaptureScreenshot(&shot))
	if err := os.WriteFile(file, shot, 0o644); err != nil {
		b.t.Fatal(err)
	}
}
