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
	if err := Build(o); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := Zip(&first, "undertone-1.2.3", "../../../..", o.Out); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(o.Out, "index.html"), released, released); err != nil {
		t.Fatal(err)
	}
	if err := Zip(&second, "undertone-1.2.3", "../../../..", o.Out); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same site gave other bytes")
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
	for _, name := range []string{"LICENSE", "NOTICE", "CHANGELOG.md"} {
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
	for _, hidden := range []string{".nojekyll", "_headers"} {
		if _, ok := packed["undertone-1.2.3/site/"+hidden]; !ok {
			t.Errorf("%s is missing", hidden)
		}
	}
}
