package cpu

import "undertone/engine/op"

// The product of matrices, for MatMul and Conv3x3 alike, works on tiles of two
// rows by four columns: eight sums stay in registers while k runs, so that each
// element loaded is used two or four times and no sum waits for another. Both
// sides are first packed into float64 in the order in which the tile reads them,
// with zeros up to a multiple of four steps of k.
const (
	tileRows = 2
	tileCols = 4
)

// tile returns the eight sums over k of a[k][0..1]·w[k][0..3]. The loop is
// unrolled by hand, because Go does not: it makes twice the speed.
func tile(a, w []float64) [tileRows * tileCols]float64 {
	var s00, s01, s02, s03, s10, s11, s12, s13 float64
	for len(a) >= 8 && len(w) >= 16 {
		pa, pw := (*[8]float64)(a), (*[16]float64)(w)
		a0, a1, w0, w1, w2, w3 := pa[0], pa[1], pw[0], pw[1], pw[2], pw[3]
		s00, s01, s02, s03 = s00+a0*w0, s01+a0*w1, s02+a0*w2, s03+a0*w3
		s10, s11, s12, s13 = s10+a1*w0, s11+a1*w1, s12+a1*w2, s13+a1*w3
		a0, a1, w0, w1, w2, w3 = pa[2], pa[3], pw[4], pw[5], pw[6], pw[7]
		s00, s01, s02, s03 = s00+a0*w0, s01+a0*w1, s02+a0*w2, s03+a0*w3
		s10, s11, s12, s13 = s10+a1*w0, s11+a1*w1, s12+a1*w2, s13+a1*w3
		a0, a1, w0, w1, w2, w3 = pa[4], pa[5], pw[8], pw[9], pw[10], pw[11]
		s00, s01, s02, s03 = s00+a0*w0, s01+a0*w1, s02+a0*w2, s03+a0*w3
		s10, s11, s12, s13 = s10+a1*w0, s11+a1*w1, s12+a1*w2, s13+a1*w3
		a0, a1, w0, w1, w2, w3 = pa[6], pa[7], pw[12], pw[13], pw[14], pw[15]
		s00, s01, s02, s03 = s00+a0*w0, s01+a0*w1, s02+a0*w2, s03+a0*w3
		s10, s11, s12, s13 = s10+a1*w0, s11+a1*w1, s12+a1*w2, s13+a1*w3
		a, w = a[8:], w[16:]
	}
	return [...]float64{s00, s01, s02, s03, s10, s11, s12, s13}
}

// interleave writes row to every width-th element of dst.
func interleave(dst []float64, row []float32, width int) {
	at := 0
	for _, v := range row {
		dst[at] = float64(v)
		at += width
	}
}

// packRows packs rows first, first+1, … of v side by side, width in each group
// of dst; rows past the end count as zero. dst is zero to begin with.
func packRows(dst []float64, v view, first, width int) {
	for i := range min(width, v.Rows-first) {
		interleave(dst[i:], v.row(first+i), width)
	}
}

// epilogue is what happens to the sums before they are written.
type epilogue struct {
	bias, gate    []float32 // nil where absent
	residual, out view
	inner         bool // the residual is added before the activation, as Conv3x3 does
	act           op.Act
	actFrom       int // the activation applies from this column on
	gapAt, gap    int // columns from gapAt on are written gap further right
	rows, cols    int // of the product
}

// first is the only row of a vector that may be absent.
func first(v *op.Tensor) []float32 {
	if v == nil {
		return nil
	}
	return f32(v).row(0)
}

// store writes the tile whose first element is at (row, col):
// out = residual + gate ⊙ act(sum + bias), or act(sum + bias + residual).
func (e *epilogue) store(row, col int, sums [tileRows * tileCols]float64) {
	for r := range min(tileRows, e.rows-row) {
		out := e.out.row(row + r)
		var residual []float32
		if e.residual.Tensor != nil {
			residual = e.residual.row(row + r)
		}
		for i := range min(tileCols, e.cols-col) {
			c, sum := col+i, sums[r*tileCols+i]
			if e.bias != nil {
				sum += float64(e.bias[c])
			}
			if residual != nil && e.inner {
				sum += float64(residual[c])
			}
			if e.act != op.None && c >= e.actFrom {
				sum = activate(e.act, sum)
			}
			if e.gate != nil {
				sum *= float64(e.gate[c])
			}
			if residual != nil && !e.inner {
				sum += float64(residual[c])
			}
			if c >= e.gapAt {
				c += e.gap
			}
			out[c] = float32(sum)
		}
	}
}

