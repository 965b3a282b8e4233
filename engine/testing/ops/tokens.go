package ops

import (
	"fmt"
	"math"
	"math/rand/v2"

	"undertone/engine/op"
)

func rsqrt(n int) float64 { return 1 / math.Sqrt(float64(n)) }

func attentionCases() []Case {
	type at struct {
		s, heads, size int
		causal         bool
		sigma          float64 // of q and k; logits have about sigma² of deviation
		framed         bool
	}
	var cs []at
	for _, s := range []int{1, 31, 33, 65, 97} {
		cs = append(cs, at{s, 3, 64, false, 1, true}, at{s, 2, 20, true, 1, s%2 == 1})
	}
	cs = append(cs,
		at{96, 4, 64, false, 1, false}, at{96, 4, 64, false, 4, false}, // FLUX small
		at{32, 3, 64, true, 1, false}, at{32, 3, 64, true, 5, true}, // CLIP small
		at{77, 2, 80, true, 1, true}, at{77, 2, 80, false, 3, false},
		at{64, 1, 128, false, 1, false}, at{45, 2, 128, false, 3, true}, at{63, 2, 128, true, 1, true},
		at{50, 5, 4, false, 1, true}, at{2, 1, 4, true, 1, false}, at{40, 1, 20, false, 3, true},
		at{129, 1, 64, false, 2, false}, at{200, 1, 32, true, 2, false},
		at{257, 8, 20, false, 1, false}, at{261, 8, 64, true, 2, true}, // enough for a GPU's large tiles
	)
	var cases []Case
	for _, c := range cs {
		name := fmt.Sprintf("s%d_heads%dx%d", c.s, c.heads, c.size)
		if c.causal {
			name += "_causal"
		}
		if c.sigma > 1 {
			name += fmt.Sprintf("_logits%g", c.sigma*c.sigma)
		}
		if c.framed {
			name += "_framed"
		}
		cases = append(cases, Case{op.Attention, name, c.framed, func(r *rig) {
			d := c.heads * c.size
			// The place of the result holds poison: it must not be read.
			y := r.in(c.s, 4*d, func(rng *rand.Rand, row, col int) float32 {
				switch {
				case col >= 3*d:
					return poison(row + col)
				case col >= 2*d:
					return normal(1)(rng, row, col)
				}
				return normal(c.sigma)(rng, row, col)
			})
			r.check(r.list.Attention(y, c.heads, c.size, c.causal))
		}})
	}
	for _, c := range []struct {
		name string
		k, v gen
	}{{"outliers", outliers(1), outliers(1)}, {"mean800", normal(1), far}} {
		cases = append(cases, Case{op.Attention, "s37_heads2x32_" + c.name, false, func(r *rig) {
			y := r.in(37, 4*64, func(rng *rand.Rand, row, col int) float32 {
				return []gen{normal(1), c.k, c.v, normal(1)}[col/64](rng, row, col)
			})
			r.check(r.list.Attention(y, 2, 32, false))
		}})
	}
	// y may be wider than q|k|v|out: FLUX's single blocks keep the MLP beside it.
	cases = append(cases, Case{op.Attention, "wider_y", false, func(r *rig) {
		y := r.in(34, 4*128+64, normal(1))
		r.check(r.list.Attention(y, 2, 64, false))
	}})
	return cases
}

