package cpu

import (
	"math"

	"undertone/engine/op"
)

// attention: softmax(scale·q·kᵀ + bias + mask)·v of every head.
func attention(j *job, n *op.AttentionOp) {
	const block = 16 // rows of queries in one part
	blocks := op.CeilDiv(n.Q.Rows, block)
	j.parallel(n.Heads*blocks, func(part int) {
		h := newHead(n, part/blocks)
		from := part % blocks * block
		for r := from; r < min(from+block, n.Q.Rows); r++ {
			h.row(r)
		}
	})
}

// head computes one head of attention, row by row.
type head struct {
	*op.AttentionOp
	q, k, v, out, bias, mask view
	at, kvAt, biasAt         int // first columns of the head; first row of its bias
	query, scores, sum       []float64
}

func newHead(n *op.AttentionOp, index int) *head {
	h := &head{AttentionOp: n, q: f32(n.Q), k: f32(n.K), v: f32(n.V), out: f32(n.Out), bias: f32(n.Bias), mask: f32(n.Mask),
		at: index * n.HeadDim, kvAt: index / (n.Heads / n.KVHeads) * n.HeadDim,
		query: make([]float64, n.HeadDim), scores: make([]float64, n.K.Rows), sum: make([]float64, n.HeadDim)}
	if n.Bias != nil && n.Bias.Rows != n.Q.Rows {
		h.biasAt = index * n.Q.Rows
	}
	return h
}

func (h *head) row(r int) {
	for i, v := range h.q.row(r)[h.at : h.at+h.HeadDim] {
		h.query[i] = float64(v) * float64(h.Scale)
	}
	keys := h.K.Rows
	if h.Causal {
		keys = r + 1
	}
	most := math.Inf(-1)
	for c := range keys {
		s := dot(h.query, h.k.row(c)[h.kvAt:h.kvAt+h.HeadDim])
		if h.Bias != nil {
			s += float64(h.bias.row(h.biasAt + r)[c])
		}
		if h.Mask != nil {
			s += float64(h.mask.row(0)[c])
		}
		h.scores[c] = s
		most = max(most, s)
	}
	total := 0.0
	clear(h.sum)
	for c, s := range h.scores[:keys] {
		e := math.Exp(s - most)
		total += e
		for i, v := range h.v.row(c)[h.kvAt : h.kvAt+h.HeadDim] {
			h.sum[i] += e * float64(v)
		}
	}
	out := h.out.row(r)[h.at : h.at+h.HeadDim]
	for i, v := range h.sum {
		out[i] = float32(v / total)
	}
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

// rotary rotates the pairs of every head.
func rotary(j *job, n *op.RotaryOp) {
	x, table := f32(n.X), f32(n.Table)
	for r := range x.Rows {
		row, turns := x.row(r), table.row(r)
		for at := 0; at < x.Cols; at += n.HeadDim {
			for i := range n.HeadDim / 2 {
				first, second := at+2*i, at+2*i+1
				if n.Half {
					first, second = at+i, at+i+n.HeadDim/2
				}
				a, b := float64(row[first]), float64(row[second])
				cos, sin := float64(turns[2*i]), float64(turns[2*i+1])
				row[first], row[second] = float32(a*cos-b*sin), float32(a*sin+b*cos)
			}
		}
	}
}

// relativeBias: row i of a head is the S numbers that end i before the last.
func relativeBias(j *job, n *op.RelativeBiasOp) {
	x, out := f32(n.X), f32(n.Out)
	s := out.Cols
	for r := range out.Rows {
		from := s - 1 - r%s
		copy(out.row(r), x.row(r / s)[from:from+s])
	}
}
