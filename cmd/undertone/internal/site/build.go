// Package site builds the static site and serves it.
//
// At the root of a site lie files with stable names: what people link to, embed
// or import. Everything else lies in assets/ and beside the model under names
// that contain their content's hash, so that a host may cache them for ever and
// versions are never mixed.
package site

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/andybalholm/brotli"
)

// Options say what a site is built from.
type Options struct {
	Root   string            // the repository: index.html and web/
	Extra  map[string]string // further assets by name: undertone.wasm, wasm_exec.js
	Models []string          // folders with model.json and converted weights, named by their last element
	Out    string            // the folder to write; replaced as a whole
	Twins  bool              // also write .br and .gz twins of what compresses
	Kill   bool              // sw.js is the kill switch (web/kill.js)
	Name   string            // the version that the page shows
}

// stable are the files of web/ that keep their name at the root of the site.
var stable = map[string]bool{
	"undertone.js": true, "undertone.d.ts": true, "element.js": true, "embed.html": true,
	"sw.js": true, "manifest.webmanifest": true,
}

// twin names the content-hashed copies of stable files that the site's own pages
// use, so that a page's files are of one version even while a new one is put up.
var twin = map[string]string{"undertone.js": "inner/undertone.js"}

// Build writes a site.
func Build(o Options) error {
	b := &builder{sources: map[string][]byte{}, placed: map[string]string{}, files: map[string][]byte{}}
	if err := b.gather(o); err != nil {
		return err
	}
	for name := range b.sources {
		if _, err := b.place(name, nil); err != nil {
			return err
		}
	}
	if !o.Kill {
		if err := b.list(o.Models); err != nil {
			return err
		}
	}
	for name, text := range hostFiles {
		b.files[name] = []byte(text)
	}
	tmp := o.Out + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	for name, data := range b.files {
		if err := write(filepath.Join(tmp, name), data, o.Twins); err != nil {
			return err
		}
	}
	for _, m := range o.Models {
		if err := model(m, filepath.Join(tmp, "models", filepath.Base(m))); err != nil {
			return err
		}
	}
	if err := sums(tmp); err != nil {
		return err
	}
	if err := os.RemoveAll(o.Out); err != nil {
		return err
	}
	return os.Rename(tmp, o.Out)
}

type builder struct {
	sources map[string][]byte // by the name other files use for it: "worker.js"
	placed  map[string]string // source name → address from the root
	files   map[string][]byte // finished files by address
}

func (b *builder) gather(o Options) error {
	index, err := os.ReadFile(filepath.Join(o.Root, "index.html"))
	if err != nil {
		return err
	}
	b.sources["index.html"] = offer(index, o.Models)
	web := filepath.Join(o.Root, "web")
	err = filepath.WalkDir(web, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(web, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if _, served := types[path.Ext(name)]; !served && !strings.HasSuffix(name, ".d.ts") || strings.HasPrefix(name, "testdata/") || path.Ext(name) == ".md" {
			return nil
		}
		b.sources[name], err = os.ReadFile(p)
		return err
	})
	if err != nil {
		return err
	}
	for name, p := range o.Extra {
		if b.sources[name], err = os.ReadFile(p); err != nil {
			return err
		}
	}
	for name, inner := range twin {
		if data, ok := b.sources[name]; ok {
			b.sources[inner] = data
		}
	}
	if o.Kill {
		b.sources[worker] = b.sources[killer]
	}
	delete(b.sources, killer)
	b.name(o.Name)
	return nil
}

// offers matches the list of models that the page offers.
var offers = regexp.MustCompile(`data-models="[^"]*"`)

// offer writes the addresses of the site's models into the page, the first of
// which is the one it proposes.
func offer(index []byte, folders []string) []byte {
	list := make([]string, len(folders))
	for i, f := range folders {
		list[i] = "models/" + filepath.Base(f) + "/model.json"
	}
	return offers.ReplaceAllLiteral(index, []byte(`data-models="`+html.EscapeString(strings.Join(list, " "))+`"`))
}

