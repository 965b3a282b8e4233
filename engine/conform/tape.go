package conform

import "math"

// A tape computes with matrices in float64 and then, from the last step to the first, the
// gradient of a number by each of them: the slow and obvious version of what a library for
// training does. It is as exact as the numbers are, where differences of the engine's passes,
// in float32, are not.
type tape struct{ back []func() }

// matrix has numbers row by row, and the gradient of the tape's result by each; a constant
// has none.
type matrix struct {
	rows, cols int
	x, grad    []float64
}

func constantOf[F float32 | float64](rows, cols int, values []F) *matrix {
	m := &matrix{rows: rows, cols: cols, x: make([]float64, rows*cols)}
	for i := range m.x {
		m.x[i] = float64(values[i])
	}
	return m
}

// wanted gives a matrix a gradient, of zeros as yet.
func (m *matrix) wanted() *matrix {
	m.grad = make([]float64, len(m.x))
	return m
}

// of is the same numbers in rows of another width.
func (m *matrix) of(cols int) *matrix {
	return &matrix{len(m.x) / cols, cols, m.x, m.grad}
}

// made is the result of a step; back tells what its gradient g means to what it was made of.
func (t *tape) made(rows, cols int, x []float64, back func(g []float64)) *matrix {
	out := (&matrix{rows: rows, cols: cols, x: x}).wanted()
	t.back = append(t.back, func() { back(out.grad) })
	return out
}

// gradients follows the tape back from the gradient of its result.
func (t *tape) gradients(result *matrix, grad []float64) {
	copy(result.grad, grad)
	for i := len(t.back) - 1; i >= 0; i-- {
		t.back[i]()
	}
}

func (m *matrix) row(r int) []float64 { return m.x[r*m.cols : (r+1)*m.cols] }

// gradRow is nil for a constant.
func (m *matrix) gradRow(r int) []float64 {
	if m.grad == nil {
		return nil
	}
	return m.grad[r*m.cols : (r+1)*m.cols]
}

