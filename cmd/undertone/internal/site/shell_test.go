package site

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shellOf reads back what the builder wrote into the service worker.
func shellOf(t *testing.T, o Options) (s shell) {
	t.Helper()
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	text := read(t, filepath.Join(o.Out, "sw.js"))
	text, ok := strings.CutPrefix(text, "start\nconst site = ")
	text, end := strings.CutSuffix(text, ";\nend")
	if !ok || !end {
		t.Fatalf("sw.js: %s", text)
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestShell holds the service worker's list to the files that were written.
func TestShell(t *testing.T) {
	o := source(t)
	for _, folder := range []string{"icons", "screenshots"} {
		if err := os.MkdirAll(filepath.Join(o.Root, "web", folder), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(o.Root, "web", folder, "big.png"), []byte(folder), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	first := shellOf(t, o)
	for name, integrity := range first.Shell {
		sum := sha256.Sum256([]byte(read(t, filepath.Join(o.Out, name))))
		if want := "sha256-" + base64.StdEncoding.EncodeToString(sum[:]); integrity != want {
			t.Errorf("%s: integrity %s, the file's is %s", name, integrity, want)
		}
	}
	var names []string
	for name := range first.Shell {
		names = append(names, name)
	}
	for _, n := range names {
		if n == "sw.js" || strings.Contains(n, "big") || strings.HasSuffix(n, ".gguf") || strings.HasPrefix(n, "models/") || n[0] == '_' || n[0] == '.' {
			t.Errorf("%s is in the shell", n)
		}
	}
	for _, want := range []string{"index.html", "embed.html", "undertone.js"} {
		if first.Shell[want] == "" {
			t.Errorf("%s is not in the shell", want)
		}
	}
	if len(names) != 10 { // index, embed, undertone and its twin, two programs, worker, protocol, style, icon
		t.Errorf("the shell holds %d files: %v", len(names), names)
	}
	if len(first.Engine) != 1 || !strings.HasPrefix(first.Engine[0], "assets/engine.") || first.Shell[first.Engine[0]] == "" {
		t.Errorf("only a loaded model needs %v", first.Engine)
	}
	for page, want := range map[string][]string{"index.html": {"page", "style", "undertone"}, "embed.html": {"style"}} {
		list := first.Pages[page]
		if len(list) != len(want) {
			t.Fatalf("%s names %v, wanted %v", page, list, want)
		}
		for i, name := range list {
			if !strings.HasPrefix(name, "assets/"+want[i]+".") || first.Shell[name] == "" || !strings.Contains(read(t, filepath.Join(o.Out, page)), `"./`+name+`"`) {
				t.Errorf("%s names %s, wanted %s", page, name, want[i])
			}
		}
	}
	if strings.Join(first.Models, " ") != "models/tiny/model.json models/tiny/description.json" {
		t.Errorf("models: %v", first.Models)
	}

	if again := shellOf(t, o); again.Version != first.Version {
		t.Errorf("the same sources are version %s, then %s", first.Version, again.Version)
	}
	if err := os.WriteFile(filepath.Join(o.Root, "web/protocol.js"), []byte("export const version = 2"), 0o644); err != nil {
		t.Fatal(err)
	}
	if next := shellOf(t, o); next.Version == first.Version {
		t.Error("other sources have the same version")
	}
}

func TestShellNeedsItsLine(t *testing.T) {
	o := source(t)
	if err := os.WriteFile(filepath.Join(o.Root, "web/sw.js"), []byte("const site = {};"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Build(t.Context(), o); err == nil || !strings.Contains(err.Error(), "sw.js does not hold the line") {
		t.Errorf("got %v", err)
	}
	real := read(t, "../../../../web/sw.js")
	if !strings.Contains(real, shellLine) {
		t.Error("web/sw.js has no such line")
	}
	if want := strings.ReplaceAll(named.String(), "/", `\/`); !strings.Contains(real, "match(/"+want+"/g)") {
		t.Errorf("web/sw.js looks for other names than %s", want)
	}
}

func TestKill(t *testing.T) {
	o := source(t)
	o.Kill = true
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if sw := read(t, filepath.Join(o.Out, "sw.js")); sw != "kill" {
		t.Errorf("sw.js is %q", sw)
	}
	o.Kill = false
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(o.Out, "*/kill*")); len(left) != 0 {
		t.Errorf("the kill switch is served: %v", left)
	}
}
