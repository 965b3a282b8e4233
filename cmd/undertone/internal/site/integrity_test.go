package site

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBuildHashesWhatAPageLoads looks at a page with an import map: it has the hashes of all
// modules that the page may run, however late, and the page's policy has that of the map;
// styles and other scripts have theirs beside them, and scripts know those that they ask for.
func TestBuildHashesWhatAPageLoads(t *testing.T) {
	o := source(t)
	put(t, filepath.Join(o.Root, "web/embed.html"), `<meta content="script-src 'self'; x">`+mapLine+
		`<script async src="./boot.js"></script><link rel="stylesheet" href="./style.css"><script type="module" src="./start.js"></script>`)
	put(t, filepath.Join(o.Root, "web/boot.js"), `watch()`)
	put(t, filepath.Join(o.Root, "web/start.js"), `// import { x } from "./nowhere.js"
import "./protocol.js"; const later = () => import("./late.js"); fetch("./page.wasm", { integrity: "./page.wasm#integrity" })`)
	put(t, filepath.Join(o.Root, "web/late.js"), `import { version } from "./protocol.js"`)
	if err := Build(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	page := read(t, filepath.Join(o.Out, "embed.html"))
	sums := map[string]string{} // by the address
	for _, m := range regexp.MustCompile(`"\./(assets/[^"]+)":"(sha256-[^"]+)"`).FindAllStringSubmatch(page, -1) {
		sums[m[1]] = m[2]
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="\./([^"]+)" integrity="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		sums[m[1]] = m[2]
	}
	var names []string
	for address, sum := range sums {
		if want := integrity([]byte(read(t, filepath.Join(o.Out, address)))); sum != want {
			t.Errorf("%s: %s, the file's is %s", address, sum, want)
		}
		names = append(names, strings.SplitN(filepath.Base(address), ".", 2)[0])
	}
	if len(names) != 5 {
		t.Errorf("hashes of %q, wanted those of boot, late, protocol, start and style", names)
	}
	_, text, _ := strings.Cut(page, `<script type="importmap">`)
	text, _, _ = strings.Cut(text, "</script>")
	if want := "script-src 'self' '" + integrity([]byte(text)) + "'; x"; !strings.Contains(page, want) {
		t.Errorf("the policy is not %s in %s", want, page)
	}
	start, _ := filepath.Glob(filepath.Join(o.Out, "assets/start.*.js"))
	if want := `integrity: "` + integrity([]byte("\x00asm")) + `"`; len(start) != 1 || !strings.Contains(read(t, start[0]), want) {
		t.Errorf("%q lacks %s", start, want)
	}
}
