//go:build !js

package gpu

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compilers are those that browsers have, besides the one of Chromium that the
// tests under Node meet. Both nagas are asked since Firefox's lies between them:
// the older one knows fewer constant expressions, for example.
var compilers = []struct {
	name string
	bare bool // knows no line that enables subgroups and no dot product of bytes, as its browser
	run  func(t *testing.T, files []string) (string, error)
}{
	{"naga", true, newest},
	{"older naga", true, older},
	{"tint", false, tint},
}

// newest asks naga as npm's naga-wasm has it.
func newest(t *testing.T, files []string) (string, error) {
	if _, err := os.Stat("noderun/node_modules/naga-wasm"); err != nil {
		t.Skip("not asked: run npm ci --prefix engine/gpu/noderun first")
	}
	return output(exec.Command("node", append([]string{"noderun/naga.mjs"}, files...)...))
}

// older asks the naga of wgpu-native, which needs a C compiler to link and a
// Vulkan driver to run.
func older(t *testing.T, files []string) (string, error) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("not asked: there is no C compiler (cc) to link wgpu-native")
	}
	program := filepath.Join(t.TempDir(), "wgpunative")
	build := exec.Command("go", "build", "-o", program, "./testdata/wgpunative")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := output(build); err != nil {
		return out, err
	}
	run := exec.Command(program, files...)
	const driver = "/usr/lib/chromium/vk_swiftshader_icd.json"
	if _, err := os.Stat(driver); err == nil && os.Getenv("VK_DRIVER_FILES") == "" {
		run.Env = append(os.Environ(), "VK_DRIVER_FILES="+driver)
	}
	out, err := output(run)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 3 {
		t.Skipf("not asked: %s", out)
	}
	return out, err
}

// tint asks Chromium's compiler, where somebody installed it as a program.
func tint(t *testing.T, files []string) (string, error) {
	program, err := exec.LookPath("tint")
	if err != nil {
		t.Skip("not asked: tint is not installed; the tests under Node ask the same compiler")
	}
	for _, f := range files {
		if out, err := output(exec.Command(program, "-f", "wgsl", "-o", os.DevNull, f)); err != nil {
			return out, err
		}
	}
	return "", nil
}

func output(c *exec.Cmd) (string, error) {
	var out, faults strings.Builder
	c.Stdout, c.Stderr = &out, &faults
	err := c.Run()
	if out.Len() == 0 { // what else a driver says is no refusal
		return faults.String(), err
	}
	return out.String(), err
}

// TestCompilersRefuse holds that a compiler that is asked would refuse: a text that
// no compiler takes is told with its file.
func TestCompilersRefuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "broken.wgsl")
	if err := os.WriteFile(file, []byte("@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range compilers {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.run(t, []string{file})
			if err == nil || !strings.Contains(out, "broken.wgsl") {
				t.Errorf("got %v, %q; want an error that names broken.wgsl", err, out)
			}
		})
	}
}
