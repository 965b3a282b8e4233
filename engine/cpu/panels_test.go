package cpu

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"undertone/engine/op"
	"undertone/engine/quant"
	"undertone/engine/testing/ops"
)

// A weight in panels has the bytes it was stored in, and no more than those of the rows that
// fill the last panel.
func TestPanelsKeepWhatIsStored(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for _, dt := range quant.Types() {
		for _, use := range []op.Use{op.UseMatrix, op.UseConv3x3} {
			if dt == op.F64 || use == op.UseConv3x3 && dt.Quantized() {
				continue // never a matrix, never a kernel
			}
			for _, rows := range []int{1, 7, 8, 37, 100} {
				elems, size := dt.Block()
				cols := 9 * elems * 2
				raw := ops.Blocks(dt, rows*cols, rng)
				if !dt.Quantized() && quant.Encodes(dt) {
					values := make([]float32, rows*cols)
					for i := range values {
						values[i] = float32(rng.NormFloat64())
					}
					raw = ops.Encode(dt, values)
				}
				w := op.WeightSpec{Name: "w", Use: use, DType: dt, Rows: rows, Cols: cols}
				tensor := op.NewStorage("w", op.Weight, op.F32, rows, cols)
				put := keepPanels(tensor, w)
				rowBytes := cols / elems * size
				for r := range rows {
					if err := put(r, raw[r*rowBytes:(r+1)*rowBytes]); err != nil {
						t.Fatalf("%s: %v", dt, err)
					}
				}
				p := tensor.Storage.Handle.(*panels)
				if len(p.data) > (rows+panelRows-1)*rowBytes || tensor.DType() != dt {
					t.Errorf("%s: %d bytes for %d rows of %d, as %s", dt, len(p.data), rows, rowBytes, tensor.DType())
				}
				got := bytes.Repeat([]byte{0xaa}, rowBytes)
				for r := range rows {
					if p.row(r, got); !bytes.Equal(got, raw[r*rowBytes:(r+1)*rowBytes]) {
						t.Fatalf("%s, use %d: row %d of %d comes back as other bytes", dt, use, r, rows)
					}
				}
			}
		}
	}
}

// Rows are decoded to the numbers that plain Go keeps.
func TestPanelsDecodeAlike(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	for _, dt := range quant.Types() {
		const rows = 11
		elems, _ := dt.Block()
		w := op.WeightSpec{Name: "w", DType: dt, Rows: rows, Cols: 2 * elems, Data: bytes.NewReader(ops.Blocks(dt, rows*2*elems, rng))}
		if dt == op.F8_E4M3 {
			w.Scale = 0.37
		}
		if !dt.Quantized() && dt != op.F8_E4M3 && dt != op.F8_E5M2 {
			continue // random bytes may be NaN
		}
		plain, err := New(Options{}).Upload(context.Background(), w)
		if err != nil {
			t.Fatal(err)
		}
		tensor := op.NewStorage("w", op.Weight, op.F32, rows, w.Cols)
		put := keepPanels(tensor, w)
		_, size := dt.Block()
		raw := make([]byte, 2*size)
		for r := range rows {
			if err := readAt(w, raw, int64(r*len(raw))); err != nil {
				t.Fatal(err)
			}
			if err := put(r, raw); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]float32, 5*w.Cols)
		tensor.Storage.Handle.(*panels).decode(got, 3)
		for i, g := range got {
			if want := f32(plain).row(3 + i/w.Cols)[i%w.Cols]; g != want {
				t.Fatalf("%s: row %d, column %d is %g, want %g", dt, 3+i/w.Cols, i%w.Cols, g, want)
			}
		}
	}
}
