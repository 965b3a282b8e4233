package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"undertone/cmd/undertone/internal/manual"
	"undertone/engine/recipe"
)

// worker and killer are the service worker's source and the one that ends it.
const (
	worker = "sw.js"
	killer = "kill.js"
)

// shellLine is the line of web/sw.js that the builder fills in.
const shellLine = `const site = { version: "unbuilt", shell: {}, pages: {}, engine: [], lab: [], models: [] };`

// shell is what the service worker knows about its version of the site.
type shell struct {
	Version string              `json:"version"`
	Shell   map[string]string   `json:"shell"`  // address → integrity, as fetch takes it
	Pages   map[string][]string `json:"pages"`  // hashed addresses that each page names, by which it is known
	Engine  []string            `json:"engine"` // addresses of the shell that only a loaded model needs
	Lab     []string            `json:"lab"`    // addresses of the shell that only the Lab needs
	Models  []string            `json:"models"` // addresses of what is read of models before their weights
}

// engineProgram is the one that is fetched with the first model.
const engineProgram = "engine.wasm"

// ofLab are the Lab's own sources.
var ofLab = []string{labPage, "lab.js", "lab.wasm", "lab.zh.json", "experiments.js", "css/lab.css"}

// tour is the folder of results that the Lab shows.
const tour = "tour/"

// besides are the folders and files that only the browser's own dialogues, other programs,
// the manual, other sites' pages and the bench, which is for those who are online, show.
var besides = []string{"icons/", "screenshots/", linkPreview, manual.Folder, manualStyle, element, "host.js", "value.js", "bench", "css/bench.css"}

// named matches the hashed addresses in a page, as web/sw.js does.
var named = regexp.MustCompile(`assets/[\w.-]+\.[0-9a-f]{12}\.[a-z0-9]+`)

// list writes the shell's files into the service worker: everything that a page
// needs to start or to load a model, so neither weights nor what installing shows.
func (b *builder) list(models []string) error {
	source, ok := b.files[worker]
	if !ok {
		return nil
	}
	s := shell{Shell: map[string]string{}, Pages: map[string][]string{}, Engine: []string{}, Lab: []string{}, Models: []string{}}
	for name, address := range b.placed {
		in := func(folder string) bool { return strings.HasPrefix(name, folder) }
		if name == worker || path.Ext(name) == ".ts" || slices.ContainsFunc(besides, in) {
			continue
		}
		if name == engineProgram {
			s.Engine = append(s.Engine, address)
		}
		if slices.Contains(ofLab, name) || in(tour) {
			s.Lab = append(s.Lab, address)
		}
		if path.Ext(address) == ".html" {
			list := named.FindAllString(string(b.files[address]), -1)
			slices.Sort(list)
			s.Pages[address] = slices.Compact(list)
		}
		s.Shell[address] = integrity(b.files[address])
	}
	slices.Sort(s.Lab)
	for _, m := range models {
		folder := "models/" + filepath.Base(m) + "/"
		s.Models = append(s.Models, folder+"model.json", folder+recipe.DescriptionName)
	}
	files, err := json.Marshal(s.Shell) // in the order of the names
	if err != nil {
		return err
	}
	s.Version = shortHash(files)
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if bytes.Count(source, []byte(shellLine)) != 1 {
		return fmt.Errorf("site: %s does not hold the line %s once", worker, shellLine)
	}
	b.files[worker] = bytes.Replace(source, []byte(shellLine), append(append([]byte("const site = "), text...), ';'), 1)
	return nil
}

// versionTag is where pages show the version; the builder fills it in.
const versionTag = `<meta name="version" content="development">`

// name writes the version into the pages.
func (b *builder) name(version string) {
	if version == "" {
		return
	}
	tag := strings.Replace(versionTag, "development", version, 1)
	for _, page := range []string{"index.html", embedded, labPage, benchPage} {
		if data, ok := b.sources[page]; ok {
			b.sources[page] = bytes.Replace(data, []byte(versionTag), []byte(tag), 1)
		}
	}
}
