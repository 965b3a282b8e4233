package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
)

// integrityMark behind a file's address in a script stands for the hash of that file.
const integrityMark = "#integrity"

// integrity is the hash of a file as browsers compare it (Subresource Integrity).
func integrity(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// mapLine is where a page has its import map, which the builder fills in, and ownScripts
// what the page's policy says of scripts: the map is one that stands in the page.
const (
	mapLine    = `<script type="importmap">{}</script>`
	ownScripts = "script-src 'self'"
)

// imported matches what a module imports, at once or later, by the name of its source.
var imported = regexp.MustCompile(`\b(?:from|import) ?\(?"\./([\w./-]+\.js)"`)

// checked matches the tags of a page whose files browsers compare with a hash beside
// the address: styles, and scripts that are no modules. In a sandbox without an origin
// a browser compares only what it has asked for by CORS.
var checked = regexp.MustCompile(`<(?:link rel="stylesheet" href|script async src)="\./([^"]+)"`)

// guard writes into a page the hashes of the styles and scripts that it loads: a browser
// neither runs nor applies a file that has another. Modules are listed in the import map,
// which holds for whatever a module imports as well.
func (b *builder) guard(name string, page []byte) []byte {
	if path.Ext(name) != ".html" || !bytes.Contains(page, []byte(mapLine)) {
		return page
	}
	page = checked.ReplaceAllFunc(page, func(tag []byte) []byte {
		data, ok := b.files[string(checked.FindSubmatch(tag)[1])]
		if !ok {
			return tag
		}
		return fmt.Appendf(nil, `%s integrity="%s" crossorigin`, tag, integrity(data))
	})
	sums := map[string]string{}
	for _, module := range b.modules(b.sources[name]) {
		address := b.placed[module]
		sums["./"+address] = integrity(b.files[address])
	}
	text, _ := json.Marshal(map[string]any{"integrity": sums}) // texts alone do not fail
	page = bytes.Replace(page, []byte(mapLine), []byte(`<script type="importmap">`+string(text)+`</script>`), 1)
	return bytes.Replace(page, []byte(ownScripts), []byte(ownScripts+" '"+integrity(text)+"'"), 1)
}

// entry matches the script with which a page begins.
var entry = regexp.MustCompile(`<script type="module" src="\./(?:web/)?([\w./-]+\.js)"`)

// modules are the sources of all modules that a page may run, but for element.js, which is
// finished last.
func (b *builder) modules(page []byte) (list []string) {
	var add func(name string)
	add = func(name string) {
		if inner, ok := twin[name]; ok {
			name = inner
		}
		_, there := b.sources[name]
		if !there || name == element || slices.Contains(list, name) {
			return // or an example in a comment
		}
		list = append(list, name)
		for _, m := range imported.FindAllSubmatch(b.sources[name], -1) {
			add(string(m[1]))
		}
	}
	for _, m := range entry.FindAllSubmatch(page, -1) {
		add(string(m[1]))
	}
	return list
}
