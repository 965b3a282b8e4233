package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// exampleSite is where the pages of testdata/hosts say that the site is.
const exampleSite = "https://example.org/undertone/"

// docsHost is a page of testdata/hosts, and how it is served.
type docsHost struct {
	name    string
	folder  string                            // of testdata/hosts
	path    string                            // where the generator puts the page
	headers func(s *server) map[string]string // of the page
	dark    string                            // makes the page dark, as its reader's switch does
	picture bool                              // a picture is drawn, too
}

// dark of pages by their own hand.
const darkRoot = `document.documentElement.dataset.theme = "dark"`

var docsHosts = []docsHost{
	{name: "plain HTML", folder: "plain", path: "/", dark: darkRoot, picture: true},
	{name: "strict policy", folder: "plain", path: "/", dark: darkRoot, headers: func(s *server) map[string]string {
		return map[string]string{"Content-Security-Policy": "default-src 'none'; script-src " + s.URL + "/element.js " + s.URL + "/assets/; frame-src " + s.URL + "/embed.html; img-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"}
	}},
	{name: "policy with a nonce", folder: "plain", path: "/", dark: darkRoot, headers: func(s *server) map[string]string {
		return map[string]string{"Content-Security-Policy": "default-src 'none'; script-src 'nonce-" + nonce + "' 'strict-dynamic'; frame-src " + s.URL + "/embed.html; img-src 'self'; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"}
	}},
	{name: "require-corp", folder: "plain", path: "/", dark: darkRoot, picture: true, headers: header("Cross-Origin-Embedder-Policy", "require-corp")},
	{name: "credentialless", folder: "plain", path: "/", dark: darkRoot, picture: true, headers: header("Cross-Origin-Embedder-Policy", "credentialless")},
	{name: "sandbox with its origin", folder: "plain", path: "/", dark: darkRoot, headers: header("Content-Security-Policy", "sandbox allow-scripts allow-same-origin")},
	{name: "MkDocs Material", folder: "mkdocs", path: "/guidance/", dark: `document.body.dataset.mdColorScheme = "slate"`, picture: true},
	{name: "Docusaurus", folder: "docusaurus", path: "/guidance/", dark: darkRoot},
	{name: "Sphinx", folder: "sphinx", path: "/guidance.html", dark: `document.body.dataset.theme = "dark"`},
	{name: "VitePress", folder: "vitepress", path: "/guidance.html", dark: `document.documentElement.classList.add("dark")`},
	{name: "Hugo", folder: "hugo", path: "/guidance/", dark: darkRoot},
	{name: "mdBook", folder: "mdbook", path: "/guidance.html", dark: `document.documentElement.classList.add("coal")`},
	// nbviewer shows what nbconvert makes, with this policy.
	{name: "Jupyter", folder: "jupyter", path: "/guidance.html", dark: `document.documentElement.style.colorScheme = "dark"`, headers: header("Content-Security-Policy", "connect-src 'none';")},
}

// nonce is that of the scripts of a page whose policy names it.
const nonce = "bm9uY2Ugb2YgYSBob3N0"

func header(name, value string) func(*server) map[string]string {
	return func(*server) map[string]string { return map[string]string{name: value} }
}

// darkStyle is what the generators' own styles say of dark pages.
const darkStyle = `
[data-theme=dark], [data-md-color-scheme=slate], .dark, .coal { color-scheme: dark; background: #222; color: #eee }`

// fixturePage is a page of testdata/hosts with the address of the site in it.
func fixturePage(t *testing.T, folder, site string) string {
	t.Helper()
	name := "page.html"
	if folder == "plain" {
		name = "index.html"
	}
	text, err := os.ReadFile(filepath.Join("testdata", "hosts", folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), exampleSite, site)
}

