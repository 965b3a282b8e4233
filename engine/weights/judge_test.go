package weights

import (
	"bytes"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/op"
	"undertone/engine/recipe"
)

// withJudge is the tiny model with a judge of one matrix.
func withJudge(t *testing.T) Memory {
	t.Helper()
	files := tinyModel(t)
	var file bytes.Buffer
	zeros := func(w io.Writer) error { _, err := w.Write(make([]byte, 4*2*64)); return err }
	if err := WriteSafetensors(&file, nil, Output{Name: "mix.weight", DType: op.F32, Shape: []int{2, 64}, Write: zeros}); err != nil {
		t.Fatal(err)
	}
	files["judge.safetensors"] = bytes.Clone(file.Bytes())
	entry, err := Describe(RoleJudge, "judge.safetensors", &file)
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	if err := json.Unmarshal(files["model.json"], &m); err != nil {
		t.Fatal(err)
	}
	m.Files = append(m.Files, entry)
	m.Judge = &Judge{Config: json.RawMessage(`{"size":256}`), Pictures: 1000, Parameters: 128,
		Attributes: []recipe.Aspect{{Name: "object", Values: []string{"cat", "frog"}, Accuracy: 0.99}}}
	if files["model.json"], err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return files
}

// A judge goes along when a model is converted, never with fewer than 8 bits a weight, and
// is no part of what has to be downloaded.
func TestConvertTakesTheJudgeAlong(t *testing.T) {
	ctx, files := t.Context(), withJudge(t)
	out := filepath.Join(t.TempDir(), "tiny")
	for range 2 { // the second time into the folder of the first
		if err := convert(ctx, files, "model.json", out, op.Q4_0, nil); err != nil {
			t.Fatal(err)
		}
	}
	b, err := LoadBundle(ctx, Dir(out), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	src, f, err := b.OpenFile(ctx, RoleJudge)
	if err != nil {
		t.Fatal(err)
	}
	defer Close(src)
	if err := f.Verify(ctx, src, nil); err != nil {
		t.Error(err)
	}
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if w, _ := x.Lookup("mix.weight"); f.Path != "judge.gguf" || w.DType != op.Q8_0 {
		t.Errorf("the judge's file is %s, its matrix of the type %s", f.Path, w.DType)
	}
	if b.Bytes()+f.Bytes != sizes(b.Files) {
		t.Errorf("%d bytes to download and %d of the judge, %d of all files", b.Bytes(), f.Bytes, sizes(b.Files))
	}
	if got := b.OffersJudge(); got.Size != 256 || got.Bytes != f.Bytes || b.Judge.Answers() != 2 {
		t.Errorf("the judge offers %+v, %d answers", got, b.Judge.Answers())
	}
}

func sizes(files []File) (n int64) {
	for _, f := range files {
		n += f.Bytes
	}
	return n
}

func TestHostileJudges(t *testing.T) {
	good := string(withJudge(t)["model.json"])
	if _, err := ParseManifest([]byte(good)); err != nil {
		t.Fatal(err)
	}
	refuses(t, good, []change{
		{"another role", `"role":"judge"`, `"role":"vae"`, "belongs to no component"},
		{"the path of another file", `"path":"judge.safetensors"`, `"path":"vae.safetensors"`, "two files have the path"},
		{"a path to the parent", `"path":"judge.safetensors"`, `"path":"../judge"`, "must be relative"},
		{"another name", `"role":"judge","name":"judge"`, `"role":"judge","name":"critic"`, `the name "critic"`},
		{"no judge of that file", good[strings.Index(good, `,"judge":{`):], "}", "the number of files of a judge is 1"},
		{"no size", `{"size":256}`, `{}`, "with a size"},
		{"no configuration", `{"size":256}`, `7`, "with a size"},
		{"more than always right", `"accuracy":0.99`, `"accuracy":1.5`, "wanted 0 to 1"},
		{"one value", `["cat","frog"]`, `["cat"]`, "wanted 2 to"},
		{"no attributes", `[{"name":"object","values":["cat","frog"],"accuracy":0.99}]`, `[]`, "number of attributes"},
		{"no pictures", `"pictures":1000`, `"pictures":0`, "number of pictures"},
	})
	if _, err := ParseManifest([]byte(strings.Replace(good, `"judge":{`, `"judge":{"more":1,`, 1))); err == nil {
		t.Error("an unknown field of the judge is taken")
	}
}
