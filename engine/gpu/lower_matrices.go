package gpu

import "undertone/engine/op"

// Matrix is a product that the threads of a subgroup make together: m × n sums of k products,
// in f32. Operands are f16 or f32.
type Matrix struct {
	Half    bool
	M, N, K int
}

// matrixTile is a variant of matmul_matrices.wgsl: a workgroup makes size × size outputs, k of
// K at a time, and its down × across subgroups a part of them each.
type matrixTile struct {
	Matrix
	size, k, down, across, lanes int
	pad                          int // to a tile's rows, in quads: 16 bytes, to which matrices have to be aligned
}

// matrixTile makes one of the largest matrices that the device offers and that divide it, with
// operands in f16 where products may be rounded to that.
func (c Caps) matrixTile(size int) (best matrixTile, ok bool) {
	for _, m := range c.Matrices {
		t := matrixTile{m, size, 16, 2, 2, c.SubgroupMax, 1}
		if m.Half {
			t.k, t.pad = 32, 2
		}
		if t.threads() > PortableFloor.Invocations {
			t.across = 1
		}
		if (!m.Half || halves(c)) && t.possible(c) && t.work() > best.work() {
			best, ok = t, true
		}
	}
	return best, ok
}

// work puts tiles in order: those in f16 first.
func (t matrixTile) work() int { return t.k<<20 + t.M*t.N*t.K }

func (t matrixTile) threads() int { return t.down * t.across * t.lanes }

// shared is the bytes of workgroup memory: two tiles of 64 bytes of K, and a matrix of sums for
// each subgroup.
func (t matrixTile) shared() int {
	return 2*64*(t.size+4*t.pad) + t.down*t.across*t.M*t.N*4
}

func (t matrixTile) possible(c Caps) bool {
	return min(t.M, t.N, t.K, t.lanes) > 0 && t.M%4+t.N%4+t.size/t.down%t.M+t.size/t.across%t.N+t.k%t.K == 0 &&
		t.threads() <= c.Invocations && t.shared() <= c.SharedBytes
}

func offerMatrices() {
	matMulVariants = append(matMulVariants,
		variant[product, tiled]{"matrices 64×64", byMatrices(64), product.long, matMulMatrices(64)},
		variant[product, tiled]{"matrices 32×32", byMatrices(32), product.long, matMulMatrices(32)})
	operations[op.MatMul] = products()
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
		operand, enables := "f32", []string{"chromium_experimental_subgroup_matrix", "subgroups", "f16"}
		if t.Half {
			operand = "f16"
		} else {
			enables = enables[:2]
		}
		c := constants("alias operand = " + operand + ";\n")
		for _, v := range []struct {
			name  string
			value int
		}{{"TILE", size}, {"TILE_K", t.k}, {"PAD", t.pad}, {"DOWN", t.down}, {"ACROSS", t.across}, {"LANES", t.lanes}, {"UNIT_M", t.M}, {"UNIT_N", t.N}, {"UNIT_K", t.K}} {
			c.u32(v.name, v.value)
		}
		k := p.kernel("matmul_matrices", c, [3]int{op.CeilDiv(p.m, size), op.CeilDiv(p.n, size), 1}, alongX)
		k.Libs = append(k.Libs, operand)
		k.Enables = enables
		return k
	}
}
