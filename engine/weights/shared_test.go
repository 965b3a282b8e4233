package weights

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// sharing is tinyModel under a title, whose transformer has a tensor in a file that it
// shares with others.
func sharing(t *testing.T, title, tensor string) Memory {
	t.Helper()
	files := tinyModel(t)
	var b bytes.Buffer
	if err := WriteSafetensors(&b, nil, Float32s(tensor, op.BF16, []int{64, 64}, drawn(5, 64*64))); err != nil {
		t.Fatal(err)
	}
	files["shared.safetensors"] = b.Bytes()
	f, err := Describe("dit", "shared.safetensors", bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	f.Name = "shared"
	m, err := ParseManifest(files["model.json"])
	if err != nil {
		t.Fatal(err)
	}
	m.Title, m.Files = title, append(m.Files, f)
	m.Components[1].Shared = Names{"shared"}
	if files["model.json"], err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	return files
}

// Models of different names that share a file share its conversion too, byte for byte, and
// their tensors are those of both files.
func TestSharedFile(t *testing.T) {
	ctx, converted := t.Context(), map[string][]byte{}
	for _, title := range []string{"One", "Another"} {
		out := filepath.Join(t.TempDir(), "tiny")
		for range 2 { // the second time over what the first has written
			if err := convert(ctx, sharing(t, title, "single_blocks.0.linear1.weight"), "model.json", out, op.Q8_0, nil); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"dit", "shared"} {
			content, err := os.ReadFile(filepath.Join(out, name+".gguf"))
			if err != nil {
				t.Fatal(err)
			}
			if former := converted[name]; former != nil && bytes.Equal(former, content) != (name == "shared") {
				t.Errorf("%s.gguf of both is the same: %t", name, name != "shared")
			}
			converted[name] = content
		}
		b, err := LoadBundle(ctx, Dir(out), "model.json")
		if err != nil {
			t.Fatal(err)
		}
		c, _ := b.Of(RoleTransformer)
		if got, want := b.ComponentBytes(c), int64(len(converted["dit"])+len(converted["shared"])); got != want {
			t.Errorf("the transformer has %d bytes, its files %d", got, want)
		}
		x, err := opensWhole(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		if len(x.Tensors) != 4 {
			t.Errorf("%d tensors of two files", len(x.Tensors))
		}
	}
}

func TestSharedFileRefused(t *testing.T) {
	b, err := LoadBundle(t.Context(), sharing(t, "Twice", "img_in.weight"), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := opensWhole(t.Context(), b); !fault.Is(err, fault.ManifestInvalid) || !strings.Contains(err.Error(), `"img_in.weight"`) {
		t.Errorf("a tensor in two files: %v", err)
	}
	refuses(t, string(sharing(t, "Tiny", "x")["model.json"]), []change{
		{"nobody's", `"shared":"shared",`, ``, `the file "shared" belongs to no component`},
		{"absent", `"shared":"shared",`, `"shared":"other",`, `refers to the file "other", which is not there`},
		{"of another role", `"shared":"shared",`, `"shared":["shared","vae"],`, `"vae" of the role "vae", wanted one of the role "dit"`},
		{"twice", `"shared":"shared",`, `"shared":["shared","shared"],`, "belongs to another component"},
		{"its own", `"shared":"shared",`, `"shared":["shared","dit"],`, "belongs to another component"},
		{"too many", `"shared":"shared",`, `"shared":["shared","a","b","c","d"],`, "is 5, wanted 0 to 4"},
	})
}

func opensWhole(ctx context.Context, b *Bundle) (*Index, error) {
	src, err := b.OpenWhole("dit", func(name string) (op.Source, error) {
		src, _, err := b.OpenFile(ctx, name)
		return src, err
	})
	if err != nil {
		return nil, err
	}
	defer Close(src)
	return Parse(src)
}
