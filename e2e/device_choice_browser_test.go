package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// choice is what the API says of a device, and of how it was chosen.
type choice struct {
	Backend string
	Choice  *struct {
		Reason          string
		WebGPUMs, CPUMs float64
	}
}

// TestBrowserDeviceChoice: on WebGPU in software, which Chromium has here, "auto" takes
// what is measured to be faster; nothing else is measured.
func TestBrowserDeviceChoice(t *testing.T) {
	t.Parallel()
	const onCPU, onWebGPU = "Runs on the CPU, which is faster here than this browser's software WebGPU.", "Runs on this browser's software WebGPU, which is faster here than the CPU."
	s := smallSite(t)
	b := open(t, s.URL+"/blank.html", options{})
	software := "globalThis.hollowSoftware = true;" + hollowGPU
	for _, c := range []struct{ name, prelude, device, backend, reason string }{
		{"software", "", "auto", "cpu", onCPU},
		{"quick software", software, "auto", "webgpu", onWebGPU},
		{"quick software, no SIMD", software + script("worker/no_simd.js"), "auto", "webgpu", onWebGPU},
		{"a GPU", hollowGPU, "auto", "webgpu", ""},
		{"WebGPU by name", software, "webgpu", "webgpu", ""},
		{"the CPU by name", software + script("worker/no_simd.js"), "cpu", "cpu", ""},
	} {
		s.prelude = c.prelude
		b.step(c.name, func(t *testing.T) { b.takesDevice(t, c.device, c.backend, c.reason) })
	}
	s.misbehave("/models/sprites/model.json", func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(filepath.Join(s.dir, "models/sprites/model.json"))
		if err != nil {
			t.Error(err)
		}
		var m map[string]any
		if err := json.Unmarshal(text, &m); err != nil {
			t.Error(err)
		}
		m["sizes"], m["defaults"].(map[string]any)["size"] = []int{4096}, 4096
		if text, err = json.Marshal(m); err != nil {
			t.Error(err)
		}
		w.Write(text)
	})
	s.prelude = software
	b.step("too large", func(t *testing.T) { b.takesDevice(t, "auto", "webgpu", "") })
}

// takesDevice loads the model and checks what it is on, and why.
func (b *tab) takesDevice(t *testing.T, device, backend, reason string) {
	t.Helper()
	var i choice
	b.call("host.loadInfo", &i, "models/sprites/model.json", map[string]any{"device": device})
	switch c := i.Choice; {
	case i.Backend != backend:
		t.Errorf("%s is on %s, want %s: %+v", device, i.Backend, backend, c)
	case c == nil && reason != "" || c != nil && (c.Reason != reason || (c.CPUMs < c.WebGPUMs) != (backend == "cpu") || min(c.CPUMs, c.WebGPUMs) <= 0):
		t.Errorf("%s on %s: %+v, want the reason %q", device, backend, c, reason)
	case c != nil:
		t.Logf("WebGPU %.1f ms, CPU %.1f ms", c.WebGPUMs, c.CPUMs)
	}
}
