package gpu

import (
	"undertone/engine/fault"
	"undertone/engine/op"
)

// lowerEmbedding takes the rows from another tensor or from a weight, which stays in the
// layout of its format and is decoded as it is read: T5's table of 32,128 × 4,096 takes
// 526 MB as F32, more than a binding of most devices, and 156 MB as Q8_0. A weight in
// several buffers takes one launch for each, which writes the rows whose ids it holds.
// Errors: fault.Shape for a weight that is sliced by columns.
func lowerEmbedding(n *op.EmbeddingOp, c Caps) ([]Launch, error) {
	table, ids, out := n.Table, n.IDs, n.Out
	if table.Storage.Class != op.Weight {
		return []Launch{mapped("embedding", nil, "", out, nil, []*op.Tensor{table, ids},
			words(out.Rows, out.Cols, out, table, ids.Offset, table.Rows-1))}, nil
	}
	y, err := layoutOf(table.DType())
	if err != nil {
		return nil, err
	}
	if table.Offset%table.Stride != 0 {
		return nil, fault.New(fault.Shape, "the table %s must be whole rows of a weight", table)
	}
	from := table.Offset / table.Stride
	var launches []Launch
	for _, s := range y.shards(table.Cols, from, from+table.Rows, table.Storage.Elems/table.Stride, c) {
		var k constants
		y.constants(&k, 3)
		l := mapped("embedding_weight", []string{"weight_" + layouts[y].lib}, k, out, nil, []*op.Tensor{ids},
			words(out.Rows, out.Cols, out, ids.Offset, table.Rows-1, from, s.from, s.to, s.start, quads(table.Cols)))
		for i := range y.parts() {
			l.Bind = append(l.Bind, Binding{Storage: table.Storage, Part: s.part + i})
		}
		launches = append(launches, l)
	}
	return launches, nil
}
