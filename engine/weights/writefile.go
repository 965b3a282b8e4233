package weights

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// WriteFile writes a file so that it appears whole or not at all: what write
// writes goes to a neighbour that takes the name when all is done. Where write
// fails or the disk is full, what had the name before stays as it was.
//
// A file that is replaced keeps its permissions, and its owner where the system
// lets it. A symbolic link stays, and what it points to is replaced. A FIFO or a
// device is written to and never replaced. Folders are refused, and files that may
// not be written.
func WriteFile(name string, write func(io.Writer) error) error {
	t, err := destinationOf(name)
	if err != nil {
		return err
	}
	if t.direct {
		f, err := os.OpenFile(t.path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		err = write(f)
		if e := f.Close(); err == nil {
			err = e
		}
		return err
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o755); err != nil {
		return err
	}
	f, err := neighbour(t.path)
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil && t.info != nil {
		keepOwner(f, t.info)
		err = f.Chmod(t.info.Mode().Perm())
	}
	if err == nil {
		err = f.Sync() // some file systems only notice here that there is no room
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), t.path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

// CheckTarget tells whether WriteFile would refuse a name, so that whoever works
// long for a file learns it before. It writes nothing.
func CheckTarget(name string) error {
	_, err := destinationOf(name)
	return err
}

// destination is what stands behind a name that is to be written.
type destination struct {
	path   string      // without symbolic links
	direct bool        // it is written to as it stands
	info   fs.FileInfo // of the file that is replaced; nil where there is none
}

func destinationOf(name string) (destination, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		path, err := dangling(name)
		return destination{path: path}, err
	case err != nil:
		return destination{}, err
	case info.IsDir():
		return destination{}, &fs.PathError{Op: "write", Path: name, Err: errors.New("this is a folder: name a file")}
	case !info.Mode().IsRegular():
		return destination{path: name, direct: true}, nil
	}
	// Names such as /dev/fd/3 stand for an open file, which may have lost its own.
	path, err := filepath.EvalSymlinks(name)
	if err == nil {
		var there fs.FileInfo
		if there, err = os.Stat(path); err == nil && !os.SameFile(info, there) {
			err = fs.ErrNotExist
		}
	}
	if err != nil {
		return destination{path: name, direct: true}, nil
	}
	// Renaming asks only the folder for permission.
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return destination{}, err
	}
	return destination{path: path, info: info}, f.Close()
}

// dangling follows a symbolic link to nothing to the name that it gives.
func dangling(name string) (string, error) {
	for range 40 {
		link, err := os.Readlink(name)
		if err != nil {
			return name, nil
		}
		if !filepath.IsAbs(link) {
			folder, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", err
			}
			link = filepath.Join(folder, link)
		}
		name = link
	}
	return "", &fs.PathError{Op: "write", Path: name, Err: errors.New("too many symbolic links")}
}

// neighbour makes a new hidden file beside path, with the permissions of any new
// file (os.CreateTemp would make it private).
func neighbour(path string) (*os.File, error) {
	for {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%08x", filepath.Base(path), rand.Uint32()))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}
