package cpu

import (
	"context"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// An id that is no row of the table is an error that says which, not another row.
func TestEmbeddingRefusesIdsOverTheEnd(t *testing.T) {
	for _, id := range []uint32{3, 1 << 31, 0xffffffff} {
		b := newBench(t)
		ids, err := b.m.New("ids", op.U32, 1, 2)
		if err == nil {
			err = b.m.WriteU32(ids, []uint32{2, id})
		}
		if err != nil {
			t.Fatal(err)
		}
		b.l.Embedding(b.weight(op.UseVector, 3, 1, 2, 3, 4, 5, 6), ids, b.x(2, make([]float32, 4)...))
		p, err := b.m.Compile(context.Background(), b.l)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Run(context.Background()); !fault.Is(err, fault.Shape) || !strings.Contains(err.Error(), "at place 1") || !strings.Contains(err.Error(), "rows 0 to 2") {
			t.Errorf("id %d: %v", id, err)
		}
	}
}
