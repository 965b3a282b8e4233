package e2e

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/lab"

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
	b.eval(`document.querySelector("#again").click()`, nil)
	b.until(`!document.querySelector("#pause").hidden || ` + whole)
	b.until(whole)
	b.eval(savedLab, &again)
	if !resumed.Whole || len(resumed.Rows) != 18 || !slices.Equal(resumed.Rows, again.Rows) {
		t.Errorf("interrupted: %d rows\n%v\nwithout an interruption:\n%v", len(resumed.Rows), resumed.Rows, again.Rows)
	}

	prompts, out := filepath.Join(t.TempDir(), "prompts"), t.TempDir()
	if err := os.WriteFile(prompts, []byte(strings.Join(resumed.Prompts, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := commands(exec.Command(built(t, "undertone"), "lab", "pooled", smallModel(t), "--out", out, "--prompts", prompts, "--seeds", "1")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "pooled.json"))
	if err != nil {
		t.Fatal(err)
	}
	var native lab.Results
	if err := json.Unmarshal(text, &native); err != nil {
		t.Fatal(err)
	}
	const rounding = 0.01 // of 1 − SSIM, where pixels are rounded to whole numbers
	if len(native.Rows) != len(resumed.Rows) {
		t.Fatalf("the tool has %d rows, the page %d", len(native.Rows), len(resumed.Rows))
	}
	for i, row := range native.Rows {
		if got := resumed.Rows[i]; got.Point != row.Point || math.Abs(got.Value-row.Value) > rounding {
			t.Errorf("the page has %+v, the tool %+v", got, row)
		}
	}
	if c := b.complaints(); len(c) > 0 {
		t.Errorf("the page complains: %q", c)
	}
}