func layerNormCases() []Case {
	type ln struct {
		rows, cols int
		kind       string // "plain", "affine", "modulate", "weight" (no bias), "bias" (no weight)
		g          gen
		note       string
		eps        float32
		framed     bool
	}
	// far makes rows whose elements lie about 800 from their mean, where a
	// variance kept in half precision overflows without leaving a NaN.
	far := func(rng *rand.Rand, row, col int) float32 {
		v := float32(800)
		if (row+col)%2 == 0 {
			v = -800
		}
		return v + float32(rng.NormFloat64())
	}
	spike := func(rng *rand.Rand, _, col int) float32 {
		if col == 1 {
			return 800
		}
		return float32(rng.NormFloat64())
	}
	var cs []ln
	for i, kind := range []string{"plain", "affine", "modulate", "weight", "bias"} {
		cs = append(cs,
			ln{96, 256, kind, normal(1), "", 1e-6, false},
			ln{31, 192, kind, outliers(1), "outliers", 1e-5, true},
			ln{5, 101 + 2*i, kind, normal(2), "", 1e-6, true})
	}
	cs = append(cs,
		ln{7, 256, "modulate", far, "far800", 1e-6, true},
		ln{7, 257, "plain", spike, "spike800", 1e-6, true},
		ln{3, 4, "plain", normal(1), "", 1e-6, true}, ln{2, 3, "affine", normal(1), "", 1e-5, true},
		ln{1, 1, "bias", normal(1), "", 1e-5, true}, ln{65, 5, "modulate", normal(1), "", 1e-6, true},
		ln{1, 1301, "affine", normal(1), "", 1e-5, true}, ln{2, 3072, "modulate", outliers(1), "outliers", 1e-6, false},
		ln{4, 64, "plain", normal(1e-4), "tiny", 1e-6, false},
		ln{9, 128, "plain", func(rng *rand.Rand, _, _ int) float32 { return 3 + float32(rng.NormFloat64()) }, "mean3", 1e-6, true},
		ln{7, 251, "plain", func(rng *rand.Rand, _, _ int) float32 { return 800 + float32(rng.NormFloat64()) }, "mean800", 1e-6, true},
		ln{3, 32, "bias", func(*rand.Rand, int, int) float32 { return 2.5 }, "constant", 1e-5, false},
	)
	var cases []Case
	for _, c := range cs {
		name := fmt.Sprintf("%dx%d_%s", c.rows, c.cols, c.kind)
		if c.note != "" {
			name += "_" + c.note
		}
		if c.framed {
			name += "_framed"
		}
		cases = append(cases, Case{op.LayerNorm, name, c.framed, func(r *rig) {
			x := r.in(c.rows, c.cols, c.g)
			var weight, bias *op.Tensor
			switch c.kind {
			case "affine":
				weight, bias = r.vector(c.cols, normal(1)), r.vector(c.cols, normal(1))
			case "modulate":
				weight, bias = r.in(1, c.cols, normal(0.5)), r.in(1, c.cols, normal(1))
			case "weight":
				weight = r.in(1, c.cols, normal(1))
			case "bias":
				bias = r.in(1, c.cols, normal(1))
			}
			r.list.LayerNorm(x, weight, bias, c.eps, c.kind == "modulate", r.out(c.rows, c.cols))
		}})
	}
	return cases
}

// rotation fills a RoPE table: cos and sin of random angles, pair by pair.
func rotation() gen {
	var angle float64
	return func(rng *rand.Rand, _, col int) float32 {
		if col%2 == 0 {
			angle = rng.Float64() * 2 * math.Pi
			return float32(math.Cos(angle))
		}
		return float32(math.Sin(angle))
	}
}

func qkNormRoPECases() []Case {
	type qk struct {
		s, heads, size, more int // more columns beside q and k
		norm, rope           bool
		g                    gen
		framed               bool
	}
	cs := []qk{
		{96, 4, 64, 2*256 + 1024, true, true, normal(1), false}, // FLUX small, single block
		{64, 4, 64, 512, true, true, outliers(1), true},
		{33, 3, 64, 192, true, false, normal(1), true}, {33, 3, 64, 192, false, true, normal(1), true},
		{1, 1, 128, 256, true, true, normal(1), true}, {31, 2, 80, 0, true, true, normal(3), true},
		{65, 5, 20, 100, true, true, normal(1), true}, {7, 3, 4, 12, true, true, normal(1), true},
		{97, 1, 128, 0, true, true, outliers(1), false}, {5, 2, 12, 3, true, true, normal(1e-3), true},
	}
	var cases []Case
	for _, c := range cs {
		name := fmt.Sprintf("s%d_heads%dx%d", c.s, c.heads, c.size)
		if c.norm {
			name += "_norm"
		}
		if c.rope {
			name += "_rope"
		}
		if c.framed {
			name += "_framed"
		}
		cases = append(cases, Case{op.QKNormRoPE, name, c.framed, func(r *rig) {
			d := c.heads * c.size
			y := r.in(c.s, 2*d+c.more, c.g)
			r.check(y.Columns(0, 2*d))
			var qw, kw, rope *op.Tensor
			if c.norm {
				qw, kw = r.vector(c.size, normal(1)), r.in(1, c.size, normal(1))
			}
			if c.rope {
				rope = r.in(c.s, c.size, rotation())
			}
			r.list.QKNormRoPE(y, c.heads, c.size, qw, kw, rope, 1e-6)
		}})
	}
	return cases
}
