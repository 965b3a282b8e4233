package weights

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// TestConvertReplacesOnlyItsOwn converts into folders that hold something already.
func TestConvertReplacesOnlyItsOwn(t *testing.T) {
	ctx, files := t.Context(), tinyModel(t)
	files["README.md"] = []byte("# The card\n")
	converted := func(in Memory, out string) error { return convert(ctx, in, "model.json", out, op.F16, nil) }
	finished := filepath.Join(t.TempDir(), "finished")
	if err := converted(files, finished); err != nil {
		t.Fatal(err)
	}
	other := Memory{}
	for name, data := range files {
		other[name] = data
	}
	other["model.json"] = []byte(strings.Replace(string(files["model.json"]), `"name":"tiny"`, `"name":"other"`, 1))
	if string(other["model.json"]) == string(files["model.json"]) {
		t.Fatal("the other model has the same name")
	}
	for _, c := range []struct {
		what   string
		names  []string // of what is copied from the finished conversion
		add    map[string]string
		in     Memory
		refuse string // the name that stands in the way
	}{
		{"an empty folder", nil, nil, files, ""},
		{"a finished conversion", []string{"model.json", "README.md", "dit.gguf", "text.gguf", "vae.gguf", "tokenizer.json"}, nil, files, ""},
		{"files of other names", nil, map[string]string{"photo.jpg": "photo", "notes.gguf": "x"}, files, ""},
		{"an interrupted conversion", []string{"dit.gguf", "text.gguf", "README.md", "tokenizer.json"}, nil, files, ""},
		{"the transformer of a conversion, and a part of another", []string{"dit.gguf"}, map[string]string{"vae.gguf": "not from here"}, files, "vae.gguf"},
		{"parts without the transformer", []string{"text.gguf", "vae.gguf"}, nil, files, "text.gguf"},
		{"a card of something else", nil, map[string]string{"README.md": "# My project\n"}, files, "README.md"},
		{"another tokenizer", nil, map[string]string{"tokenizer.json": "{}"}, files, "tokenizer.json"},
		{"other weights", nil, map[string]string{"vae.gguf": "not from here"}, files, "vae.gguf"},
		{"another manifest", nil, map[string]string{"model.json": "{}"}, files, "model.json"},
		{"a conversion of another model", []string{"model.json", "dit.gguf", "text.gguf", "vae.gguf"}, nil, other, "model.json"},
		{"the source of a model", nil, map[string]string{"model.json": string(files["model.json"]), "README.md": "# Another card\n"}, files, "README.md"},
	} {
		out := t.TempDir()
		before := map[string]string{}
		for _, name := range c.names {
			b, err := os.ReadFile(filepath.Join(finished, name))
			if err != nil {
				t.Fatal(err)
			}
			before[name] = string(b)
		}
		for name, text := range c.add {
			before[name] = text
		}
		for name, text := range before {
			if err := os.WriteFile(filepath.Join(out, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := converted(c.in, out)
		if c.refuse == "" {
			if err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
			before = c.add // stays
		} else if !fault.Is(err, fault.RequestInvalid) || !strings.Contains(err.Error(), c.refuse) {
			t.Errorf("%s: %v, wanted it to name %s", c.what, err, c.refuse)
		}
		for name, text := range before {
			if b, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(b) != text {
				t.Errorf("%s: %s was changed: %v", c.what, name, err)
			}
		}
		if list, err := os.ReadDir(out); err != nil || c.refuse != "" && len(list) != len(before) {
			t.Errorf("%s: it wrote %v before it refused: %v", c.what, list, err)
		}
	}
	absent := filepath.Join(t.TempDir(), "absent")
	if err := converted(Memory{}, absent); err == nil {
		t.Error("nothing was converted")
	}
	if _, err := os.Stat(absent); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder for nothing: %v", err)
	}
}

// TestConvertSharesParts converts two models of one decoder: its file is the same, so that
// whoever has one model fetches it no second time.
func TestConvertSharesParts(t *testing.T) {
	one, other := tinyModel(t), tinyModel(t)
	other["model.json"] = []byte(strings.NewReplacer(`"name":"tiny"`, `"name":"other"`, `"title":"`, `"title":"Other `, `"revision":"`, `"revision":"2-`).Replace(string(one["model.json"])))
	read := map[string][2]string{}
	for i, in := range []Memory{one, other} {
		out := filepath.Join(t.TempDir(), "out")
		if err := convert(t.Context(), in, "model.json", out, op.F16, nil); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"dit.gguf", "text.gguf", "vae.gguf"} {
			b, err := os.ReadFile(filepath.Join(out, name))
			if err != nil {
				t.Fatal(err)
			}
			pair := read[name]
			pair[i] = string(b)
			read[name] = pair
		}
	}
	for name, pair := range read {
		if same := pair[0] == pair[1]; same != (name != "dit.gguf") {
			t.Errorf("%s of two models: equal is %v", name, same)
		}
	}
}
