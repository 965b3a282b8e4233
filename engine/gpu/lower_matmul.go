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

// How K is divided among workgroups where there are too few of them (see matmul_tile.wgsl).
const (
	fewTiles  = 96   // workgroups of the usual tile: below this many
	longK     = 1024 // and from this K on it is divided without a measurement
	mostParts = 16
)

// shortest is how much of K a part has at least, a whole tile: less would save no more time
// than it takes to add up the parts, which is one more launch.
var shortest = 256

// parts is among how many workgroups the K of a tile's outputs is divided, so that there are
// enough threads: 1, or another power of two.
func (t tile) parts(m, n, k, enough int) int {
	parts := 1
	for parts < mostParts && parts*t.groups(m, n)*t.threads() < enough && k >= 2*parts*max(shortest, t.k) {
		parts *= 2
	}
	return parts
}

// groups is how many of the tile m × n outputs take.
func (t tile) groups(m, n int) int { return op.CeilDiv(m, t.m) * op.CeilDiv(n, t.n) }

// chooseTile finds the tile with the least time for m × n outputs: what it
// computes beyond them, how fast its threads are, and how many of them there are.
// K is divided where that makes them enough; where k is 0 it never is.
func chooseTile(m, n, k int) (best tile, parts int) {
	var least float64
	for _, t := range tiles {
		groups, divided := t.groups(m, n), t.parts(m, n, k, busy)
		time := t.cost * float64(groups*t.m*t.n) * max(1, busy/float64(divided*groups*t.threads()))
		if best.m == 0 || time < least {
			best, parts, least = t.tile, divided, time
		}
	}
	return best, parts
}

// gemvRows is up to how many rows of a matmul_gemv.wgsl takes.
const gemvRows = 8

// product is what a kernel of MatMul is chosen by: m × n outputs, sums of k, and the weight.
type product struct {
	m, n, k int
	layout  layout
	act     op.Act
	shift   int        // rows of the weight's first patch that come before its first row
	counted op.Counted // rows
}

// short products have few rows: what matters is how fast the weight is read.
func (p product) short() bool { return p.m <= gemvRows }

// long are the others.
func (p product) long() bool { return !p.short() }

// deep are those of few tiles and a long K.
func (p product) deep() bool {
	return p.long() && p.k >= longK && p.usual().groups(p.m, p.n) < fewTiles
}

// rows is the smallest power of two that is not less than m, at most gemvRows.
func (p product) rows() int {
	rows := 1
	for rows < min(p.m, gemvRows) {
		rows *= 2
	}
	return rows
}

// tiled is a kernel of MatMul, its workgroups, and the dimension of those that lies along
// the rows of the product. Along z lie the parts of K, each of them so long.
type tiled struct {
	Kernel
	groups [3]int
	rows   along
	part   int
}

func (p product) kernel(file string, tile constants, groups [3]int, rows along) tiled {
	var c constants
	c.u32("SHIFT", p.shift)
	p.layout.constants(&c, 6)
	return tiled{p.finishing(c+tile, file, 6+p.layout.parts(), "weight_"+layouts[p.layout].lib, "matmul_weight"), groups, rows, p.k}
}

