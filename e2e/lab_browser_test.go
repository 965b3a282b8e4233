package e2e

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"undertone/lab"

	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/chromedp"
)

// interruptedLab lets four pictures be made, makes the next two slowly, so that the results
// are kept, and never ends another.
const interruptedLab = `
	const made = undertone.Undertone.prototype.generate;
	let n = 0;
	undertone.Undertone.prototype.generate = async function (request) {
		if (++n > 6) await new Promise(() => {});
		if (n > 4) await new Promise((done) => setTimeout(done, 1100));
		return made.call(this, request);
	}`

// savedLab is what the Lab saves as JSON.
const savedLab = `
	const address = URL.createObjectURL;
	let blob;
	URL.createObjectURL = (given) => address.call(URL, (blob = given));
	document.querySelector("#save-json").click();
	URL.createObjectURL = address;
	return JSON.parse(await blob.text())`

// countedLab counts the pictures that are begun.
const countedLab = `
	const made = undertone.Undertone.prototype.generate;
	globalThis.begun = 0;
	undertone.Undertone.prototype.generate = function (request) {
		begun++;
		return made.call(this, request);
	}`

// labMemory is what the Lab's page has of memory, without the engine's worker.
func (b *tab) labMemory() usage {
	b.t.Helper()
	b.run(heapprofiler.CollectGarbage())
	return used(b.t, b.ctx)
}

// TestBrowserLab runs an experiment, reloads in the middle and goes on: the results are
// those of a run without an interruption, and those of the native tool.
func TestBrowserLab(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := smallSite(t)
	query := lab.Asked{Experiment: "pooled", Prompts: []string{"a red frog at night", "two cats"}, Seeds: 1}.Query()
	b := open(t, s.URL+"/lab.html#"+query, options{noGPU: true})
	running := `document.documentElement.dataset.state === "running"`
	b.until(running)
	if n := len(s.asked("/assets/engine.")); n != 0 {
		t.Errorf("before anything is asked, the engine is fetched %d times", n)
	}
	b.rules(t, script, "a question")
	cpu := func() { b.eval(`document.querySelector("#computes").value = "cpu"`, nil) }
	cpu()

	// It gives way to a picture that somebody asks for in another page.
	b.eval(`globalThis.asked = new Promise((done) => (globalThis.finish = done));
		await new Promise((held) => navigator.locks.request("undertone picture", { mode: "shared" }, () => (held(), asked)))`, nil)
	b.eval(interruptedLab, nil)
	b.eval(`document.querySelector("#run").click()`, nil)
	b.until(`!document.querySelector("#device").hidden`) // the model is loaded
	b.eval(`await new Promise((done) => setTimeout(done, 300))`, nil)
	if said := b.text("#said"); strings.Contains(said, " of ") {
		t.Errorf("while another page makes a picture, it says %q", said)
	}
	b.eval(`finish()`, nil)
	b.until(`/^4 of 18 /.test(document.querySelector("#said").textContent)`)
	b.become(`await undertone.experiments.kept() > 0`)

	b.run(chromedp.Reload())
	b.until(running)
	b.until(`/^Paused after [1-4] of 18 /.test(document.querySelector("#said").textContent)`)
	if n := len(s.asked("/assets/engine.")); n > 1 {
		t.Errorf("after a reload the engine is fetched by itself")
	}
	cpu()
	b.eval(`document.querySelector("#run").click()`, nil)
	whole := `/^All 18 comparisons/.test(document.querySelector("#said").textContent)`
	b.until(whole)
	var resumed, again lab.Results
	b.eval(savedLab, &resumed)
	b.eval(`document.querySelector("#answer details").open = true`, nil)
	b.rules(t, script, "an answer")
	b.againLab(t, whole)
	b.eval(savedLab, &again)
	if !resumed.Whole || len(resumed.Rows) != 18 || !slices.Equal(resumed.Rows, again.Rows) {
		t.Errorf("interrupted: %d rows\n%v\nwithout an interruption:\n%v", len(resumed.Rows), resumed.Rows, again.Rows)
	}

	pooled, err := lab.Find(resumed.Experiment)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, pooled, &resumed)
	b.everyLab(t, pooled.Name)
	b.tourLab(t, s, script)
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("the page complains: %q", c)
	}
}

// againLab runs it once more: memory stays as it is, and a picture that somebody asks for
// meanwhile waits for the one that is being made, at most.
func (b *tab) againLab(t *testing.T, whole string) {
	before, all := b.labMemory(), b.private()
	b.eval(countedLab, nil)
	b.eval(`document.querySelector("#again").click()`, nil)
	b.until(`begun > 2`)
	var more int
	b.eval(`const held = new Promise((done) => (globalThis.finish = done));
		navigator.locks.request("undertone picture", { mode: "shared" }, () => held);
		const had = begun;
		await new Promise((done) => setTimeout(done, 1000));
		finish();
		return begun - had`, &more)
	if more > 1 {
		t.Errorf("while somebody waits for a picture, %d more are begun", more)
	}
	b.until(whole)
	// The first run has made all that a program's memory grows for.
	if after := b.labMemory(); after.total() > 1.25*before.total()+4e6 {
		t.Errorf("30 pictures later the Lab has %+v of memory, before %+v", after, before)
	}
	if after := b.private(); after > 1.25*all {
		t.Errorf("30 pictures later the tab has %.0f bytes to itself, before %.0f", after, all)
	}
}

// tourLab looks at the tour and the Lab in Chinese, and at the page with a preset that the
// Lab saved. Nothing of it computes.
func (b *tab) tourLab(t *testing.T, s *server, script string) {
	before := len(s.asked("/assets/engine."))
	b.eval(`localStorage.setItem("undertone.language", "zh-Hans"); location.hash = ""`, nil)
	b.run(chromedp.Reload())
	b.until(running)
	for stop := range 4 {
		b.until(`document.querySelector("#answer img")?.naturalWidth > 0 && document.querySelectorAll("#answer table tbody tr").length > 3`)
		said := b.text("#experiment")
		if !strings.Contains(said, strconv.Itoa(stop+1)+" / 4") || strings.Contains(said, "Does ") {
			t.Errorf("stop %d of the tour says %.200q", stop+1, said)
		}
		if stop == 0 {
			b.rules(t, script, "a stop of the tour")
		}
		if stop < 3 {
			b.eval(`document.querySelector("#next").click()`, nil)
			b.until(`document.querySelector("#experiment").textContent.includes("` + strconv.Itoa(stop+2) + ` / 4")`)
		}
	}
	b.eval(`document.querySelector("#ask").click()`, nil)
	b.until(`document.querySelector("#run")?.textContent === "运行" && document.querySelector("#prompts").value !== ""`)
	if n := len(s.asked("/assets/engine.")); n != before {
		t.Errorf("the tour fetches the engine %d times", n-before)
	}
	b.eval(`const p = { id: "own-mine", title: "Mine", positive: "at night", negative: "by day", weight: 1.5, range: [0, 2], schedule: { kind: "step", start: 1 }, evidence: "it gains" };
		localStorage.setItem("undertone.language", "en");
		localStorage.setItem("undertone.presets." + (await (await fetch("models/sprites/description.json")).json()).model, JSON.stringify([p]))`, nil)
	b.run(chromedp.Navigate(s.URL + "/"))
	b.until(`[...document.querySelectorAll("#guidance button.chip, .chip")].some((e) => e.textContent.includes("Mine"))`)
}
