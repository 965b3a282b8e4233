package gpu

import (
	"fmt"
	"strings"
	"testing"

	"undertone/engine/op"
)

// TestTilesFit holds every tile to what matmul_tile.wgsl assumes and to the
// portable floor.
func TestTilesFit(t *testing.T) {
	for _, v := range tiles {
		if v.threads() > PortableFloor.Invocations || v.shared() > PortableFloor.SharedBytes {
			t.Errorf("%+v: %d threads and %d bytes, the floor is %d and %d", v.tile, v.threads(), v.shared(), PortableFloor.Invocations, PortableFloor.SharedBytes)
		}
		if v.k != 16 && v.k != 32 {
			t.Errorf("%+v: the banks of shared memory are shifted for 4 or 8 quads of k", v.tile)
		}
		if v.m%32 != 0 || v.n%32 != 0 {
			t.Errorf("%+v: banks are shifted within 8 quads", v.tile)
		}
		// A thread carries one, two or three patches of the next tile.
		if patches := (v.m + v.n) / 4 * v.k / 4; patches%v.threads() != 0 || patches > 3*v.threads() {
			t.Errorf("%+v: %d patches for %d threads", v.tile, patches, v.threads())
		}
		for _, side := range []int{v.rows, v.cols} {
			if side != 4 && side != 8 {
				t.Errorf("%+v: a thread makes 4 or 8 rows and columns", v.tile)
			}
		}
	}
}

func TestChooseTile(t *testing.T) {
	for _, c := range []struct{ m, n, wantM, wantN int }{
		// A small model: enough workgroups matter more than wide tiles …
		{96, 256, 32, 32}, {96, 1024, 32, 32}, {9, 64, 32, 32}, {64, 768, 32, 32}, {96, 2048, 32, 64},
		// … and a large one the other way round.
		{1024, 1536, 64, 64}, {4096, 12288, 64, 64}, {192, 3072, 64, 64},
	} {
		if got, _ := chooseTile(c.m, c.n, 0); got.m != c.wantM || got.n != c.wantN {
			t.Errorf("%d×%d outputs: tiles of %d×%d, want %d×%d", c.m, c.n, got.m, got.n, c.wantM, c.wantN)
		}
	}
}

// K is divided where that makes enough threads of too few, and where it is long enough for it.
func TestChooseParts(t *testing.T) {
	for _, c := range []struct{ m, n, k, wantM, wantN, parts int }{
		{64, 1024, 4096, 64, 64, 8}, {77, 768, 3072, 64, 64, 8}, {96, 256, 1280, 32, 32, 4}, {16, 64, 8192, 32, 32, 16},
		{64, 1024, 128, 32, 32, 1}, {64, 1024, 0, 32, 32, 1}, {4096, 12288, 3072, 64, 64, 1},
	} {
		if got, parts := chooseTile(c.m, c.n, c.k); got.m != c.wantM || got.n != c.wantN || parts != c.parts {
			t.Errorf("%d×%d outputs of %d: tiles of %d×%d in %d parts, want %d×%d in %d", c.m, c.n, c.k, got.m, got.n, parts, c.wantM, c.wantN, c.parts)
		}
	}
}