// matmul: out = residual + gate ⊙ act(a·wᵀ + bias).
func matmul(j *job, n *op.MatMulOp) {
	a, w := f32(counted(n.A, n.Counted)), f32(n.W)
	if a.Rows == 0 {
		return
	}
	e := epilogue{bias: first(n.Bias), gate: first(n.Gate), residual: f32(n.Residual), out: f32(n.Out),
		act: n.Act, actFrom: n.ActFrom, gapAt: n.GapAt, gap: n.GapWidth, rows: a.Rows, cols: w.Rows}
	k := op.Pad(a.Cols)
	pairs, panels := op.CeilDiv(a.Rows, tileRows), op.CeilDiv(w.Rows, tileCols)
	pa := make([]float64, pairs*tileRows*k)
	for pair := range pairs {
		packRows(pa[pair*tileRows*k:], a, pair*tileRows, tileRows)
	}
	// A part is some panels of four columns: enough work to be worth handing out,
	// not so much that an abort waits.
	per := max(1, 1<<18/(pairs*tileRows*tileCols*k))
	j.parallel(op.CeilDiv(panels, per), func(part int) {
		pw := make([]float64, tileCols*k)
		for panel := part * per; panel < min(panels, (part+1)*per); panel++ {
			if (panel+1)*tileCols > w.Rows {
				clear(pw) // of the last panel's rows
			}
			packRows(pw, w, panel*tileCols, tileCols)
			for pair := range pairs {
				e.store(pair*tileRows, panel*tileCols, tile(pa[pair*tileRows*k:(pair+1)*tileRows*k], pw))
			}
		}
	})
}

// conv3x3: out = act(conv(x) + bias + residual). A pixel and its eight
// neighbours are one row of 9·Cin elements, and the convolution is the product
// of those rows with the kernels.
func conv3x3(j *job, n *op.Conv3x3Op) {
	x, w, k := f32(n.X), f32(n.Weight), op.Pad(n.Weight.Cols)
	panels := op.CeilDiv(w.Rows, tileCols)
	pw := make([]float64, panels*tileCols*k)
	for panel := range panels {
		packRows(pw[panel*tileCols*k:], w, panel*tileCols, tileCols)
	}
	e := epilogue{bias: first(n.Bias), residual: f32(n.Residual), out: f32(n.Out), inner: true, act: n.Act, rows: x.Rows, cols: w.Rows}
	// A part is some pixels whose packed neighbourhoods stay in the cache.
	per := min(64, max(tileRows, 1<<14/k&^1))
	j.parallel(op.CeilDiv(x.Rows, per), func(part int) {
		from := part * per
		count := min(per, x.Rows-from)
		pa := make([]float64, op.CeilDiv(count, tileRows)*tileRows*k)
		for i := range count {
			packPixel(pa[i/tileRows*tileRows*k+i%tileRows:], x, n, from+i)
		}
		for panel := range panels {
			for pair := range op.CeilDiv(count, tileRows) {
				sums := tile(pa[pair*tileRows*k:(pair+1)*tileRows*k], pw[panel*tileCols*k:(panel+1)*tileCols*k])
				e.store(from+pair*tileRows, panel*tileCols, sums)
			}
		}
	})
}

// packPixel writes the 3×3 neighbourhood of a pixel as one row of a pair. What
// lies outside the picture is zero, which dst holds already.
func packPixel(dst []float64, x view, n *op.Conv3x3Op, pixel int) {
	py, px := pixel/n.Width, pixel%n.Width
	for tap := range 9 {
		y, xx := py+tap/3-1, px+tap%3-1
		if y >= 0 && y < n.Height && xx >= 0 && xx < n.Width {
			interleave(dst[tap*x.Cols*tileRows:], x.row(y*n.Width+xx), tileRows)
		}
	}
}
