package conform_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where the folder that the committed files are a selection of lies beside the
// repository, all of it that has weights under two namings is compared.
func TestFolderBeside(t *testing.T) {
	const beside = "../../../shared/goldens"
	if _, err := os.Stat(beside); err != nil {
		t.Skip("put reference files (docs/tool.md, “What conform compares”) in ../shared/goldens, beside the repository, to run this test")
	}
	const ending = ".diffusers.safetensors"
	files, err := filepath.Glob(filepath.Join(beside, "*"+ending))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files under the names of diffusers (%v)", len(files), err)
	}
	for _, file := range files {
		prefix := strings.TrimSuffix(file, ending)
		t.Run(filepath.Base(prefix), func(t *testing.T) {
			t.Parallel()
			if r := run(t, prefix); r.Failed() > 0 {
				t.Errorf("%d of %d failed: %q", r.Failed(), len(r.Results), failed(r))
			}
		})
	}
}
