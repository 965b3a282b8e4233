//go:build !js

// A program in WebAssembly starts no other: the native tests ask the compilers.

package gpu

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
	"undertone/shaders"
)

// devices are the kinds of device that kernels are chosen for.
func devices() map[string]Caps {
	software := PortableFloor
	software.CPU = true
	lanes := software
	lanes.Subgroups, lanes.SubgroupMin, lanes.SubgroupMax = true, 4, 4
	blocks := PortableFloor
	blocks.Prefer = "block 64×64"
	full := Caps{F16: true, Subgroups: true, SubgroupMin: 4, SubgroupMax: 128, StorageBuffers: 10,
		SharedBytes: 32 << 10, Invocations: 1024, MaxBinding: 1 << 30, MaxBuffer: 1 << 30}
	half := full
	half.Bits, half.Prefer = 16, "f16"
	int8s := full
	int8s.Dot4, int8s.Bits, int8s.Prefer = true, 8, "int8"
	matrices := full
	matrices.Bits, matrices.Matrices, matrices.Prefer = 16, []Matrix{{true, 16, 16, 16}}, "matrices 64×64"
	return map[string]Caps{
		"floor": PortableFloor, "blocks": blocks, "full": full, "half": half, "bytes": int8s, "matrices": matrices,
		"software": software, "software with lanes": lanes,
	}
}

// lowered is the machine in plain Go, which also chooses the GPU's kernels for
// every list and weight it gets.
type lowered struct {
	op.Backend
	t       *testing.T
	kernels map[string]Kernel
	stored  map[*op.Storage]op.DType // of matrices, which the GPU keeps as they are stored
}

func (l lowered) Compile(ctx context.Context, list *op.List) (op.Program, error) {
	for w, dt := range l.stored {
		w.DType = dt
	}
	for device, caps := range devices() {
		steps, err := lower(list, caps)
		if err != nil {
			l.t.Errorf("%s: %v", device, err)
		}
		for _, s := range steps {
			l.kernels[s.Kernel.key()] = s.Kernel
		}
	}
	for w := range l.stored {
		w.DType = op.F32
	}
	return l.Backend.Compile(ctx, list)
}

func (l lowered) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	t, err := l.Backend.Upload(ctx, w)
	if err != nil {
		return nil, err
	}
	if w.Use == op.UseMatrix {
		l.stored[t.Storage] = w.DType
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
	be := lowered{cpu.New(cpu.Options{}), t, map[string]Kernel{}, map[*op.Storage]op.DType{}}
	ops.Run(t, be, cpu.New(cpu.Options{}))
	files, used := shaderFiles(t), map[string]bool{}
	for _, k := range be.kernels {
		used[k.File+".wgsl"] = true
		for _, lib := range k.Libs {
			used["lib/"+lib+".wgsl"] = true
		}
	}
	for _, f := range files {
		if !used[f] {
			t.Errorf("no kernel that is checked uses shaders/%s", f)
		}
	}
	validate(t, be.kernels)
}

func shaderFiles(t *testing.T) (files []string) {
	t.Helper()
	for _, pattern := range []string{"*.wgsl", "lib/*.wgsl"} {
		found, err := fs.Glob(shaders.FS, pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// validate gives the texts of kernels to compilers of WGSL.
func validate(t *testing.T, kernels map[string]Kernel) {
	t.Helper()
	dir := t.TempDir()
	var files, bare []string // bare: those that enable nothing
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
		if len(k.Enables) == 0 && !strings.Contains(s.text, "dot4I8Packed") {
			bare = append(bare, name)
		}
	}
	t.Logf("%d kernels", len(files))
	for _, c := range compilers {
		t.Run(c.name, func(t *testing.T) {
			texts := files
			if c.bare {
				texts = bare
			}
			if out, err := c.run(t, texts); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// TestTilesAreValid checks the texts of all tiles, also of those too large for the
// list of cases.
func TestTilesAreValid(t *testing.T) {
	kernels := map[string]Kernel{}
	for i := range tiles {
		for y := range layouts {
			k := matMulTileOf(i)(product{64, 64, 64, layout(y), op.GELU, i, op.Counted{}}, PortableFloor)
			kernels[k.key()] = k.Kernel
		}
	}
	validate(t, kernels)
}

// TestBlocksAreValid checks the texts of attention's blocks, with the smallest and the
// largest heads, and holds what they take to the workgroup memory that they were given.
func TestBlocksAreValid(t *testing.T) {
	kernels := map[string]Kernel{}
	for _, v := range attentionVariants {
		if !strings.HasPrefix(v.name, "block") {
			continue
		}
		for _, size := range []int{4, 20, 64, 128, 132, op.MaxHeadDim} {
			for _, parted := range []bool{false, true} {
				n := &op.AttentionOp{Heads: 1, KVHeads: 1, HeadDim: size, Scale: 1}
				y := op.NewStorage("y", op.Fixed, op.F32, 8, 4*size)
				n.Q, n.K, n.V, n.Out = y.Columns(0, size), y.Columns(size, 2*size), y.Columns(2*size, 3*size), y.Columns(3*size, 4*size)
				if parted {
					n.Out = op.NewStorage("out", op.Fixed, op.F32, 8, size)
					n.Bias, n.Mask = op.NewStorage("bias", op.Fixed, op.F32, 8, 8), op.NewStorage("mask", op.Fixed, op.F32, 1, 8)
				}
				caps := PortableFloor
				caps.SharedBytes = 32 << 10
				k := v.launch(n, caps)[0].Kernel
				kernels[k.key()] = k
			}
		}
	}
	if len(kernels) < 30 {
		t.Errorf("%d kernels", len(kernels))
	}
	validate(t, kernels)
}

// TestBlockWalks holds the way of a block through workgroup memory to its bounds, and to
// the barriers that it is there to save.
func TestBlockWalks(t *testing.T) {
	for _, c := range []struct {
		b              block
		size, bytes    int
		barriers, keys int // for so many keys
	}{
		{blockWide, 64, 16 << 10, 17, 64}, {blockWide, 64, 32 << 10, 13, 64}, {blockWide, 128, 32 << 10, 17, 64},
		{blockLow, 64, 16 << 10, 17, 64}, {blockSquare, 64, 16 << 10, 17, 64}, {blockLong, 512, 16 << 10, 129, 128},
	} {
		w := c.b.walkFor(c.size/4, 4, c.bytes)
		queries, tile, weights, partial := c.b.memory(w, c.size/4)
		if bytes := 16 * (queries + tile + weights + partial); bytes > c.bytes || w.depth == 0 {
			t.Errorf("%+v, heads of %d: %+v takes %d bytes of %d", c.b, c.size, w, bytes, c.bytes)
		}
		if got := c.b.barriers(w, c.size/4); got > c.barriers || c.b.cols*c.b.tx != c.keys {
			t.Errorf("%+v, heads of %d: %d barriers for %d keys, want %d for %d (%+v)", c.b, c.size, got, c.b.cols*c.b.tx, c.barriers, c.keys, w)
		}
	}
}
