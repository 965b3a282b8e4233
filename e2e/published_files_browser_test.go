package e2e

import (
	"bytes"
	"image/png"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
		Found                 *recipe.Published
		Storage               struct {
			Stored, Reused int64
			Fault          *fault
		}
	}
	Manifest     struct{ Format, Name string }
	Stages       []string
	Hash, Pixels string
}

// described is what published files are said to be.
type described struct {
	Fault     *fault
	Described struct {
		Model  string
		Bytes  int64
		Memory int64
		Found  recipe.Published
	}
}

// given is a source: its kind in scripts/page/files.js, and the argument of that.
type given [2]any

var chosen = given{"chosen", nil}

// place is a file's path in a source, and where it is to be had.
type place = [2]string

// publishedSite serves a small site, and the files of a folder under /published/, from which
// the places tell.
func publishedSite(t *testing.T, folder string) (s *server, places []place) {
	t.Helper()
	s = smallSite(t)
	for _, name := range filesOf(t, folder) {
		file := filepath.Join(folder, name)
		s.misbehave("/published/"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
		places = append(places, place{"model/" + name, s.URL + "/published/" + name})
	}
	return s, places
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

// except are the places whose paths do not contain one of the words.
func except(places []place, words ...string) []place {
	return slices.DeleteFunc(slices.Clone(places), func(p place) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(p[0], w) })
	})
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

// opens loads a source, and makes a picture of a size, if it is not 0.
func (b *tab) opens(from given, size int, options map[string]any) (o opened) {
	b.t.Helper()
	b.call("files.load", &o, from, size, options)
	return o
}

func (b *tab) describes(from given) (d described) {
	b.t.Helper()
	b.call("files.describe", &d, from)
	return d
}

// drawnNatively is the picture that the command draws of published files.
func drawnNatively(t *testing.T, size string, paths ...string) (rgba []byte) {
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
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, a := img.At(x, y).RGBA()
			rgba = append(rgba, byte(r>>8), byte(g>>8), byte(b>>8), byte(a>>8))
		}
	}
	return rgba
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

// TestBrowserPublishedFiles opens published files as a person chooses them, and by their
// addresses: the picture is the one that the command draws of them.
func TestBrowserPublishedFiles(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	sd3 := networks.WriteSD3(t, folder)
	s, places := publishedSite(t, folder)
	b := openBlank(t, s)
	b.choose(folder)
	first := b.opens(chosen, 32, nil)
	if first.Fault != nil {
		t.Fatalf("%+v", first.Fault)
	}
	if n := differing(b.decoded(first.Pixels), drawnNatively(t, "32", sd3...)); n > 1 { // one level: processors have exponentials of their own
		t.Errorf("the picture differs by %d levels from the command's", n)
	}
	found := first.Info.Found
	if first.Info.Model != "sd3-medium" || found == nil || found.Variant != "Stable Diffusion 3 medium" || first.Info.Address != "" {
		t.Errorf("%+v", first.Info)
	}
	if first.Manifest.Name != first.Info.Model || first.Manifest.Format != "undertone-model" || slices.Contains(first.Stages, "download") {
		t.Errorf("%+v, stages %v", first.Manifest, first.Stages)
	}
	b.savesBundle(t, first)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*") // and nothing of what it answers with may be read
		http.ServeFile(w, r, filepath.Join(folder, strings.TrimPrefix(r.URL.Path, "/")))
	}))
	t.Cleanup(elsewhere.Close)
	var there []place
	for _, name := range filesOf(t, folder) {
		there = append(there, place{name, elsewhere.URL + "/" + name})
	}
	for name, from := range map[string]given{"dropped": {"fetched", places}, "addresses": {"remote", places}, "of another site": {"remote", there}} {
		if o := b.opens(from, 32, nil); o.Fault != nil || o.Hash != first.Hash || slices.Contains(o.Stages, "download") {
			t.Errorf("%s: %+v, %q was %q", name, o.Fault, o.Hash, first.Hash)
		}
	}
	// The GPU gets the same bytes, past the engine's memory.
	gpu := b.opens(chosen, 32, map[string]any{"device": "webgpu"})
	if gpu.Fault != nil {
		t.Errorf("%+v", gpu.Fault)
	} else if n := differing(b.decoded(gpu.Pixels), b.decoded(first.Pixels)); n > 2 {
		t.Errorf("the GPU's picture differs by %d levels", n)
	}
	var listed stored
	if b.call("store.storage", &listed); listed.Used != 0 || len(listed.Models) != 0 {
		t.Errorf("%d bytes of %d models are kept, which nobody has asked for", listed.Used, len(listed.Models))
	}
}

