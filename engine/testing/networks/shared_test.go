package networks

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/weights"
)

// split is a model whose transformer has the tensors with a beginning in a file of its own,
// and the others in one that it shares.
func split(t *testing.T, folder, own string) *weights.Bundle {
	t.Helper()
	files := weights.Memory{}
	b, err := weights.LoadBundle(background(), weights.Dir(folder), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	for i := range m.Components {
		if c := &m.Components[i]; c.Role == weights.RoleTransformer {
			c.Shared = weights.Names{"dit-shared"}
		}
	}
	m.Files = nil
	for _, f := range b.Files {
		content, err := os.ReadFile(filepath.Join(folder, f.Path))
		if err != nil {
			t.Fatal(err)
		}
		if f.Role != "dit" {
			files[f.Path] = content
			m.Files = append(m.Files, f)
			continue
		}
		x, err := weights.Parse(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		parts := map[string][]weights.Output{}
		for _, tensor := range x.Tensors {
			name := "dit-shared"
			if strings.HasPrefix(tensor.Name, own) {
				name = "dit"
			}
			parts[name] = append(parts[name], weights.Output{Name: tensor.Name, DType: tensor.DType, Shape: tensor.Shape, Write: func(w io.Writer) error {
				_, err := w.Write(content[tensor.Offset : tensor.Offset+tensor.Bytes])
				return err
			}})
		}
		if len(parts) != 2 {
			t.Fatalf("%d files of tensors that begin with %q, or not", len(parts), own)
		}
		for name, outputs := range parts {
			var text bytes.Buffer
			if err := weights.WriteSafetensors(&text, nil, outputs...); err != nil {
				t.Fatal(err)
			}
			path := name + ".safetensors"
			described, err := weights.Describe("dit", path, bytes.NewReader(text.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			described.Name, files[path] = name, text.Bytes()
			m.Files = append(m.Files, described)
		}
	}
	var text bytes.Buffer
	if err := m.Write(&text); err != nil {
		t.Fatal(err)
	}
	files["model.json"] = text.Bytes()
	if b, err = weights.LoadBundle(background(), files, "model.json"); err != nil {
		t.Fatal(err)
	}
	return b
}

// A transformer whose tensors lie in two files draws the pictures of one in a single file,
// bit for bit, and so it does when its weights leave and come back.
func TestSharedFileDrawsTheSame(t *testing.T) {
	folder := filepath.Join(root(t), "models", "sprites")
	whole, err := weights.LoadBundle(background(), weights.Dir(folder), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	parted := split(t, folder, "double_blocks.")
	converted := t.TempDir()
	if err := parted.Convert(background(), "model.json", converted, op.Q8_0, nil); err != nil {
		t.Fatal(err)
	}
	quantized, err := weights.LoadBundle(background(), weights.Dir(converted), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	plain := t.TempDir()
	if err := whole.Convert(background(), "model.json", plain, op.Q8_0, nil); err != nil {
		t.Fatal(err)
	}
	quantizedWhole, err := weights.LoadBundle(background(), weights.Dir(plain), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	draw := func(b *weights.Bundle, limit int64) string {
		e, err := engine.Load(background(), cpu.New(cpu.Options{}), b, engine.LoadOptions{MemoryLimit: limit})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		req := engine.Request{Prompt: "a frog in a meadow", Seed: 1, Steps: 1, CFG: 1, Size: recipe.Square(256)}
		return hashOf(t, picture(t, e, req))
	}
	for name, c := range map[string][2]*weights.Bundle{"as it is": {whole, parted}, "quantized": {quantizedWhole, quantized}} {
		want := draw(c[0], 0)
		for _, limit := range []int64{0, 1} {
			if got := draw(c[1], limit); got != want {
				t.Errorf("%s, with %d bytes of memory: the hash is %s, of one file %s", name, limit, got, want)
			}
		}
	}
}
