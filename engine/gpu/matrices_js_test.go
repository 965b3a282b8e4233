package gpu

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"undertone/engine/cpu"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

func init() { OfferMatrices() }

// TestMatrices runs all products of more than a few rows on subgroup matrices, where the
// device has them, and some again with more threads than subgroups turn out to have.
func TestMatrices(t *testing.T) {
	d, ref := open(t, Options{Hardware: true, Matrices: true}), cpu.New(cpu.Options{})
	d.Round(16)
	lanes := d.Caps().SubgroupMax
	some := named(t, "31x63x127_f32_bias_framed", "97x65x256_q8_0_bias_gate_residual_inplace_framed", "33x65x129_f16_skip6_framed",
		"70x72x64_q4_0_bias_gelu_from32_gap20at32_framed", "32x256x1280_f32_bias_gate_residual_inplace_outliers", "33x36x128_f32_mean800")
	for _, c := range []struct {
		name  string
		lanes int
		cases []ops.Case
	}{
		{"matrices 64×64", lanes, ops.Cases()},
		{"matrices 32×32", lanes, some},
		{"matrices 32×32", 2 * lanes, some},
	} {
		d.caps.SubgroupMax = c.lanes
		d.Prefer(c.name)
		made, ok := d.Caps().matrixTile(32)
		if !ok {
			t.Skipf("the device has none that products can be made of: %+v", d.Caps().Matrices)
		}
		for _, one := range c.cases {
			if one.Kind != op.MatMul {
				continue
			}
			t.Run(fmt.Sprintf("%s of %+v, %d lanes/%s", c.name, made.Matrix, c.lanes, one.Name), func(t *testing.T) {
				if !made.Half {
					one.Run(t, d, ref)
				} else {
					one.RunRounded(t, d, ref, 16)
				}
			})
		}
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(d.pipelines.index)), func(key string) bool { return strings.HasPrefix(key, "matmul_matrices") }) {
		t.Error("no kernel of subgroup matrices was compiled")
	}
}

// TestMatricesOfOtherSizes runs the kernel of subgroup matrices in sizes that only some GPUs
// have, on any device: subgroups and their matrices are played by plain WGSL, in which every
// thread of a subgroup holds its matrices whole.
func TestMatricesOfOtherSizes(t *testing.T) {
	defer func(files fs.FS, variants []variant[product, tiled]) { kernelFiles, matMulVariants = files, variants }(kernelFiles, matMulVariants)
	kernelFiles = played{kernelFiles}
	d, ref := open(t, Options{Hardware: true, Portable: true}), cpu.New(cpu.Options{})
	for _, m := range []struct {
		Matrix
		cases []ops.Case
	}{
		{Matrix{false, 8, 16, 16}, named(t, "31x63x127_f32_bias_framed")},
		{Matrix{false, 16, 8, 4}, named(t, "70x72x64_q4_0_bias_gelu_from32_gap20at32_framed")},
	} {
		caps := PortableFloor
		caps.Matrices, caps.SubgroupMax = []Matrix{m.Matrix}, 4
		name := fmt.Sprintf("%d×%d×%d", m.M, m.N, m.K)
		matMulVariants = append(matMulVariants, variant[product, tiled]{name, nil, product.long, func(p product, _ Caps) tiled {
			k := matMulMatrices(32)(p, caps)
			k.Enables = nil
			return k
		}})
		d.Prefer(name)
		for _, c := range m.cases {
			t.Run(name+"/"+c.Name, func(t *testing.T) { c.Run(t, d, ref) })
		}
	}
}

// played are kernels in which subgroups are made of WGSL.
type played struct{ fs.FS }

func (p played) Open(name string) (fs.File, error) {
	if name != "matmul_matrices.wgsl" {
		return p.FS.Open(name)
	}
	text, err := fs.ReadFile(p.FS, name)
	if err != nil {
		return nil, err
	}
	s := strings.NewReplacer(
		"alias left = subgroup_matrix_left<operand, UNIT_K, UNIT_M>;", "struct left { all: array<array<operand, UNIT_K>, UNIT_M> }",
		"alias right = subgroup_matrix_right<operand, UNIT_N, UNIT_K>;", "struct right { all: array<array<operand, UNIT_N>, UNIT_K> }",
		"alias sums = subgroup_matrix_result<f32, UNIT_N, UNIT_M>;", "struct sums { all: array<array<f32, UNIT_N>, UNIT_M> }",
		", @builtin(subgroup_id) subgroup: u32) {", ") {\nlet subgroup = id / LANES;\nlane = id % LANES;",
		"subgroupMatrixLoad<left, col_major>(&tile_a, ", "load_left(",
		"subgroupMatrixLoad<right, row_major>(&tile_w, ", "load_right(",
		"subgroupMatrixMultiplyAccumulate(", "multiplied(",
		"subgroupMatrixStore<row_major>(&made, ", "store_made(",
	).Replace(string(text)) + `
var<private> lane: u32;

fn load_left(at: u32, stride: u32) -> left {
    var v: left;
    for (var m = 0u; m < UNIT_M; m++) {
        for (var k = 0u; k < UNIT_K; k++) {
            v.all[m][k] = tile_a[at + k * stride + m / 4u][m % 4u];
        }
    }
    return v;
}

fn load_right(at: u32, stride: u32) -> right {
    var v: right;
    for (var k = 0u; k < UNIT_K; k++) {
        for (var n = 0u; n < UNIT_N; n++) {
            v.all[k][n] = tile_w[at + k * stride + n / 4u][n % 4u];
        }
    }
    return v;
}

fn multiplied(x: left, y: right, begun: sums) -> sums {
    var v = begun;
    for (var m = 0u; m < UNIT_M; m++) {
        for (var n = 0u; n < UNIT_N; n++) {
            for (var k = 0u; k < UNIT_K; k++) {
                v.all[m][n] += x.all[m][k] * y.all[k][n];
            }
        }
    }
    return v;
}

fn store_made(to: u32, v: sums, stride: u32) {
    for (var i = lane; i < QUADS; i += LANES) {
        let m = i / (UNIT_N / 4u);
        let n = i % (UNIT_N / 4u);
        for (var j = 0u; j < 4u; j++) {
            made[to + m * stride + n][j] = v.all[m][4u * n + j];
        }
    }
}
`
	return fstest.MapFS{name: {Data: []byte(s)}}.Open(name)
}
