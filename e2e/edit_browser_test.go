package e2e

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine/testing/networks"
	"undertone/lab"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// editingModel writes a small model that edits.
func editingModel(t *testing.T) string {
	t.Helper()
	fixtures.Lock()
	defer fixtures.Unlock()
	folder := built(t, "editing", "sprites")
	if !exists(filepath.Join(folder, "model.json")) {
		networks.WriteEditing(t, folder)
	}
	return folder
}

// editingSite serves the site with it.
func editingSite(t *testing.T) *server {
	t.Helper()
	folder := editingModel(t)
	fixtures.Lock()
	defer fixtures.Unlock()
	dir, err := build("edits", folder)
	if err != nil {
		t.Fatal(err)
	}
	return serveFolder(t, dir)
}

// TestBrowserEditElsewhere edits a picture of a model that makes pictures from words alone:
// the site's other model is loaded for it.
func TestBrowserEditElsewhere(t *testing.T) {
	t.Parallel()
	edits := editingModel(t)
	fixtures.Lock()
	plain := built(t, "plain", "words")
	if !exists(filepath.Join(plain, "model.json")) {
		networks.WriteSmall(t, plain, 0)
	}
	dir, err := build("editselsewhere", plain, edits)
	fixtures.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	s := serveFolder(t, dir)
	b := open(t, s.URL, options{noGPU: true})
	b.ready()
	small := b.text("#no-webgpu")
	b.dropped("photo.jpg", photo(t))
	b.until(`document.querySelector("#edit-with canvas")?.width === 40 && document.querySelector("#edit-with").checkVisibility()`)
	b.until(`document.querySelector("#no-webgpu").textContent !== ` + quote(small)) // what Start fetches
	b.eval(`location.hash = "#prompt=at+night&edit=1"`, nil)
	b.until(`document.querySelector("#edit-hint").checkVisibility()`)
	b.until(`document.querySelector("#heading").textContent === "Picture, edited: “at night”" && document.querySelector("#intro").textContent.startsWith("This link is an edit: ")`)
	if note := b.text("#note"); note != "Filled in from the link. Nothing runs by itself." {
		t.Errorf("beside that it says %q", note)
	}
	b.run(chromedp.Navigate(s.URL))
	b.startsWithPhoto(t)
	b.firstModel()
	b.dropped("photo.jpg", photo(t))
	b.until(`document.querySelector("#edit-with canvas")?.width === 40 && document.querySelector("#editing").checkVisibility()`)
	b.until(idle)
	b.field("prompt", "at night")
	if b.generate(); !b.is(noAlert) {
		t.Errorf("a picture that is dropped where another model is loaded is refused: %s", b.text("#alert"))
	}
	b.firstModel()
	b.field("prompt", "a cat")
	b.whileDrawing(`location.hash = "#prompt=at+sunset&edit=1"`)
	b.until(`document.querySelector("#edit-hint").checkVisibility() && document.querySelector("#note").textContent.startsWith("This link is an edit: ") && ` + idle)
	if b.value("prompt") != "at sunset" {
		t.Errorf("of the link that waited, the prompt is %q", b.value("prompt"))
	}
	b.firstModel()
	b.field("prompt", "a cat")
	b.generate()
	before := b.canvasOf(picturePane)
	var title string
	if b.eval(`return document.querySelector("#edit").title`, &title); !strings.Contains(title, "Fixture") || !strings.Contains(title, "MB") {
		t.Errorf("the button does not say what it fetches: %q", title)
	}
	b.click("#edit")
	b.until(`document.querySelector("#edit-with").checkVisibility()`)
	b.until(idle)
	b.field("prompt", "at night")
	b.generate()
	if after := b.canvasOf(picturePane); after == before || b.canvasOf("#edit-with canvas") != before {
		t.Error("the picture is not edited")
	}
	after := b.canvasOf(picturePane)
	b.run(chromedp.Reload())
	b.until(`document.querySelector("#edit-with canvas")?.checkVisibility() && document.querySelector("` + picturePane + `")?.checkVisibility()`)
	if b.value("prompt") != "at night" || b.value("edit-strength") != "1" || b.canvasOf("#edit-with canvas") != before || b.canvasOf(picturePane) != after {
		t.Error("after a reload, the edit is another")
	}
	if b.is(undrawn) {
		t.Error("after a reload, the edit is not drawn")
	}
	if says := b.text("#times"); !strings.Contains(says, "steps") {
		t.Errorf("after a reload, below the picture stands %q", says)
	}
	b.click("#tab-compare")
	b.until(`document.querySelector(".compare").hasAttribute("data-divided")`)
	if b.canvasOf(".compare figure:first-child canvas") != before {
		t.Error("after a reload, the edit is compared with another picture")
	}
}

