package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"undertone/cmd/bench/onnx"
	"undertone/cmd/internal/browser"
	"undertone/engine/weights"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// options are the command line.
type options struct {
	browser, root, program, model, out, table string
	parts, ops                                string
	rounds                                    int
	window                                    bool
}

func main() {
	var o options
	flag.StringVar(&o.browser, "browser", "chromium", "the browser to drive: Chromium, Chrome or Edge")
	flag.BoolVar(&o.window, "window", false, "show the browser's window, which some GPUs need")
	flag.StringVar(&o.root, "root", ".", "the repository")
	flag.StringVar(&o.program, "program", "build", "the folder with bench.wasm and wasm_exec.js")
	flag.StringVar(&o.model, "model", "build/Q8_0/sprites", "the model's folder, as convert writes it")
	flag.StringVar(&o.out, "out", "dist/bench.json", "the report to write")
	flag.StringVar(&o.table, "table", "build/bench.md", "the report's tables to write, in Markdown")
	flag.StringVar(&o.parts, "parts", "model,kernels,cpu", "what to measure")
	flag.StringVar(&o.ops, "ops", "", "the operations to measure, all if empty")
	flag.IntVar(&o.rounds, "rounds", 7, "measurements of each")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options, stdout io.Writer) error {
	peers := filepath.Join(o.root, "cmd/bench/peers")
	versions, err := pinned(filepath.Join(peers, "package.json"))
	if err != nil {
		return err
	}
	bundle, err := weights.LoadBundle(ctx, weights.Dir(o.model), "model.json")
	if err != nil {
		return err
	}
	model, err := onnx.Load(ctx, bundle)
	if err != nil {
		return err
	}
	var pid atomic.Int64
	begin := time.Now()
	s := &server{
		config:  newConfig(o.rounds, list(o.parts), list(o.ops), versions),
		model:   model,
		browser: func() int { return int(pid.Load()) },
		say:     func(line string) { fmt.Fprintf(stdout, "%5.0f s  %s\n", time.Since(begin).Seconds(), line) },
		keep:    func(r result) error { return keep(o, r) },
		done:    make(chan result, 1),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	h := &http.Server{Handler: s.handler(folders{
		page: filepath.Join(o.root, "cmd/bench/page"), web: filepath.Join(o.root, "web"),
		peers: filepath.Join(peers, "node_modules"), program: o.program, model: o.model,
	})}
	go h.Serve(l)
	defer h.Close()

	tab, end := browser.Open(ctx, o.browser, o.window)
	defer end()
	chromedp.ListenTarget(tab, func(event any) {
		if e, ok := event.(*runtime.EventExceptionThrown); ok {
			s.say(e.ExceptionDetails.Error())
		}
	})
	if err := chromedp.Run(tab); err != nil { // starts it
		return err
	}
	pid.Store(int64(chromedp.FromContext(tab).Browser.Process().Pid))
	if err := chromedp.Run(tab, chromedp.Navigate("http://"+l.Addr().String()+"/page/")); err != nil {
		return err
	}
	select {
	case r := <-s.done:
		return write(o, r, stdout)
	case <-tab.Done():
		return errors.New("the browser ended")
	}
}

// keep writes the report and its tables.
func keep(o options, r result) error {
	for name, data := range map[string][]byte{o.out: append(r.Report, '\n'), o.table: []byte(r.Table)} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// write keeps the report and tells what it shows.
func write(o options, r result, stdout io.Writer) error {
	if r.Failed != "" {
		return errors.New(r.Failed)
	}
	if err := keep(o, r); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "\n%s\n%s\n\nwritten to %s and %s\n", r.Table, strings.Join(r.Found, "\n"), o.out, o.table)
	return nil
}

// pinned are the versions that a package.json asks for.
func pinned(name string) (map[string]string, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var p struct{ Dependencies map[string]string }
	return p.Dependencies, json.Unmarshal(text, &p)
}

// list cuts a list with commas.
func list(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' })
}
