package cpu

import (
	"math"

	"undertone/engine/op"
)

// attention: softmax(q·kᵀ·scale)·v of every head, from columns q | k | v of y
// to the fourth.
func attention(j *job, p *op.AttentionOp) {
	y := f32(p.Y)
	d, size, seq := p.Heads*p.HeadDim, p.HeadDim, y.Rows
	const block = 16 // rows of queries in one part
	blocks := divUp(seq, block)
	j.parallel(p.Heads*blocks, func(part int) {
		head, from := part/blocks, part%blocks*block
		to := min(from+block, seq)
		keys := seq // how many of them any row of this part looks at
		if p.Causal {
			keys = to
		}
		kAt, vAt := d+head*size, 2*d+head*size
		scores, acc := make([]float64, keys), make([]float64, size)
		q := make([]float64, size)
		for r := from; r < to; r++ {
			row := y.row(r)
			for i := range q {
				q[i] = float64(row[head*size+i]) * float64(p.Scale)
			}
			n := keys
			if p.Causal {
				n = r + 1
			}
			most := math.Inf(-1)
			for c := range n {
				scores[c] = dot(q, y.row(c)[kAt:kAt+size])
				most = max(most, scores[c])
			}
			sum := 0.0
			clear(acc)
			for c, s := range scores[:n] {
				e := math.Exp(s - most)
				sum += e
				for i, v := range y.row(c)[vAt : vAt+size] {
					acc[i] += e * float64(v)
				}
			}
			for i, v := range acc {
				row[3*d+head*size+i] = float32(v / sum)
			}
		}
	})
}

// dot has four sums that do not wait for each other; len(a) is a multiple of 4.
func dot(a []float64, b []float32) float64 {
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * float64(b[0])
		s1 += a[1] * float64(b[1])
		s2 += a[2] * float64(b[2])
		s3 += a[3] * float64(b[3])
		a, b = a[4:], b[4:]
	}
	return s0 + s1 + (s2 + s3)
}

// qkNormRoPE: RMS norm of each head of q and k, then the rotation of its pairs.
func qkNormRoPE(j *job, p *op.QKNormRoPEOp) {
	y, qw, kw, rope := f32(p.Y), f32(p.QueryWeight), f32(p.KeyWeight), f32(p.Rope)
	for r := range y.Rows {
		for head := range 2 * p.Heads { // those of q, then those of k
			x := y.row(r)[head*p.HeadDim : (head+1)*p.HeadDim]
			weight := qw
			if head >= p.Heads {
				weight = kw
			}
			inv := 1.0
			if weight.Tensor != nil {
				sum := 0.0
				for _, v := range x {
					sum += float64(v) * float64(v)
				}
				inv = 1 / math.Sqrt(sum/float64(p.HeadDim)+float64(p.Eps))
			}
			for i := 0; i < len(x); i += 2 {
				a, b := float64(x[i])*inv, float64(x[i+1])*inv
				if weight.Tensor != nil {
					w := weight.row(0)
					a, b = a*float64(w[i]), b*float64(w[i+1])
				}
				if rope.Tensor != nil {
					cos, sin := float64(rope.row(r)[i]), float64(rope.row(r)[i+1])
					a, b = a*cos-b*sin, a*sin+b*cos
				}
				x[i], x[i+1] = float32(a), float32(b)
			}
		}
	}
}

// layerNorm: (x − mean)/√(var + eps) · weight + bias, row by row.
func layerNorm(j *job, p *op.LayerNormOp) {
	x, weight, bias, out := f32(p.X), f32(p.Weight), f32(p.Bias), f32(p.Out)
	n := float64(x.Cols)
	for r := range x.Rows {
		in, o := x.row(r), out.row(r)
		mean := 0.0
		for _, v := range in {
			mean += float64(v)
		}
		mean /= n
		variance := 0.0
		for _, v := range in {
			d := float64(v) - mean
			variance += d * d
		}
		inv := 1 / math.Sqrt(variance/n+float64(p.Eps))
		for i, v := range in {
			e := (float64(v) - mean) * inv
			if weight.Tensor != nil {
				w := float64(weight.row(0)[i])
				if p.OnePlus {
					w++
				}
				e *= w
			}
			if bias.Tensor != nil {
				e += float64(bias.row(0)[i])
			}
			o[i] = float32(e)
		}
	}
}
