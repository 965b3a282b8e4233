package gpu

import "undertone/engine/op"

// Matrix is a product that the threads of a subgroup make together: m × n sums of k products.
type Matrix struct {
	Operands, Sums string // types as WebGPU names them: "f16", "f32", "i8", …
	M, N, K        int
}

// matrixTile is a variant of matmul_matrices.wgsl: a workgroup makes size × size outputs, k of
// K at a time, and its down × across subgroups a part of them each.
type matrixTile struct {
	Matrix
	size, k, down, across, lanes int
	bytes                        int // of an operand
}

// matrixTile makes one of the largest matrices that the device offers and that divide it. Sums
// are f32; operands are f16 where products may be rounded to that, else f32.
func (c Caps) matrixTile(size int) (best matrixTile, ok bool) {
	for _, m := range c.Matrices {
		t := matrixTile{m, size, 16, 2, 2, c.SubgroupMax, 4}
		if m.Operands == "f16" {
			t.k, t.bytes = 32, 2
		}
		if t.threads() > PortableFloor.Invocations {
			t.across = 1
		}
		allowed := m.Sums == "f32" && (m.Operands == "f32" || m.Operands == "f16" && halves(c))
		better := t.bytes < best.bytes || t.bytes == best.bytes && m.M*m.N*m.K > best.M*best.N*best.K
		if allowed && t.possible(c) && (!ok || better) {
			best, ok = t, true
		}
	}
	return best, ok
}

func (t matrixTile) threads() int { return t.down * t.across * t.lanes }

// pad is what rows of a tile have more than size, in quads: 16 bytes, to which matrices have to
// be aligned.
func (t matrixTile) pad() int { return 4 / t.bytes }

// shared is the bytes of workgroup memory: two tiles, and a matrix of sums for each subgroup.
func (t matrixTile) shared() int {
	return 2*t.k*(t.size+4*t.pad())*t.bytes + t.down*t.across*t.M*t.N*4
}

func (t matrixTile) possible(c Caps) bool {
	return t.M%4 == 0 && t.N%4 == 0 && t.K > 0 && t.size/t.down%t.M == 0 && t.size/t.across%t.N == 0 && t.k%t.K == 0 &&
		t.lanes > 0 && t.threads() <= c.Invocations && t.shared() <= c.SharedBytes
}

// byMatrices devices have subgroup matrices of which such a tile can be made.
func byMatrices(size int) func(Caps) bool {
	return func(c Caps) bool {
		_, ok := c.matrixTile(size)
		return ok
	}
}

func matMulMatrices(size int) func(product, Caps) tiled {
	return func(p product, device Caps) tiled {
		t, _ := device.matrixTile(size)
		c := constants("alias operand = " + t.Operands + ";\n")
		c.u32("TILE", size)
		c.u32("TILE_K", t.k)
		c.u32("PAD", t.pad())
		c.u32("DOWN", t.down)
		c.u32("ACROSS", t.across)
		c.u32("LANES", t.lanes)
		c.u32("UNIT_M", t.M)
		c.u32("UNIT_N", t.N)
		c.u32("UNIT_K", t.K)
		k := p.kernel("matmul_matrices", c, [3]int{op.CeilDiv(p.m, size), op.CeilDiv(p.n, size), 1}, alongX)
		k.Libs = append(k.Libs, t.Operands)
		k.Enables = []string{"chromium_experimental_subgroup_matrix", "subgroups"}
		if t.Operands == "f16" {
			k.Enables = append(k.Enables, "f16")
		}
		return k
	}
}
