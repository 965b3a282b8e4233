package site

import (
	"context"
	"crypto/sha256"
	"fmt"
	"html"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"undertone/cmd/undertone/internal/input"
	"undertone/engine/weights"
)

// Options say what a site is built from.
type Options struct {
	Root   string            // the repository: index.html and web/
	Extra  map[string]string // further assets by name: engine.wasm, page.wasm, wasm_exec.js
	Models []string          // folders with model.json and converted weights, named by their last element
	Out    string            // the folder to write: new, empty, or a site that Build wrote (see publish)
	Twins  bool              // also write .br and .gz twins of what compresses
	Kill   bool              // sw.js is the kill switch (web/kill.js)
	Name   string            // the version that the page shows
	Addresses
}

// stable are the files of web/ that keep their name at the root of the site.
var stable = map[string]bool{
	"undertone.js": true, "undertone.d.ts": true, "element.js": true, "element.d.ts": true, "value.js": true, "value.d.ts": true, "embed.html": true, labPage: true, benchPage: true,
	"boot.js": true, "sw.js": true, "manifest.webmanifest": true,
}

// embedded is the page that others have in a frame, element the script that puts it there,
// labPage the one of the Lab, and benchPage the one of the bench.
const (
	embedded  = "embed.html"
	element   = "element.js"
	labPage   = "lab.html"
	benchPage = "bench.html"
)

// twin names the content-hashed copies of stable files that the site's own pages
// use, so that a page's files are of one version even while a new one is put up.
var twin = map[string]string{"undertone.js": "inner/undertone.js"}

// legal are the documents whose terms ask that they go with every copy, under names
// that every host knows as text.
var legal = map[string]string{"LICENSE.txt": "LICENSE", "NOTICE.txt": "NOTICE"}

// Build writes a site. When ctx ends, or when it fails, the former site still
// serves, whole.
func Build(ctx context.Context, o Options) error {
	var err error
	if o.Models, err = modelFolders(o.Models); err != nil {
		return err
	}
	if err := apart(o); err != nil {
		return err
	}
	b := &builder{sources: map[string][]byte{}, placed: map[string]string{}, files: map[string][]byte{}}
	if err := b.gather(ctx, o); err != nil {
		return err
	}
	for name := range b.sources {
		if _, err := b.place(name, nil); err != nil {
			return err
		}
	}
	b.files["index.html"] = o.Addresses.preview(b.files["index.html"])
	if err := o.Addresses.announce(b.files); err != nil {
		return err
	}
	if !o.Kill {
		if err := b.list(o.Models); err != nil {
			return err
		}
	}
	for name, text := range hostFiles {
		b.files[name] = []byte(text)
	}
	for name, from := range legal {
		data, err := input.Read(ctx, filepath.Join(o.Root, from), maxSource)
		if err != nil {
			return err
		}
		b.files[name] = data
	}
	s := content{}
	for name, data := range b.files {
		if name == element {
			continue // it tells of the others
		}
		if err := s.add(ctx, name, data, o.Twins); err != nil {
			return err
		}
	}
	for _, m := range o.Models {
		if err := s.addModel(ctx, m); err != nil {
			return fmt.Errorf("%s: %w", m, err)
		}
	}
	if data, ok := b.files[element]; ok {
		if err := s.addElement(ctx, data, o); err != nil {
			return err
		}
	}
	s.addSums()
	return publish(ctx, o.Out, s)
}

// maxSource bounds a file that a site is made of, in bytes.
const maxSource = 256 << 20

type builder struct {
	sources map[string][]byte // by the name other files use for it: "worker.js"
	placed  map[string]string // source name → address from the root
	files   map[string][]byte // finished files by address
}

func (b *builder) gather(ctx context.Context, o Options) error {
	index, err := input.Read(ctx, filepath.Join(o.Root, "index.html"), maxSource)
	if err != nil {
		return err
	}
	if err := b.manual(ctx, o.Root); err != nil {
		return err
	}
	if _, ok := b.sources[manualIndex]; ok && o.Docs == "" {
		o.Docs = manualIndex
	}
	b.sources["index.html"] = o.Addresses.links(introduce(ctx, offer(index, o.Models), o.Models))
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
		b.sources[name], err = input.Read(ctx, p, maxSource)
		return err
	})
	if err != nil {
		return err
	}
	for _, page := range []string{embedded, labPage, benchPage} {
		if data, ok := b.sources[page]; ok {
			b.sources[page] = offer(data, o.Models)
		}
	}
	for name, p := range o.Extra {
		if b.sources[name], err = input.Read(ctx, p, maxSource); err != nil {
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

// shippedOnly matches what the page says of the shipped model before one is loaded.
var shippedOnly = regexp.MustCompile(`(?s)\s*<!-- sprites -->.*?<!-- /sprites -->`)

// introduce leaves out the pictures and sentences about the shipped model where the
// site proposes another.
func introduce(ctx context.Context, index []byte, folders []string) []byte {
	if len(folders) == 0 {
		return index
	}
	b, err := weights.LoadBundle(ctx, weights.Dir(folders[0]), "model.json")
	if err != nil || b.Name == "sprites" {
		return index // what is wrong with the manifest is said where the model is added
	}
	return shippedOnly.ReplaceAllLiteral(index, nil)
}

// reference matches a quoted relative address of a file in JavaScript, HTML, CSS or a
// manifest; with integrityMark behind it, it stands for the file's hash.
var reference = regexp.MustCompile(`(["'(])\./(?:assets/|web/)?([A-Za-z0-9_\-./]+)(` + integrityMark + `)?(["')])`)

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
	kept := name == "index.html" || stable[name] || isManual(name)
	from := "assets"
	if kept {
		from = path.Dir(name)
	}
	data := b.sources[name]
	switch path.Ext(name) {
	case ".js", ".html", ".css", ".webmanifest":
		if name == "wasm_exec.js" {
			break
		}
		var err error
		if data, err = b.refer(data, from, append(above, name)); err != nil {
			return "", err
		}
	}
	data = b.guard(name, data)
	addr := name
	if !kept {
		ext := path.Ext(name)
		stem := strings.TrimSuffix(path.Base(name), ext)
		addr = fmt.Sprintf("assets/%s.%s%s", stem, shortHash(data), ext)
	}
	b.placed[name], b.files[addr] = addr, data
	return addr, nil
}

// refer writes the final addresses of other files, and their hashes, into a file of the
// folder from.
func (b *builder) refer(data []byte, from string, above []string) ([]byte, error) {
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
		addr, err := b.place(target, above)
		if err != nil {
			failed = err
			return m
		}
		if string(parts[3]) == integrityMark {
			return []byte(string(parts[1]) + integrity(b.files[addr]) + string(parts[4]))
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
		return []byte(string(parts[1]) + rel + string(parts[4]))
	})
	return data, failed
}

// shortDigits is how many digits of its SHA-256 a file's name holds.
const shortDigits = 12

func shortHash(data []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(data))[:shortDigits]
}
