package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"undertone/lab"

	"github.com/chromedp/chromedp"
)

// pausedLab lets some pictures be made, and has the next one wait until the run is paused.
const pausedLab = `
	const kind = undertone.Undertone.prototype;
	kind.made ??= kind.generate;
	let n = 0;
	globalThis.waits = false;
	kind.generate = async function (request) {
		if (++n > %d) await new Promise((_, stop) => {
			request.signal.onabort = () => stop(request.signal.reason);
			waits = true;
		});
		return kind.made.call(this, request);
	};
	globalThis.vote ??= setInterval(() => document.querySelector("#ballot:not([hidden]) button")?.click(), 20);`

// everyLab asks every question but one that was asked, interrupts all runs, reloads, and goes
// on with them: the results are those of the native tool, which nothing interrupted.
func (b *tab) everyLab(t *testing.T, asked string) {
	var list []lab.Experiment
	for _, e := range lab.Experiments {
		if e.Name != asked {
			list = append(list, e)
		}
	}
	open := func(e lab.Experiment) {
		prompts := []string{"two cats"}
		if e.Name == "norms" { // of which one prompt has no more than the two pictures of a row
			prompts = append(prompts, "a red frog at night")
		}
		b.eval(`location.hash = "`+lab.Asked{Experiment: e.Name, Prompts: prompts, Seeds: 1}.Query()+`"`, nil)
		b.until(`!!document.querySelector("#questions a[data-name=` + e.Name + `][aria-current]") && document.querySelector("#said")?.textContent !== undefined && document.querySelector("#prompts")?.value === ` + quoted(strings.Join(prompts, "\n")))
		b.eval(`document.querySelector("#computes").value = "cpu"`, nil)
	}
	for _, e := range list {
		open(e)
		most := 2
		if e.Alone {
			most = 1
		}
		b.eval(fmt.Sprintf(pausedLab, most), nil)
		b.eval(`document.querySelector("#run").click()`, nil)
		b.until(`waits`)
		b.eval(`document.querySelector("#pause").click()`, nil)
		b.until(`/^Paused after [1-9]/.test(document.querySelector("#said").textContent)`)
	}
	b.run(chromedp.Reload())
	b.until(running)
	for _, e := range list {
		open(e)
		b.until(`/^Paused after [1-9]/.test(document.querySelector("#said").textContent)`)
		b.eval(fmt.Sprintf(pausedLab, 1000), nil)
		b.eval(`document.querySelector("#run").click()`, nil)
		b.until(`/^All [0-9]+ comparisons/.test(document.querySelector("#said").textContent)`)
		var saved lab.Results
		b.eval(savedLab, &saved)
		if !saved.Whole {
			t.Errorf("%s: %d rows, and not whole", e.Name, len(saved.Rows))
		}
		switch {
		case e.Voted:
			b.agreeOfVotes(t, &saved)
		default:
			agree(t, e, &saved)
		}
	}
}

// quoted is a text as JavaScript writes it.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(err) // any text can be written
	}
	return string(out)
}

// agree holds results to those of the native tool: of a measure of time, that there are as
// many.
func agree(t *testing.T, e lab.Experiment, page *lab.Results) {
	t.Helper()
	prompts, out := filepath.Join(t.TempDir(), "prompts"), t.TempDir()
	if err := os.WriteFile(prompts, []byte(strings.Join(page.Prompts, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	native := tool(t, page, out, page.Experiment, smallModel(t), "--prompts", prompts, "--seeds", "1")
	const rounding = 0.01 // of 1 − SSIM and of colours, where pixels are rounded to whole numbers, and of a hundredth of attention
	if len(native.Rows) != len(page.Rows) || native.Y != page.Y {
		t.Fatalf("%s: the tool has %d rows of %s, the page %d of %s", page.Experiment, len(native.Rows), native.Y, len(page.Rows), page.Y)
	}
	for i, row := range native.Rows {
		if got := page.Rows[i]; got.Point != row.Point || !e.Times && math.Abs(got.Value-row.Value) > rounding {
			t.Errorf("%s: the page has %+v, the tool %+v", page.Experiment, got, row)
		}
	}
}

// agreeOfVotes: of a file of votes, the tool concludes what the page does.
func (b *tab) agreeOfVotes(t *testing.T, page *lab.Results) {
	t.Helper()
	file, out := filepath.Join(t.TempDir(), "votes.json"), t.TempDir()
	text, err := json.Marshal(page)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	tool := tool(t, page, out, "votes", file)
	said, _ := tool.Conclude()
	if on := b.text(".conclusion"); said == "" || said != on {
		t.Errorf("of the same votes the tool says %q, the page %q", said, on)
	}
}

// tool is what the native tool's lab writes.
func tool(t *testing.T, page *lab.Results, out string, args ...string) (native lab.Results) {
	t.Helper()
	if err := commands(exec.Command(built(t, "undertone"), append([]string{"lab", "--out", out}, args...)...)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, page.Experiment+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &native); err != nil {
		t.Fatal(err)
	}
	return native
}
