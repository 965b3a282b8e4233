package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"undertone/engine/testing/networks"
)

// TestBrowserAdapter puts a pooled adapter beside a model that reads no pooled vector, by the
// API and as a person does: the model is offered with it, off is the plain one, and a file
// that is another model's, or for a model that has a path, is refused with both numbers.
func TestBrowserAdapter(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cut, adapter := filepath.Join(folder, "cut"), filepath.Join(folder, "adapter.safetensors")
	networks.WriteCut(t, cut, adapter)
	cosmos := networks.WriteCosmos(t, folder)
	other := filepath.Join(cosmos[len(cosmos)-networks.CosmosAdapted], filesOf(t, cosmos[len(cosmos)-networks.CosmosAdapted])[0])
	s := smallSite(t)
	for _, name := range filesOf(t, cut) { // in the place of the site's model
		s.misbehave("/models/sprites/"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(cut, name)) })
	}
	whole := smallModel(t)
	for _, name := range filesOf(t, whole) {
		s.misbehave("/whole/"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(whole, name)) })
	}
	s.misbehave("/models/sprites/description.json", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("null")) })
	for at, file := range map[string]string{"/a.safetensors": adapter, "/b.safetensors": other} {
		s.misbehave(at, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	b := open(t, s.URL, options{noGPU: true})
	b.step("by the API", func(t *testing.T) { b.adapts(t, s.URL) })
	b.step("in the page", func(t *testing.T) { b.opensAdapter(t, adapter, other) })
	b.silent(t)
}

// adapts loads a model with adapters that fit and that do not.
func (b *tab) adapts(t *testing.T, site string) {
	cut := given{"address", site + "/models/sprites/model.json"}
	draw := func(options map[string]any) opened {
		t.Helper()
		o := b.opens(cut, 16, options)
		if o.Fault != nil {
			t.Fatalf("%v: %+v", options, o.Fault)
		}
		return o
	}
	place := site + "/a.safetensors"
	plain, there := draw(nil), draw(map[string]any{"adapter": place})
	file := draw(map[string]any{"adapter": []string{"mine.safetensors", place}})
	off := draw(map[string]any{"adapter": place, "ablate": map[string]any{"pooled": "off"}})
	if there.Hash == plain.Hash || file.Hash != there.Hash || off.Hash != plain.Hash {
		t.Errorf("plain %.8s, with an adapter at an address %.8s, in a file %.8s, off %.8s", plain.Hash, there.Hash, file.Hash, off.Hash)
	}
	if f := file.Info.Found; plain.Info.Found != nil || f == nil || len(f.Parts) != 1 || f.Parts[0].Role != "adapter" || f.Parts[0].Files[0] != "mine.safetensors" {
		t.Errorf("the adapter is said to be %+v", f)
	}
	for says, c := range map[string]struct {
		source  given
		adapter any
	}{
		"adds to vectors of 96, those of the transformer have 48": {cut, site + "/b.safetensors"},
		"which reads a pooled vector by itself":                   {given{"address", site + "/whole/model.json"}, place},
		"What is kept has no adapter beside it":                   {given{"address", "stored:x"}, place},
		"The entry adapter is 3":                                  {cut, 3},
	} {
		if o := b.opens(c.source, 0, map[string]any{"adapter": c.adapter}); o.Fault == nil || !strings.Contains(o.Fault.Message, says) {
			t.Errorf("%v with %v: %+v, want %q", c.source, c.adapter, o.Fault, says)
		}
	}
	b.call("files.close", nil)
}

// opensAdapter chooses files in the dialog that opens models.
func (b *tab) opensAdapter(t *testing.T, adapter, other string) {
	b.loadModel()
	chooses := func(file string) {
		b.run(chromedp.SetUploadFiles("#opener-file-input", []string{file}, chromedp.ByQuery))
	}
	b.eval(`document.querySelector("#open-another").click()`, nil)
	chooses(other)
	b.until(`document.querySelector("#opener-fault").textContent.includes("adds to vectors of 96")`)
	b.eval(`document.querySelector("#opener .chosen button").click()`, nil)
	chooses(adapter)
	b.until(loadable)
	if text := b.text("#opener-status"); !strings.Contains(text, "Pooled adapter · ") || !strings.Contains(b.text("#opener .found"), "Pooled adapter") {
		t.Errorf("it is said to be %q", text)
	}
	b.eval(`document.querySelector("#opener-load").click()`, nil)
	b.until(`!` + dialogOpen + ` && ` + idle)
	if list := b.models("weights-after"); len(list) != 2 || !strings.Contains(list[1], "adapter.safetensors") {
		t.Errorf("the models that are offered: %q", list)
	}
}
