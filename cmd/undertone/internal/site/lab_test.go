package site

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// TestLab: the Lab's page keeps its name and offers the site's models; its files are of the
// shell, and nobody who only reads the page fetches them.
func TestLab(t *testing.T) {
	o := source(t)
	put(t, filepath.Join(o.Root, "web/lab.html"), versionTag+`<main data-models="x"><script src="./lab.js"></script>`)
	put(t, filepath.Join(o.Root, "web/lab.js"), `fetch("./lab.wasm"); fetch("./tour/pooled.json"); import "./experiments.js"`)
	put(t, filepath.Join(o.Root, "web/tour/pooled.json"), "{}")
	put(t, filepath.Join(o.Root, "web/experiments.js"), `export const kept = 0`)
	put(t, filepath.Join(o.Root, "lab.wasm"), "\x00asm lab")
	o.Extra["lab.wasm"] = filepath.Join(o.Root, "lab.wasm")
	s := shellOf(t, o)
	page := read(t, filepath.Join(o.Out, "lab.html"))
	if !strings.Contains(page, `data-models="models/tiny/model.json"`) || !strings.Contains(page, `content="1.2.3"`) || !strings.Contains(page, `"./assets/lab.`) {
		t.Errorf("lab.html is %s", page)
	}
	var stems []string
	for _, name := range s.Lab {
		if s.Shell[name] == "" || slices.Contains(s.Engine, name) {
			t.Errorf("%s is not of the shell, or is the engine's", name)
		}
		stem, _, _ := strings.Cut(filepath.Base(name), ".")
		stems = append(stems, stem)
	}
	if strings.Join(stems, " ") != "experiments lab lab pooled lab" || !slices.Contains(s.Lab, "lab.html") {
		t.Errorf("only the Lab needs %v", s.Lab)
	}
}

// TestBench: the bench's page keeps its name and offers the site's models; nobody keeps its
// files for when there is no network.
func TestBench(t *testing.T) {
	o := source(t)
	put(t, filepath.Join(o.Root, "web/bench.html"), versionTag+`<main data-models="x"><script src="./bench-page.js"></script>`)
	put(t, filepath.Join(o.Root, "web/bench-page.js"), `new Worker("./bench-worker.js")`)
	put(t, filepath.Join(o.Root, "web/bench-worker.js"), `fetch("./bench.wasm")`)
	put(t, filepath.Join(o.Root, "bench.wasm"), "\x00asm bench")
	o.Extra["bench.wasm"] = filepath.Join(o.Root, "bench.wasm")
	s := shellOf(t, o)
	page := read(t, filepath.Join(o.Out, "bench.html"))
	if !strings.Contains(page, `data-models="models/tiny/model.json"`) || !strings.Contains(page, `content="1.2.3"`) || !strings.Contains(page, `"./assets/bench-page.`) {
		t.Errorf("bench.html is %s", page)
	}
	for name := range s.Shell {
		if strings.Contains(name, "bench") {
			t.Errorf("%s is kept", name)
		}
	}
}

// TestJudgeIsPublished: the judge's file goes along under a name with its hash in it, and
// the description tells of it beside the bytes that have to be downloaded.
func TestJudgeIsPublished(t *testing.T) {
	o := source(t)
	folder := o.Models[0]
	put(t, filepath.Join(folder, "judge.gguf"), "a judge")
	entry, err := weights.Describe(weights.RoleJudge, "judge.gguf", strings.NewReader("a judge"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(read(t, filepath.Join(folder, "model.json"))), &m); err != nil {
		t.Fatal(err)
	}
	m["files"] = append(m["files"].([]any), entry)
	m["judge"] = weights.Judge{Config: json.RawMessage(`{"size":16}`), Pictures: 10, Parameters: 1,
		Attributes: []recipe.Aspect{{Name: "style", Values: []string{"flat", "neon"}, Accuracy: 0.97}}}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(folder, "model.json"), string(text))
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(o.Out, "models", "tiny")
	b, err := weights.LoadBundle(t.Context(), weights.Dir(at), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := b.File(weights.RoleJudge)
	if p := f.Path; !strings.HasPrefix(p, "judge.") || p == "judge.gguf" || read(t, filepath.Join(at, p)) != "a judge" {
		t.Errorf("the judge's file is %s", p)
	}
	d, err := recipe.ParseDescription([]byte(read(t, filepath.Join(at, recipe.DescriptionName))))
	if err != nil || d.Judge == nil || d.Judge.Bytes != 7 || d.Judge.Size != 16 || !d.Judge.Attributes[0].Judged() || d.Bytes != b.Bytes() {
		t.Errorf("the description tells %+v of the judge, %v", d.Judge, err)
	}
}
