package site

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNpm unpacks a package: the API, what it refers to, the models and the entry
// are in it, the embed and its element, and nothing of the page.
func TestNpm(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := Npm(t.Context(), w, "1.2.3", o.Root, o.Out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same site gave other bytes")
	}
	packed := unpack(t, &first)
	names := strings.Join(slices.Sorted(maps.Keys(packed)), "\n")
	names = regexp.MustCompile(`\.[0-9a-f]{12}\.`).ReplaceAllString(names, ".HASH.")
	if want := `LICENSE
NOTICE
README.md
index.d.ts
index.js
package.json
react.d.ts
site/assets/engine.HASH.wasm
site/assets/host.HASH.js
site/assets/icon.HASH.svg
site/assets/protocol.HASH.js
site/assets/style.HASH.css
site/assets/worker.HASH.js
site/element.d.ts
site/element.js
site/embed.html
site/models/tiny/description.json
site/models/tiny/dit.HASH.safetensors
site/models/tiny/model.json
site/models/tiny/text.HASH.safetensors
site/models/tiny/tokenizer.HASH.json
site/models/tiny/vae.HASH.safetensors
site/undertone.d.ts
site/undertone.js
site/value.d.ts
site/value.js`; names != want {
		t.Errorf("the package holds\n%s\nwant\n%s", names, want)
	}
	var manifest struct {
		Name, Version, License, Type, Types string
		Exports                             map[string]any
		Files                               []string
	}
	if err := json.Unmarshal([]byte(packed["package.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Name != "undertone" || manifest.Version != "1.2.3" || manifest.License != "Apache-2.0" || manifest.Type != "module" {
		t.Errorf("package.json: %+v", manifest)
	}
	exported := []any{manifest.Types}
	for _, entry := range manifest.Exports {
		if files, ok := entry.(map[string]any); ok {
			exported = append(exported, slices.Collect(maps.Values(files))...)
		}
	}
	if len(exported) < 6 {
		t.Errorf("package.json exports %v", exported)
	}
	for _, file := range exported {
		name, _ := file.(string)
		if packed[strings.TrimPrefix(name, "./")] == "" {
			t.Errorf("package.json names %v, which is not there", file)
		}
	}
	for name := range packed {
		folder, _, _ := strings.Cut(name, "/")
		always := slices.Contains([]string{"package.json", "README.md", "LICENSE"}, name) // npm packs these unasked
		if !always && !slices.Contains(manifest.Files, folder) {
			t.Errorf("%s is in none of the files that package.json lists", name)
		}
	}
}

func unpack(t *testing.T, packed io.Reader) map[string]string {
	t.Helper()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[strings.TrimPrefix(h.Name, "package/")] = string(data)
	}
}
