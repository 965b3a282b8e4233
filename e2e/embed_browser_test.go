package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// strictPolicy is a host's policy with no more than the element needs of it.
func strictPolicy(s *server) map[string]string {
	return map[string]string{"Content-Security-Policy": "default-src 'none'; script-src " + s.URL + "/element.js " + s.URL + "/assets/; frame-src " + s.URL + "/embed.html; img-src data:; style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'"}
}

// facade is what the element shows before its button is pressed.
type facade struct {
	Caption, Button, Note, Poster string
	Shown                         bool
	Frames                        int
}

// settingsEvent is the detail of undertone-settings.
type settingsEvent struct {
	Prompt   string
	Seed     float64
	Steps    int
	Guidance []struct {
		Positive string
		Weight   float64
	}
	Notices []struct{ Field, Given, Used string }
}

// TestBrowserEmbed puts the element into a page of another origin with a strict policy, and
// uses it: by the keyboard alone, by its attributes and by its methods.
func TestBrowserEmbed(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	b := open(t, hostPage(t, strictPolicy(s), element(s, `prompt="a red frog" seed="5" steps="12" poster="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"`)), options{webgpu: true})
	var f *frame
	b.step("facade", func(t *testing.T) { b.embedFacade(t, s) })
	b.step("keyboard", func(t *testing.T) { f = b.embedKeyboard(t, s) })
	if f == nil {
		return
	}
	b.step("consent", func(t *testing.T) { b.embedPicture(t, s, f) })
	b.step("attributes", func(t *testing.T) { b.embedAttributes(t, f) })
	b.step("rules", func(t *testing.T) { b.embedRules(t, f) })
	b.step("taken back", func(t *testing.T) { b.takenBack(t, s, f) })
	b.t = t
	b.silent(t)
}

// embedFacade looks at the element before anybody has touched it.
func (b *tab) embedFacade(t *testing.T, s *server) {
	b.until(`document.querySelector("undertone-demo").shadowRoot?.querySelector("button").checkVisibility()`)
	var got facade
	b.call("embed.facade", &got, 0)
	if got.Caption != "“a red frog”" || !strings.HasPrefix(got.Button, "Open demo · ") || !strings.Contains(got.Note, "9.6 MB") || !got.Shown || got.Frames != 0 {
		t.Errorf("the facade: %+v", got)
	}
	if got := s.asked("/"); len(got) != 1 || got[0] != "/element.js" {
		t.Errorf("before a press, the site was asked for %q", got)
	}
	var refused struct{ Code string }
	for _, method := range []string{"generate", "toBlob"} {
		if b.call("embed.refused", &refused, method, 0); refused.Code != "needs-consent" {
			t.Errorf("%s before the frame: %+v", method, refused)
		}
	}
	if got := s.asked("/"); len(got) != 1 {
		t.Errorf("what was refused asked for %q", got)
	}
	b.shift(t)
}

// shift holds what the page has moved by itself to nothing.
func (b *tab) shift(t *testing.T) {
	t.Helper()
	var moved []string
	if b.call("embed.moved", &moved); len(moved) != 0 {
		t.Errorf("the layout has shifted: %q", moved)
	}
}

// embedKeyboard opens the frame and starts the model with keys alone.
func (b *tab) embedKeyboard(t *testing.T, s *server) *frame {
	b.tabbed(5, `document.activeElement?.localName === "undertone-demo"`)
	b.keys(kb.Enter)
	f := b.framed(0, "5")
	f.until(`document.querySelector("#load")?.disabled === false`)
	b.shift(t)
	var refused struct{ Code string }
	if b.call("embed.refused", &refused, "generate", 0); refused.Code != "needs-consent" {
		t.Errorf("generate before Start: %+v", refused)
	}
	if n := s.bytes(".gguf") + s.bytes(".safetensors") + s.bytes("engine."); n != 0 {
		t.Errorf("%d bytes of the model and the engine came before Start was pressed", n)
	}
	for range 8 {
		if f.is(`document.activeElement.id === "load"`) {
			break
		}
		b.pressTab()
	}
	b.keys(kb.Enter)
	f.drawn()
	// Tab leads through the frame, and out of it.
	b.tabbed(40, `document.activeElement?.id === "next"`)
	return f
}

