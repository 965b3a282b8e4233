package site

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"embed"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// npmFiles are what an npm package has beside the site's files.
//
//go:embed npm
var npmFiles embed.FS

// npmVersion is the line of npm/package.json that Npm fills in.
const npmVersion = `"version": "0.0.0"`

// built matches a quoted relative address in a script, page or style of a built site.
var built = regexp.MustCompile(`["'(](\.\.?/[A-Za-z0-9_\-./]+)["')]`)

// api is where the JavaScript API begins.
const api = "undertone.js"

// Npm writes what an app needs of a built site, the API, the element and the models, as
// an npm package (a .tgz): these files in the folder site, which the app serves as they
// are, and an entry that imports the API from there. root is the repository. The
// same site gives the same bytes.
func Npm(ctx context.Context, w io.Writer, version, root, dir string) error {
	files, err := apiFiles(ctx, dir)
	if err != nil {
		return err
	}
	for to, from := range map[string]string{"README.md": "docs/bundlers.md", "LICENSE": "LICENSE", "NOTICE": "NOTICE"} {
		if files[to], err = os.ReadFile(filepath.Join(root, from)); err != nil {
			return err
		}
	}
	entries, err := npmFiles.ReadDir("npm")
	if err != nil {
		return err
	}
	for _, e := range entries {
		data, err := npmFiles.ReadFile("npm/" + e.Name())
		if err != nil {
			return err
		}
		if e.Name() == "package.json" {
			data = []byte(strings.Replace(string(data), npmVersion, fmt.Sprintf(`"version": %q`, version), 1))
		}
		files[e.Name()] = data
	}
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: "package/" + name, Mode: 0o644, Size: int64(len(files[name])), ModTime: released, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(files[name]); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

// apiFiles reads the API and the element of a built site, all that they refer to, and the models, by
// their names in the package. The service worker is left out: it is the page's.
func apiFiles(ctx context.Context, dir string) (map[string][]byte, error) {
	own, err := readMark(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("%s is no site that undertone dist built: %w", dir, err)
	}
	files := map[string][]byte{}
	var add func(address string) error
	add = func(address string) error {
		name := "site/" + address
		if _, there := files[name]; there || address == worker {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(address)))
		if err != nil {
			return err
		}
		files[name] = data
		if ext := path.Ext(address); ext != ".js" && ext != ".html" && ext != ".css" {
			return nil
		}
		for _, m := range built.FindAllSubmatch(data, -1) {
			target := path.Join(path.Dir(address), string(m[1]))
			if _, err := os.Stat(filepath.Join(dir, filepath.FromSlash(target))); err != nil {
				continue // an example in a comment
			}
			if err := add(target); err != nil {
				return err
			}
		}
		return nil
	}
	for _, first := range []string{api, "undertone.d.ts", element, "element.d.ts", "value.js", "value.d.ts", embedded} {
		if err := add(first); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(own)) {
		if !strings.HasPrefix(name, "models/") {
			continue
		}
		if err := add(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}
