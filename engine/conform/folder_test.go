package conform_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"undertone/engine/conform/twin"
	"undertone/engine/weights"
)

// Where the folder that the committed files are a selection of lies beside the
// repository, all of it that has weights under two namings is compared.
func TestFolderBeside(t *testing.T) {
	const beside = "../../../shared/goldens"
	if _, err := os.Stat(beside); err != nil {
		t.Skip("put reference files (docs/tool.md, “What conform compares”) in ../shared/goldens, beside the repository, to run this test")
	}
	files, err := filepath.Glob(filepath.Join(beside, "*"+twin.Whole))
	if err != nil || len(files) < 8 {
		t.Fatalf("%d files under the names of diffusers (%v)", len(files), err)
	}
	for _, file := range files {
		prefix := strings.TrimSuffix(file, twin.Whole)
		t.Run(filepath.Base(prefix), func(t *testing.T) {
			t.Parallel()
			if told, err := twin.Of(filepath.Join(folder, filepath.Base(prefix))); err == nil { // the names that are kept here
				sameTensors(t, told, file)
			}
			if r := run(t, prefix); r.Failed() > 0 {
				t.Errorf("%d of %d failed: %q", r.Failed(), len(r.Results), failed(r))
			}
		})
	}
}

// sameTensors compares two weight files, tensor by tensor.
func sameTensors(t *testing.T, told []byte, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all [2]map[string]string
	for i, data := range [][]byte{told, data} {
		index, err := weights.Parse(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		all[i] = map[string]string{}
		for _, x := range index.Tensors {
			all[i][x.Name] = fmt.Sprint(x.DType, x.Shape, data[x.Offset:x.Offset+x.Bytes])
		}
	}
	if len(all[0]) < 50 || !maps.Equal(all[0], all[1]) {
		t.Errorf("the names that are kept tell %d tensors, %s has %d, or they are others", len(all[0]), file, len(all[1]))
	}
}