// embedPicture looks at what the host is told of a picture.
func (b *tab) embedPicture(t *testing.T, s *server, f *frame) {
	// A step that is over within a frame is not told, one of twelve is.
	for _, kind := range []string{"ready", "progress", "step", "image"} {
		b.until(`test.embed.heard("` + kind + `").length > 0`)
	}
	var images []struct {
		Width, Height int
		Settings      settingsEvent
	}
	b.call("embed.heard", &images, "image")
	if len(images) != 1 || images[0].Width != 16 || images[0].Settings.Prompt != "a red frog" || images[0].Settings.Seed != 5 {
		t.Errorf("pictures: %+v", images)
	}
	var file string
	b.call("embed.file", &file, 0)
	if p := recipeOf(t, b.decoded(file)); p.Prompt != "a red frog" || p.Seed != 5 || p.Steps != 12 {
		t.Errorf("the file says %+v", p.Request)
	}
	var height, inner int
	b.call("embed.height", &height, 0)
	if f.eval(`return Math.ceil(document.body.getBoundingClientRect().height)`, &inner); height != inner {
		t.Errorf("the frame is %d pixels high, what is in it %d", height, inner)
	}
	b.shift(t)
	if n := len(s.asked("/index.html")) + len(s.asked("/sw.js")); n != 0 {
		t.Errorf("%d requests for the page", n)
	}
}

// embedAttributes changes the picture from the host, and by a slider of the frame.
func (b *tab) embedAttributes(t *testing.T, f *frame) {
	var image struct{ Settings settingsEvent }
	preset := ""
	f.eval(`return document.querySelectorAll("[data-preset]")[1].dataset.preset`, &preset)
	b.call("embed.set", &image, map[string]any{"preset": preset, "weight": 2}, "image", 0)
	if g := image.Settings.Guidance; len(g) != 1 || g[0].Weight != 2 {
		t.Errorf("with the attributes: %+v", image.Settings)
	}
	f.drawn()
	var before string
	f.eval(`return test.canvasHash(".single canvas")`, &before)
	f.click("#weight-slider") // in the middle
	f.until(`document.querySelector("#weight").value !== "2"`)
	f.eval(`while (await test.canvasHash(".single canvas") === `+quote(before)+`) await test.sleep(20)`, nil) // a picture follows
	f.drawn()
	var settings settingsEvent
	b.call("embed.set", &settings, map[string]any{"steps": "1e400", "seed": "-3", "size": "99999", "weight": "1e9", "preset": preset + " nowhere"}, "settings", 0)
	if settings.Steps != 12 || settings.Seed != 0 || len(settings.Notices) < 5 || settings.Guidance[0].Weight != 20 {
		t.Errorf("absurd numbers: %+v", settings)
	}
	f.until(`document.querySelector("#note").textContent.includes("99999")`)
	b.eval(`Object.assign(document.querySelector("undertone-demo"), { theme: "dark", lang: "zh", steps: 1, seed: 5, size: null, weight: 1, preset: `+quote(preset)+` })`, nil)
	f.until(`document.documentElement.lang === "zh-Hans" && document.querySelector("#another span").textContent === "另一张" || document.querySelector("#another span").textContent !== "Another"`)
	f.until(`getComputedStyle(document.documentElement).backgroundColor === "rgb(29, 26, 36)"`)
	b.eval(`Object.assign(document.querySelector("undertone-demo"), { theme: "light", lang: "en" })`, nil)
	f.until(`getComputedStyle(document.documentElement).backgroundColor === "rgb(255, 255, 255)"`)
	f.drawn()
	f.click("#compare")
	f.until(`document.querySelector(".compare[data-divided]")`)
	var link string
	if f.eval(`return document.querySelector("#open").getAttribute("href")`, &link); !strings.HasPrefix(link, ".#prompt=a+red+frog&seed=5") {
		t.Errorf("the full page is %s", link)
	}
}

// takenBack deletes the model: what follows needs a press again.
func (b *tab) takenBack(t *testing.T, s *server, f *frame) {
	f.until(`document.querySelector("#forget").checkVisibility()`)
	f.eval(`document.querySelector("#forget").focus()`, nil)
	b.keys(kb.Enter)
	f.until(`document.activeElement.id === "load" && document.querySelector("#note").textContent === "Deleted from this browser." && !document.querySelector("#forget").checkVisibility()`)
	var used int
	if f.eval(`return (await undertone.Undertone.storage()).used`, &used); used != 0 {
		t.Errorf("%d bytes are still stored", used)
	}
	before := len(s.asked("/models/"))
	var refused struct{ Code string }
	if b.call("embed.refused", &refused, "generate", 0); refused.Code != "needs-consent" {
		t.Errorf("generate afterwards: %+v", refused)
	}
	b.eval(`document.querySelector("undertone-demo").seed = 6`, nil)
	f.eval(`await test.sleep(300)`, nil)
	if n := len(s.asked("/models/")) - before; n != 0 || !f.is(`document.querySelector("#load").checkVisibility()`) {
		t.Errorf("without a press, %d files of the model were asked for", n)
	}
	b.keys(kb.Enter)
	f.until(`document.querySelector("#cancel").checkVisibility()`)
}

