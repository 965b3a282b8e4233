package e2e

import (
	"encoding/json"
	"fmt"
	"image"
	_ "image/png" // to read the pictures
	"os"
	"path/filepath"
	"testing"
)

// TestManifestPictures compares the icons and screenshots that the manifest names
// with the files: browsers leave out those whose size is not as promised.
func TestManifestPictures(t *testing.T) {
	text, err := os.ReadFile("../web/manifest.webmanifest")
	if err != nil {
		t.Fatal(err)
	}
	type picture struct{ Src, Sizes, Type, Label string }
	var m struct{ Icons, Screenshots []picture }
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Icons) < 4 || len(m.Screenshots) < 2 {
		t.Errorf("%d icons, %d screenshots", len(m.Icons), len(m.Screenshots))
	}
	for _, p := range append(m.Icons, m.Screenshots...) {
		if p.Type != "image/png" {
			continue // drawn at any size
		}
		f, err := os.Open(filepath.Join("../web", p.Src))
		if err != nil {
			t.Error(err)
			continue
		}
		c, _, err := image.DecodeConfig(f)
		f.Close()
		if size := fmt.Sprintf("%dx%d", c.Width, c.Height); err != nil || size != p.Sizes {
			t.Errorf("%s is %s, and the manifest says %s: %v", p.Src, size, p.Sizes, err)
		}
	}
	for _, p := range m.Screenshots {
		if info, err := os.Stat(filepath.Join("../web", p.Src)); err != nil || info.Size() > 300_000 || p.Label == "" {
			t.Errorf("%s: %v, %v; it should have a label and at most 300 kB", p.Src, info, err)
		}
	}
}
