package e2e

import (
	"bytes"
	"image/png"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
)

// opened is what loading published files gave.
type opened struct {
	Fault *fault
	Info  struct {
		Model, Title, Address string
		Sizes                 []recipe.Size
		Bytes                 int64
		Found                 *recipe.Published
		Storage               struct {
			Stored, Reused int64
			Fault          *fault
		}
	}
	Manifest struct {
		Format string
		Name   string
	}
	Stages       []string
	Hash, Pixels string
}

// publishedSite serves a small site, and the files of a folder under /published/.
func publishedSite(t *testing.T, folder string) *server {
	t.Helper()
	s := smallSite(t)
	serveFiles(t, s, folder)
	return s
}

// serveFiles serves the files of a folder under /published/.
func serveFiles(t *testing.T, s *server, folder string) {
	t.Helper()
	for _, name := range filesOf(t, folder) {
		file := filepath.Join(folder, name)
		s.misbehave("/published/"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
}

// filesOf lists the files of a folder.
func filesOf(t *testing.T, folder string) (names []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// choose has a person choose files, or one folder.
func (b *tab) choose(paths ...string) {
	b.t.Helper()
	info, err := os.Stat(paths[0])
	if err != nil {
		b.t.Fatal(err)
	}
	b.call("files.input", nil, info.IsDir())
	b.run(chromedp.SetUploadFiles("#chosen", paths, chromedp.ByQuery))
}

// opens loads a source: its kind in scripts/page/files.js, and the argument of that.
func (b *tab) opens(size int, options map[string]any, source ...any) (o opened) {
	b.t.Helper()
	b.call("files.load", &o, append(source, nil)[:2], size, options)
	return o
}

// drawnNatively is the picture that the command draws of published files.
func drawnNatively(t *testing.T, size string, paths ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "x.png")
	args := append(append([]string{"generate"}, paths...), "-o", out, "--prompt", "a frog", "--seed", "3", "--steps", "2", "--size", size)
	if err := commands(exec.Command(built(t, "undertone"), args...)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var rgba []byte
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, a := img.At(x, y).RGBA()
			rgba = append(rgba, byte(r>>8), byte(g>>8), byte(b>>8), byte(a>>8))
		}
	}
	return rgba
}

// TestBrowserPublishedFiles opens published files as a person chooses them: the picture is
// the one that the command draws of them.
func TestBrowserPublishedFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sd3 := networks.WriteSD3(t, folder)
	s := publishedSite(t, folder)
	b := openBlank(t, s)
	want := drawnNatively(t, "64", sd3...)

	b.choose(folder)
	o := b.opens(64, nil, "chosen")
	if o.Fault != nil {
		t.Fatalf("%+v", o.Fault)
	}
	got := b.decoded(o.Pixels)
	if n := differing(got, want); n > 1 { // one level: processors have exponentials of their own
		t.Errorf("the picture differs by %d levels from the command's", n)
	}
	if o.Info.Model != "sd3-medium" || o.Info.Found == nil || o.Info.Found.Variant != "Stable Diffusion 3 medium" || o.Manifest.Name != o.Info.Model || o.Manifest.Format != "undertone-model" || o.Info.Address != "" {
		t.Errorf("%+v", o.Info)
	}
	if slices.Contains(o.Stages, "download") {
		t.Errorf("files that were chosen are downloaded: %v", o.Stages)
	}
}

// differing is the largest difference of two pictures of the same size.
func differing(a, b []byte) (most int) {
	if len(a) != len(b) {
		return 256
	}
	for i := range a {
		most = max(most, int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return most
}
