package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
)

// This file holds the large operations to a second implementation of each: the
// formula as plain loops over plain slices, with no packing, no tiles, no parts.

// matrix is a plain matrix.
type matrix struct {
	rows, cols int
	v          []float32
}

func (a matrix) at(r, c int) float64 { return float64(a.v[r*a.cols+c]) }

func random(rng *rand.Rand, rows, cols int) matrix {
	a := matrix{rows, cols, make([]float32, rows*cols)}
	for i := range a.v {
		a.v[i] = float32(rng.NormFloat64())
	}
	return a
}

func (b *bench) put(a matrix) *op.Tensor { return b.x(a.rows, a.v...) }

// near wants every element of x to be the float32 next to the exact one.
func (b *bench) near(x *op.Tensor, want func(r, c int) float64) {
	b.Helper()
	got := b.run(x)
	for i, g := range got {
		r, c := i/x.Cols, i%x.Cols
		if w := want(r, c); math.Abs(float64(g)-w) > 1e-7*math.Abs(w)+1e-12 {
			b.Fatalf("%s row %d, column %d: got %v, want %v", x, r, c, g, w)
		}
	}
}

func sizes(t *testing.T, n int, f func(b *bench, rng *rand.Rand, size func(limit int) int)) {
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		f(newBench(t), rng, func(limit int) int { return 1 + rng.IntN(limit) })
	}
}

func TestMatMulObvious(t *testing.T) {
	sizes(t, 40, func(b *bench, rng *rand.Rand, size func(int) int) {
		m, n, k := size(9), size(40), size(300)
		a, w := random(rng, m, k), random(rng, n, k)
		bias, gate, res := random(rng, 1, n), random(rng, 1, n), random(rng, m, n)
		y := b.put(random(rng, m, n))
		b.l.MatMul(b.put(a), b.weight(op.UseMatrix, n, w.v...), op.Epilogue{
			Bias: b.put(bias), Act: op.SiLU, ActFrom: 8, Gate: b.put(gate), Residual: b.put(res), Out: y})
		b.near(y, func(r, c int) float64 {
			s := bias.at(0, c)
			for i := range k {
				s += a.at(r, i) * w.at(c, i)
			}
			if c >= 8 {
				s = s / (1 + math.Exp(-s))
			}
			return res.at(r, c) + gate.at(0, c)*s
		})
	})
}

// publishedHeads are head sizes of published models (40 and 80 of Stable Diffusion
// 1.5, 64 of SD3 and CLIP, 128 of FLUX), some around them, and the ends of what
// attention supports.
var publishedHeads = []int{4, 36, 40, 44, 60, 64, 68, 80, 96, 124, 128}

func TestAttentionObvious(t *testing.T) {
	test := func(b *bench, rng *rand.Rand, seq, heads, hd int, causal bool) {
		d := heads * hd
		y := random(rng, seq, 4*d)
		b.near(b.l.Attention(b.put(y), heads, hd, causal), func(r, c int) float64 {
			h := c / hd * hd
			var up, down float64
			for j := range seq {
				if causal && j > r {
					break
				}
				logit := 0.0
				for i := range hd {
					logit += y.at(r, h+i) * y.at(j, d+h+i)
				}
				e := math.Exp(logit * float64(float32(1/math.Sqrt(float64(hd)))))
				up += e * y.at(j, 2*d+c)
				down += e
			}
			return up / down
		})
	}
	sizes(t, 20, func(b *bench, rng *rand.Rand, size func(int) int) {
		test(b, rng, size(40), size(3), 4*size(32), rng.IntN(2) == 0)
	})
	for _, hd := range publishedHeads {
		for _, causal := range []bool{false, true} {
			test(newBench(t), rand.New(rand.NewPCG(uint64(hd), 7)), 19, 2, hd, causal)
		}
	}
}

// Attention between separate tensors, with grouped heads, bias and mask.
func TestAttendObvious(t *testing.T) {
	sizes(t, 20, func(b *bench, rng *rand.Rand, size func(int) int) {
		s, kv, group, hd := size(20), size(3), size(3), 4*size(20)
		keys, heads := size(40), kv*group
		causal := rng.IntN(2) == 0
		if causal {
			keys = s
		}
		q, k, v := random(rng, s, heads*hd), random(rng, keys, kv*hd), random(rng, keys, kv*hd)
		bias, mask := random(rng, heads*s, keys), random(rng, 1, keys)
		n := op.AttentionOp{Q: b.put(q), K: b.put(k), V: b.put(v), Bias: b.put(bias), Mask: b.put(mask),
			Heads: heads, KVHeads: kv, HeadDim: hd, Causal: causal, Scale: 0.25}
		b.near(b.l.Attend(n), func(r, c int) float64 {
			h := c / hd
			var up, down float64
			for j := range keys {
				if causal && j > r {
					break
				}
				logit := 0.0
				for i := range hd {
					logit += q.at(r, h*hd+i) * k.at(j, h/group*hd+i)
				}
				e := math.Exp(0.25*logit + bias.at(h*s+r, j) + mask.at(0, j))
				up += e * v.at(j, h/group*hd+c%hd)
				down += e
			}
			return up / down
		})
	})
}

