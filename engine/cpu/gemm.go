package cpu

import "undertone/engine/op"

// The product of matrices, for MatMul and Conv3x3 alike, works on tiles of two
// rows by four columns: eight sums are kept in registers while k runs, so that
// each element loaded is used two or four times and no sum waits for another.
// Both sides are first packed into float64 in the order the tile reads them.
const (
	tileRows = 2
	tileCols = 4
)

// tile returns the eight sums over k of a[k][0..1]·w[k][0..3], where k runs
// over the pairs of a and the fours of w.
func tile(a, w []float64) (s [tileRows * tileCols]float64) {
	var s00, s01, s02, s03, s10, s11, s12, s13 float64
	for len(a) >= tileRows && len(w) >= tileCols {
		a0, a1 := a[0], a[1]
		w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
		s00 += a0 * w0
		s01 += a0 * w1
		s02 += a0 * w2
		s03 += a0 * w3
		s10 += a1 * w0
		s11 += a1 * w1
		s12 += a1 * w2
		s13 += a1 * w3
		a, w = a[tileRows:], w[tileCols:]
	}
	return [...]float64{s00, s01, s02, s03, s10, s11, s12, s13}
}

// interleave writes row to every width-th element of dst, from at on.
func interleave(dst []float64, row []float32, at, width int) {
	for _, v := range row {
		dst[at] = float64(v)
		at += width
	}
}

// packWeights packs rows col … col+3 of w; rows past the end count as zero.
func packWeights(dst []float64, w view, col int) {
	for i := range tileCols {
		if col+i < w.Rows {
			interleave(dst, w.row(col+i), i, tileCols)
		} else {
			for k := range w.Cols {
				dst[k*tileCols+i] = 0
			}
		}
	}
}

func divUp(a, b int) int { return (a + b - 1) / b }

// matmul: out = residual + gate ⊙ act(a·wᵀ + bias).
func matmul(j *job) {
	a, w, bias, gate, residual, out := j.in(0), j.in(1), j.in(2), j.in(3), j.in(4), j.out()
	p, rows, n, k := j.n.P, a.Rows, w.Rows, a.Cols
	pairs := divUp(rows, tileRows)
	packed := make([]float64, pairs*tileRows*k)
	for r := range rows {
		interleave(packed[r/tileRows*tileRows*k:], a.row(r), r%tileRows, tileRows)
	}
	store := func(row, col int, sum float64) {
		if bias.Tensor != nil {
			sum += float64(bias.row(0)[col])
		}
		if col >= p.ActFrom {
			sum = activate(p.Act, sum)
		}
		if gate.Tensor != nil {
			sum *= float64(gate.row(0)[col])
		}
		if residual.Tensor != nil {
			sum += float64(residual.row(row)[col])
		}
		if p.GapWidth != 0 && col >= p.GapAt {
			col += p.GapWidth
		}
		out.row(row)[col] = float32(sum)
	}
	// A part is some panels of four columns: enough work to be worth handing out,
	// not so much that an abort waits.
	panels := divUp(n, tileCols)
	per := min(panels, max(1, 1<<18/(pairs*tileRows*tileCols*k)))
	j.parallel(divUp(panels, per), func(part int) {
		pw := make([]float64, tileCols*k)
		for panel := part * per; panel < min(panels, (part+1)*per); panel++ {
			col := panel * tileCols
			packWeights(pw, w, col)
			for pair := range pairs {
				sums := tile(packed[pair*tileRows*k:(pair+1)*tileRows*k], pw)
				for i, s := range sums {
					r, c := pair*tileRows+i/tileCols, col+i%tileCols
					if r < rows && c < n {
						store(r, c, s)
					}
				}
			}
		}
	})
}

// conv3x3: out = act(conv(x) + bias + residual). A pixel and its eight
// neighbours are one row of 9·Cin elements, and the convolution the product of
// those rows with the kernels.
func conv3x3(j *job) {
	x, w, bias, residual, out := j.in(0), j.in(1), j.in(2), j.in(3), j.out()
	p, cout, k := j.n.P, w.Rows, w.Cols
	panels := divUp(cout, tileCols)
	pw := make([]float64, panels*tileCols*k)
	for panel := range panels {
		packWeights(pw[panel*tileCols*k:], w, panel*tileCols)
	}
	store := func(pixel, col int, sum float64) {
		if bias.Tensor != nil {
			sum += float64(bias.row(0)[col])
		}
		if residual.Tensor != nil {
			sum += float64(residual.row(pixel)[col])
		}
		out.row(pixel)[col] = float32(activate(p.Act, sum))
	}
	// A part is some pixels whose packed neighbourhoods stay in the cache.
	per := min(64, max(tileRows, 1<<14/k&^1))
	j.parallel(divUp(x.Rows, per), func(part int) {
		first := part * per
		count := min(per, x.Rows-first)
		pa := make([]float64, divUp(count, tileRows)*tileRows*k)
		for i := range count {
			packPixel(pa[i/tileRows*tileRows*k:], x, p, first+i, i%tileRows)
		}
		for panel := range panels {
			for pair := range divUp(count, tileRows) {
				sums := tile(pa[pair*tileRows*k:(pair+1)*tileRows*k], pw[panel*tileCols*k:(panel+1)*tileCols*k])
				for i, s := range sums {
					r, c := pair*tileRows+i/tileCols, panel*tileCols+i%tileCols
					if r < count && c < cout {
						store(first+r, c, s)
					}
				}
			}
		}
	})
}

// packPixel writes the 3×3 neighbourhood of a pixel as row `at` of a pair. What
// lies outside the picture is zero, which dst holds already.
func packPixel(dst []float64, x view, p op.Params, pixel, at int) {
	py, px, in := pixel/p.W, pixel%p.W, x.Cols
	for tap := range 9 {
		y, xx := py+tap/3-1, px+tap%3-1
		if y >= 0 && y < p.H && xx >= 0 && xx < p.W {
			interleave(dst[tap*in*tileRows:], x.row(y*p.W+xx), at, tileRows)
		}
	}
}