// embedRules holds the host page and the frame to every rule of axe.
func (b *tab) embedRules(t *testing.T, f *frame) {
	script := axe(t)
	var found []any
	b.run(chromedp.Evaluate(script+";0", nil))
	if b.call("layout.violations", &found); len(found) != 0 {
		t.Errorf("the host page: %v", found)
	}
	if _, err := f.evaluate(script + ";0"); err != nil {
		t.Fatal(err)
	}
	if f.eval(`return test.layout.violations()`, &found); len(found) != 0 {
		t.Errorf("the frame: %v", found)
	}
}

// TestBrowserEmbedStrangers sends the frame what no honest host would: markup wherever
// words are taken, ten thousand messages that nobody sends, and replays.
func TestBrowserEmbedStrangers(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	words := markup(t)
	b := open(t, hostPage(t, strictPolicy(s), element(s, `prompt="a red frog" seed="5"`)), options{noGPU: true, before: script("before/markup_trap.js")})
	b.call("embed.watch", nil, s.URL)
	b.eval(`document.querySelector("undertone-demo").load()`, nil)
	f := b.framed(0, "5")
	f.until(`document.querySelector("#no-webgpu")?.checkVisibility()`)
	state := func() (text string) {
		b.eval(`return JSON.stringify(test.embed.heard("settings").concat(test.embed.heard("error")))`, &text)
		return text
	}
	b.until(`test.embed.heard("settings").length > 0`) // once, for what the frame shows at first
	before := state()
	var heard []string
	if b.call("embed.replay", &heard); len(heard) != 0 {
		t.Errorf("a replay was answered: %q", heard)
	}
	b.call("embed.fuzz", nil, 10_000, words[:50])
	f.eval(`await test.drawn()`, nil)
	if after := state(); after != before {
		t.Errorf("fuzzed messages changed %s\nto %s", before, after)
	}
	if n := s.bytes("engine.") + s.bytes(".gguf") + s.bytes(".safetensors"); n != 0 {
		t.Errorf("they moved %d bytes", n)
	}
	const batch = 80
	for from := 0; from < len(words); from += batch {
		var wrong []string
		b.call("embed.attributes", &wrong, words[from:min(from+batch, len(words))])
		none(t, wrong)
		last := words[min(from+batch, len(words))-1]
		f.until(`document.querySelector("#caption").textContent === ` + quote("“"+last+"”"))
	}
	var caught []string
	f.eval(`return test.markup.caught()`, &caught)
	for _, c := range caught {
		t.Errorf("in the frame: %s", c)
	}
	if complaints := strings.Join(b.complaints(), "\n"); strings.Contains(complaints, "Security Policy") || strings.Contains(complaints, "Uncaught") {
		t.Errorf("the page complains: %.500s", complaints)
	}
}

// TestBrowserEmbedTurns has three elements on a page: one has an engine at a time, and all
// end with a picture. Then elements are removed in the middle of what they do.
func TestBrowserEmbedTurns(t *testing.T) {
	t.Parallel()
	s := smallSite(t)
	three := element(s, `seed="1" steps="2"`)
	for _, seed := range []string{"2", "3"} {
		three += `<undertone-demo seed="` + seed + `" steps="2"></undertone-demo>`
	}
	b := open(t, hostPage(t, nil, three), options{noGPU: true})
	b.run(chromedp.EmulateViewport(700, 2200)) // all in view
	b.eval(`document.querySelectorAll("undertone-demo").forEach((e) => e.load())`, nil)
	frames := []*frame{b.framed(0, "1"), b.framed(1, "2"), b.framed(2, "3")}
	for _, f := range frames {
		f.until(onCPU)
	}
	for _, f := range frames {
		f.click("#load-cpu")
	}
	for _, f := range frames {
		f.drawn()
	}
	var waited []struct {
		Stage  string
		Before int
	}
	queued := 0
	for n := range frames {
		b.call("embed.heard", &waited, "progress", n)
		for _, p := range waited {
			if p.Stage == "queue" && p.Before > 0 {
				queued++
				break
			}
		}
	}
	if queued != 2 {
		t.Errorf("%d of three frames waited for their turn, wanted 2", queued)
	}
	if n := int(s.bytes("/dit.")); n > 10_000_000 {
		t.Errorf("the weights were fetched more than once: %d bytes", n)
	}
	held := func() (n int) {
		frames[2].eval(`return (await navigator.locks.query()).held.filter((l) => l.name === "undertone engine").length`, &n)
		return n
	}
	if n := held(); n > 1 {
		t.Errorf("%d frames have an engine", n)
	}
	b.step("removal", func(t *testing.T) { b.embedRemoval(t, frames[2]) })
	if n := held(); n != 1 {
		t.Errorf("%d frames have an engine, of one that is left", n)
	}
	b.step("the page", func(t *testing.T) { b.pageInTurn(t, s) })
	b.silent(t)
}