// TestMatMulSplits follows K through the launches of a product: a GPU of few workgroups divides
// it into whole tiles, none of which is forgotten, and adds them up at the end; others do not.
func TestMatMulSplits(t *testing.T) {
	software, small := PortableFloor, PortableFloor
	software.CPU = true
	small.MaxBinding = 1 << 20
	for _, c := range []struct {
		m, n, k int
		caps    Caps
		parts   int // 1: one launch
	}{
		{64, 1024, 4096, PortableFloor, 8}, {77, 768, 3072, PortableFloor, 8}, {33, 72, 1056, PortableFloor, 4}, {65, 37, 1101, PortableFloor, 4},
		{320, 256, 1024, PortableFloor, 4}, {320, 256, 1024, small, 2}, {64, 1024, 4096, software, 1}, {64, 1024, 1023, PortableFloor, 1}, {4, 1024, 6144, PortableFloor, 1},
		{1536, 3072, 3072, PortableFloor, 1},
	} {
		a := op.NewStorage("a", op.Fixed, op.F32, c.m, c.k)
		l := op.NewList("product")
		l.MatMul(a, matrix(op.F16, c.n, c.k), op.Epilogue{Bias: op.NewStorage("bias", op.Fixed, op.F32, 1, c.n), Act: op.GELU})
		steps, err := lower(l, c.caps)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%d×%d×%d", c.m, c.n, c.k)
		const share, slab, none = 21, 22, "const ACT: u32 = 0u;"
		if c.parts == 1 {
			if len(steps) != 1 || strings.Contains(steps[0].Kernel.Prelude, none) || int(steps[0].Params[share]) != quads(c.k) {
				t.Errorf("%s is computed in %d launches; the first of %d quads of K", name, len(steps), steps[0].Params[share])
			}
			continue
		}
		if len(steps) != 2 {
			t.Fatalf("%s is computed in %d launches", name, len(steps))
		}
		product, sum := steps[0], steps[1]
		if !strings.Contains(product.Kernel.Prelude, none) || strings.Contains(sum.Kernel.Prelude, none) || sum.Kernel.File != "matmul_sum" {
			t.Errorf("%s: activated in the wrong launch", name)
		}
		parts, each := product.Groups[2], int(product.Params[share])
		if parts != c.parts || parts*each < quads(c.k) || (parts-1)*each >= quads(c.k) || each%4 != 0 {
			t.Errorf("%s: %d parts of %d quads, want %d", name, parts, each, c.parts)
		}
		sums := product.Bind[1].Storage
		if sums != sum.Bind[0].Storage || sums.Class != op.Temp || int(product.Params[slab]) != c.m*quads(c.n) || sums.Elems != 4*parts*c.m*quads(c.n) || storageBytes(sums) > c.caps.MaxBinding {
			t.Errorf("%s: sums %+v, %d from one part to the next", name, sums, product.Params[slab])
		}
		if sum.Params[share] != product.Params[share] || sum.Params[slab] != product.Params[slab] {
			t.Errorf("%s: the parts are added up as if they were others", name)
		}
		if all := op.FLOPs(l.Nodes[0]); product.flops != all || sum.flops != 0 {
			t.Errorf("%s: %g and %g of %g of arithmetic", name, product.flops, sum.flops, all)
		}
	}
}

func TestMatMulKernel(t *testing.T) {
	software := PortableFloor
	software.CPU = true
	for _, c := range []struct {
		m, n   int
		caps   Caps
		file   string
		groups [3]int
	}{
		{1, 1, PortableFloor, "matmul_gemv", [3]int{1, 1, 1}},
		{8, 1537, PortableFloor, "matmul_gemv", [3]int{193, 1, 1}},
		{9, 65, PortableFloor, "matmul_tile", [3]int{1, 3, 1}},
		{4097, 1536, PortableFloor, "matmul_tile", [3]int{65, 24, 1}},
		{1, 33, software, "matmul_cpu", [3]int{2, 1, 1}},
		{33, 64, software, "matmul_cpu", [3]int{2, 5, 1}},
		{96, 256, software, "matmul_cpu", [3]int{8, 12, 1}},
	} {
		k := matMul(t, product{c.m, c.n, 256, layoutQ8, op.GELU, 0, op.Counted{}}, c.caps)
		if k.File != c.file || k.groups != c.groups {
			t.Errorf("%d×%d: %s in %v workgroups, want %s in %v", c.m, c.n, k.File, k.groups, c.file, c.groups)
		}
	}
	seen := map[string]bool{}
	for m := 1; m <= gemvRows; m++ {
		seen[matMul(t, product{m, 64, 64, layoutF16, op.None, 0, op.Counted{}}, PortableFloor).key()] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d variants for 1 to %d rows, want those of 1, 2, 4 and 8", len(seen), gemvRows)
	}
}

