package weights

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Opener gives access to the files of a model. Paths are slash-separated and
// relative to the model's folder. A Source that is also an io.Closer may be
// closed by whoever opened it.
type Opener interface {
	Open(ctx context.Context, path string) (op.Source, error)
}

// Dir opens files of a folder on this machine.
func Dir(folder string) Opener { return dir(folder) }

type dir string

func (d dir) Open(ctx context.Context, path string) (op.Source, error) {
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		return nil, fault.New(fault.ManifestInvalid, "the path %q leads out of the model's folder", path)
	}
	return OpenFile(filepath.Join(string(d), filepath.FromSlash(path)))
}

// OpenFile opens one file of this machine (Fetch, where that fails).
func OpenFile(name string) (*FileSource, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fault.Wrap(err, fault.Fetch, "a file of the model cannot be opened")
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("not a file")}
	}
	if err != nil {
		f.Close()
		return nil, fault.Wrap(err, fault.Fetch, "a file of the model cannot be opened")
	}
	return &FileSource{f, info.Size()}, nil
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
