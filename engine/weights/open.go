package weights

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Opener gives access to the files of a model. Paths are slash-separated and
// relative to the model's folder. A Source that is also an io.Closer may be
// closed by whoever opened it.
type Opener interface {
	Open(ctx context.Context, path string) (op.Source, error)
}

// Dir opens files of a folder on this machine, and none outside it: a model may
// come from anywhere, and what a path or a symbolic link in it leads to could end
// up in a copy that is published.
func Dir(folder string) Opener { return dir(folder) }

type dir string

func (d dir) Open(ctx context.Context, path string) (op.Source, error) {
	local := filepath.FromSlash(path)
	if !filepath.IsLocal(local) {
		return nil, fault.New(fault.ManifestInvalid, "the path %q leads out of the model's folder", path)
	}
	root, err := os.OpenRoot(string(d))
	if err != nil {
		return nil, unopened(err)
	}
	defer root.Close()
	if _, err := root.Stat(local); err != nil {
		var system syscall.Errno
		if !errors.As(err, &system) { // the system would open it
			err = &fs.PathError{Op: "open", Path: filepath.Join(string(d), local), Err: errors.New("this link leads out of the model's folder: put the file itself there")}
		}
		return nil, unopened(err)
	}
	return openRegular(filepath.Join(string(d), local), root.Stat, root.Open, local)
}

// OpenFile opens one file of this machine (Fetch, where that fails).
func OpenFile(name string) (*FileSource, error) {
	return openRegular(name, os.Stat, os.Open, name)
}

// openRegular opens a file by the name that stat and open know it by. Anything
// else than a regular file is refused before it is opened: opening a FIFO would
// wait for somebody who writes to it.
func openRegular(shown string, stat func(string) (fs.FileInfo, error), open func(string) (*os.File, error), name string) (*FileSource, error) {
	info, err := stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: shown, Err: errors.New("not a file")}
	}
	if err != nil {
		return nil, unopened(err)
	}
	f, err := open(name)
	if err != nil {
		return nil, unopened(err)
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, unopened(err)
	}
	return &FileSource{f, info.Size()}, nil
}

func unopened(err error) error {
	return fault.Wrap(err, fault.Fetch, "a file of the model cannot be opened")
}

// FileSource is an open file as an op.Source.
type FileSource struct {
	*os.File
	size int64
}

// Size is the file's length when it was opened.
func (f *FileSource) Size() int64 { return f.size }

// Memory is an Opener of files that lie in memory, by path.
type Memory map[string][]byte

// Open finds a file (HTTPStatus, where there is none).
func (m Memory) Open(ctx context.Context, path string) (op.Source, error) {
	b, ok := m[path]
	if !ok {
		return nil, fault.Wrap(fs.ErrNotExist, fault.HTTPStatus, "there is no file %q among %d", path, len(m))
	}
	return bytes.NewReader(b), nil
}
