//go:build mutants

// Package mutants holds planted bugs: each .patch breaks the engine in one way
// that has bitten somebody, and names the tests that must notice. A test suite
// that lets one through is too weak. Run them with: make mutants
package mutants

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// header is the line of a patch that says which tests must fail:
// "Caught by: js ./engine/gpu TestOps/MatMul" or "Caught by: go ./guidance .".
var header = regexp.MustCompile(`(?m)^Caught by: (js|go) (\S+) (\S+)$`)

func TestPlantedBugsAreCaught(t *testing.T) {
	patches, err := filepath.Glob("*.patch")
	if err != nil || len(patches) < 10 {
		t.Fatalf("%d patches found, want at least 10 (%v)", len(patches), err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	tree := copyTree(t, root)
	for _, p := range patches {
		t.Run(strings.TrimSuffix(p, ".patch"), func(t *testing.T) {
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			by := header.FindStringSubmatch(string(text))
			if by == nil {
				t.Fatalf("%s does not say by which tests it must be caught", p)
			}
			apply(t, tree, text, "--forward")
			defer apply(t, tree, text, "--reverse")
			out, err := run(tree, by[1], by[2], by[3])
			if err == nil {
				t.Fatalf("%s %s passes although %s", by[2], by[3], firstLine(text))
			}
			if !bytes.Contains(out, []byte("--- FAIL")) {
				t.Fatalf("%s %s did not fail as a test: %v\n%s", by[2], by[3], err, tail(out))
			}
		})
	}
}

// copyTree copies the files that git tracks, so that the patches never touch the
// working tree itself.
func copyTree(t *testing.T, root string) string {
	t.Helper()
	list, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "engine", "guidance", "shaders", "web/replay.js", "go.mod", "go.sum").Output()
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	for _, name := range strings.Split(strings.TrimRight(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // deleted, but not yet in the index
		}
		if err != nil {
			t.Fatal(err)
		}
		p := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	modules := filepath.Join(root, "engine/gpu/noderun/node_modules")
	if err := os.Symlink(modules, filepath.Join(to, "engine/gpu/noderun/node_modules")); err != nil {
		t.Fatal(err)
	}
	return to
}

// apply runs patch(1), which ignores the lines before the first diff header.
func apply(t *testing.T, tree string, text []byte, direction string) {
	t.Helper()
	cmd := exec.Command("patch", "-p1", "--silent", "--fuzz=0", "--no-backup-if-mismatch", direction)
	cmd.Dir, cmd.Stdin = tree, bytes.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the patch no longer applies: %v\n%s", err, out)
	}
}

func run(tree, kind, pkg, tests string) ([]byte, error) {
	args := []string{"test", "-count=1", "-run", tests}
	cmd := exec.Command("go")
	cmd.Env = append(os.Environ(), "PWD="+tree)
	if kind == "js" {
		args = append(args, "-exec", "node "+filepath.Join(tree, "engine/gpu/noderun/run.mjs"))
		cmd.Env = append(cmd.Env, "GOOS=js", "GOARCH=wasm")
	}
	cmd.Args = append(append([]string{"go"}, args...), pkg)
	cmd.Dir = tree
	return cmd.CombinedOutput()
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

func tail(b []byte) []byte {
	if len(b) > 2000 {
		return b[len(b)-2000:]
	}
	return b
}