// firstModel chooses the site's first model again, which makes pictures from words alone.
func (b *tab) firstModel() {
	b.t.Helper()
	b.eval(`document.querySelector("[name=weights-after]").click()`, nil)
	b.until(`!document.querySelector("#editing").checkVisibility()`)
	b.until(idle)
}

// TestBrowserEdit edits a picture that was just made, and one that is dropped.
func TestBrowserEdit(t *testing.T) {
	t.Parallel()
	s := editingSite(t)
	b := open(t, s.URL, options{noGPU: true})
	b.loadModel()
	b.lean()
	before := b.canvasOf(picturePane)
	if b.is(`document.querySelector("#edit-with").checkVisibility()`) {
		t.Error("a picture to edit is shown that nobody chose")
	}
	b.click("#edit")
	if b.value("prompt") != "" || !b.is(`document.activeElement.id === "prompt"`) || b.canvasOf("#edit-with canvas") != before {
		t.Errorf("the prompt is %q, the reference another picture, or the focus elsewhere", b.value("prompt"))
	}

	b.step("the prompt asks what to change", b.asksForChange)
	b.step("an empty instruction gives it back", func(t *testing.T) {
		if b.is(undrawn) {
			t.Error("an edit that asks for nothing waits to be drawn")
		}
		b.field("prompt", " ")
		b.generate()
		if b.canvasOf(picturePane) != before || b.text("#note") != "Nothing was asked for, so this is the picture as it was." {
			t.Errorf("the picture is another, or it says %q", b.text("#note"))
		}
	})
	var edited string
	b.step("an instruction changes it", func(t *testing.T) {
		b.field("prompt", "at night")
		b.generate()
		if edited = b.canvasOf(picturePane); edited == before {
			t.Error("the picture is the reference")
		}
		if !b.is(`document.querySelector(".presets .chip").getAttribute("aria-pressed") === "true"`) {
			t.Error("no preset acts, and Off is not pressed")
		}
	})
	b.step("both are compared", func(t *testing.T) {
		b.click("#tab-compare")
		b.until(`document.querySelector(".compare").hasAttribute("data-divided")`)
		if left, right := b.canvasOf(".compare figure:first-child canvas"), b.canvasOf(".compare figure:nth-child(2) canvas"); left != before || right != edited {
			t.Error("the divider is not between the reference and the edit")
		}
		if says := b.text(".compare figure:first-child figcaption"); says != "The picture to edit" {
			t.Errorf("the left picture is called %q", says)
		}
		b.click("#tab-picture")
	})
	b.step("strength", func(t *testing.T) {
		b.eval(`const e = document.querySelector("#edit-strength"); e.value = 4; e.dispatchEvent(new Event("input")); e.dispatchEvent(new Event("change"))`, nil)
		b.follows()
		b.generate()
		if now := b.canvasOf(picturePane); now == before || now == edited {
			t.Error("a strength of 4 changes nothing")
		}
	})
	b.step("a sheet and a film of strengths", b.sweepsStrength)
	b.step("undo", func(t *testing.T) {
		b.eval(`document.querySelector("#undo").click()`, nil)
		b.until(`document.querySelector("#redo").ariaDisabled === "false"`)
		b.eval(`document.querySelector("#redo").click()`, nil)
		b.until(`document.querySelector("#redo").ariaDisabled === "true"`)
		if b.value("edit-strength") != "4" || b.canvasOf("#edit-with canvas") != before {
			t.Errorf("the strength is %s, or the picture to edit another", b.value("edit-strength"))
		}
	})
	b.step("another picture is dropped", b.editsDropped)
	b.step("a file is dropped while a picture is made", b.opensWhileDrawing)
	b.step("the picture of a file is asked for", b.asksForReference)
	b.step("a picture that cannot be read is dropped", func(t *testing.T) {
		b.call("form.dropGIF", nil)
		b.until(`test.form.alert().startsWith("This picture cannot be read.")`)
		b.click("#alert .square")
	})
	b.step("the Lab measures in the encoder's features", func(t *testing.T) { b.labOfFeatures(t, s) })
	b.silent(t)
}

