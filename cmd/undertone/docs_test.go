package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHostingCommands runs the commands of the tool that docs/hosting.md names, as
// they stand there, around programs that are none and a model whose presets have
// no schedule. It looks at the site and never at make, which needs the toolchain.
func TestHostingCommands(t *testing.T) {
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/hosting.md")
	if err != nil {
		t.Fatal(err)
	}
	model := tinyModel(t)
	t.Chdir(t.TempDir())
	schedules(t, model, filepath.Join("models", "mine"))
	for _, name := range []string{"engine.wasm", "page.wasm", "lab.wasm", "bench.wasm", "wasm_exec.js"} {
		if err := os.MkdirAll("build", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("build", name), []byte("\x00asm"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join("build", "Q8_0", "sprites"), os.DirFS(model)); err != nil {
		t.Fatal(err)
	}

	// The order is that of the document.
	var done []string
	for _, line := range strings.Split(string(doc), "\n") {
		command, indented := strings.CutPrefix(line, "    go run ./cmd/undertone ")
		if !indented {
			if strings.HasPrefix(line, "    undertone ") {
				t.Errorf("nobody has installed the tool that this line calls: %s", line)
			}
			continue
		}
		args := strings.Fields(command)
		if args[0] == "serve" {
			continue
		}
		if args[0] == "dist" {
			if code, _, stderr := cli(args...); code == 0 || !strings.Contains(stderr, "--root") {
				t.Errorf("outside the repository: code %d, %s", code, stderr)
			}
			args = append(args, "--root", repository)
		}
		succeed(t, args...)
		done = append(done, args[0])
		if kill := strings.Contains(line, "--kill"); args[0] == "dist" && !kill {
			introduced(t, "dist")
		} else if kill {
			same(t, filepath.Join("dist", "sw.js"), filepath.Join(repository, "web", "kill.js"))
		}
	}
	if want := "dist convert dist"; strings.Join(done, " ") != want {
		t.Errorf("the document's commands are %q, want %s", done, want)
	}
}

// schedules copies a model whose presets say nothing of how their weight is spread.
func schedules(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	file := filepath.Join(to, "model.json")
	decode(t, file, &manifest)
	manifest["name"] = "mine"
	manifest["presets"] = []map[string]any{{"id": "red", "title": "Red", "positive": "red", "negative": "", "weight": 1.5, "head": 0}}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// introduced holds a site to what the document says of one with a model of one's own.
func introduced(t *testing.T, dir string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(page); !strings.Contains(text, `data-models="models/mine/model.json"`) || strings.Contains(text, `class="samples"`) || strings.Contains(text, "neon") {
		t.Error("the page does not propose this model, or tells of the shipped one")
	}
	var manifest struct {
		Presets []struct{ Schedule struct{ Kind string } }
	}
	decode(t, filepath.Join(dir, "models", "mine", "model.json"), &manifest)
	if len(manifest.Presets) != 1 || manifest.Presets[0].Schedule.Kind != "constant" {
		t.Errorf("the presets are %+v", manifest.Presets)
	}
}

func same(t *testing.T, a, b string) {
	t.Helper()
	if !bytes.Equal(read(t, a), read(t, b)) {
		t.Errorf("%s and %s differ", a, b)
	}
}
