package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/recipe"
	"undertone/lab"
)

// TestLab runs an experiment, cuts its rows off and goes on: the files are the same again.
func TestLab(t *testing.T) {
	if code, out, _ := cli("lab"); code != 0 || strings.Count(out, "\n") != len(lab.Experiments) || !strings.Contains(out, "Does the pooled vector matter?") {
		t.Errorf("the list: code %d, %q", code, out)
	}
	model, out := tinyModel(t), t.TempDir()
	args := []string{"lab", "pooled", model, "--out", out, "--seeds", "2"}
	first := succeed(t, args...)
	files := map[string][]byte{}
	for _, ext := range []string{"json", "csv", "svg"} {
		data, err := os.ReadFile(filepath.Join(out, "pooled."+ext))
		if err != nil {
			t.Fatal(err)
		}
		files[ext] = data
	}
	var r lab.Results
	if err := json.Unmarshal(files["json"], &r); err != nil || !r.Whole || len(r.Rows) != 18 || r.Model != "tiny" {
		t.Fatalf("%d rows of %q, whole: %v, %v", len(r.Rows), r.Model, r.Whole, err)
	}
	if !strings.Contains(first, "random pooled vector") || !strings.Contains(first, "n = 2") {
		t.Errorf("it says %q", first)
	}

	r.Whole, r.Rows = false, r.Rows[:7]
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out, "pooled.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if again := succeed(t, args...); !strings.Contains(again, "7 of 18 pictures were there") {
		t.Errorf("it says %q", again)
	}
	for ext, want := range files {
		if data, err := os.ReadFile(filepath.Join(out, "pooled."+ext)); err != nil || !bytes.Equal(data, want) {
			t.Errorf("pooled.%s differs after an interruption: %v", ext, err)
		}
	}

	for says, args := range map[string][]string{
		"there is no experiment \"nowhere\"": {"lab", "nowhere", model},
		"name one model folder":              {"lab", "pooled"},
		"--seeds 0":                          {"lab", "pooled", model, "--seeds", "0"},
		"name the one or the other":          {"lab", "block", model, "--out", "x", "--preset", "night", "--positive", "a"},
		"the preset \"nowhere\"":             {"lab", "block", model, "--out", t.TempDir(), "--preset", "nowhere"},
		"has no direction with a weight":     {"lab", "block", model, "--out", t.TempDir()},
		"choose another folder":              {"lab", "pooled", model, "--out", out, "--seeds", "3"},
		"holds no results of an experiment":  {"lab", "pooled", model, "--out", brokenResults(t)},
		"9 steps, this model takes 1 to 8":   {"lab", "pooled", model, "--out", t.TempDir(), "--steps", "9"},
	} {
		if code, _, said := cli(args...); code == 0 || !strings.Contains(said, says) {
			t.Errorf("%v: code %d, %q, wanted %q", args, code, said, says)
		}
	}
	if data, err := os.ReadFile(filepath.Join(out, "pooled.json")); err != nil || !bytes.Equal(data, files["json"]) {
		t.Errorf("results are changed by a refused run: %v", err)
	}
}

// TestLabVotes: the votes of two people are put together, each once, and the share of those
// for guidance told with its interval.
func TestLabVotes(t *testing.T) {
	folder := t.TempDir()
	e, err := lab.Find("people")
	if err != nil {
		t.Fatal(err)
	}
	save := func(name, by string, steps int, votes ...float64) string {
		s := lab.Setting{Prompts: []string{"a frog"}, Direction: recipe.Term{Positive: "night", Weight: 2}, Base: recipe.Request{Steps: steps}}
		r := lab.NewResults(e, s, "F32")
		for seed, vote := range votes {
			r.Add(lab.Row{Point: lab.Point{Series: "guidance", X: 2, Prompt: "a frog", Seed: uint32(seed)}, Value: 100 * vote, By: by}, 0)
		}
		file := filepath.Join(folder, name)
		if err := writeResults(file, r); err != nil {
			t.Fatal(err)
		}
		return file
	}
	mine, theirs, others := save("mine.json", "me", 4, 1, 1, 0), save("theirs.json", "them", 4, 1, -1, 1), save("others.json", "me", 5, 1)
	out := filepath.Join(folder, "out")
	said := succeed(t, "lab", "votes", mine, theirs, mine, "--out", out)
	if !strings.Contains(said, "guidance wins in 75 % of 6 votes (41.7 % to 100 %). No preference is seen.") {
		t.Errorf("it says %q", said)
	}
	for name, want := range map[string]string{"people.json": `"by": "them"`, "people.csv": "guidance,2,a frog,2,100", "people.svg": "<svg"} {
		if data, err := os.ReadFile(filepath.Join(out, name)); err != nil || !strings.Contains(string(data), want) {
			t.Errorf("%s has no %q: %v", name, want, err)
		}
	}
	notes := filepath.Join(brokenResults(t), "pooled.json")
	for says, args := range map[string][]string{
		"name the files of votes":           {"lab", "votes"},
		"puts the files that it saves":      {"lab", "people", folder},
		"with another model or setting":     {"lab", "votes", mine, others},
		"holds no results of an experiment": {"lab", "votes", mine, notes},
	} {
		if code, _, said := cli(append(args, "--out", filepath.Join(folder, "none"))...); code == 0 || !strings.Contains(said, says) {
			t.Errorf("%v: code %d, %q, wanted %q", args, code, said, says)
		}
	}
}

// brokenResults is a folder with a file that holds none.
func brokenResults(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "pooled.json"), []byte("a person's own notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestLabScales: a model that is drawn with classifier-free guidance has it beside guidance
// by the vector, and attention is measured with both of its passes.
func TestLabScales(t *testing.T) {
	model, out := tinyModel(t), t.TempDir()
	file := filepath.Join(model, "model.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scaled := bytes.Replace(text, []byte(`"cfg":1,`), []byte(`"cfg":2.5,`), 1)
	if bytes.Equal(scaled, text) {
		t.Fatalf("model.json has no scale: %s", text)
	}
	if err := os.WriteFile(file, scaled, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"guidance", "words"} {
		succeed(t, "lab", name, model, "--out", out, "--number", "1", "--seeds", "1", "--positive", "night")
		r, err := readResults(t.Context(), filepath.Join(out, name+".json"))
		if err != nil || r.Base.CFG != 2.5 || !r.Whole {
			t.Fatalf("%s: scale %g, %v", name, r.Base.CFG, err)
		}
		moved := map[string]float64{}
		for _, row := range r.Rows {
			moved[row.Series] += row.Value
		}
		wanted := "all words, with guidance"
		if name == "guidance" {
			wanted = "classifier-free guidance, by its scale"
		}
		if moved[wanted] <= 0 {
			t.Errorf("%s: %q has moved pictures by %g of %v", name, wanted, moved[wanted], moved)
		}
	}
}
