package gpu

import (
	"fmt"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// tile is a variant of matmul_tile.wgsl: a workgroup makes m × n outputs, k of K
// at a time, a thread rows × cols of them.
type tile struct{ m, n, k, rows, cols int }

func (t tile) threads() int { return t.m / t.rows * t.n / t.cols }

// shared is the bytes of workgroup memory.
func (t tile) shared() int { return (t.m + t.n) * t.k * 4 }

// tiles are the variants to choose from, each with how long it takes for one
// multiply-add compared with the first: the fewer outputs a thread makes, the more
// it waits for shared memory (a thread of 8×8 loads 4 vec4 for 64 multiply-adds,
// 8×4 loads 3 for 32, 4×4 loads 2 for 16). All fit the portable floor.
var tiles = []struct {
	tile
	cost float64
}{
	{tile{128, 128, 16, 8, 8}, 1},
	{tile{64, 64, 16, 8, 8}, 1.05},
	{tile{32, 64, 32, 8, 4}, 1.35},
	{tile{32, 32, 32, 4, 4}, 2},
}

// busy is how many threads keep a GPU busy. WebGPU does not tell how large the GPU
// is; this is a laptop's, and a large one only runs below its best on shapes that
// take it microseconds anyway.
const busy = 8192

// chooseTile finds the tile with the least time for m × n outputs: what it
// computes beyond them, how fast its threads are, and how many of them there are.
func chooseTile(m, n int) tile {
	var best tile
	var least float64
	for _, t := range tiles {
		groups := ceilDiv(m, t.m) * ceilDiv(n, t.n)
		time := t.cost * float64(groups*t.m*t.n) * max(1, busy/float64(groups*t.threads()))
		if best.m == 0 || time < least {
			best, least = t.tile, time
		}
	}
	return best
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// gemvRows is up to how many rows of a matmul_gemv.wgsl takes.
const gemvRows = 8

// matMulKernel chooses the kernel for m × n outputs and its workgroups.
func matMulKernel(m, n int, y layout, act op.Act, shift int, c Caps) (Kernel, [3]int) {
	k := Kernel{
		Libs:    []string{"activation", "weight_" + layouts[y].name, "matmul"},
		Prelude: fmt.Sprintf("const ACT: u32 = %du;\nconst SHIFT: u32 = %du;\n", act, shift),
	}
	rows := 1
	for rows < min(m, gemvRows) {
		rows *= 2
	}
	switch {
	case c.CPU:
		if rows == 2 {
			rows = 4
		}
		k.File = "matmul_cpu"
		k.Prelude += fmt.Sprintf("const ROWS: u32 = %du;\n", rows)
		return k, [3]int{ceilDiv(n, 4*8), ceilDiv(m, rows*4), 1}
	case m <= gemvRows:
		k.File = "matmul_gemv"
		k.Prelude += fmt.Sprintf("const ROWS: u32 = %du;\n", rows)
		return k, [3]int{ceilDiv(n, 8), 1, 1}
	}
	t := chooseTile(m, n)
	k.File = "matmul_tile"
	k.Prelude += fmt.Sprintf("const TILE_M: u32 = %du;\nconst TILE_N: u32 = %du;\nconst TILE_K: u32 = %du;\nconst ROWS: u32 = %du;\nconst COLS: u32 = %du;\n",
		t.m, t.n, t.k, t.rows, t.cols)
	return k, [3]int{ceilDiv(m, t.m), ceilDiv(n, t.n), 1}
}

// The flags of lib/matmul.wgsl.
const (
	flagBias = 1 << iota
	flagGate
	flagResidual
	flagInPlace
)

// lowerMatMul makes one launch for each shard of the weight. Errors: fault.Shape
// for a weight that cannot be a matrix or is sliced where it cannot be.
func lowerMatMul(n *op.MatMulOp, c Caps) ([]Launch, error) {
	a, w, bias, gate, residual := n.A, n.W, n.Bias, n.Gate, n.Residual
	y, err := layoutOf(w.DType())
	if err != nil {
		return nil, err
	}
	if w.Storage.Class != op.Weight || w.Offset%w.Stride != 0 {
		return nil, fault.New(fault.Shape, "w %s must be whole rows of a weight", w)
	}
	from := w.Offset / w.Stride
	shift := from % op.Align
	shards := y.shards(w.Cols, from, from+w.Rows, w.Storage.Elems/w.Stride, c)
	if shift != 0 && len(shards) > 1 {
		return nil, fault.New(fault.Shape, "w %s begins at row %d of a weight in %d buffers, where a multiple of %d is supported", w, from, len(shards), op.Align)
	}

	// WebGPU wants something bound to every name: a stands in for what is absent.
	var flags uint32
	or := func(t *op.Tensor, flag uint32) *op.Tensor {
		if t == nil {
			return a
		}
		flags |= flag
		return t
	}
	bias, gate = or(bias, flagBias), or(gate, flagGate)
	if residual.Same(n.Out) {
		flags |= flagInPlace
		residual = a
	} else {
		residual = or(residual, flagResidual)
	}

	var launches []Launch
	for _, s := range shards {
		kernel, groups := matMulKernel(a.Rows, s.to-s.from, y, n.Act, shift, c)
		l := Launch{
			Kernel: kernel,
			Bind: []Binding{{Storage: a.Storage}, {Storage: n.Out.Storage, Write: true},
				{Storage: bias.Storage}, {Storage: gate.Storage}, {Storage: residual.Storage}},
			Groups: groups,
		}
		for i := range y.parts() {
			l.Bind = append(l.Bind, Binding{Storage: w.Storage, Part: s.part + i})
		}
		for _, v := range []int{
			a.Rows, s.to - s.from, a.Cols, quads(a.Cols),
			a.Offset / 4, a.Stride / 4, n.Out.Offset / 4, n.Out.Stride / 4,
			residual.Offset / 4, residual.Stride / 4, bias.Offset / 4, gate.Offset / 4,
			(s.from - from) / 4, n.ActFrom / 4, n.GapAt / 4, n.GapWidth / 4,
			(s.from - s.start) / 4, (s.last - s.start) / 4,
		} {
			l.Params = append(l.Params, uint32(v))
		}
		l.Params = append(l.Params, flags)
		launches = append(launches, l)
	}
	return launches, nil
}