func TestFamiliesObvious(t *testing.T) {
	sizes(t, 20, func(b *bench, rng *rand.Rand, size func(int) int) {
		rows, groups, each := size(9), size(4), size(6)
		n := groups * each
		x, w, bias := random(rng, rows, n), random(rng, 1, n), random(rng, 1, n)
		tx, tw, tb := b.put(x), b.put(w), b.put(bias)
		b.near(b.l.RMSNorm(tx, tw, 1e-6, true, nil), func(r, c int) float64 {
			sum := 0.0
			for i := range n {
				sum += x.at(r, i) * x.at(r, i)
			}
			return x.at(r, c) / math.Sqrt(sum/float64(n)+1e-6) * (1 + w.at(0, c))
		})
		moments := b.l.Temp(rows, 4*groups) // stretches of one pixel
		b.near(b.l.GroupMoments(tx, groups, moments), func(r, c int) float64 {
			g := c / 4 * each
			var mean, squares float64
			for k := range each {
				mean += (x.at(r, g+k) - x.at(r, g)) / float64(each)
			}
			for k := range each {
				squares += math.Pow(x.at(r, g+k)-x.at(r, g)-mean, 2)
			}
			return [4]float64{float64(each), x.at(r, g), mean, squares}[c%4]
		})
		stored := matrix{3, 4 * groups, nil} // count, first value, mean, sum of squares
		for range 3 * groups {
			stored.v = append(stored.v, float32(1+rng.IntN(9)), float32(rng.NormFloat64()), float32(rng.NormFloat64()), rng.Float32())
		}
		b.near(b.l.GroupNorm(tx, b.put(stored), tw, tb, 1e-6, op.SiLU, nil), func(r, c int) float64 {
			g := c / each * 4
			var count, mean, squares float64
			for i := range stored.rows {
				count += stored.at(i, g)
				mean += stored.at(i, g) * (stored.at(i, g+1) + stored.at(i, g+2))
			}
			mean /= count
			for i := range stored.rows {
				squares += stored.at(i, g+3) + stored.at(i, g)*math.Pow(stored.at(i, g+1)+stored.at(i, g+2)-mean, 2)
			}
			v := (x.at(r, c)-mean)/math.Sqrt(squares/count+1e-6)*w.at(0, c) + bias.at(0, c)
			return v / (1 + math.Exp(-v))
		})
		other := random(rng, rows, n)
		b.near(b.l.Gated(tx, b.put(other), op.QuickGELU, op.Counted{}, nil), func(r, c int) float64 {
			return x.at(r, c) / (1 + math.Exp(-1.702*x.at(r, c))) * other.at(r, c)
		})
		hd, heads := 4*size(8), size(3)
		q, table := random(rng, rows, heads*hd), random(rng, rows, hd)
		half := rng.IntN(2) == 0
		tq := b.put(q)
		b.l.Rotary(tq, b.put(table), hd, half)
		b.near(tq, func(r, c int) float64 {
			at, i, second := c/hd*hd, c%hd/2, c%2 == 1
			first, other := at+2*i, at+2*i+1
			if half {
				i, second = c%hd%(hd/2), c%hd >= hd/2
				first, other = at+i, at+i+hd/2
			}
			cos, sin := table.at(r, 2*i), table.at(r, 2*i+1)
			if second {
				return q.at(r, first)*sin + q.at(r, other)*cos
			}
			return q.at(r, first)*cos - q.at(r, other)*sin
		})
		s := size(30)
		by := random(rng, heads, 2*s-1)
		b.near(b.l.RelativeBias(b.put(by), nil), func(r, c int) float64 { return by.at(r/s, c-r%s+s-1) })
	})
}

func TestLayerNormObvious(t *testing.T) {
	sizes(t, 20, func(b *bench, rng *rand.Rand, size func(int) int) {
		rows, n := size(5), 2+size(300)
		x, scale, shift := random(rng, rows, n), random(rng, 1, n), random(rng, 1, n)
		b.near(b.l.LayerNorm(b.put(x), b.put(scale), b.put(shift), 1e-6, true, b.put(x)), func(r, c int) float64 {
			var sum, squares float64
			for i := range n {
				sum += x.at(r, i)
				squares += x.at(r, i) * x.at(r, i)
			}
			mean := sum / float64(n)
			variance := squares/float64(n) - mean*mean
			return (x.at(r, c)-mean)/math.Sqrt(variance+float64(float32(1e-6)))*(1+scale.at(0, c)) + shift.at(0, c)
		})
	})
}

