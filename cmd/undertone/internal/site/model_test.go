package site

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/testing/networks"
	"undertone/engine/weights"
)

// change makes a good model in a folder into a bad one. Beside the folder's parent
// lies a file "secret", which must not get into a site.
type change func(t *testing.T, folder string)

// swap replaces the first old in model.json.
func swap(old, new string) change {
	return func(t *testing.T, folder string) {
		t.Helper()
		name := filepath.Join(folder, "model.json")
		text := read(t, name)
		if !strings.Contains(text, old) {
			t.Fatalf("model.json does not hold %s", old)
		}
		put(t, name, strings.Replace(text, old, new, 1))
	}
}

// flipBit changes the last bit of a file.
func flipBit(name string) change {
	return func(t *testing.T, folder string) {
		t.Helper()
		name := filepath.Join(folder, name)
		text := []byte(read(t, name))
		text[len(text)-1] ^= 1
		put(t, name, string(text))
	}
}

// link replaces a file by a link to the secret, which then holds what the file held,
// so that its hash is right. The link is relative or from the root.
func link(name string, relative bool) change {
	return func(t *testing.T, folder string) {
		t.Helper()
		name, to := filepath.Join(folder, name), filepath.Join(folder, "../../secret")
		if data, err := os.ReadFile(name); err == nil {
			put(t, to, string(data))
		}
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if relative {
			to = "../../secret"
		}
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
}

var badModels = map[string]struct {
	change change
	code   fault.Code
	says   string
}{
	"a path to the parent":   {swap(`"path":"vae.safetensors"`, `"path":"../../../../../../etc/passwd"`), fault.ManifestInvalid, "must be relative"},
	"a path from the root":   {swap(`"path":"vae.safetensors"`, `"path":"/etc/passwd"`), fault.ManifestInvalid, "must be relative"},
	"a path of another kind": {swap(`"path":"vae.safetensors"`, `"path":"..\\..\\secret"`), fault.ManifestInvalid, "relative"},
	"a hidden path":          {swap(`"path":"vae.safetensors"`, `"path":".ssh/id"`), fault.ManifestInvalid, "hidden"},
	"one path twice":         {swap(`"path":"vae.safetensors"`, `"path":"text.safetensors"`), fault.ManifestInvalid, "two files have the path"},
	"no path":                {swap(`"path":"vae.safetensors"`, `"path":""`), fault.ManifestInvalid, "a path has 0 bytes"},
	"a key twice":            {swap(`{`, `{"format":"undertone-model",`), fault.ManifestInvalid, "is there twice"},
	"an unknown key":         {swap(`{`, `{"more":1,`), fault.ManifestInvalid, "more"},
	"another version":        {swap(`"version":2`, `"version":3`), fault.ModelUnsupported, "version 3, supported: 1 to 2"},
	"no files":               {swap(`"files":[`, `"files":[],"sizes":[`), fault.ManifestInvalid, "twice"},
	"another size":           {swap(`"name":"dit","path":"dit.safetensors","bytes":1`, `"name":"dit","path":"dit.safetensors","bytes":2`), fault.WeightsTruncated, "model.json says 2"},
	"an absent file":         {swap(`"path":"vae.safetensors"`, `"path":"absent.safetensors"`), fault.Fetch, "no such file"},
	"a changed file":         {flipBit("vae.safetensors"), fault.WeightsHash, "piece 1 of 1 of vae.safetensors"},
	"weights behind a link":  {link("vae.safetensors", false), fault.Fetch, "leads out of the model's folder"},
	"a card behind a link":   {link("README.md", true), fault.Fetch, "leads out of the model's folder"},
}

// TestModelsAreChecked builds sites with models that somebody else could have made.
func TestModelsAreChecked(t *testing.T) {
	good := source(t)
	for what, c := range badModels {
		t.Run(what, func(t *testing.T) {
			top := t.TempDir()
			put(t, filepath.Join(top, "secret"), "secret")
			o := good
			o.Models = []string{filepath.Join(top, "models", "hostile")}
			o.Out = filepath.Join(top, "deep", "er", "site")
			networks.WriteSmall(t, o.Models[0], 0)
			c.change(t, o.Models[0])
			before := tree(t, top)
			err := Build(t.Context(), o)
			if fault.Of(err) == nil || fault.Of(err).Code != c.code || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, wanted %s that says %q", err, c.code, c.says)
			}
			if after := tree(t, top); !reflect.DeepEqual(before, after) {
				t.Error("something was written")
			}
		})
	}
}

// TestModelWithLinksInside builds a site with a model of which one file is a link to
// another file of its folder: that is as good as a file.
func TestModelWithLinksInside(t *testing.T) {
	o := source(t)
	good := o.Models[0]
	if err := os.Rename(filepath.Join(good, "vae.safetensors"), filepath.Join(good, "other")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("other", filepath.Join(good, "vae.safetensors")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(good, "README.md"), "# Card\n")
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	published, err := weights.LoadBundle(t.Context(), weights.Dir(filepath.Join(o.Out, "models/tiny")), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	original, err := weights.LoadBundle(t.Context(), weights.Dir(good), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range published.Files {
		src, _, err := published.OpenFile(t.Context(), f.Name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Verify(t.Context(), src, nil); err != nil {
			t.Error(err)
		}
		weights.Close(src)
		published.Files[i].Path = original.Files[i].Path
	}
	if got, want := asJSON(t, published.Manifest), asJSON(t, original.Manifest); got != want {
		t.Errorf("the manifest became\n%s\nwanted\n%s", got, want)
	}
	if read(t, filepath.Join(o.Out, "models/tiny/README.md")) != "# Card\n" {
		t.Error("the card is another")
	}
}

func asJSON(t *testing.T, m weights.Manifest) string {
	t.Helper()
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestModelNames builds with folders whose names cannot stand in addresses.
func TestModelNames(t *testing.T) {
	o := source(t)
	good := o.Models[0]
	for _, name := range []string{"a b", ".hidden", `"quoted"`, "ümlaut"} {
		o.Models = []string{filepath.Join(o.Root, "model", name)}
		refused(t, o, o.Root, "rename it")
	}
	o.Models = []string{good, filepath.Join(o.Root, "elsewhere", "tiny")}
	refused(t, o, o.Root, `have the same name "tiny"`)
	// A folder by another name for it.
	t.Chdir(good)
	o.Models = []string{"."}
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(t, filepath.Join(o.Out, "index.html")), `data-models="models/tiny/model.json"`) {
		t.Error("the page does not offer the model")
	}
}
