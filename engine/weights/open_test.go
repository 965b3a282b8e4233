//go:build unix

package weights

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"undertone/engine/fault"
)

// TestDirThroughLinks opens files of a folder, and tries to get out of it.
func TestDirThroughLinks(t *testing.T) {
	top := t.TempDir()
	folder := filepath.Join(top, "model")
	for _, d := range []string{"model/sub", "elsewhere"} {
		if err := os.MkdirAll(filepath.Join(top, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"secret": "secret", "elsewhere/f": "secret", "model/f": "inside", "model/sub/f": "inside"} {
		put(t, filepath.Join(top, name), text, 0o600)
	}
	for name, to := range map[string]string{
		"model/in": "sub/f", "model/out": "../secret", "model/absolute": filepath.Join(top, "secret"), "model/folder": "../elsewhere", "model/none": "absent",
		"renamed": "model",
	} {
		if err := os.Symlink(to, filepath.Join(top, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		"f": "", "sub/f": "", "in": "",
		"out": "leads out of the model's folder", "absolute": "leads out of the model's folder", "folder/f": "leads out of the model's folder",
		"../secret": "leads out of the model's folder", "sub/../../secret": "leads out of the model's folder", filepath.Join(top, "secret"): "leads out of the model's folder",
		"none": "no such file", "absent": "no such file", "sub": "not a file", "pipe": "not a file",
	} {
		for _, d := range []string{folder, filepath.Join(top, "renamed")} {
			var text string
			err := soon(t, path, func() error {
				src, err := Dir(d).Open(context.Background(), path)
				if err != nil {
					return err
				}
				defer Close(src)
				b, err := io.ReadAll(io.NewSectionReader(src, 0, src.Size()))
				text = string(b)
				return err
			})
			switch {
			case says == "" && (err != nil || text != "inside"):
				t.Errorf("%s: %q, %v", path, text, err)
			case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
				t.Errorf("%s: %q, %v; wanted an error that says %q", path, text, err, says)
			}
		}
	}
	if err := soon(t, "pipe", func() error { _, err := OpenFile(filepath.Join(folder, "pipe")); return err }); !fault.Is(err, fault.Fetch) {
		t.Errorf("a pipe on its own: %v", err)
	}
}

// soon fails the test where do waits for something.
func soon(t *testing.T, what string, do func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- do() }()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: it still waits", what)
		return nil
	}
}
