package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"undertone/engine/testing/networks"
)

// programs builds what a site is made of once for all tests, in a folder of its own.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "undertone-site")
	if err != nil {
		return "", err
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	wasm := exec.Command("make", "--no-print-directory", "-C", "..", "wasm", "PROGRAM="+dir)
	tool := exec.Command("go", "build", "-o", in("undertone"), "../cmd/undertone")
	tool.Env = append(os.Environ(), "CGO_ENABLED=0")
	return dir, commands(wasm, tool)
})

func commands(list ...*exec.Cmd) error {
	for _, c := range list {
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", c.Args, err, out)
		}
	}
	return nil
}

// built is the path of something in the programs' folder.
func built(t *testing.T, names ...string) string {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(append([]string{dir}, names...)...)
}

// build writes the site in the programs' folder, with these models.
func build(name string, models ...string) (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), buildSite(filepath.Join(dir, name), dir, models...)
}

// inFolder are the flags of dist for what make wasm wrote into a folder.
func inFolder(dir string) []string {
	in := func(name string) string { return filepath.Join(dir, name) }
	flags := []string{"--engine", in("engine.wasm"), "--page", in("page.wasm"), "--lab", in("lab.wasm"), "--bench", in("bench.wasm"), "--exec", in("wasm_exec.js")}
	if _, err := os.Stat(in("zh.json")); err == nil {
		flags = append(flags, "--chinese", in("zh.json"))
	}
	return flags
}

// buildSite writes the site with these models and the programs in a folder.
func buildSite(out, program string, models ...string) error {
	dir, err := programs()
	if err != nil {
		return err
	}
	args := append([]string{"dist", "--root", "..", "--out", out}, inFolder(program)...)
	for _, m := range models {
		args = append(args, "--model", m)
	}
	return commands(exec.Command(filepath.Join(dir, "undertone"), args...))
}

// convert converts a model of the folder from into one of the programs' folder.
func convert(from, precision string, names ...string) (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	out := filepath.Join(append([]string{dir}, names...)...)
	return out, commands(exec.Command(filepath.Join(dir, "undertone"), "convert", "--to", precision, "--out", out, from))
}

var errNoModel = errors.New("no model")

// shipped is the folder of the shipped model as it was trained.
func shipped() (string, error) {
	model := os.Getenv("UNDERTONE_MODEL")
	if model == "" {
		model = "../models/sprites"
	}
	if !exists(filepath.Join(model, "model.json")) {
		return "", errNoModel
	}
	return model, nil
}

// convertedShipped is the shipped model in the precision that the site offers first.
var convertedShipped = sync.OnceValues(func() (string, error) {
	model, err := shipped()
	if err != nil {
		return "", err
	}
	return convert(model, "Q8_0", "converted", "sprites")
})

// dist builds the site with the shipped model once for all tests.
var dist = sync.OnceValues(func() (string, error) {
	model, err := convertedShipped()
	if err != nil {
		return "", err
	}
	return build("dist", model)
})

// bothDist builds it as make dist does, with the model in both precisions.
var bothDist = sync.OnceValues(func() (string, error) {
	large, err := convertedShipped()
	if err != nil {
		return "", err
	}
	model, err := shipped()
	if err != nil {
		return "", err
	}
	small, err := convert(model, "Q4_0", "converted", "sprites-q4")
	if err != nil {
		return "", err
	}
	return build("both", large, small)
})

// smallDist is the same site with the engine's fixture in the shipped model's
// place and under its address: pictures of 16 and 24 pixels, made in milliseconds.
// Its transformer's file has three pieces.
var smallDist = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	return build("small", filepath.Join(dir, "fixture", "sprites"))
})

// quantizedDist is the small site with the fixture as a GGUF file, whose linear layers
// are Q8_0 as far as their width allows: what differs from smallDist as the shipped model
// does from the trained one.
var quantizedDist = sync.OnceValues(func() (string, error) {
	dir, err := programs()
	if err != nil {
		return "", err
	}
	model, err := convert(filepath.Join(dir, "fixture", "sprites"), "Q8_0", "quantized", "sprites")
	if err != nil {
		return "", err
	}
	return build("smallquantized", model)
})

// serve serves the site with the shipped model.
func serve(t *testing.T) *server {
	t.Helper()
	return serveFolder(t, folderOf(t, dist))
}

// folderOf is the folder of a site, without which the test is skipped where there is no
// model for it.
func folderOf(t *testing.T, site func() (string, error)) string {
	t.Helper()
	dir, err := site()
	if errors.Is(err, errNoModel) {
		t.Skip("there is no model: put one in models/sprites, or name its folder in UNDERTONE_MODEL")
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// smallSite serves the site with the small model, for tests to which it does not
// matter what is in the picture.
func smallSite(t *testing.T) *server {
	t.Helper()
	smallModel(t)
	return serveFolder(t, folderOf(t, smallDist))
}

// quantizedSite serves it with the same model as a quantized file.
func quantizedSite(t *testing.T) *server {
	t.Helper()
	smallModel(t)
	return serveFolder(t, folderOf(t, quantizedDist))
}

var fixtures sync.Mutex // one test at a time writes one

// smallModel is the folder of the small model.
func smallModel(t *testing.T) string { return fixture(t, "fixture", 2*pieceBytes) }

// fixture writes the small model, with a transformer's file longer by so many bytes.
func fixture(t *testing.T, name string, padding int) string {
	t.Helper()
	fixtures.Lock()
	defer fixtures.Unlock()
	folder := built(t, name, "sprites")
	if !exists(filepath.Join(folder, "model.json")) {
		networks.WriteSmall(t, folder, padding)
	}
	return folder
}

// twoPieces builds the small site with a transformer's file of only two pieces, for
// tests that load it hundreds of times.
func twoPieces(t *testing.T) string {
	t.Helper()
	dir, err := build("pairs", fixture(t, "pair", pieceBytes))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