func TestConv3x3Obvious(t *testing.T) {
	sizes(t, 40, func(b *bench, rng *rand.Rand, size func(int) int) {
		h, w, in, out := size(12), size(12), size(10), size(10)
		x, kernel, bias, res := random(rng, h*w, in), random(rng, out, in*9), random(rng, 1, out), random(rng, h*w, out)
		y := b.put(res)
		b.l.Conv3x3(b.put(x), h, w, b.weight(op.UseConv3x3, out, kernel.v...), b.put(bias), y, op.Clamp3, y)
		b.near(y, func(r, c int) float64 {
			s := bias.at(0, c) + res.at(r, c)
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					py, px := r/w+dy, r%w+dx
					if py < 0 || py >= h || px < 0 || px >= w {
						continue
					}
					for i := range in {
						s += x.at(py*w+px, i) * kernel.at(c, i*9+(dy+1)*3+dx+1)
					}
				}
			}
			return 3 * math.Tanh(s/3)
		})
	})
}

func TestQKNormRoPEObvious(t *testing.T) {
	test := func(b *bench, rng *rand.Rand, seq, heads, hd int) {
		d := heads * hd
		y, weights, rope := random(rng, seq, 3*d), [2]matrix{random(rng, 1, hd), random(rng, 1, hd)}, random(rng, seq, hd)
		t := b.put(y)
		b.l.QKNormRoPE(t, heads, hd, b.put(weights[0]), b.put(weights[1]), b.put(rope), 1e-6)
		b.near(t, func(r, c int) float64 {
			if c >= 2*d {
				return y.at(r, c)
			}
			head, i := c/hd*hd, c%hd
			squares := 0.0
			for k := range hd {
				squares += y.at(r, head+k) * y.at(r, head+k)
			}
			normed := func(i int) float64 {
				return y.at(r, head+i) / math.Sqrt(squares/float64(hd)+float64(float32(1e-6))) * weights[c/d].at(0, i)
			}
			cos, sin := rope.at(r, i&^1), rope.at(r, i|1)
			if i%2 == 0 {
				return normed(i)*cos - normed(i+1)*sin
			}
			return normed(i-1)*sin + normed(i)*cos
		})
	}
	sizes(t, 20, func(b *bench, rng *rand.Rand, size func(int) int) { test(b, rng, size(10), size(3), 4*size(32)) })
	for _, hd := range publishedHeads {
		test(newBench(t), rand.New(rand.NewPCG(uint64(hd), 8)), 70, 2, hd)
	}
}

// A convolution over frames with any kernel, stride and zeros before, as six loops.
func TestConvObvious(t *testing.T) {
	sizes(t, 40, func(b *bench, rng *rand.Rand, size func(int) int) {
		in, out := size(6), size(8)
		var x3 [3]int
		var w op.Window
		for i := range 3 {
			x3[i], w.Kernel[i], w.Stride[i] = size(6), size(3), size(2)
			w.Before[i] = rng.IntN(w.Kernel[i])
			w.Out[i] = 1 + (x3[i]+w.Before[i]-1)/w.Stride[i]
		}
		taps := w.Kernel[0] * w.Kernel[1] * w.Kernel[2]
		x, kernel, bias := random(rng, x3[0]*x3[1]*x3[2], in), random(rng, out, in*taps), random(rng, 1, out)
		got := b.l.Conv(b.put(x), x3, w, b.weight(op.UseMatrix, out, kernel.v...), op.Epilogue{Bias: b.put(bias), Out: b.put(random(rng, w.Out[0]*w.Out[1]*w.Out[2], out))})
		b.near(got, func(r, c int) float64 {
			s := bias.at(0, c)
			of, oy, ox := r/(w.Out[1]*w.Out[2]), r/w.Out[2]%w.Out[1], r%w.Out[2]
			for kf := range w.Kernel[0] {
				for ky := range w.Kernel[1] {
					for kx := range w.Kernel[2] {
						f, py, px := of*w.Stride[0]+kf-w.Before[0], oy*w.Stride[1]+ky-w.Before[1], ox*w.Stride[2]+kx-w.Before[2]
						if f < 0 || f >= x3[0] || py < 0 || py >= x3[1] || px < 0 || px >= x3[2] {
							continue
						}
						for i := range in {
							s += x.at((f*x3[1]+py)*x3[2]+px, i) * kernel.at(c, ((i*w.Kernel[0]+kf)*w.Kernel[1]+ky)*w.Kernel[2]+kx)
						}
					}
				}
			}
			return s
		})
	})
}
