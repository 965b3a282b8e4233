package e2e

import (
	"strings"
	"testing"
)

// copied is what a button of the bench puts into the clipboard.
const copied = `
	let text;
	Object.defineProperty(navigator, "clipboard", { value: { writeText: async (given) => { text = given } }, configurable: true });
	document.querySelector(%q).click();
	await new Promise((done) => setTimeout(done));
	return text`

// TestBrowserBench measures for a few seconds: the adapter, pictures and a kernel, each
// with its difference from the CPU. Then it stops, and says what it left out.
func TestBrowserBench(t *testing.T) {
	t.Parallel()
	script := axe(t)
	s := smallSite(t)
	b := open(t, s.URL+"/bench.html#seconds=12", options{})
	b.until(`document.documentElement.dataset.state === "running"`)
	if n := len(s.asked("/assets/bench.")) - len(s.asked("/assets/bench.css")); n > 2 {
		t.Errorf("before anything is asked, %v are fetched", s.asked("/assets/bench."))
	}
	b.rules(t, script, "what to measure")
	b.eval(`document.querySelector("#run").click()`, nil)
	b.until(`/^Measured in/.test(document.querySelector("#said").textContent)`)
	b.rules(t, script, "the results")

	var r struct {
		Adapter  string
		Software bool
		Peaks    struct{ F32, Gbps, RoundTripMs float64 }
		Model    struct {
			FirstMs float64 `json:"first_ms"`
			PSNR    float64 `json:"psnr_cpu"`
			Same    bool    `json:"same_bytes"`
			Zero    bool    `json:"zero_is_none"`
		}
		Rows []struct {
			Op     string
			GFLOPs float64
			Share  float64
			Err    float64 `json:"of_tolerance"`
		}
		Failed []struct{ Part, Error string }
	}
	b.eval(`return JSON.parse(await (async () => {`+strings.Replace(copied, "%q", `"#copy-json"`, 1)+`})())`, &r)
	if !r.Software || !strings.Contains(r.Adapter, "swiftshader") || r.Peaks.F32 <= 0 || r.Peaks.Gbps <= 0 || r.Peaks.RoundTripMs <= 0 {
		t.Errorf("the adapter is measured as %+v", r)
	}
	if r.Model.FirstMs <= 0 || r.Model.PSNR < 40 || !r.Model.Same || !r.Model.Zero {
		t.Errorf("the model is measured as %+v", r.Model)
	}
	if len(r.Rows) == 0 {
		t.Fatalf("no kernel was measured: %+v", r.Failed)
	}
	for _, row := range r.Rows {
		if row.GFLOPs <= 0 || row.Share <= 0 || row.Err > 1 {
			t.Errorf("a kernel is measured as %+v", row)
		}
	}
	for _, f := range r.Failed {
		if !strings.HasPrefix(f.Error, "no time") {
			t.Errorf("%s: %s", f.Part, f.Error)
		}
	}
	var table string
	b.eval(`return await (async () => {`+strings.Replace(copied, "%q", `"#copy-table"`, 1)+`})()`, &table)
	if !strings.Contains(table, "| "+r.Rows[0].Op+" | ") || !strings.Contains(table, "## What it can do at most") {
		t.Errorf("the table is %s", table)
	}
}