// addTo adds k·x to a gradient; to that of a constant nothing.
func addTo(grad, x []float64, k float64) {
	for i := range grad {
		grad[i] += k * x[i]
	}
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// linear is x·wᵀ (+ b): [n, k], [m, k], [1, m] → [n, m].
func (t *tape) linear(x, w, b *matrix) *matrix {
	out := make([]float64, x.rows*w.rows)
	for r := range x.rows {
		for m := range w.rows {
			out[r*w.rows+m] = dot(x.row(r), w.row(m))
			if b != nil {
				out[r*w.rows+m] += b.x[m]
			}
		}
	}
	return t.made(x.rows, w.rows, out, func(g []float64) {
		for r := range x.rows {
			for m := range w.rows {
				k := g[r*w.rows+m]
				addTo(x.gradRow(r), w.row(m), k)
				addTo(w.gradRow(m), x.row(r), k)
			}
			if b != nil {
				addTo(b.grad, g[r*w.rows:(r+1)*w.rows], 1)
			}
		}
	})
}

// add is a + b: [n, m], and [n, m] or [1, m].
func (t *tape) add(a, b *matrix) *matrix {
	out := make([]float64, len(a.x))
	for i, v := range a.x {
		out[i] = v + b.x[i%len(b.x)]
	}
	return t.made(a.rows, a.cols, out, func(g []float64) {
		addTo(a.grad, g, 1)
		for i, k := range g {
			if b.grad != nil {
				b.grad[i%len(b.x)] += k
			}
		}
	})
}

// mul is a ⊙ b: [n, m], and [n, m] or [1, m].
func (t *tape) mul(a, b *matrix) *matrix {
	out := make([]float64, len(a.x))
	for i, v := range a.x {
		out[i] = v * b.x[i%len(b.x)]
	}
	return t.made(a.rows, a.cols, out, func(g []float64) {
		for i, k := range g {
			if a.grad != nil {
				a.grad[i] += k * b.x[i%len(b.x)]
			}
			if b.grad != nil {
				b.grad[i%len(b.x)] += k * a.x[i]
			}
		}
	})
}

// columns are those of x from one to another.
func (t *tape) columns(x *matrix, from, to int) *matrix {
	var out []float64
	for r := range x.rows {
		out = append(out, x.row(r)[from:to]...)
	}
	return t.made(x.rows, to-from, out, func(g []float64) {
		for r := range x.rows {
			if grad := x.gradRow(r); grad != nil {
				addTo(grad[from:to], g[r*(to-from):], 1)
			}
		}
	})
}

// each is a function of every number, which also tells its slope.
func (t *tape) each(x *matrix, f func(v float64) (y, slope float64)) *matrix {
	out, slopes := make([]float64, len(x.x)), make([]float64, len(x.x))
	for i, v := range x.x {
		out[i], slopes[i] = f(v)
	}
	return t.made(x.rows, x.cols, out, func(g []float64) {
		for i := range x.grad {
			x.grad[i] += g[i] * slopes[i]
		}
	})
}

func silu(v float64) (y, slope float64) {
	s := 1 / (1 + math.Exp(-v))
	return v * s, s * (1 + v*(1-s))
}

func gelu(v float64) (y, slope float64) {
	p := 0.5 * math.Erfc(-v/math.Sqrt2)
	return v * p, p + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
}

// normed is every row over its deviation, about its mean where centred, about 0 where not.
func (t *tape) normed(x *matrix, centred bool, eps float64) *matrix {
	n := float64(x.cols)
	out, inverse := make([]float64, len(x.x)), make([]float64, x.rows)
	for r := range x.rows {
		y, mean := out[r*x.cols:(r+1)*x.cols], 0.0
		if centred {
			for _, v := range x.row(r) {
				mean += v / n
			}
		}
		for i, v := range x.row(r) {
			y[i] = v - mean
		}
		inverse[r] = 1 / math.Sqrt(dot(y, y)/n+eps)
		for i := range y {
			y[i] *= inverse[r]
		}
	}
	return t.made(x.rows, x.cols, out, func(g []float64) {
		for r := range x.rows {
			y, k, grad, mean := out[r*x.cols:(r+1)*x.cols], g[r*x.cols:(r+1)*x.cols], x.gradRow(r), 0.0
			if centred {
				for _, v := range k {
					mean += v / n
				}
			}
			along := dot(k, y) / n
			for i := range grad {
				grad[i] += inverse[r] * (k[i] - mean - y[i]*along)
			}
		}
	})
}

// turned rotates the pairs (i, i + half) of heads [S·heads, 2·half] by the cosines and sines of
// a table [S, half, 2].
func (t *tape) turned(x *matrix, heads int, table []float32) *matrix {
	half := x.cols / 2
	turn := func(in, out []float64, back float64) {
		for r := range x.rows {
			for i := range half {
				at := 2 * (r/heads*half + i)
				cos, sin := float64(table[at]), back*float64(table[at+1])
				a, b := in[r*x.cols+i], in[r*x.cols+half+i]
				out[r*x.cols+i] += a*cos - b*sin
				out[r*x.cols+half+i] += b*cos + a*sin
			}
		}
	}
	out := make([]float64, len(x.x))
	turn(x.x, out, 1)
	return t.made(x.rows, x.cols, out, func(g []float64) {
		if x.grad != nil {
			turn(g, x.grad, -1)
		}
	})
}

// attend is softmax(q·kᵀ/√d)·v for every head: [S, H·d], [T, H·d], [T, H·d] → [S, H·d].
func (t *tape) attend(q, k, v *matrix, heads int) *matrix {
	d := q.cols / heads
	scale := 1 / math.Sqrt(float64(d))
	at := func(m *matrix, r, h int) []float64 { return m.row(r)[h*d : (h+1)*d] }
	gradAt := func(m *matrix, r, h int) []float64 {
		if m.grad == nil {
			return nil
		}
		return m.gradRow(r)[h*d : (h+1)*d]
	}
	out, all := make([]float64, len(q.x)), make([][]float64, q.rows*heads)
	for r := range q.rows {
		for h := range heads {
			p, top, sum := make([]float64, k.rows), math.Inf(-1), 0.0
			for c := range p {
				p[c] = scale * dot(at(q, r, h), at(k, c, h))
				top = max(top, p[c])
			}
			for c := range p {
				p[c] = math.Exp(p[c] - top)
				sum += p[c]
			}
			for c := range p {
				p[c] /= sum
				addTo(out[r*q.cols+h*d:][:d], at(v, c, h), p[c])
			}
			all[r*heads+h] = p
		}
	}
	return t.made(q.rows, q.cols, out, func(g []float64) {
		for r := range q.rows {
			for h := range heads {
				p, own := all[r*heads+h], g[r*q.cols+h*d:][:d]
				mean := dot(own, out[r*q.cols+h*d:][:d]) // Σ p·∂p
				for c := range p {
					addTo(gradAt(v, c, h), own, p[c])
					s := scale * p[c] * (dot(own, at(v, c, h)) - mean)
					addTo(gradAt(q, r, h), at(k, c, h), s)
					addTo(gradAt(k, c, h), at(q, r, h), s)
				}
			}
		}
	})
}

// rowOf is one row of x.
func (t *tape) rowOf(x *matrix, r int) *matrix {
	return t.made(1, x.cols, x.row(r), func(g []float64) { addTo(x.gradRow(r), g, 1) })
}
