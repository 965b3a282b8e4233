//go:build mutants

package mutants

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// header is the line of a patch that says which tests must fail:
//
//	Caught by: go ./guidance .                             go test of a package
//	Caught by: js ./engine/gpu TestOps/MatMul              the same as js/wasm, under Node with WebGPU
//	Caught by: simd ./engine/cpu TestVectorsOps/plain      likewise, with the SIMD kernels assembled anew
//	Caught by: node e2e/testdata/modules.test.mjs limits   a file of Node's own tests
var header = regexp.MustCompile(`(?m)^Caught by: (go|js|simd|node) (\S+) (\S+)$`)

// changed are the files that a patch changes.
var changed = regexp.MustCompile(`(?m)^--- a/(\S+)$`)

func TestPlantedBugsAreCaught(t *testing.T) {
	patches, err := filepath.Glob("*.patch")
	if err != nil || len(patches) < 60 {
		t.Fatalf("%d patches found, want at least 60 (%v)", len(patches), err)
	}
	dir := t.TempDir()
	program := sync.OnceValues(func() (string, error) { return build(dir) })
	for _, p := range patches {
		t.Run(strings.TrimSuffix(p, ".patch"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			by := header.FindStringSubmatch(string(text))
			if by == nil {
				t.Fatalf("%s does not say by which tests it must be caught", p)
			}
			m := plant(t, text)
			m.program = program
			cmd, failure := map[string]func(t *testing.T, pkg, tests string) (*exec.Cmd, string){"go": m.goTest, "js": m.jsTest, "simd": m.simdTest, "node": m.nodeTest}[by[1]](t, by[2], by[3])
			out, err := cmd.CombinedOutput()
			if err == nil {
				t.Fatalf("%s %s passes although %s", by[2], by[3], firstLine(text))
			}
			if !bytes.Contains(out, []byte(failure)) {
				t.Fatalf("%s %s did not fail as a test: %v\n%s", by[2], by[3], err, tail(out))
			}
		})
	}
}

// mutant is a folder that holds the changed files, and others beside them where a
// test reads them from the disk. The working tree itself is never touched.
type mutant struct {
	root, tree string
	files      []string // what the patch changes, from the root
	program    func() (string, error)
}

// scripts are copied whole: they are read at run time.
var scripts = []string{"shaders", "shaders/lib", "web", "e2e/testdata", "engine/gpu/noderun"}

func plant(t *testing.T, text []byte) *mutant {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	m := &mutant{root: root, tree: t.TempDir()}
	for _, f := range changed.FindAllStringSubmatch(string(text), -1) {
		m.files = append(m.files, f[1])
		m.copy(t, f[1])
	}
	for _, dir := range scripts {
		entries, err := os.ReadDir(filepath.Join(root, dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if slices.Contains([]string{".wgsl", ".js", ".mjs"}, filepath.Ext(e.Name())) {
				m.copy(t, dir+"/"+e.Name())
			}
		}
	}
	m.write(t, "web/package.json", []byte(`{"type":"module"}`))
	if err := os.Symlink(filepath.Join(root, "engine/gpu/noderun/node_modules"), filepath.Join(m.tree, "engine/gpu/noderun/node_modules")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("patch", "-p1", "--silent", "--fuzz=0", "--no-backup-if-mismatch", "--forward")
	cmd.Dir, cmd.Stdin = m.tree, bytes.NewReader(text) // the lines before the first diff header are ignored
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the patch no longer applies: %v\n%s", err, out)
	}
	return m
}

func (m *mutant) copy(t *testing.T, name string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(m.root, name))
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, name, data)
}

func (m *mutant) write(t *testing.T, name string, data []byte) {
	t.Helper()
	p := filepath.Join(m.tree, name)
	err := os.MkdirAll(filepath.Dir(p), 0o755)
	if err == nil {
		err = os.WriteFile(p, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// goTest lets Go read the changed files in the place of the tree's, so that all
// other packages come from its cache.
func (m *mutant) goTest(t *testing.T, pkg, tests string) (*exec.Cmd, string) {
	t.Helper()
	replace := map[string]string{}
	for _, f := range m.files {
		replace[filepath.Join(m.root, f)] = filepath.Join(m.tree, f)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	m.write(t, "overlay.json", overlay)
	cmd := exec.Command("go", "test", "-overlay", filepath.Join(m.tree, "overlay.json"), "-vet=off", "-ldflags=-w", "-count=1", "-failfast", "-run", tests, pkg)
	cmd.Dir = m.root
	return cmd, "--- FAIL"
}

// simdTest assembles the changed texts of the SIMD kernels and lets Go embed what they give.
func (m *mutant) simdTest(t *testing.T, pkg, tests string) (*exec.Cmd, string) {
	t.Helper()
	const folder = "engine/cpu/simd"
	texts, err := filepath.Glob(filepath.Join(m.root, folder, "*.wat"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(texts, filepath.Join(m.root, folder, "assemble.mjs")) {
		if name := folder + "/" + filepath.Base(f); !slices.Contains(m.files, name) {
			m.copy(t, name)
		}
	}
	at := filepath.Join(m.tree, folder)
	if err := os.Symlink(filepath.Join(m.root, folder, "node_modules"), filepath.Join(at, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("node", filepath.Join(at, "assemble.mjs"), at).CombinedOutput(); err != nil {
		t.Fatalf("the kernels are not assembled: %v\n%s", err, out)
	}
	m.files = []string{folder + "/kernels.wasm", folder + "/relaxed.wasm"}
	cmd, failure := m.goTest(t, pkg, tests)
	cmd.Args = slices.Insert(cmd.Args, 2, "-exec", "node "+filepath.Join(m.root, "engine/gpu/noderun/run.mjs"))
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	return cmd, failure
}

// build compiles the tests of engine/gpu as js/wasm. Kernels and scripts are read
// when they run, so one program serves for every patch of those.
func build(dir string) (string, error) {
	binary := filepath.Join(dir, "gpu.test")
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-o", binary, "./engine/gpu")
	cmd.Dir, cmd.Env = "../../..", append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return binary, nil
}

func (m *mutant) jsTest(t *testing.T, pkg, tests string) (*exec.Cmd, string) {
	t.Helper()
	for _, f := range m.files {
		if filepath.Ext(f) == ".go" || pkg != "./engine/gpu" {
			t.Fatalf("%s in %s: under Node only kernels and scripts of ./engine/gpu are replaced", f, pkg)
		}
	}
	binary, err := m.program()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", filepath.Join(m.tree, "engine/gpu/noderun/run.mjs"), binary, "-test.failfast", "-test.run", tests)
	cmd.Dir = filepath.Join(m.root, pkg)
	cmd.Env = append(os.Environ(), "PWD="+cmd.Dir, "UNDERTONE_SHADERS="+filepath.Join(m.tree, "shaders"))
	return cmd, "--- FAIL"
}

func (m *mutant) nodeTest(t *testing.T, file, tests string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command("node", "--test", "--test-timeout=60000", "--test-reporter=tap", "--test-name-pattern="+tests, file)
	cmd.Dir = m.tree
	return cmd, "not ok"
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
