package site

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestZip unpacks a released site and holds it to the one that was built.
func TestZip(t *testing.T) {
	o := source(t)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := Zip(t.Context(), &first, "undertone-1.2.3", "../../../..", o.Out); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(o.Out, ".git/HEAD"), "ref")
	put(t, filepath.Join(o.Out, "photo.jpg"), "photo")
	if err := os.Chtimes(filepath.Join(o.Out, "index.html"), released, released); err != nil {
		t.Fatal(err)
	}
	if err := Zip(t.Context(), &second, "undertone-1.2.3", "../../../..", o.Out); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same site, with files of other people beside its own, gave other bytes")
	}
	r, err := zip.NewReader(bytes.NewReader(first.Bytes()), int64(first.Len()))
	if err != nil {
		t.Fatal(err)
	}
	packed := map[string]string{}
	for _, f := range r.File {
		c, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		packed[f.Name] = string(data)
	}
	if readme := packed["undertone-1.2.3/README.md"]; !strings.HasPrefix(readme, "# Hosting Undertone") {
		t.Errorf("README.md begins %.40q", readme)
	}
	for _, name := range []string{"LICENSE", "NOTICE", "CHANGELOG.md", "kill.js"} {
		if packed["undertone-1.2.3/"+name] == "" {
			t.Errorf("%s is missing", name)
		}
	}
	for _, line := range strings.Split(strings.TrimSpace(read(t, filepath.Join(o.Out, "SHA256SUMS"))), "\n") {
		name := line[66:]
		if packed["undertone-1.2.3/site/"+name] != read(t, filepath.Join(o.Out, name)) {
			t.Errorf("%s differs", name)
		}
	}
	for _, hidden := range []string{".nojekyll", "_headers", markName} {
		if _, ok := packed["undertone-1.2.3/site/"+hidden]; !ok {
			t.Errorf("%s is missing", hidden)
		}
	}

	put(t, filepath.Join(o.Out, "sw.js"), "changed")
	if err := Zip(t.Context(), io.Discard, "x", "../../../..", o.Out); err == nil || !strings.Contains(err.Error(), "sw.js was changed since the site was built") {
		t.Errorf("a changed site: %v", err)
	}
	if err := Zip(t.Context(), io.Discard, "x", "../../../..", t.TempDir()); err == nil || !strings.Contains(err.Error(), "no site that undertone dist built") {
		t.Errorf("no site: %v", err)
	}
}
