package gpu

import (
	"fmt"

	"undertone/engine/op"
)

// Layout of a weight of op.UseConv3x3 on the GPU (written by the repack kernel,
// read by conv3x3*.wgsl): one F32 buffer
//
//	[9][CinP][CoutP]   CinP = op.Pad(Cin), CoutP = op.Pad(Cout)
//
// where tap = 3·ky + kx comes first, then the input channel, then the output
// channel, so that one vec4 holds four output channels of one input channel.
// Element (co, ci, ky, kx) of the OIHW file lies at ((3·ky + kx)·CinP + ci)·CoutP + co;
// everything in the padding is zero.

// convTile is a variant of conv3x3.wgsl; see there for what the numbers mean.
type convTile struct{ p, n, runs, rows, groups, ck int }

// Workgroup memory that every device has.
const floorShared = 16 << 10

// shared is the tile's workgroup memory in bytes.
func (t convTile) shared() int {
	return 16 * t.ck * ((t.rows+2)*((t.p*t.runs+2)|1) + 36*t.groups*t.n)
}

func (t convTile) grid(h, w, cout4 int) [3]int {
	return [3]int{op.CeilDiv(w, t.p*t.runs), op.CeilDiv(h, t.rows), op.CeilDiv(cout4, t.groups*t.n)}
}

// convSizes are the pixels and quads of output channels that a thread may have.
var convSizes = [][2]int{{8, 2}, {8, 1}, {4, 1}}

// convTileFor chooses the tile with the most work per thread that still gives the
// GPU enough workgroups.
func convTileFor(h, w, cin4, cout4 int) (t convTile) {
	for _, size := range convSizes {
		t = convTileOf(size, cin4, cout4)
		if g := t.grid(h, w, cout4); g[0]*g[1]*g[2] >= fewGroups {
			break
		}
	}
	return t
}

// convTileOf is the tile of 64 threads for what one of them has.
func convTileOf(size [2]int, cin4, cout4 int) convTile {
	t := convTile{p: size[0], n: min(size[1], cout4), groups: 1, ck: 1}
	for t.groups < 4 && t.groups*t.n < cout4 {
		t.groups *= 2
	}
	// 16 pixels wide, or 32 where few groups of channels leave threads for it.
	t.runs = 16 / t.p
	if t.groups == 1 {
		t.runs = 32 / t.p
	}
	t.rows = threads / (t.runs * t.groups)
	// More channels at a time: fewer barriers, and whole lines of x from memory.
	for 2*t.ck <= min(cin4, 4) {
		t.ck *= 2
		if t.shared() > floorShared {
			t.ck /= 2
			break
		}
	}
	return t
}

func conv3x3Shape(n *op.Conv3x3Op) string {
	return fmt.Sprintf("Conv3x3 %d×%d, %d to %d", n.Height, n.Width, n.X.Cols, n.Out.Cols)
}

// conv3x3Launch is everything but the kernel's file, its workgroups and the rest of
// its constants.
func conv3x3Launch(n *op.Conv3x3Op) (Launch, constants) {
	x, weight, bias, residual, out := n.X, n.Weight, n.Bias, n.Residual, n.Out
	var c constants
	c.u32("ACT", int(n.Act))
	c.u32("HALVED", n.Halved)
	c.u32("SKIP", n.Skip)
	l := Launch{Bind: []Binding{{Storage: out.Storage, Write: true}, {Storage: x.Storage}, {Storage: weight.Storage}}, Along: alongY}
	hasBias := 0
	if bias != nil {
		hasBias = 1
	}
	biasAt := l.vector(bias, weight)
	operand := l.bindOperand(&c, residual, out)
	if residual == nil {
		residual = out
	}
	l.Params = words(n.Height, n.Width, x.Cols, quads(x.Cols), out.Cols, quads(out.Cols), out, x, hasBias, biasAt, residual, 0)
	l.Kernel = Kernel{Libs: []string{"activation", "keep", "mac", "store", operand, "conv3x3_end", "f32"}}
	return l, c
}

// conv3x3CPU has threads along a line of pixels, those of a workgroup with the same output
// channels, and one line per row of workgroups.
func conv3x3CPU(n *op.Conv3x3Op, device Caps) []Launch {
	const group = 4
	pixels, each := 8, 1
	if n.Width < pixels*group {
		pixels = 4
	}
	if device.lanes() {
		each = min(2, quads(n.Out.Cols))
	}
	l, c := conv3x3Launch(n)
	c.u32("WORKGROUP", group)
	c.u32("P", pixels)
	c.u32("N", each)
	c.flag("RAGGED", n.X.Cols%op.Align != 0)
	c.flag("EXACT", n.Width%pixels == 0)
	l.Kernel.File, l.Kernel.Prelude = "conv3x3_cpu", string(c)
	l.Kernel.share(device, "conv3x3_weights")
	l.Groups = [3]int{op.CeilDiv(n.Width, pixels*group) * op.CeilDiv(quads(n.Out.Cols), each), n.Height, 1}
	return []Launch{l}
}

// conv3x3Tile keeps a tile of pixels in workgroup memory.
func conv3x3Tile(n *op.Conv3x3Op, _ Caps) []Launch {
	return conv3x3Tiled(n, convTileFor(n.Height, n.Width, quads(n.X.Cols), quads(n.Out.Cols)))
}

// conv3x3TileOf gives a thread the same work whatever the shape.
func conv3x3TileOf(size int) func(*op.Conv3x3Op, Caps) []Launch {
	return func(n *op.Conv3x3Op, _ Caps) []Launch {
		return conv3x3Tiled(n, convTileOf(convSizes[size], quads(n.X.Cols), quads(n.Out.Cols)))
	}
}

// conv3x3Half multiplies in f16 and adds up in f32.
func conv3x3Half(n *op.Conv3x3Op, c Caps) []Launch {
	l := conv3x3Tile(n, c)
	k := &l[0].Kernel
	k.Libs[len(k.Libs)-1], k.Enables = "f16", []string{"f16"}
	return l
}

func conv3x3Tiled(n *op.Conv3x3Op, t convTile) []Launch {
	l, c := conv3x3Launch(n)
	c.u32("P", t.p)
	c.u32("N", t.n)
	c.u32("RUNS", t.runs)
	c.u32("ROWS", t.rows)
	c.u32("GROUPS", t.groups)
	c.u32("CK", t.ck)
	l.Kernel.File, l.Kernel.Prelude = "conv3x3", string(c)
	l.Groups = t.grid(n.Height, n.Width, quads(n.Out.Cols))
	return []Launch{l}
}