// finishing is a kernel that finishes the outputs of a product; list is the binding of one that
// counts rows.
func (p product) finishing(c constants, file string, list int, libs ...string) Kernel {
	c.u32("ACT", int(p.act))
	rows := "rows"
	if p.counted.List != nil {
		rows = "rows_counted"
		c.u32("LIST", list)
	}
	return Kernel{File: file, Libs: append(libs, "activation", rows, "matmul"), Prelude: string(c)}
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
	c.flag("RAGGED", p.k%op.Align != 0)
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

func matMulTile(p product, _ Caps) tiled { return p.tile(p.usual(), "f32") }

// usual is the tile of an undivided K.
func (p product) usual() tile {
	t, _ := chooseTile(p.counted.Expected(p.m), p.n, 0)
	return t
}

// matMulTileOf takes the same tile for every shape.
func matMulTileOf(i int) func(product, Caps) tiled {
	return func(p product, _ Caps) tiled { return p.tile(tiles[i].tile, "f32") }
}

// matMulSplit divides K: several workgroups make the same outputs.
func matMulSplit(p product, c Caps) tiled {
	t, parts := chooseTile(p.counted.Expected(p.m), p.n, p.k)
	return p.split(t, parts, c)
}

// spread is for how many threads K is divided where that is measured: large GPUs have room
// for more than are enough for others.
const spread = 8 * busy

// splits says whether a tile's K can be divided.
func splits(i int) func(product) bool {
	return func(p product) bool { return p.long() && tiles[i].parts(p.m, p.n, p.k, spread) > 1 }
}

func matMulSplitOf(i int) func(product, Caps) tiled {
	return func(p product, c Caps) tiled {
		return p.split(tiles[i].tile, tiles[i].parts(p.m, p.n, p.k, spread), c)
	}
}

// split leaves the activation to whoever adds up the parts. Each is whole tiles of K, and the
// sums of all have to fit into a binding.
func (p product) split(t tile, parts int, c Caps) tiled {
	for parts > 1 && int64(16*parts*p.m*quads(p.n)) > c.MaxBinding {
		parts /= 2
	}
	if parts == 1 {
		return p.tile(t, "f32")
	}
	p.act = op.None
	k := p.tile(t, "f32")
	k.part = op.CeilDiv(op.CeilDiv(p.k, t.k), parts) * t.k
	k.groups[2] = op.CeilDiv(p.k, k.part)
	return k
}

// matMulHalf multiplies in f16 and adds up in f32.
func matMulHalf(p product, _ Caps) tiled { return p.half(p.usual()) }

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

// ending is what becomes of sums: where they are written, and how. Columns count vec4s.
type ending struct {
	out, bias, gate, residual     *op.Tensor
	flags                         int
	column, from, gapAt, gapWidth int
}

// lowerMatMul makes one launch for each shard of the weight, two where K is divided. Errors:
// fault.Shape for a weight that cannot be a matrix or is sliced where it cannot be.
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
	var flags int
	or := func(t *op.Tensor, flag int) *op.Tensor {
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
		p := product{a.Rows, s.to - s.from, a.Cols, y, n.Act, shift, n.Counted}
		v, err := pick(matMulVariants, p, c)
		if err != nil {
			return nil, err
		}
		k := v.launch(p, c)
		slab := 0 // from the sums of one part of K to those of the next, in vec4s
		launch := func(kernel Kernel, a *op.Tensor, e ending, weights ...Binding) *Launch {
			l := Launch{
				Kernel: kernel,
				Bind: append([]Binding{{Storage: a.Storage}, {Storage: e.out.Storage, Write: true},
					{Storage: e.bias.Storage}, {Storage: e.gate.Storage}, {Storage: e.residual.Storage}}, weights...),
				Groups: k.groups,
				Along:  k.rows,
			}
			listAt := 0
			if list := n.Counted.List; list != nil {
				l.Bind = append(l.Bind, Binding{Storage: list.Storage})
				listAt = list.Offset
			}
			l.Params = words(
				a.Rows, p.n, p.k, quads(p.k), a, e.out, e.residual, e.bias.Offset/4, e.gate.Offset/4,
				e.column, e.from, e.gapAt, e.gapWidth, (s.from-s.start)/4, (s.last-s.start)/4, e.flags, listAt, k.groups[1], quads(k.part), slab, 0)
			launches = append(launches, l)
			return &launches[len(launches)-1]
		}
		var weights []Binding
		for i := range y.parts() {
			weights = append(weights, Binding{Storage: w.Storage, Part: s.part + i})
		}
		all := ending{n.Out, bias, gate, residual, flags, (s.from - from) / 4, n.ActFrom / 4, n.GapAt / 4, n.GapWidth / 4}
		if k.groups[2] == 1 {
			launch(k.Kernel, a, all, weights...)
			continue
		}
		sums := op.NewStorage("sums of parts of K", op.Temp, op.F32, k.groups[2]*p.m, p.n)
		slab = p.m * sums.Stride / 4
		launch(k.Kernel, a, ending{out: sums, bias: a, gate: a, residual: a}, weights...)
		l := launch(p.sum(), sums.Slice(0, p.m), all)
		l.Groups, l.Along, l.Light = fold(p.m*quads(p.n), threads), whole, true
	}
	return launches, nil
}

// sum adds up the parts of K.
func (p product) sum() Kernel {
	var c constants
	c.u32("WORKGROUP", threads)
	return p.finishing(c, "matmul_sum", 6, "place")
}
