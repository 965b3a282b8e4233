package cpu

import (
	"encoding/binary"
	"slices"

	"undertone/engine/op"
	"undertone/engine/quant"
)

// panelRows is how many rows of a matrix, columns of a product, lie side by side.
const panelRows = 8

// panels are a weight as the SIMD kernels read it, of as many bytes as are stored: eight
// rows make a panel, of which the numbers of one k are neighbours.
//
//	F32, F16, BF16  numbers[k][8]
//	Q8_0            for 32 k: scales[8] · quants[k][8], bytes
//	Q4_0            for 32 k: scales[8] · bytes[k/2][8], of which the lower half is k's nibble
//
// Rows that the last panel lacks are 0. Weights of any other type stay as they are stored,
// row by row, and are decoded whenever they are used.
type panels struct {
	dt         op.DType
	rows, cols int
	scale      float32 // see op.WeightSpec
	conv       bool    // the channels of a 3×3 kernel's place lie side by side
	data       []byte
}

// paneled reports whether weights of a type are laid out in panels.
func paneled(dt op.DType) bool {
	switch dt {
	case op.F32, op.F16, op.BF16, op.Q8_0, op.Q4_0:
		return true
	}
	return false
}

// keepPanels gives t the memory for a weight as it is stored and returns what puts a row
// there.
func keepPanels(t *op.Tensor, w op.WeightSpec) func(r int, raw []byte) error {
	p := &panels{dt: w.DType, rows: w.Rows, cols: w.Cols, scale: w.Scale, conv: w.Use == op.UseConv3x3}
	rows := w.Rows
	if paneled(w.DType) {
		rows = op.CeilDiv(rows, panelRows) * panelRows
	}
	p.data = make([]byte, rows*p.rowBytes())
	t.Storage.DType, t.Storage.Handle = w.DType, p
	row := make([]float32, w.Cols)
	return func(r int, raw []byte) error {
		if !finiteBlocks(w.DType, raw) {
			if err := decodeFinite(row, w, r, raw); err != nil {
				return err
			}
		}
		p.put(r, raw)
		return nil
	}
}

// finiteBlocks reports whether all numbers of blocks are certain to be finite, as they are
// where the scales are.
func finiteBlocks(dt op.DType, raw []byte) bool {
	_, size := dt.Block()
	for ; dt.Quantized() && len(raw) > 0; raw = raw[size:] {
		for _, at := range quant.Halves(dt) {
			if binary.LittleEndian.Uint16(raw[at:])&0x7c00 == 0x7c00 {
				return false
			}
		}
	}
	return dt.Quantized()
}

func (p *panels) rowBytes() int {
	elems, size := p.dt.Block()
	return p.cols / elems * size
}

// put lays out a row as it is stored.
func (p *panels) put(row int, raw []byte) { p.move(row, raw, true) }

// row writes a row as it was stored to raw.
func (p *panels) row(row int, raw []byte) {
	clear(raw)
	p.move(row, raw, false)
}

// move carries a row's bytes from raw to their places, or back.
func (p *panels) move(row int, raw []byte, in bool) {
	column := row % panelRows
	elems, size := p.dt.Block()
	switch {
	case !paneled(p.dt):
		mine := p.data[row*len(raw):][:len(raw)]
		if in {
			copy(mine, raw)
		} else {
			copy(raw, mine)
		}
		return
	case p.dt.Quantized():
		mine := p.data[row/panelRows*panelRows*len(raw):][:panelRows*len(raw)]
		for ; len(raw) > 0; raw, mine = raw[size:], mine[panelRows*size:] {
			exchange(mine[2*column:], raw, 2, 1, 1, in)
			quants, stored := mine[2*panelRows+column:], raw[2:size]
			switch {
			case p.dt == op.Q8_0:
				exchange(quants, stored, elems, panelRows, 1, in)
			case in:
				for i := range elems {
					quants[i/2*panelRows] |= stored[i%16] >> (i / 16 * 4) & 15 << (i % 2 * 4)
				}
			default:
				for i := range elems {
					stored[i%16] |= quants[i/2*panelRows] >> (i % 2 * 4) & 15 << (i / 16 * 4)
				}
			}
		}
		return
	}
	mine := p.data[row/panelRows*panelRows*len(raw)+column*size:]
	places := 1
	if p.conv { // stored by channel, then by place
		places = 9
	}
	channels := p.cols / places
	for place := range places {
		for b := range size {
			exchange(mine[place*channels*panelRows*size+b:], raw[place*size+b:], channels, panelRows*size, places*size, in)
		}
	}
}

// exchange carries n bytes, whose neighbours lie so many bytes apart in either.
func exchange(mine, stored []byte, n, step0, step1 int, in bool) {
	for at0, at1 := 0, 0; n > 0; n, at0, at1 = n-1, at0+step0, at1+step1 {
		if in {
			mine[at0] = stored[at1]
		} else {
			stored[at1] = mine[at0]
		}
	}
}

// decode widens rows from the first on into dst, one after the other.
func (p *panels) decode(dst []float32, first int) {
	raw := make([]byte, p.rowBytes())
	for ; len(dst) > 0; dst, first = dst[p.cols:], first+1 {
		row := dst[:p.cols]
		p.row(first, raw)
		quant.Dequantize(p.dt, row, raw)
		if p.scale != 0 {
			for i, v := range row {
				row[i] = float32(v * p.scale)
			}
		}
		if p.conv {
			byPlace(row, slices.Clone(row))
		}
	}
}
