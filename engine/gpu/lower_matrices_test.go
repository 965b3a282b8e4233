//go:build !js

package gpu

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine/op"
)

func init() { offerMatrices() }

// offers are subgroup matrices as GPUs of several makers may have them, with the most lanes of a
// subgroup; only lavapipe's were seen.
var offers = map[string]struct {
	lanes    int
	matrices []Matrix
}{
	"NVIDIA":   {32, []Matrix{{true, 16, 8, 8}, {true, 16, 16, 16}, {true, 16, 8, 16}}},
	"AMD":      {64, []Matrix{{true, 16, 16, 16}}},
	"Intel":    {32, []Matrix{{true, 8, 16, 16}}},
	"Apple":    {32, []Matrix{{false, 8, 8, 8}}},
	"Qualcomm": {128, []Matrix{{true, 64, 16, 16}, {true, 16, 16, 16}}},
	"lavapipe": {8, []Matrix{{true, 8, 8, 8}}},
	"both":     {32, []Matrix{{true, 8, 8, 8}, {false, 16, 16, 16}}},
}

func offering(lanes int, matrices ...Matrix) Caps {
	c := PortableFloor
	c.F16, c.Subgroups, c.SubgroupMin, c.SubgroupMax, c.Matrices = true, true, 4, lanes, matrices
	return c
}

// TestChooseMatrix takes the largest matrices of which a tile can be made on the floor of all
// other limits, and none in f16 where operands may not be rounded to that.
func TestChooseMatrix(t *testing.T) {
	none := Matrix{}
	for name, want := range map[string]struct{ exact, rounded Matrix }{
		"NVIDIA":   {none, Matrix{true, 16, 16, 16}},
		"AMD":      {none, Matrix{true, 16, 16, 16}},
		"Intel":    {none, Matrix{true, 8, 16, 16}},
		"Apple":    {Matrix{false, 8, 8, 8}, Matrix{false, 8, 8, 8}},
		"Qualcomm": {none, Matrix{true, 16, 16, 16}},
		"lavapipe": {none, Matrix{true, 8, 8, 8}},
		"both":     {Matrix{false, 16, 16, 16}, Matrix{true, 8, 8, 8}},
	} {
		c := offering(offers[name].lanes, offers[name].matrices...)
		for bits, want := range map[int]Matrix{0: want.exact, 16: want.rounded} {
			c.Bits = bits
			got, ok := c.matrixTile(64)
			if ok != (want != none) || ok && got.Matrix != want {
				t.Errorf("%s, rounded to %d bits: %+v (%t), want %+v", name, bits, got, ok, want)
			}
		}
	}
	c := offering(32, Matrix{false, 16, 16, 16})
	c.SharedBytes = 8 << 10
	if got, ok := c.matrixTile(64); ok {
		t.Errorf("%+v takes %d bytes of workgroup memory, of %d", got, got.shared(), c.SharedBytes)
	}
	for _, m := range []Matrix{{true, 2, 8, 8}, {true, 8, 24, 8}, {true, 8, 8, 64}, {true, 0, 0, 0}} {
		c := offering(32, m)
		c.Bits = 16
		if got, ok := c.matrixTile(64); ok {
			t.Errorf("a tile is made of %+v", got)
		}
	}
}

// TestMatricesOnlyByChoice: where the device was not asked for them there are none, to a search
// neither; where it was they still are never the usual ones.
func TestMatricesOnlyByChoice(t *testing.T) {
	p := product{96, 1024, 256, layoutQ8, op.None, 0, op.Counted{}}
	c := offering(32, Matrix{true, 16, 16, 16})
	c.Bits = 16
	without := c
	without.Matrices = nil
	for caps, want := range map[*Caps]bool{&c: true, &without: false} {
		if got := strings.Contains(strings.Join(operations[op.MatMul].offered(*caps), " "), "matrices"); got != want {
			t.Errorf("with %+v they are offered: %t", caps.Matrices, got)
		}
		found := false
		for _, c := range contests([]counted{{shapesOf(), 1}}, *caps) {
			found = found || slices.ContainsFunc(c.ways, func(w way) bool { return strings.HasPrefix(w.variant, "matrices") })
		}
		if found != want {
			t.Errorf("with %+v a search tries them: %t", caps.Matrices, found)
		}
	}
	if v, err := pick(matMulVariants, p, c); err != nil || v.name != "tile" {
		t.Errorf("usually it is %s (%v)", v.name, err)
	}
}

// TestMatricesAreValid checks the texts for what GPUs offer, and what they take of the floor.
func TestMatricesAreValid(t *testing.T) {
	kernels := map[string]Kernel{}
	for name, o := range offers {
		c := offering(o.lanes, o.matrices...)
		c.Bits = 16
		for _, size := range []int{64, 32} {
			made, ok := c.matrixTile(size)
			if !ok || made.threads() > c.Invocations || made.threads()%o.lanes != 0 || made.shared() > c.SharedBytes {
				t.Errorf("%s, %d × %d outputs: %+v has %d threads and %d bytes", name, size, size, made, made.threads(), made.shared())
			}
			for y := range layouts {
				k := matMulMatrices(size)(product{64, 64, 64, layout(y), op.GELU, size / 32, op.Counted{}}, c)
				kernels[k.key()] = k.Kernel
			}
		}
	}
	validate(t, kernels)
}
