package site

import (
	"archive/zip"
	"compress/flate"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// beside are the repository's files that go with a released site, by their
// names in the zip.
var beside = map[string]string{
	"README.md":    "docs/hosting.md",
	"LICENSE":      "LICENSE",
	"NOTICE":       "NOTICE",
	"CHANGELOG.md": "CHANGELOG.md",
	"kill.js":      "web/kill.js",
}

// released is the time of every file in a zip, so that the same sources give the
// same bytes.
var released = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// Zip writes a built site as a zip with one folder, name: in it the site, without
// what others have put beside its files, and what somebody needs to know who hosts
// it. root is the repository.
func Zip(ctx context.Context, w io.Writer, name, root, dir string) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, doc := range []string{"CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "kill.js"} {
		if err := pack(ctx, z, path.Join(name, doc), filepath.Join(root, beside[doc])); err != nil {
			return err
		}
	}
	files, err := readMark(ctx, dir)
	if err != nil {
		return fmt.Errorf("%s is no site that undertone dist built: %w", dir, err)
	}
	for _, file := range append(slices.Sorted(maps.Keys(files)), markName) {
		from := filepath.Join(dir, filepath.FromSlash(file))
		if err := pack(ctx, z, path.Join(name, "site", file), from, files[file]...); err != nil {
			return err
		}
	}
	return z.Close()
}

// pack adds a file, which must have one of the hashes, if any are given.
func pack(ctx context.Context, z *zip.Writer, name, from string, sums ...string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
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
	sum := sha256.New()
	if err := copyTo(ctx, io.MultiWriter(f, sum), in); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); len(sums) > 0 && !slices.Contains(sums, got) {
		return fmt.Errorf("%s was changed since the site was built", from)
	}
	return nil
}