// savesBundle saves what was opened, and has the command draw the picture of what is saved.
func (b *tab) savesBundle(t *testing.T, first opened) {
	t.Helper()
	var saved struct {
		Files   []string
		Bytes   int64
		Stages  []string
		Content map[string]string
	}
	b.call("files.save", &saved)
	folder, all := filepath.Join(t.TempDir(), "bundle"), int64(0)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range saved.Content {
		data := b.decoded(content)
		all += int64(len(data))
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(saved.Files); n != len(saved.Content) || n < 6 || saved.Files[n-1] != "model.json" || saved.Bytes != all || !slices.Equal(saved.Stages, []string{"save"}) {
		t.Errorf("it saved %q, %d bytes of %d, stages %q", saved.Files, saved.Bytes, all, saved.Stages)
	}
	if n := differing(b.decoded(first.Pixels), drawnNatively(t, "32", folder)); n > 1 {
		t.Errorf("the picture of the saved model differs by %d levels", n)
	}
}

// TestBrowserPublishedDescribed asks what published files are, whole and in parts.
func TestBrowserPublishedDescribed(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "Small FLUX.1")
	networks.WriteFlux(t, folder)
	for _, name := range []string{"README.md", "samples/a.png", ".cache/x.safetensors"} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("no weights"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, places := publishedSite(t, folder)
	b := openBlank(t, s)
	b.choose(folder)
	d := b.describes(chosen)
	f := d.Described.Found
	if d.Fault != nil || d.Described.Model != "small-flux-1" || f.Family != "flux" || len(f.Parts) != 4 || len(f.Missing) != 0 || d.Described.Memory <= d.Described.Bytes {
		t.Errorf("%+v", d)
	}
	if len(f.Unused) != 3 || !slices.ContainsFunc(f.Unused, func(u recipe.UnusedFile) bool { return strings.HasSuffix(u.File, "a.png") }) {
		t.Errorf("not used: %+v", f.Unused)
	}
	if len(f.Tokenizers["clip_l"]) != 2 || len(f.Tokenizers["t5"]) != 1 || f.Fits == nil || !f.Fits.OK || f.Fits.Largest <= 0 || f.Fits.Binding < 128<<20 {
		t.Errorf("tokenizers %v, fits %+v", f.Tokenizers, f.Fits)
	}
	if p := f.Parts[2]; p.Role != "transformer" || p.DiskBytes <= 0 || p.DeviceBytes <= 0 || p.PeakBytes <= p.DeviceBytes || p.LargestBytes <= 0 {
		t.Errorf("%+v", p)
	}

	d = b.describes(given{"remote", except(places, "tokenizer", "vae/", "text_encoder_2")})
	f = d.Described.Found
	var missing []string
	for _, m := range f.Missing {
		if !m.Required || m.File == "" || m.Where == "" {
			t.Errorf("%+v", m)
		}
		missing = append(missing, strings.TrimSpace(m.Role+" "+m.Name))
	}
	if want := []string{"tokenizer clip_l", "text t5", "decoder"}; d.Fault != nil || d.Described.Model != "" || f.Family != "flux" || !slices.Equal(missing, want) || len(f.Parts) != 2 {
		t.Errorf("missing %v, wanted %v, of %+v", missing, want, d)
	}
	d = b.describes(given{"remote", except(places, "tokenizer")})
	if d.Fault != nil || d.Described.Model != "model" || d.Described.Memory == 0 || len(d.Described.Found.Missing) != 2 {
		t.Errorf("without tokenizers: %+v", d)
	}
	d = b.describes(given{"address", s.URL + "/published/vae/diffusion_pytorch_model.safetensors"})
	if f = d.Described.Found; d.Fault != nil || len(f.Parts) != 1 || f.Parts[0].Role != "decoder" || len(f.Missing) != 1 || f.Missing[0].Role != "transformer" {
		t.Errorf("a decoder: %+v", d)
	}
}