// serve serves the page on an origin of its own, with its style and its poster. Returned is
// the page's address.
func (h docsHost) serve(t *testing.T, s *server) string {
	t.Helper()
	text, style := fixturePage(t, h.folder, s.URL+"/"), reserve(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // a sandbox has no origin
		switch base := path.Base(r.URL.Path); {
		case r.URL.Path == h.path:
			text := text
			if h.headers != nil {
				for name, value := range h.headers(s) {
					w.Header().Set(name, value)
					if strings.Contains(value, nonce) {
						text = strings.ReplaceAll(text, "<script ", `<script nonce="`+nonce+`" `)
					}
				}
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write([]byte(text))
		case strings.HasPrefix(base, "undertone") && path.Ext(base) == ".css":
			w.Header().Set("Content-Type", "text/css")
			w.Write([]byte(style + darkStyle))
		case strings.HasPrefix(base, "frog"):
			http.ServeFile(w, r, "testdata/hosts/frog.png")
		case base == "favicon.ico":
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	return web.URL + h.path
}

// slowSteps has the engine take three tenths of a second for each step, so that pictures show theirs.
const slowSteps = `{ const post = self.postMessage.bind(self); self.postMessage = (m, ...more) => { if (m.type === "step") for (const end = Date.now() + 300; Date.now() < end;); post(m, ...more); }; }`

// TestBrowserEmbedHosts opens the pages of testdata/hosts, which generators of documentation
// have made, and the plain one under the policies that hosts send. In each, the element is
// a poster that costs the site nothing, opens, and follows the page.
func TestBrowserEmbedHosts(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	s.headers = map[string]string{"Cross-Origin-Resource-Policy": "cross-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
	s.prelude = slowSteps
	b := open(t, s.URL+"/blank.html", options{noGPU: true})
	for _, h := range docsHosts {
		b.step(h.name, func(t *testing.T) {
			b.run(chromedp.Navigate(h.serve(t, s)))
			b.embedInHost(t, s, h)
		})
	}
	b.step("sandbox", func(t *testing.T) { b.embedInSandbox(t, s) })
	b.step("readme", func(t *testing.T) { b.readme(t, s) })
}

// embedInHost goes through a page, from its poster to the frame.
func (b *tab) embedInHost(t *testing.T, s *server, h docsHost) {
	asked := len(s.asked("/"))
	b.until(`document.querySelector("undertone-demo")?.shadowRoot?.querySelector("img").naturalWidth === 256`)
	var got facade
	if b.call("embed.facade", &got, 0); got.Caption != "“a red frog in a meadow”" || !strings.HasPrefix(got.Button, "Open demo · ") || !got.Shown || got.Frames != 0 {
		t.Errorf("the facade: %+v", got)
	}
	if list := s.asked("/")[asked:]; len(list) > 1 || len(list) == 1 && list[0] != "/element.js" {
		t.Errorf("before a press, the site was asked for %q", list)
	}
	f := b.openedByKeys(t, 12)
	b.followsHost(h, f)
	if h.folder == "plain" && h.headers == nil {
		b.narrow(f)
	}
	if h.picture {
		f.click("#load-cpu")
		f.drawn()
	}
	if h.folder == "plain" && h.headers == nil {
		b.step("style", func(t *testing.T) { b.styled(t) })
		b.step("rules", func(t *testing.T) { b.embedRules(t, f) })
		b.step("keyboard", func(t *testing.T) { b.throughTheFrame(t) })
		b.step("pause", func(t *testing.T) { b.pauses(t, f) })
		b.step("print", func(t *testing.T) { b.printed(t) })
	}
	b.silent(t)
}

// followsHost changes the page's colours and the element's language.
func (b *tab) followsHost(h docsHost, f *frame) {
	b.t.Helper()
	const background = `getComputedStyle(document.documentElement).backgroundColor === `
	f.until(background + `"rgb(255, 255, 255)"`)
	b.eval(h.dark, nil)
	f.until(background + `"rgb(29, 26, 36)"`)
	b.eval(`document.querySelector("undertone-demo").theme = "light"`, nil)
	f.until(background + `"rgb(255, 255, 255)"`)
	b.eval(`document.querySelector("undertone-demo").lang = "zh"`, nil)
	f.until(`document.documentElement.lang === "zh-Hans" && document.querySelector("#no-webgpu .strong").textContent.includes("浏览器")`)
}

// narrow looks at what a narrow frame says where there is no GPU: it is higher than the
// picture will be, and so is what it stands on.
func (b *tab) narrow(f *frame) {
	b.t.Helper()
	b.run(chromedp.EmulateViewport(360, 900))
	f.until(`innerWidth < 360 && parseFloat(getComputedStyle(document.querySelector("#frames"), "::before").height) > document.querySelector("#welcome").offsetHeight - 1`)
	b.run(chromedp.EmulateViewport(1280, 900))
}

// styled gives the element the look that a page wants, by what docs/embedding.md names for that.
func (b *tab) styled(t *testing.T) {
	doc, err := os.ReadFile("../docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(doc), "and the parts ")
	named, _, _ := strings.Cut(after, "can be styled with `::part()`")
	var parts []string
	for i, word := range strings.Split(named, "`") {
		if i%2 == 1 {
			parts = append(parts, word)
		}
	}
	var got struct {
		Unreached, Others, Slotted []string
		Button, Says               string
	}
	b.call("embed.styled", &got, parts)
	if len(parts) == 0 || len(got.Unreached)+len(got.Others) != 0 || got.Button != "rgb(1, 2, 3)" || !slices.Equal(got.Slotted, []string{"poster", "label"}) || !strings.HasSuffix(got.Says, " MB") {
		t.Errorf("of the parts %q: %+v", parts, got)
	}
}

// throughTheFrame goes forwards out of the frame, and backwards through it.
func (b *tab) throughTheFrame(t *testing.T) {
	const inFrame = `document.activeElement?.localName === "undertone-demo"`
	b.eval(`document.querySelector("h1").insertAdjacentHTML("beforebegin", "<a id=before href=#below>Before.</a>"); document.querySelector("#before").focus()`, nil)
	b.pressTab()
	if !b.is(inFrame) {
		t.Error("Tab does not lead into the frame")
	}
	b.tabbed(40, `document.activeElement?.textContent === "A link."`)
	for range 40 {
		if b.is(`document.activeElement?.id === "before"`) {
			return
		}
		b.run(chromedp.ActionFunc(func(ctx context.Context) error {
			for _, kind := range []input.KeyType{input.KeyDown, input.KeyUp} {
				if err := input.DispatchKeyEvent(kind).WithKey("Tab").WithCode("Tab").WithWindowsVirtualKeyCode(9).WithModifiers(input.ModifierShift).Do(ctx); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	t.Error("40 times Shift and Tab do not lead out of the frame")
}

// pauses scrolls the element out of view while it draws, and back.
func (b *tab) pauses(t *testing.T, f *frame) {
	var got struct {
		Steps, Later, Pictures, After int
		Milliseconds                  float64
	}
	if b.call("embed.scrolledAway", &got, 12); got.Steps == 0 || got.Steps > 8 || got.Later != got.Steps || got.Pictures != 0 {
		t.Errorf("out of view, it went on: %+v", got)
	}
	if got.After != 1 || got.Milliseconds < 2000 {
		t.Errorf("back in view, %d pictures were made, the first within %.0f ms of twelve steps of 300 ms each", got.After, got.Milliseconds)
	}
	f.drawn()
}

// printed looks at the page as it is printed, with its frame open.
func (b *tab) printed(t *testing.T) {
	var shown struct {
		Figure, Image, Caption, Button, Note, Frame bool
	}
	b.run(emulation.SetEmulatedMedia().WithMedia("print"))
	defer b.run(emulation.SetEmulatedMedia().WithMedia(""))
	b.call("embed.printed", &shown)
	if !shown.Figure || !shown.Image || !shown.Caption || shown.Button || shown.Note || shown.Frame {
		t.Errorf("printed are %+v", shown)
	}
}

// embedInSandbox opens a page that is itself in a sandbox, without an origin. The demo cannot
// run there, and the page is told so.
func (b *tab) embedInSandbox(t *testing.T, s *server) {
	h := docsHost{folder: "plain", path: "/", headers: header("Content-Security-Policy", "sandbox allow-scripts allow-popups")}
	b.run(chromedp.Navigate(h.serve(t, s)))
	b.until(`document.querySelector("undertone-demo").shadowRoot`)
	var wrong struct{ Code, Message, Advice string }
	if b.call("embed.refused", &wrong, "load", 0); wrong.Code != "embed-failed" || !strings.Contains(wrong.Message, "allow-same-origin") || wrong.Advice == "" {
		t.Errorf("load: %+v", wrong)
	}
	var heard []any
	if b.call("embed.heard", &heard, "error", 0); len(heard) != 1 {
		t.Errorf("events: %v", heard)
	}
	// The frame itself says so, and offers the full page.
	s.headers["Content-Security-Policy"] = "sandbox allow-scripts"
	b.run(chromedp.Navigate(s.URL + "/embed.html#seed=1"))
	b.until(`document.querySelector("#broken").checkVisibility() && document.querySelector("#open").getBoundingClientRect().bottom < 384`) // what the element has reserved
	delete(s.headers, "Content-Security-Policy")
	b.complaints() // of what a sandbox forbids
}

// readme follows the picture of a README, which can only link.
func (b *tab) readme(t *testing.T, s *server) {
	b.run(chromedp.Navigate(docsHost{folder: "readme", path: "/"}.serve(t, s)))
	b.until(`document.querySelector("img").naturalWidth === 256`)
	var link string
	b.eval(`return document.querySelector("img").closest("a").href`, &link)
	if !strings.HasPrefix(link, s.URL+"/#") {
		t.Fatalf("the picture leads to %s", link)
	}
	b.run(chromedp.Navigate(link))
	b.until(onCPU)
	if got := b.value("prompt"); got != "a red frog in a meadow" {
		t.Errorf("the page's prompt is %q", got)
	}
}
