package cpu

import (
	"unsafe"

	"undertone/engine/cpu/simd"
	"undertone/engine/op"
)

// product holds the arguments of the kernels product, conv3x3 and winograd_products, see simd/product.wat.
type product struct {
	table, taps, width             uint32
	weights, apart, panel, columns uint32
	height, out, stride            uint32
	bias, gate                     uint32
	residual, residualStride       uint32
	inner, act                     uint32
	actFrom, gapAt                 int32
	gap                            uint32
	scale                          float32
	sums, tableApart               uint32
	picture, pixelBytes            uint32
	pictureWidth, pictureHeight    uint32
	first, zeros                   uint32

	// Of winograd_products: bytes from matrix to matrix.
	tablesApart, weightsApart, outApart uint32
}

// weightInCall is how many float32 of weights are made panels of at once: they stay in
// the cache while they are used.
const weightInCall = 1 << 15

// unpack are the kernels that widen a panel.
var unpack = map[op.DType]simd.Kernel{op.F16: simd.UnpackF16, op.BF16: simd.UnpackBF16, op.Q8_0: simd.UnpackQ8_0, op.Q4_0: simd.UnpackQ4_0}

// decode are the kernels that widen rows as they are stored.
var decode = map[op.DType]simd.Kernel{op.Q4_K: simd.DecodeQ4_K, op.Q5_K: simd.DecodeQ5_K, op.Q6_K: simd.DecodeQ6_K}

// widened returns where the panels of rows from … from+count−1 of w lie in float32, and
// how many bytes they are apart. from is a multiple of eight within w.
func (v *vectors) widened(w *op.Tensor, from, count int) (at uint32, apart int) {
	first := w.Offset/w.Stride + from
	p, ok := w.Storage.Handle.(*panels)
	aligned := ok && paneled(p.dt) && first%panelRows == 0 && w.Cols == p.cols
	if aligned && p.dt == op.F32 {
		return address(p.data, first*p.rowBytes()), panelRows * p.rowBytes()
	}
	apart = 4 * panelRows * op.Pad(w.Cols)
	wide := room(&v.wide, op.CeilDiv(count, panelRows)*apart/4)
	at = address(wide, 0)
	switch {
	case aligned && w.Cols%op.Align == 0: // panels lie one behind the other, here and there
		v.run(unpack[p.dt], address(p.data, first*p.rowBytes()), at, uint32(op.CeilDiv(count, panelRows)*w.Cols))
	case aligned:
		for i := range op.CeilDiv(count, panelRows) {
			v.run(unpack[p.dt], address(p.data, (first+i*panelRows)*p.rowBytes()), at+uint32(i*apart), uint32(w.Cols))
		}
	case ok:
		rows := room(&v.rows, count*p.cols+op.Align)
		if kernel, there := decode[p.dt]; there {
			elems, _ := p.dt.Block()
			v.run(kernel, address(p.data, first*p.rowBytes()), address(rows, 0), uint32(count*p.cols/elems))
		} else {
			p.decode(rows[:count*p.cols], first)
		}
		v.run(simd.Pack, address(rows, w.Offset%w.Stride), uint32(4*p.cols), uint32(count), uint32(w.Cols), at)
	default:
		s := f32(w)
		v.run(simd.Pack, s.at(from), s.apart(), uint32(count), uint32(w.Cols), at)
	}
	return at, apart
}

// rowTable fills the table with the addresses of rows of a view; the last row stands for those
// that a multiple of four lacks.
func (v *vectors) rowTable(a view, rows int) uint32 {
	table := room(&v.table, op.CeilDiv(rows, 4)*4)
	for i := range table {
		table[i] = a.at(min(i, rows-1))
	}
	return address(table, 0)
}

// multiply runs product, or conv3x3, with the arguments in v.gemm.
func (v *vectors) multiply(k simd.Kernel) {
	v.gemm.sums = address(v.tile[:], 0)
	v.module.Run(k, unsafe.Pointer(&v.gemm))
}

// columnsFrom makes e begin at a column.
func (e *product) columnsFrom(column int, n *op.Epilogue) {
	bytes := uint32(4 * column)
	e.out += bytes
	if e.bias != 0 {
		e.bias += bytes
	}
	if e.gate != 0 {
		e.gate += bytes
	}
	if e.residual != 0 {
		e.residual += bytes
	}
	e.actFrom, e.gapAt = int32(n.ActFrom-column), int32(n.GapAt-column)
}

func vectorMatMul(j *job, n *op.MatMulOp) bool {
	v, a, out, residual := j.m.simd, f32(counted(n.A, n.Counted)), f32(n.Out), f32(n.Residual)
	k := n.W.Cols
	panelsInCall := max(1, weightInCall/(panelRows*k))
	rowsInCall := max(4, sumsInCall/(panelsInCall*panelRows*k)&^3)
	for from := 0; from < n.W.Rows; from += panelsInCall * panelRows {
		count := min(panelsInCall*panelRows, n.W.Rows-from)
		weights, panel := v.widened(n.W, from, count)
		for row := 0; row < a.Rows; row += rowsInCall {
			rows := a
			rows.Tensor = n.A.Slice(row, min(row+rowsInCall, a.Rows))
			v.gemm = product{table: v.rowTable(rows, rows.Rows), taps: 1, width: uint32(k),
				weights: weights, apart: 4 * panelRows, panel: uint32(panel), columns: uint32(count), height: uint32(rows.Rows),
				out: out.at(row), stride: out.apart(), bias: f32(n.Bias).at(0), gate: f32(n.Gate).at(0),
				residual: residual.at(row), residualStride: residual.apart(), act: uint32(n.Act), gap: uint32(4 * n.GapWidth), scale: 1}
			v.gemm.columnsFrom(from, &n.Epilogue)
			v.multiply(simd.Product)
			if j.err = j.m.tick(j.ctx); j.err != nil {
				return true
			}
		}
	}
	return true
}

// A call convolves so many pixels: they and their addresses stay in the cache while panel
// after panel of the weights goes by.
const (
	pixelsInCall   = 1024
	channelsInCall = 1 << 14
)

func vectorConv3x3(j *job, n *op.Conv3x3Op) bool {
	if winograd(n) {
		vectorWinograd(j, n)
		return true
	}
	v, x, out, residual := j.m.simd, f32(n.X), f32(n.Out), f32(n.Residual)
	weights, panel := v.widened(n.Weight, 0, n.Weight.Rows)
	zeros := room(&v.zeros, op.Pad(x.Cols))
	clear(zeros)
	per := max(4, min(pixelsInCall, channelsInCall/x.Cols, sumsInCall/(n.Weight.Cols*n.Weight.Rows))&^3)
	table := room(&v.table, per*9)
	for from := 0; from < x.Rows; from += per {
		v.gemm = product{table: address(table, 0), tableApart: uint32(4 * per), taps: 9, width: uint32(x.Cols),
			weights: weights, apart: 4 * panelRows, panel: uint32(panel), columns: uint32(n.Weight.Rows), height: uint32(min(per, x.Rows-from)),
			out: out.at(from), stride: out.apart(), bias: f32(n.Bias).at(0), residual: residual.at(from), residualStride: residual.apart(),
			inner: 1, act: uint32(n.Act), scale: 1,
			picture: x.at(0), pixelBytes: x.apart(), pictureWidth: uint32(n.Width), pictureHeight: uint32(n.Height), first: uint32(from), zeros: address(zeros, 0)}
		v.multiply(simd.Conv3x3)
		if j.err = j.m.tick(j.ctx); j.err != nil {
			return true
		}
	}
	return true
}
