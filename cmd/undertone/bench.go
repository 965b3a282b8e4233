package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"undertone/cmd/internal/browser"
	"undertone/cmd/undertone/internal/site"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed bench.js
var benchScript string

// timings are those of web/undertone.d.ts, in milliseconds, and what the caller waited.
type timings struct {
	TextMs, GuidanceMs, PrepareMs, ModulationMs float64
	StepsMs                                     []float64
	EncodeMsPerStep, DecodeMs, TotalMs, WallMs  float64
}

// measured is what bench.js returns.
type measured struct {
	Adapter, Backend, Precision string
	Software                    bool
	Steps, Dispatches           int
	LoadMs                      float64
	Runs                        map[string][]timings
}

// bench times the parts of a picture in a real browser. Runs without guidance,
// with cached and with new directions are interleaved; medians are printed, and
// the added time is the median of the differences within each round.
func bench(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flags("bench", "[SITE]", stderr)
	program := fs.String("browser", "chromium", "the browser to drive: Chromium, Chrome or Edge")
	model := fs.String("model", "sprites", "which of the site's models")
	device := fs.String("device", "webgpu", "webgpu or cpu")
	rounds := fs.Int("rounds", 9, "pictures of each kind")
	show := fs.Bool("window", false, "show the browser's window, which some GPUs need")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *rounds > 1000 {
		return usagef("-rounds %d, supported 1 to 1000", *rounds)
	}
	dir, err := siteFolder(fs)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "index.html")); err != nil {
		return fmt.Errorf("%s holds no site: run make dist first", dir)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := site.Server(dir, l, "")
	go server.Serve(l)
	defer server.Close()

	ctx, end := browser.Open(ctx, *program, *show)
	defer end()

	call, err := json.Marshal(map[string]any{"model": "models/" + *model + "/model.json", "rounds": *rounds, "device": *device})
	if err != nil {
		return err
	}
	var m measured
	err = chromedp.Run(ctx,
		chromedp.Navigate("http://"+l.Addr().String()+"/"),
		chromedp.Evaluate(fmt.Sprintf("(%s)(%s)", benchScript, call), &m, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
			return p.WithAwaitPromise(true)
		}))
	if err != nil {
		return err
	}
	return m.print(stdout)
}

// print writes the medians as a table.
func (m measured) print(w io.Writer) error {
	kind := "a GPU"
	if m.Software {
		kind = "a software adapter: its times say nothing about a GPU"
	}
	fmt.Fprintf(w, "%s on %s (%s)\n%s weights, %d steps, %d dispatches per step; loaded in %.0f ms\n\n",
		oneLine(m.Backend), oneLine(m.Adapter), kind, oneLine(m.Precision), m.Steps, m.Dispatches, m.LoadMs)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "median ms of %d\tno guidance\tcached p±\tnew p±\t\n", len(m.Runs["none"]))
	for _, part := range []struct {
		name string
		of   func(timings) float64
	}{
		{"text", func(t timings) float64 { return t.TextMs }},
		{"guidance", func(t timings) float64 { return t.GuidanceMs }},
		{"noise", func(t timings) float64 { return t.PrepareMs }},
		{"modulation", func(t timings) float64 { return t.ModulationMs }},
		{"steps", func(t timings) float64 { return sum(t.StepsMs) }},
		{"decode", func(t timings) float64 { return t.DecodeMs }},
		{"total", func(t timings) float64 { return t.TotalMs }},
		{"total as the page sees it", func(t timings) float64 { return t.WallMs }},
		{"CPU encoding per step", func(t timings) float64 { return t.EncodeMsPerStep }},
	} {
		fmt.Fprintf(t, "%s\t", part.name)
		for _, kind := range []string{"none", "cached", "fresh"} {
			fmt.Fprintf(t, "%.2f\t", median(m.Runs[kind], part.of))
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nguidance adds %.2f ms with cached p±, %.2f ms with new p± (median of paired differences of the total)\n",
		m.added("cached"), m.added("fresh"))
	return nil
}

// added is the median over the rounds of what guidance adds to the total.
func (m measured) added(kind string) float64 {
	var d []float64
	for i, r := range m.Runs[kind] {
		d = append(d, r.TotalMs-m.Runs["none"][i].TotalMs)
	}
	return middle(d)
}

func median(runs []timings, of func(timings) float64) float64 {
	var v []float64
	for _, r := range runs {
		v = append(v, of(r))
	}
	return middle(v)
}

func middle(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	if len(v)%2 == 1 {
		return v[len(v)/2]
	}
	return (v[len(v)/2-1] + v[len(v)/2]) / 2
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}
