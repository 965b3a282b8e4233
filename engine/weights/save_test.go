package weights

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// A saved model has the bytes of every tensor, whatever their type, and hashes.
func TestSave(t *testing.T) {
	ctx := t.Context()
	for _, q := range []op.DType{op.Q4_0, op.BF16} {
		from, out := filepath.Join(t.TempDir(), "from"), t.TempDir()
		if err := convert(ctx, tinyModel(t), "model.json", from, q, nil); err != nil {
			t.Fatal(err)
		}
		source, err := LoadBundle(ctx, Dir(from), "model.json")
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		create := func(name string, write func(io.Writer) error) error {
			names = append(names, name)
			return WriteFile(filepath.Join(out, name), write)
		}
		if err := source.Save(ctx, create, nil); err != nil {
			t.Fatal(err)
		}
		if n := len(names); n != len(source.Files)+2 || names[n-1] != "model.json" {
			t.Errorf("it wrote %q", names)
		}
		saved, err := LoadBundle(ctx, Dir(out), "model.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range source.Files {
			a, _, err := source.OpenFile(ctx, f.Name)
			if err != nil {
				t.Fatal(err)
			}
			b, file, err := saved.OpenFile(ctx, f.Name)
			if err != nil {
				t.Fatal(err)
			}
			if err := file.Verify(ctx, b, nil); err != nil {
				t.Error(err)
			}
			if f.Role == tokenizerRole {
				if !sameBytes(a, b) {
					t.Errorf("%s differs", f.Name)
				}
				continue
			}
			if got, want := contents(t, b), contents(t, a); !slices.Equal(got, want) || len(want) == 0 {
				t.Errorf("%s: its tensors differ", f.Name)
			}
		}
	}
}

// contents are the tensors of a file: names, types, shapes and bytes.
func contents(t *testing.T, src op.Source) (list []string) {
	t.Helper()
	x, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	for _, ts := range x.Tensors {
		b := make([]byte, ts.Bytes)
		if err := readFull(src, b, ts.Offset); err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprint(ts.Name, ts.Type, ts.Shape, string(b)))
	}
	slices.Sort(list)
	return list
}

// What cannot be written, or is stopped, ends the saving with that.
func TestSaveStopped(t *testing.T) {
	source, err := LoadBundle(t.Context(), tinyModel(t), "model.json")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("the disk is full")
	err = source.Save(t.Context(), func(string, func(io.Writer) error) error { return full }, nil)
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	err = source.Save(ctx, func(_ string, write func(io.Writer) error) error {
		stop()
		return write(new(bytes.Buffer))
	}, nil)
	if !fault.Is(err, fault.Aborted) {
		t.Errorf("stopped: %v", err)
	}
}
