package site

import (
	"archive/zip"
	"compress/flate"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// beside are the repository's documents that go with a released site, by their
// names in the zip.
var beside = map[string]string{
	"README.md":    "docs/hosting.md",
	"LICENSE":      "LICENSE",
	"NOTICE":       "NOTICE",
	"CHANGELOG.md": "CHANGELOG.md",
}

// released is the time of every file in a zip, so that the same sources give the
// same bytes.
var released = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip writes a built site as a zip with one folder, name: in it the site, and what
// somebody needs to know who hosts it. root is the repository.
func Zip(w io.Writer, name, root, dir string) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, doc := range []string{"CHANGELOG.md", "LICENSE", "NOTICE", "README.md"} {
		if err := pack(z, path.Join(name, doc), filepath.Join(root, beside[doc])); err != nil {
			return err
		}
	}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		return pack(z, path.Join(name, "site", filepath.ToSlash(rel)), p)
	})
	if err != nil {
		return err
	}
	return z.Close()
}

func pack(z *zip.Writer, name, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	method := zip.Deflate
	switch path.Ext(name) {
	case ".br", ".gz", ".png": // cannot be made smaller
		method = zip.Store
	}
	header := &zip.FileHeader{Name: name, Method: method, Modified: released}
	header.SetMode(0o644)
	f, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return err
}
