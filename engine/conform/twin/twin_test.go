package twin_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/conform/twin"
	"undertone/engine/op"
	"undertone/engine/weights"
)

func write(t *testing.T, folder, name string, data []byte) string {
	t.Helper()
	at := filepath.Join(folder, name)
	if err := os.WriteFile(at, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

// names writes a file of three tensors, and one of other names for them.
func names(t *testing.T, tensors string) string {
	t.Helper()
	folder := t.TempDir()
	var file bytes.Buffer
	err := weights.WriteSafetensors(&file, nil,
		weights.Float32s("a", op.F32, []int{4, 2}, []float32{0, 1, 2, 3, 4, 5, 6, 7}),
		weights.Float32s("b", op.F32, []int{2}, []float32{8, 9}),
		weights.Float32s("c", op.F32, []int{1, 3}, []float32{10, 11, 12}))
	if err != nil {
		t.Fatal(err)
	}
	write(t, folder, "x.safetensors", file.Bytes())
	return write(t, folder, "x"+twin.Ending, []byte(`{"of":"x.safetensors","tensors":{`+tensors+`}}`))
}

func TestRows(t *testing.T) {
	data, err := twin.Read(names(t, `"whole":"b","some":"a[1:3]","swapped":"a[2:4]+a[0:2]","twice":"a+a[3:4]"`))
	if err != nil {
		t.Fatal(err)
	}
	src := bytes.NewReader(data)
	index, err := weights.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float32{"whole": {8, 9}, "some": {2, 3, 4, 5}, "swapped": {4, 5, 6, 7, 0, 1, 2, 3}, "twice": {0, 1, 2, 3, 4, 5, 6, 7, 6, 7}}
	if len(index.Tensors) != len(want) {
		t.Errorf("%d tensors", len(index.Tensors))
	}
	for name, numbers := range want {
		x, ok := index.Lookup(name)
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		got, err := weights.ReadFloat32(src, x)
		if err != nil || len(got) != len(numbers) || name != "whole" && (len(x.Shape) != 2 || x.Shape[0] != len(numbers)/2) {
			t.Fatalf("%s: %v, shape %v, %v", name, got, x.Shape, err)
		}
		for i := range got {
			if got[i] != numbers[i] {
				t.Errorf("%s: %v, want %v", name, got, numbers)
				break
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for tensors, says := range map[string]string{
		`"n":"d"`:          `"n": there is no tensor "d"`,
		`"n":"a[1:5]"`:     `"a" has 4 rows`,
		`"n":"a[2:2]"`:     `"a" has 4 rows`,
		`"n":"a+c"`:        `"c" is of another type or width`,
		`"n":"a","m":3`:    "cannot unmarshal number",
		`"n":"a[1:2]+[2]"`: `there is no tensor "[2]"`,
	} {
		if _, err := twin.Read(names(t, tensors)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", tensors, err, says)
		}
	}
	at := write(t, t.TempDir(), "x"+twin.Ending, []byte(`{"of":"../x.safetensors"}`))
	if _, err := twin.Read(at); err == nil || !strings.Contains(err.Error(), "is not the name of a file beside it") {
		t.Error(err)
	}
	if _, err := twin.Of(filepath.Join(t.TempDir(), "none")); !os.IsNotExist(err) {
		t.Error(err)
	}
}
