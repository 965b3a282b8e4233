package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"undertone/cmd/bench/onnx"
	"undertone/engine/weights"
)

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The clock counts all threads of a process and of those that descend from it, and of no
// other; names of processes may hold anything.
func TestClock(t *testing.T) {
	proc := t.TempDir()
	for pid, p := range map[string]struct{ stat, schedstat string }{
		"10": {"10 (browser) S 1 10", "1000000 5 6"},
		"11": {"11 (gpu) 9 (x) S 10 10", "2000000 5 6"},
		"12": {"12 (tab) R 11 10", "4000000 5 6"},
		"13": {"13 (other) R 1 10", "8000000 5 6"},
	} {
		put(t, filepath.Join(proc, pid, "stat"), p.stat)
		put(t, filepath.Join(proc, pid, "task", pid, "schedstat"), p.schedstat)
	}
	put(t, filepath.Join(proc, "11/task/99/schedstat"), "500000 5 6")
	put(t, filepath.Join(proc, "loadavg"), "3.25 1 1 1/2 3")
	if ms, ok := cpuMs(proc, 10); ms != 7.5 || !ok {
		t.Errorf("%g ms (%v), wanted 7.5", ms, ok)
	}
	if _, ok := cpuMs(proc, 77); ok {
		t.Error("a process that is not there has a time")
	}
	if l := load(proc); l != 3.25 {
		t.Errorf("the load is %g", l)
	}
	if load(filepath.Join(proc, "none")) != 0 {
		t.Error("a system that does not tell has a load")
	}
}

// What the page asks for is there, as pages with threads want it.
func TestServer(t *testing.T) {
	b, err := weights.LoadBundle(context.Background(), weights.Dir("../../models/sprites"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Load(context.Background(), b)
	if err != nil {
		t.Fatal(err)
	}
	versions, err := pinned("peers/package.json")
	if err != nil || versions["onnxruntime-web"] == "" {
		t.Fatalf("the peers are %v (%v)", versions, err)
	}
	var said []string
	var kept result
	s := &server{config: newConfig(7, list("model,cpu"), list(""), versions), model: m, browser: os.Getpid, say: func(l string) { said = append(said, l) }, keep: func(r result) error { kept = r; return nil }, done: make(chan result, 1)}
	h := s.handler(folders{page: "page", web: "../../web", peers: t.TempDir(), program: t.TempDir(), model: "../../models/sprites"})
	for address, want := range map[string]string{
		"/page/":                  "<script",
		"/page/turns.js":          "export",
		"/web/bench.js":           "export class Bench",
		"/model/model.json":       `"sprites"`,
		"/config":                 `"rounds":7`,
		"/clock":                  `"cpuMs":`,
		"/inputs?prompt=x&seed=5": `"ids":[`,
		"/onnx/kernel?row=%7B%22Op%22:%22Conv3x3%22,%22H%22:2,%22W%22:2,%22Cin%22:1,%22Cout%22:1%7D": "undertone",
		"/onnx/model?part=decode": "undertone",
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) || w.Header().Get("Cross-Origin-Embedder-Policy") != "require-corp" {
			t.Errorf("%s: %d, %v, %.80q", address, w.Code, w.Header(), w.Body.String())
		}
	}
	for _, address := range []string{"/inputs?prompt=x&seed=-1", "/onnx/kernel?row=x", "/onnx/model?part=none", "/none"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		if w.Code < 400 {
			t.Errorf("%s: %d", address, w.Code)
		}
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/line", strings.NewReader("a line")))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/report", strings.NewReader(`{"report":{"rows":[1]},"table":"# so far"}`)))
	if string(kept.Report) != `{"rows":[1]}` || kept.Table != "# so far" {
		t.Errorf("kept so far: %s, %q", kept.Report, kept.Table)
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/done", strings.NewReader(`{"report":{"adapter":"x"},"table":"# x","found":["much"]}`)))
	if len(said) != 1 || said[0] != "a line" {
		t.Errorf("said %q", said)
	}
	dir := t.TempDir()
	var out bytes.Buffer
	o := options{out: filepath.Join(dir, "new/bench.json"), table: filepath.Join(dir, "bench.md")}
	if err := write(o, <-s.done, &out); err != nil || !strings.Contains(out.String(), "much") {
		t.Errorf("%v, %s", err, &out)
	}
	if text, err := os.ReadFile(o.out); err != nil || !json.Valid(text) {
		t.Errorf("%s: %v", text, err)
	}
	if err := write(o, result{Failed: "no WebGPU"}, &out); err == nil || err.Error() != "no WebGPU" {
		t.Errorf("a run that failed gives %v", err)
	}
}

// The page's own tests, which need no browser: testdata/page.test.mjs, under Node.
func TestPage(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node: install it (https://nodejs.org) to run this test")
	}
	dir := t.TempDir()
	scripts, err := filepath.Glob("page/*.js")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("scripts %q (%v)", scripts, err)
	}
	for _, name := range append(scripts, "../../web/bench.js", "../../web/bench-peaks.js", "testdata/page.test.mjs") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, strings.TrimPrefix(name, "../../")), string(text))
	}
	put(t, filepath.Join(dir, "package.json"), `{"type":"module"}`)
	c := exec.Command(node, "--test", "--test-timeout=60000", "testdata/page.test.mjs")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
