package gpu

import (
	"fmt"
	"testing"

	"undertone/engine/op"
)

// TestEmbeddingShards cuts tables at the binding limit and checks that every row is
// looked for once, in the right buffers.
func TestEmbeddingShards(t *testing.T) {
	caps := PortableFloor
	caps.MaxBinding = 100 << 10
	for _, c := range []struct {
		dt             op.DType
		rows, from, to int
		want           string
	}{
		// 1,600 rows of 16 F32 columns fit, 1,536 of them whole tiles; 3,200 of Q8_0 with 32.
		{op.F32, 4000, 0, 4000, "w0:0…1536−0 w1:1536…3072−1536 w2:3072…4000−3072 "},
		{op.F32, 4000, 1500, 1601, "w0:1500…1536−0 w1:1536…1601−1536 "},
		{op.F32, 100, 0, 100, "w0:0…100−0 "},
		{op.Q8_0, 3300, 0, 3300, "w0:0…3200−0 w2:3200…3300−3200 "},
	} {
		cols, _ := c.dt.Block()
		cols = max(16, cols)
		table := matrix(c.dt, c.rows, cols).Slice(c.from, c.to)
		l := op.NewList("shards")
		l.Embedding(table, op.NewStorage("ids", op.Fixed, op.U32, 1, 5), nil)
		steps, err := lower(l, caps)
		if err != nil {
			t.Errorf("rows %d to %d of %d: %v", c.from, c.to, c.rows, err)
			continue
		}
		var got string
		for _, s := range steps {
			const last, base, first, end, start = 5, 6, 7, 8, 9 // words of embedding_weight.wgsl
			got += fmt.Sprintf("w%d:%d…%d−%d ", s.Bind[2].Part, s.Params[first], s.Params[end], s.Params[start])
			if int(s.Params[last]) != c.to-c.from-1 || int(s.Params[base]) != c.from {
				t.Errorf("rows %d to %d: parameters %v", c.from, c.to, s.Params)
			}
		}
		if got != c.want {
			t.Errorf("rows %d to %d of %d %s:\n got %s\nwant %s", c.from, c.to, c.rows, c.dt, got, c.want)
		}
	}
}