// embedRemoval takes an element away ten times while it loads or draws, and holds what is
// left to what was there before.
func (b *tab) embedRemoval(t *testing.T, other *frame) {
	b.eval(`document.querySelectorAll("undertone-demo")[0].remove(); document.querySelectorAll("undertone-demo")[0].remove()`, nil)
	other.element = `document.querySelector("undertone-demo")`
	workers := func() (n int) {
		targets, err := chromedp.Targets(b.ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range targets {
			if strings.Contains(target.Type, "worker") {
				n++
			}
		}
		return n
	}
	for i := range 10 {
		seed := fmt.Sprint(100 + i)
		b.call("embed.add", nil, map[string]any{"seed": seed, "steps": "50"})
		b.eval(`document.querySelectorAll("undertone-demo")[1].load()`, nil)
		f := b.framed(1, seed)
		f.until(onCPU)
		f.click("#load-cpu")
		if i%2 == 1 {
			f.until(`document.querySelector("#stop")?.checkVisibility() || document.querySelector("#another")?.checkVisibility()`) // it draws, or has
		}
		b.call("embed.remove", nil, 1)
	}
	for end := time.Now().Add(time.Minute); workers() > 1; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d workers are left of ten removed elements", workers())
		}
	}
	// The engine is free for who is left.
	other.click("#another")
	other.drawn()
}

// pageInTurn opens the page beside a frame that has an engine: the frame gives it up for the
// page to draw, and the page says when it has to wait.
func (b *tab) pageInTurn(t *testing.T, s *server) {
	p := b.another(s.URL)
	p.loadModel()
	held := func(state string) (n int) {
		p.eval(`return (await navigator.locks.query()).`+state+`.filter((l) => l.name === "undertone engine").length`, &n)
		return n
	}
	if n := held("held"); n != 0 {
		t.Errorf("%d turns are held though the page has drawn", n)
	}
	p.eval(`await new Promise((has) => navigator.locks.request("undertone engine", () => new Promise((done) => { globalThis.letGo = done; has(); })))`, nil)
	waits := `document.querySelector("#note").textContent === "Waiting for its turn: 1 before it on this site."`
	before := p.canvasOf(picturePane)
	p.field("seed", "77")
	p.pressGenerate()
	p.until(waits)
	p.keys(kb.Escape)
	p.until(idle + ` && !(` + waits + `)`)
	if n := held("pending"); n != 0 || p.canvasOf(picturePane) != before {
		t.Errorf("stopped, %d turns are waited for, or the picture has changed", n)
	}
	p.pressGenerate()
	p.until(waits)
	p.eval(`letGo()`, nil)
	p.until(idle + ` && !(` + waits + `)`)
	if p.canvasOf(picturePane) == before {
		t.Error("the picture was not made when the others had gone")
	}
	p.silent(t)
}

// TestElementSize holds the element to what a page can take without a thought, and the
// embed to what it adds to what the page already has.
func TestElementSize(t *testing.T) {
	t.Parallel()
	smallModel(t)
	dir := folderOf(t, smallDist)
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if n := zipped(t, read("element.js")); n > 3*1024 {
		t.Errorf("element.js is %d bytes with gzip, at most %d are allowed", n, 3*1024)
	}
	page, sum := string(read("index.html")), compressed(t, read("embed.html"), 11)
	names := assetNames.FindAllString(string(read("embed.html")), -1)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !strings.Contains(page, name) {
			sum += compressed(t, read(name), 11)
		}
	}
	t.Logf("the embed adds %d bytes with brotli", sum)
	if sum > 20_000 {
		t.Errorf("the embed adds %d bytes with brotli, at most 20000 are allowed", sum)
	}
}