// sweepsStrength makes the film that goes from an edit without more strength to the strongest, of
// which the first picture has no direction.
func (b *tab) sweepsStrength(t *testing.T) {
	b.click("#tab-sweep")
	b.run(emulation.SetDeviceMetricsOverride(720, 900, 1, false))
	var wrong []string
	if b.call("layout.faults", &wrong, "ltr"); len(wrong) > 0 {
		t.Errorf("720 pixels wide: %q", wrong)
	}
	b.call("form.openDetails", nil, false)
	b.run(emulation.SetDeviceMetricsOverride(1280, 900, 1, false))
	if of := b.text("#sweep-of"); of != "“at night”" {
		t.Errorf("the sheet is called %q", of)
	}
	b.call("film.watch", nil)
	b.click("#film-go")
	b.until(`document.querySelector("#film-save") && ` + idle)
	file := b.blob(`test.film.file()`)
	for _, part := range []string{`"film":{`, `"direction":0`, `"from":0`, `"to":4`, `"positive":"at night"`} {
		if !bytes.Contains(file, []byte(part)) {
			t.Errorf("the film does not say %s", part)
		}
	}
	b.click("#tab-picture")
}

// labOfFeatures asks the Lab, with a preset of one's own and the distance that takes an
// encoder.
func (b *tab) labOfFeatures(t *testing.T, s *server) {
	b.eval(`const p = { id: "own-mine", title: "Mine", positive: "at night", negative: "in day", weight: 1.5, range: [0, 2], schedule: { kind: "step", start: 1 }, evidence: "it gains" };
		localStorage.setItem("undertone.presets.fixture", JSON.stringify([p]))`, nil)
	b.run(chromedp.Navigate(s.URL + "/lab.html#" + lab.Asked{Experiment: "linear", Prompts: []string{"two cats"}, Seeds: 1}.Query()))
	b.until(`!!document.querySelector("#distance")`)
	b.eval(`for (const [name, value] of Object.entries({ direction: "own-mine", distance: "features", computes: "cpu" })) {
			const field = document.querySelector("#" + name);
			field.value = value;
			field.dispatchEvent(new Event("change"));
		}
		document.querySelector("#run").click()`, nil)
	b.until(`/^All 10 comparisons/.test(document.querySelector("#said").textContent)`)
	var r lab.Results
	b.eval(savedLab, &r)
	if d := r.Direction; d.Positive != "at night" || d.Weight != 1.5 || d.Schedule.Start != 1 || !b.is(`location.hash.includes("&start=1")`) {
		t.Errorf("the preset of one's own is steered along as %+v", d)
	}
	last := 0.0
	for _, row := range r.Rows {
		if row.Series == r.Rows[0].Series {
			if row.Value <= last {
				t.Errorf("at a weight of %g features are %g %% apart, at a smaller one %g", row.X, row.Value, last)
			}
			last = row.Value
		}
	}
	if !strings.Contains(r.Y, "encoder") {
		t.Errorf("what is measured is %s", r.Y)
	}
}

// asksForChange looks at the form of an edit, in both languages and on a phone.
func (b *tab) asksForChange(t *testing.T) {
	b.asks("What should change?", "Left empty, only directions change the picture.", "Edit")
	b.call("form.speak", nil, "zh-Hans")
	b.asks("要改什么？", "留空则原样返回，或只按所选的方向改。", "编辑")
	b.call("form.speak", nil, "en")
	b.run(emulation.SetDeviceMetricsOverride(360, 740, 1, true))
	var wrong []string
	if b.call("layout.faults", &wrong, "ltr"); len(wrong) > 0 {
		t.Errorf("on a phone: %q", wrong)
	}
	b.call("form.openDetails", nil, false)
	b.run(emulation.SetDeviceMetricsOverride(1280, 900, 1, false))
}

// asks compares what the prompt is called, what stands in it while it is empty, and the word
// of its button with what they should be.
func (b *tab) asks(want ...string) {
	b.t.Helper()
	b.call("drawn", nil)
	var has []string
	b.eval(`const prompt = document.querySelector("#prompt");
		return [prompt.labels[0].textContent, prompt.placeholder, document.querySelector("#generate span").textContent]`, &has)
	if !slices.Equal(has, want) {
		b.t.Errorf("the prompt asks %q, wanted %q", has, want)
	}
}
