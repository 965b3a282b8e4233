package conform

import (
	"os"
	"path/filepath"
	"testing"
)

// The reference files that are kept here stay few, and none of the kinds that are compared is
// left out of them.
func TestKeptReferences(t *testing.T) {
	const folder, most = "../testdata/published", 8_000_000
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
	}
	if sum > most {
		t.Errorf("%s has %d bytes, at most %d are kept", folder, sum, most)
	}
	kinds := []string{"schedulers", "tokenizer_clip", "tokenizer_t5", "e2e_flux", "e2e_sd3", "e2e_hidream", "cosmos_published_sampler",
		distilledFamily, "flux_kontext", "sd35", "clip_l", "clip_g"}
	for _, f := range families {
		kinds = append(kinds, f.prefix)
	}
	for _, kind := range kinds {
		files, err := filepath.Glob(filepath.Join(folder, kind+"*.json"))
		if err != nil || len(files) == 0 {
			t.Errorf("no reference file of %s is in %s (%v)", kind, folder, err)
		}
	}
}
