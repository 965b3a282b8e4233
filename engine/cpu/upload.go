package cpu

import (
	"context"
	"errors"
	"io"
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/quant"
)

// uploadBytes bounds what one read of a weight file brings into memory.
const uploadBytes = 1 << 20

// Upload reads a weight, widens it to float32 and refuses values that are not
// finite. Matrices and vectors become [rows, cols]; the kernel of a convolution,
// stored [out, in, 3, 3], is kept as [out, 3, 3, in], so that the products with
// a pixel's channels lie side by side. For the SIMD kernels matrices and kernels
// keep the type that they are stored in (see panels).
func (m *Machine) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	if err := m.open(); err != nil {
		return nil, err
	}
	elems, size := w.DType.Block()
	if w.Rows < 1 || w.Cols < 1 || w.Cols%elems != 0 || w.DType == op.U32 || w.Use == op.UseConv3x3 && w.Cols%9 != 0 {
		return nil, fault.New(fault.WeightsFormat, "weight %s: %d×%d of %s (use %d) cannot be stored", w.Name, w.Rows, w.Cols, w.DType, w.Use)
	}
	rowBytes := w.Cols / elems * size
	if end, have := w.Offset+int64(rowBytes)*int64(w.Rows), w.Data.Size(); w.Offset < 0 || end > have {
		return nil, fault.New(fault.WeightsTruncated, "weight %s ends at byte %d of a file of %d", w.Name, end, have)
	}
	t := op.NewStorage(w.Name, op.Weight, op.F32, w.Rows, w.Cols)
	place := keepPanels
	if m.simd == nil || w.Use == op.UseVector {
		place = widen
	}
	put := place(t, w)
	step := min(w.Rows, max(1, uploadBytes/rowBytes))
	raw := make([]byte, step*rowBytes)
	for r := 0; r < w.Rows; r += step {
		if err := m.tick(ctx); err != nil {
			return nil, err
		}
		n := min(step, w.Rows-r)
		if err := readAt(w, raw[:n*rowBytes], w.Offset+int64(r)*int64(rowBytes)); err != nil {
			return nil, err
		}
		for i := range n {
			if err := put(r+i, raw[i*rowBytes:(i+1)*rowBytes]); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// widen gives t the memory for a weight in float32 and returns what puts a row there.
func widen(t *op.Tensor, w op.WeightSpec) func(r int, raw []byte) error {
	dst, row := make([]float32, t.Storage.Elems), make([]float32, w.Cols)
	t.Storage.Handle = dst
	return func(r int, raw []byte) error {
		if err := decodeFinite(row, w, r, raw); err != nil {
			return err
		}
		out := dst[r*t.Stride:][:w.Cols]
		if w.Use == op.UseConv3x3 {
			byPlace(out, row)
		} else {
			copy(out, row)
		}
		return nil
	}
}

// byPlace orders the row of a 3×3 kernel by place, then channel.
func byPlace(out, row []float32) {
	in := len(row) / 9
	for c := range in {
		for tap := range 9 {
			out[tap*in+c] = row[c*9+tap]
		}
	}
}

// decodeFinite decodes row r of a weight and refuses numbers that are not finite.
func decodeFinite(row []float32, w op.WeightSpec, r int, raw []byte) error {
	quant.Dequantize(w.DType, row, raw)
	for c, v := range row {
		if w.Scale != 0 {
			v = float32(v * w.Scale)
			row[c] = v
		}
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fault.New(fault.WeightsNotFinite, "weight %s, row %d, column %d is %g", w.Name, r, c, v)
		}
	}
	return nil
}

func readAt(w op.WeightSpec, b []byte, off int64) error {
	n, err := w.Data.ReadAt(b, off)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.WeightsTruncated, "weight %s: %d of %d bytes at %d", w.Name, n, len(b), off)
	}
	f := fault.Of(err) // keeps the code of a source that failed with a fault
	return fault.Wrap(err, f.Code, "weight %s", w.Name)
}
