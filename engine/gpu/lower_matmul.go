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
// 8×4 loads 3 for 32, 4×4 loads 2 for 16); and a workgroup of 256 threads waits longer at
// its barriers than one of 64 (docs/speed/nvidia-h100.md). All fit the portable floor.
var tiles = []struct {
	tile
	cost float64
}{
	{tile{128, 128, 16, 8, 8}, 1.15},
	{tile{64, 64, 16, 8, 8}, 1},
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
		groups := op.CeilDiv(m, t.m) * op.CeilDiv(n, t.n)
		time := t.cost * float64(groups*t.m*t.n) * max(1, busy/float64(groups*t.threads()))
		if best.m == 0 || time < least {
			best, least = t.tile, time
		}
	}
	return best
}

// gemvRows is up to how many rows of a matmul_gemv.wgsl takes.
const gemvRows = 8

// product is what a kernel of MatMul is chosen by: m × n outputs, and the weight.
type product struct {
	m, n    int
	layout  layout
	act     op.Act
	shift   int        // rows of the weight's first patch that come before its first row
	counted op.Counted // rows
	ragged  bool       // k is no multiple of 4
}

// short products have few rows: what matters is how fast the weight is read.
func (p product) short() bool { return p.m <= gemvRows }

// long are the others.
func (p product) long() bool { return !p.short() }

// rows is the smallest power of two that is not less than m, at most gemvRows.
func (p product) rows() int {
	rows := 1
	for rows < min(p.m, gemvRows) {
		rows *= 2
	}
	return rows
}

// tiled is a kernel of MatMul, its workgroups, and the dimension of those that lies along
// the rows of the product.
type tiled struct {
	Kernel
	groups [3]int
	rows   along
}

func (p product) kernel(file string, tile constants, groups [3]int, rows along) tiled {
	var c constants
	c.u32("ACT", int(p.act))
	c.u32("SHIFT", p.shift)
	p.layout.constants(&c, 6)
	rowsLib := "rows"
	if p.counted.List != nil {
		rowsLib = "rows_counted"
		c.u32("LIST", 6+p.layout.parts())
	}
	return tiled{Kernel{File: file, Libs: []string{"activation", "weight_" + layouts[p.layout].lib, rowsLib, "matmul"}, Prelude: string(c + tile)}, groups, rows}
}

// matMulCPU gives the threads of a workgroup the same rows.
func matMulCPU(p product, device Caps) tiled {
	const group = 8
	rows := p.rows()
	if rows == 2 {
		rows = 4
	}
	var c constants
	c.u32("ROWS", rows)
	c.flag("RAGGED", p.ragged)
	c.u32("WORKGROUP", group)
	k := p.kernel("matmul_cpu", c, [3]int{op.CeilDiv(p.n, 4*group), op.CeilDiv(p.counted.Expected(p.m), rows), 1}, alongY)
	k.share(device, "matmul_rows")
	return k
}

func matMulGEMV(p product, _ Caps) tiled {
	var c constants
	c.u32("ROWS", p.rows())
	return p.kernel("matmul_gemv", c, [3]int{op.CeilDiv(p.n, 8), 1, 1}, whole)
}

func matMulTile(p product, _ Caps) tiled {
	return p.tile(chooseTile(p.counted.Expected(p.m), p.n), "f32")
}

// matMulTileOf takes the same tile for every shape.
func matMulTileOf(i int) func(product, Caps) tiled {
	return func(p product, _ Caps) tiled { return p.tile(tiles[i].tile, "f32") }
}

// matMulHalf multiplies in f16 and adds up in f32.
func matMulHalf(p product, _ Caps) tiled { return p.half(chooseTile(p.counted.Expected(p.m), p.n)) }

func matMulHalfOf(i int) func(product, Caps) tiled {
	return func(p product, _ Caps) tiled { return p.half(tiles[i].tile) }
}

func (p product) half(t tile) tiled {
	k := p.tile(t, "f16")
	k.Enables = []string{"f16"}
	return k
}

func (p product) tile(t tile, float string) tiled {
	var c constants
	c.u32("TILE_M", t.m)
	c.u32("TILE_N", t.n)
	c.u32("TILE_K", t.k)
	c.u32("ROWS", t.rows)
	c.u32("COLS", t.cols)
	k := p.kernel("matmul_tile", c, [3]int{op.CeilDiv(p.m, t.m), op.CeilDiv(p.n, t.n), 1}, alongX)
	k.Libs = append(k.Libs, "outer", float)
	return k
}

// blocks are long products with weights of 8 or 4 bits in blocks of 32, without minima.
func (p product) blocks() bool {
	return p.long() && p.shift == 0 && (p.layout == layoutQ8 || p.layout == layoutQ4)
}

// matMulBytes rounds activations to 8 bits; 32 × 32 outputs where larger tiles are too few.
func matMulBytes(p product, c Caps) tiled {
	if op.CeilDiv(p.m, 64)*op.CeilDiv(p.n, 64) < fewGroups {
		return matMulBytesOf(32, 32)(p, c)
	}
	return matMulBytesOf(64, 64)(p, c)
}

func matMulBytesOf(m, n int) func(product, Caps) tiled {
	return func(p product, _ Caps) tiled {
		var c constants
		c.u32("TILE_M", m)
		c.u32("TILE_N", n)
		c.u32("ROWS", m/8)
		return p.kernel("matmul_int8", c, [3]int{op.CeilDiv(p.m, m), op.CeilDiv(p.n, n), 1}, alongX)
	}
}

// The flags of lib/matmul.wgsl.
const (
	flagBias = 1 << iota
	flagGate
	flagResidual
	flagInPlace
)

// matMulShape leaves out products of which a list says how many rows there are: that
// changes from run to run.
func matMulShape(n *op.MatMulOp) string {
	if n.Counted.List != nil {
		return ""
	}
	return fmt.Sprintf("MatMul %d×%d×%d %s", n.A.Rows, n.W.Rows, n.A.Cols, n.W.DType())
}

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
		p := product{a.Rows, s.to - s.from, y, n.Act, shift, n.Counted, a.Cols%op.Align != 0}
		v, err := pick(matMulVariants, p, c)
		if err != nil {
			return nil, err
		}
		k := v.launch(p, c)
		l := Launch{
			Kernel: k.Kernel,
			Bind: []Binding{{Storage: a.Storage}, {Storage: n.Out.Storage, Write: true},
				{Storage: bias.Storage}, {Storage: gate.Storage}, {Storage: residual.Storage}},
			Groups: k.groups,
			Along:  k.rows,
		}
		for i := range y.parts() {
			l.Bind = append(l.Bind, Binding{Storage: w.Storage, Part: s.part + i})
		}
		listAt := 0
		if list := n.Counted.List; list != nil {
			l.Bind = append(l.Bind, Binding{Storage: list.Storage})
			listAt = list.Offset
		}
		l.Params = words(
			a.Rows, s.to-s.from, a.Cols, quads(a.Cols), a, n.Out, residual, bias.Offset/4, gate.Offset/4,
			(s.from-from)/4, n.ActFrom/4, n.GapAt/4, n.GapWidth/4, (s.from-s.start)/4, (s.last-s.start)/4, int(flags), listAt, k.groups[1], 0)
		launches = append(launches, l)
	}
	return launches, nil
}