// reference matches a quoted relative address of a file in JavaScript, HTML, CSS or a manifest.
var reference = regexp.MustCompile(`(["'(])\./(?:assets/|web/)?([A-Za-z0-9_\-./]+)(["')])`)

// place gives a source its final address after every file it refers to has one,
// since a content hash covers the addresses inside. References are written
// "./NAME" in the sources, whatever folder they end up in.
func (b *builder) place(name string, above []string) (string, error) {
	if addr, ok := b.placed[name]; ok {
		return addr, nil
	}
	for _, a := range above {
		if a == name {
			return "", fmt.Errorf("site: files refer to each other in a circle: %s", strings.Join(append(above, name), " → "))
		}
	}
	root := name == "index.html" || stable[name]
	data := b.sources[name]
	switch path.Ext(name) {
	case ".js", ".html", ".css", ".webmanifest":
		if name == "wasm_exec.js" {
			break
		}
		var failed error
		data = reference.ReplaceAllFunc(data, func(m []byte) []byte {
			parts := reference.FindSubmatch(m)
			target := string(parts[2])
			if _, ok := b.sources[target]; !ok {
				return m
			}
			if inner, ok := twin[target]; ok {
				target = inner
			}
			addr, err := b.place(target, append(above, name))
			if err != nil {
				failed = err
				return m
			}
			from := "."
			if !root {
				from = "assets"
			}
			rel, err := filepath.Rel(from, addr)
			if err != nil {
				failed = err
				return m
			}
			rel = filepath.ToSlash(rel)
			if !strings.HasPrefix(rel, "../") {
				rel = "./" + rel
			}
			return []byte(string(parts[1]) + rel + string(parts[3]))
		})
		if failed != nil {
			return "", failed
		}
	}
	addr := name
	if !root {
		ext := path.Ext(name)
		stem := strings.TrimSuffix(path.Base(name), ext)
		addr = fmt.Sprintf("assets/%s.%s%s", stem, shortHash(data), ext)
	}
	b.placed[name], b.files[addr] = addr, data
	return addr, nil
}

// model copies a converted model, its files under content-hashed names.
func model(from, to string) error {
	raw, err := os.ReadFile(filepath.Join(from, "model.json"))
	if err != nil {
		return err
	}
	var manifest map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&manifest); err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	files, _ := manifest["files"].([]any)
	for _, f := range files {
		entry, ok := f.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: model.json: an entry of files is not an object", from)
		}
		name, _ := entry["path"].(string)
		data, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		ext := path.Ext(name)
		address := strings.TrimSuffix(name, ext) + "." + shortHash(data) + ext
		entry["path"] = address
		if err := write(filepath.Join(to, filepath.FromSlash(address)), data, false); err != nil {
			return err
		}
	}
	out, err := json.MarshalIndent(manifest, "", " ")
	if err != nil {
		return err
	}
	if card, err := os.ReadFile(filepath.Join(from, "README.md")); err == nil {
		if err := write(filepath.Join(to, "README.md"), card, false); err != nil {
			return err
		}
	}
	return write(filepath.Join(to, "model.json"), append(out, '\n'), false)
}

func shortHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// write stores a file and, when asked, its twins where they save at least a tenth.
func write(name string, data []byte, twins bool) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		return err
	}
	if !twins || len(data) < 1024 {
		return nil
	}
	var br, gz bytes.Buffer
	b := brotli.NewWriterLevel(&br, brotli.BestCompression)
	if _, err := b.Write(data); err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	g, err := gzip.NewWriterLevel(&gz, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := g.Write(data); err != nil {
		return err
	}
	if err := g.Close(); err != nil {
		return err
	}
	if br.Len() > len(data)*9/10 {
		return nil
	}
	if err := os.WriteFile(name+".br", br.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(name+".gz", gz.Bytes(), 0o644)
}

// sums writes SHA256SUMS, which sha256sum -c reads.
func sums(dir string) error {
	var lines []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(data), filepath.ToSlash(rel)))
		return nil
	})
	if err != nil {
		return err
	}
	sort.Strings(lines)
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(strings.Join(lines, "")), 0o644)
}
