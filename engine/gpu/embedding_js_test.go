package gpu

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"undertone/engine/op"
	"undertone/engine/quant"
	"undertone/engine/testing/ops"
)

// TestEmbeddingOfShards looks rows up in tables that take several buffers.
func TestEmbeddingOfShards(t *testing.T) {
	d := open(t, Options{Portable: true})
	// What weights pass through is made with the first of them, before the limit is lowered.
	if _, err := d.Upload(soon(t), table("first", bytes.NewReader(counting(0, 1029, 256)), 0, 1029, 256)); err != nil {
		t.Fatal(err)
	}
	d.caps.MaxBinding = 128 << 10
	rng := rand.New(rand.NewPCG(5, 6))
	for _, dt := range []op.DType{op.F32, op.Q8_0, op.Q4_K, op.F8_E5M2} {
		const rows, cols = 1029, 256
		raw := ops.Blocks(dt, rows*cols, rng)
		if dt == op.F32 {
			raw = counting(0, rows, cols)
		}
		want := make([]float32, rows*cols)
		quant.Dequantize(dt, want, raw)
		w, err := d.Upload(soon(t), op.WeightSpec{Name: "table", DType: dt, Rows: rows, Cols: cols, Data: bytes.NewReader(raw)})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(w.Storage.Handle.(*weight).parts); n < 4 {
			t.Errorf("%s: %d buffers, want several shards", dt, n)
		}
		ids := []uint32{1028, 0, 64, 63, 127, 128, 129, 511, 512, 1024, 3}
		got := rowsOf(t, d, w, ids...)
		for i, id := range ids {
			if g, w := got[i*cols:(i+1)*cols], want[int(id)*cols:(int(id)+1)*cols]; !slices.Equal(g, w) {
				t.Errorf("%s: row %d begins with %v, want %v", dt, id, g[:4], w[:4])
			}
		}
		d.Free(w)
	}
}
