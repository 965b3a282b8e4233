package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The scripts' own tests, which need no browser: testdata/modules.test.mjs. Node
// takes a .js file for a module only where a package.json says so, so they run on
// copies.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node: install it (https://nodejs.org) to run this test")
	}
	dir := t.TempDir()
	scripts, err := filepath.Glob("../web/*.js")
	if err != nil || len(scripts) < 5 {
		t.Fatalf("scripts %q (%v)", scripts, err)
	}
	for _, name := range append(scripts, "../e2e/testdata/modules.test.mjs") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, strings.TrimPrefix(name, "../")), string(data))
	}
	write(t, filepath.Join(dir, "web", "package.json"), `{"type":"module"}`)
	cmd := exec.Command(node, "--test", "--test-timeout=60000", "e2e/testdata/modules.test.mjs")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
