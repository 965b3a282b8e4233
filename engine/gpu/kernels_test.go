package gpu

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/optest"
)

// devices are the kinds of device that kernels are chosen for.
func devices() map[string]Caps {
	software := PortableFloor
	software.CPU = true
	return map[string]Caps{
		"floor": PortableFloor,
		"full": {F16: true, Subgroups: true, SubgroupMin: 4, SubgroupMax: 128, StorageBuffers: 10,
			SharedBytes: 32 << 10, Invocations: 1024, MaxBinding: 1 << 30, MaxBuffer: 1 << 30},
		"software": software,
	}
}

// lowered is the machine in plain Go, which also chooses the GPU's kernels for
// every list and weight it gets.
type lowered struct {
	op.Backend
	t       *testing.T
	kernels map[string]Kernel
}

func (l lowered) Compile(ctx context.Context, list *op.List) (op.Program, error) {
	for device, caps := range devices() {
		steps, err := lower(list, caps)
		if err != nil {
			l.t.Errorf("%s: %v", device, err)
		}
		for _, s := range steps {
			l.kernels[s.Kernel.key()] = s.Kernel
		}
	}
	return l.Backend.Compile(ctx, list)
}

func (l lowered) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	t, err := l.Backend.Upload(ctx, w)
	if err != nil {
		return nil, err
	}
	raw := op.NewStorage("raw", op.Fixed, op.U32, 1, 4).Storage
	launches, err := repack(w, t.Storage, raw, raw, 0, 0, w.Rows, PortableFloor)
	if err != nil {
		l.t.Errorf("%s: %v", w.Name, err)
	}
	for _, s := range launches {
		l.kernels[s.Kernel.key()] = s.Kernel
	}
	return t, nil
}

// TestKernelsAreValid checks all kernels that the list of cases takes, on every
// kind of device.
func TestKernelsAreValid(t *testing.T) {
	be := lowered{cpu.New(cpu.Options{}), t, map[string]Kernel{}}
	optest.Run(t, be, cpu.New(cpu.Options{}))
	validate(t, be.kernels)
}

// validate gives the texts of kernels to the compilers that browsers have, where
// they are installed: tint (Chromium) and naga (Firefox).
func validate(t *testing.T, kernels map[string]Kernel) {
	t.Helper()
	dir := t.TempDir()
	var files []string
	texts := map[string]source{}
	for _, k := range kernels {
		s, err := assemble(k)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%s_%d.wgsl", k.File, len(files)))
		if err := os.WriteFile(name, []byte(s.text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
		texts[name] = s
	}
	t.Logf("%d kernels", len(files))
	for _, compiler := range [][]string{{"tint", "-f", "wgsl", "-o", os.DevNull}, {"naga"}} {
		path, err := exec.LookPath(compiler[0])
		if err != nil {
			t.Logf("%s is not installed: its opinion is not asked", compiler[0])
			continue
		}
		for _, f := range files {
			if out, err := exec.Command(path, append(compiler[1:], f)...).CombinedOutput(); err != nil {
				t.Errorf("%s refuses %s: %v\n%s\n%s", compiler[0], filepath.Base(f), err, out, strings.Join(preludeOf(texts[f]), "\n"))
			}
		}
	}
}

// preludeOf is the part of a text that tells variants apart.
func preludeOf(s source) []string {
	lines := strings.Split(s.text, "\n")
	for _, g := range s.segments {
		if strings.HasPrefix(g.name, "prelude") {
			return lines[g.first-1 : g.last]
		}
	}
	return nil
}
