package engine_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/recipe"
	"undertone/engine/testing/networks"
)

// smallFlux are the files of a small FLUX.1, and files that it does not read.
func smallFlux(t *testing.T, without ...string) (files []checkpoint.File) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "Small FLUX.1")
	networks.WriteFlux(t, folder)
	all, done, err := checkpoint.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	for _, f := range all {
		if !slices.ContainsFunc(without, func(w string) bool { return strings.Contains(f.Name, w) }) {
			files = append(files, f)
		}
	}
	return files
}

func identified(t *testing.T, files []checkpoint.File) *checkpoint.Found {
	t.Helper()
	found, err := checkpoint.Identify(files)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Published files are told part by part, with what each takes where that is known.
func TestDescribePublished(t *testing.T) {
	found := identified(t, smallFlux(t))
	p, d, err := engine.DescribePublished(found, nil)
	if err != nil || d == nil {
		t.Fatal(d, err)
	}
	var roles []string
	for _, x := range p.Parts {
		roles = append(roles, x.Role)
		if x.DiskBytes <= 0 || x.DeviceBytes <= 0 || x.PeakBytes <= 0 || x.LargestBytes <= 0 || len(x.Files) != 1 || x.Type != "BF16" {
			t.Errorf("%+v", x)
		}
	}
	if strings.Join(roles, " ") != "text text transformer decoder" || p.Fits != nil || p.Family != "flux" || !strings.HasPrefix(p.Variant, "FLUX.1") || len(p.Missing) != 0 {
		t.Errorf("%v, %+v", roles, p)
	}
	if d.Model != "small-flux-1" || d.Files["tokenizer"] <= 0 || d.Memory <= d.Bytes || d.FLOPs <= 0 || p.LeastBytes <= 0 || p.LeastBytes >= d.Memory {
		t.Errorf("%+v", d)
	}
	for name, want := range map[string]struct {
		without   []string
		missing   string
		described bool
	}{
		"words":      {[]string{"/tokenizer"}, "tokenizer clip_l, tokenizer t5", true},
		"an encoder": {[]string{"text_encoder_2/"}, "text t5", false},
		"the rest":   {[]string{"transformer/", "text_encoder", "/tokenizer"}, "transformer", false},
	} {
		p, d, err := engine.DescribePublished(identified(t, smallFlux(t, want.without...)), nil)
		var missing []string
		for _, m := range p.Missing {
			missing = append(missing, strings.TrimSpace(m.Role+" "+m.Name))
			if !m.Required || m.What == "" || m.File == "" || m.Where == "" {
				t.Errorf("%s: %+v", name, m)
			}
		}
		if err != nil || strings.Join(missing, ", ") != want.missing || (d != nil) != want.described {
			t.Errorf("without %s: missing %v, described %v, %v", name, missing, d != nil, err)
		}
	}
}

// What a device's limits have room for: the first picture, a smaller one, or none.
func TestPublishedFits(t *testing.T) {
	found := identified(t, smallFlux(t))
	on := func(buffer, binding int64) *recipe.Fits {
		t.Helper()
		p, _, err := engine.DescribePublished(found, map[string]int64{"maxBufferSize": buffer, "maxStorageBufferBindingSize": binding})
		if err != nil || p.Fits == nil || p.Fits.Buffer != buffer || p.Fits.Binding != binding {
			t.Fatalf("%+v, %v", p.Fits, err)
		}
		return p.Fits
	}
	roomy := on(1<<32, 1<<32)
	if !roomy.OK || roomy.Size != nil || roomy.Why != "" || roomy.Largest <= 0 {
		t.Errorf("%+v", roomy)
	}
	if exact := on(1<<32, roomy.Largest); !exact.OK {
		t.Errorf("the very size that is needed: %+v", exact)
	}
	const tight = 4 << 20
	f := on(tight, 1<<32)
	if f.OK || f.Size == nil || f.Size.Width >= 1024 || f.Largest <= tight || !strings.Contains(f.Why, "1024") {
		t.Errorf("%+v", f)
	}
	if f := on(1000, 1000); f.OK || f.Size != nil {
		t.Errorf("a device of 1000 bytes: %+v", f)
	}
}

// The files that are used are enough to find the same.
func TestPublishedUses(t *testing.T) {
	files := smallFlux(t)
	found := identified(t, files)
	var kept []checkpoint.File
	for _, f := range files {
		if found.Uses(f.Name) {
			kept = append(kept, f)
		}
	}
	again := identified(t, kept)
	if len(kept) != len(files) || !reflect.DeepEqual(again.Settings, found.Settings) || len(again.Parts) != 4 || !reflect.DeepEqual(again.Tokenizers, found.Tokenizers) {
		t.Errorf("%d of %d files, %+v", len(kept), len(files), again)
	}
	for i, p := range again.Parts {
		if string(p.Config) != string(found.Parts[i].Config) {
			t.Errorf("%s: %s, it was %s", p.Title, p.Config, found.Parts[i].Config)
		}
	}
	if found.Uses("Small FLUX.1/other.safetensors") || found.Uses("tokenizer/vocab.json") {
		t.Error("files that were not given are used")
	}
}
