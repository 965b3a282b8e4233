//go:build unix

package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func put(t *testing.T, name, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

func says(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

// alone fails where the folder holds anything else than these names.
func alone(t *testing.T, folder string, names ...string) {
	t.Helper()
	list, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, e := range list {
		there = append(there, e.Name())
	}
	if strings.Join(there, " ") != strings.Join(names, " ") {
		t.Errorf("the folder holds %v, wanted %v", there, names)
	}
}

func holds(t *testing.T, name, want string) {
	t.Helper()
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s holds %q, wanted %q: %v", filepath.Base(name), got, want, err)
	}
}

func TestWriteFileKeepsPermissions(t *testing.T) {
	folder := t.TempDir()
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o666, 0o755} {
		name := filepath.Join(folder, "file")
		put(t, name, "old", mode)
		if err := WriteFile(name, says("new")); err != nil {
			t.Fatal(err)
		}
		holds(t, name, "new")
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("the file has the mode %v, had %v: %v", info.Mode().Perm(), mode, err)
		}
	}
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	name := filepath.Join(folder, "new", "file")
	if err := WriteFile(name, says("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("a new file has the mode %v under a umask of 027: %v", info.Mode().Perm(), err)
	}
	alone(t, folder, "file", "new")
}

func TestWriteFileKeepsTheOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only the superuser writes other people's files")
	}
	name := filepath.Join(t.TempDir(), "file")
	put(t, name, "old", 0o644)
	if err := os.Chown(name, 12345, 23456); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(name, says("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if s := info.Sys().(*syscall.Stat_t); s.Uid != 12345 || s.Gid != 23456 {
		t.Errorf("the owner is %d:%d, was 12345:23456", s.Uid, s.Gid)
	}
}

// TestWriteFileFollowsLinks writes through chains of links in several folders, to a
// file that is there and to one that is not yet.
func TestWriteFileFollowsLinks(t *testing.T) {
	folder := t.TempDir()
	other := filepath.Join(folder, "other")
	if err := os.Mkdir(other, 0o755); err != nil {
		t.Fatal(err)
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("other", "folder")
	link("../there", "other/second")
	link("folder/second", "first")
	link("folder/../absent", "new")
	put(t, filepath.Join(folder, "there"), "old", 0o640)
	for name, at := range map[string]string{"first": "there", "new": "absent"} {
		if err := WriteFile(filepath.Join(folder, name), says(name)); err != nil {
			t.Fatal(err)
		}
		holds(t, filepath.Join(folder, at), name)
		if info, err := os.Lstat(filepath.Join(folder, name)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("the link %s was replaced: %v", name, err)
		}
		if info, err := os.Lstat(filepath.Join(folder, at)); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is no file: %v", at, err)
		}
	}
	alone(t, other, "second")
	link("circle", "circle")
	if err := WriteFile(filepath.Join(folder, "circle"), says("x")); err == nil {
		t.Error("a link to itself was written")
	}
}

// TestWriteFileWritesToPipesAndDevices holds that what is no file is never replaced.
func TestWriteFileWritesToPipesAndDevices(t *testing.T) {
	folder := t.TempDir()
	fifo := filepath.Join(folder, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(fifo, os.O_RDWR, 0) // as a writer too, so that opening waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := os.Symlink(fifo, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(folder, "link"), says("through the pipe")); err != nil {
		t.Fatal(err)
	}
	if err := reader.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 99)
	if n, err := reader.Read(got); string(got[:n]) != "through the pipe" {
		t.Errorf("the reader got %q: %v", got[:n], err)
	}
	if info, err := os.Lstat(fifo); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		t.Errorf("the pipe was replaced: %v", err)
	}
	alone(t, folder, "fifo", "link")

	// A link, so that a mistake replaces the link and not the machine's device.
	for device, want := range map[string]error{"/dev/null": nil, "/dev/full": syscall.ENOSPC} {
		name := filepath.Join(folder, "link "+filepath.Base(device))
		if err := os.Symlink(device, name); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(name, says("x")); !errors.Is(err, want) {
			t.Errorf("%s: %v, wanted %v", device, err, want)
		}
		if to, err := os.Readlink(name); err != nil || to != device {
			t.Errorf("the link to %s was replaced: %v", device, err)
		}
	}
}

// TestWriteFileOpenFiles writes to files by the number under which they are open.
func TestWriteFileOpenFiles(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("open files have no names here")
	}
	folder := t.TempDir()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := WriteFile(fd(w), says("pipe")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if b, err := io.ReadAll(r); err != nil || string(b) != "pipe" {
		t.Errorf("the pipe got %q: %v", b, err)
	}
	f, err := os.Create(filepath.Join(folder, "gone"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(fd(f), says("gone")); err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(io.NewSectionReader(f, 0, 99)); err != nil || string(b) != "gone" {
		t.Errorf("the file without a name got %q: %v", b, err)
	}
	alone(t, folder)
}

func fd(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

func TestWriteFileFailures(t *testing.T) {
	folder := t.TempDir()
	name := filepath.Join(folder, "file")
	put(t, name, "old", 0o600)
	full := func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the n"); err != nil {
			return err
		}
		return syscall.ENOSPC
	}
	if err := WriteFile(name, full); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	holds(t, name, "old")
	if err := WriteFile(folder, says("x")); err == nil || !strings.Contains(err.Error(), "this is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if err := CheckTarget(folder); err == nil {
		t.Error("a folder passes the check")
	}
	if err := WriteFile(filepath.Join(name, "below"), says("x")); err == nil {
		t.Error("a file took a file below it")
	}
	alone(t, folder, "file")
	if os.Geteuid() != 0 { // who may write everything
		put(t, name, "old", 0o400)
		if err := WriteFile(name, says("x")); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a file that may only be read: %v", err)
		}
		holds(t, name, "old")
	}
}