// Of counted rows a software adapter gets workgroups for as many as are expected, since
// idle ones cost it much; any other device for all of them, in tiles for as many.
func TestCountedRows(t *testing.T) {
	software := PortableFloor
	software.CPU = true
	p := product{192, 3072, 768, layoutQ8, op.None, 0, op.Counted{List: op.NewStorage("list", op.Fixed, op.F32, 1, op.ListHead+192), Share: 0.25}}
	if k := matMul(t, p, software); k.groups != [3]int{96, 6, 1} {
		t.Errorf("a software adapter gets %v workgroups", k.groups)
	}
	want, _ := chooseTile(48, p.n, 0)
	if k := matMul(t, p, PortableFloor); k.groups != [3]int{op.CeilDiv(192, want.m), op.CeilDiv(p.n, want.n), 1} {
		t.Errorf("a GPU gets %v workgroups, want tiles of %d×%d", k.groups, want.m, want.n)
	}
}

// On software adapters what lies beyond k is masked only where rows end within four
// numbers: whether they do is read off the tensors.
func TestRaggedRows(t *testing.T) {
	software := PortableFloor
	software.CPU = true
	for k, want := range map[int]bool{64: false, 63: true, 61: true} {
		n := &op.MatMulOp{A: op.NewStorage("a", op.Fixed, op.F32, 3, k), W: op.NewStorage("w", op.Weight, op.F32, 8, k), Epilogue: op.Epilogue{Out: op.NewStorage("out", op.Fixed, op.F32, 3, 8)}}
		launches, err := lowerMatMul(n, software)
		if err != nil || len(launches) != 1 {
			t.Fatalf("%d launches (%v)", len(launches), err)
		}
		if text := launches[0].Kernel.Prelude; strings.Contains(text, "const RAGGED: bool = true;") != want {
			t.Errorf("rows of %d have the prelude %q", k, text)
		}
	}
}

// matMul is the kernel that a product gets.
func matMul(t *testing.T, p product, c Caps) tiled {
	t.Helper()
	v, err := pick(matMulVariants, p, c)
	if err != nil {
		t.Fatal(err)
	}
	return v.launch(p, c)
}

// matrix describes a weight as Device.Upload does.
func matrix(dt op.DType, rows, cols int) *op.Tensor {
	return op.NewStorage("w", op.Weight, dt, rows, cols)
}

// TestMatMulShards cuts a product at the binding limit and checks that every
// column is made once, from the right rows of the right buffers.
func TestMatMulShards(t *testing.T) {
	caps := PortableFloor
	caps.MaxBinding = 100 << 10
	for _, c := range []struct {
		dt             op.DType
		rows, from, to int
		want           string
	}{
		// 1,600 rows of 16 F32 columns fit, 1,536 of them whole tiles; 3,200 of F16.
		{op.F32, 4000, 0, 4000, "w0:0+1536→0 w1:0+1536→1536 w2:0+928→3072 "},
		{op.F32, 4000, 1500, 1601, "w0:1500+36→0 w1:0+65→36 "},
		{op.F32, 4000, 1541, 1545, "w1:4+4→0 "},
		{op.F16, 3273, 3100, 3273, "w0:3100+100→0 w1:0+73→100 "},
	} {
		w := matrix(c.dt, c.rows, 16).Slice(c.from, c.to)
		a := op.NewStorage("a", op.Fixed, op.F32, 5, 16)
		l := op.NewList("shards")
		l.MatMul(a, w, op.Epilogue{})
		steps, err := lower(l, caps)
		if err != nil {
			t.Errorf("rows %d to %d of %d: %v", c.from, c.to, c.rows, err)
			continue
		}
		var got string
		for _, s := range steps {
			const n, column, row = 1, 12, 16 // words of lib/matmul.wgsl
			got += fmt.Sprintf("w%d:%d+%d→%d ", s.Bind[5].Part, 4*s.Params[row], s.Params[n], 4*s.Params[column])
		}
		if got != c.want {
			t.Errorf("rows %d to %d of %d %s:\n got %s\nwant %s", c.from, c.to, c.rows, c.dt, got, c.want)
		}
	}
	l := op.NewList("shards")
	l.MatMul(op.NewStorage("a", op.Fixed, op.F32, 5, 16), matrix(op.F32, 4000, 16).Slice(1501, 1601), op.Epilogue{})
	if _, err := lower(l, caps); err == nil {
		t.Error("a slice that begins inside a patch and spans two buffers gave no error")
	}
}
