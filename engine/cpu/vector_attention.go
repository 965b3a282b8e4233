package cpu

import (
	"undertone/engine/cpu/simd"
	"undertone/engine/op"
)

// scoresInCall is how many weights of rows over keys are computed at once.
const scoresInCall = 1 << 15

// vectorAttention: for each head and some rows of queries the products with all keys,
// their softmax, and the product of that with the values.
func vectorAttention(j *job, n *op.AttentionOp) bool {
	v := j.m.simd
	q, k, values, out, bias, mask := f32(n.Q), f32(n.K), f32(n.V), f32(n.Out), f32(n.Bias), f32(n.Mask)
	stride := op.Pad(n.K.Rows)
	per := max(4, min(64, scoresInCall/stride&^3))
	for head := range n.Heads {
		at, kv, biasAt := head*n.HeadDim, head/(n.Heads/n.KVHeads)*n.HeadDim, 0
		if bias.Tensor != nil && bias.Rows != n.Q.Rows {
			biasAt = head * n.Q.Rows
		}
		keys := room(&v.wide, op.CeilDiv(n.K.Rows, panelRows)*panelRows*n.HeadDim)
		scores := room(&v.scores, per*stride)
		v.run(simd.Pack, k.at(0)+uint32(4*kv), k.apart(), uint32(n.K.Rows), uint32(n.HeadDim), address(keys, 0))
		for from := 0; from < n.Q.Rows; from += per {
			rows, seen, first := min(per, n.Q.Rows-from), n.K.Rows, uint32(1<<32-1)
			if n.Causal {
				seen, first = from+rows, uint32(from)
			}
			queries := q
			queries.Tensor = n.Q.Slice(from, from+rows).Columns(at, at+n.HeadDim)
			v.gemm = product{table: v.rowTable(queries, rows), taps: 1, width: uint32(n.HeadDim),
				weights: address(keys, 0), apart: 4 * panelRows, panel: uint32(4 * panelRows * n.HeadDim), columns: uint32(seen),
				height: uint32(rows), out: address(scores, 0), stride: uint32(4 * stride), scale: n.Scale}
			v.multiply(simd.Product)
			v.run(simd.Softmax, address(scores, 0), uint32(4*stride), uint32(rows), uint32(seen), bias.at(biasAt+from), bias.apart(), mask.at(0), first)
			for i := range op.CeilDiv(rows, 4) * 4 {
				v.table[i] = address(scores, min(i, rows-1)*stride)
			}
			v.gemm = product{table: address(v.table, 0), taps: 1, width: uint32(seen),
				weights: values.at(0) + uint32(4*kv), apart: values.apart(), panel: 4 * panelRows, columns: uint32(n.HeadDim),
				height: uint32(rows), out: out.at(from) + uint32(4*at), stride: out.apart(), scale: 1}
			v.multiply(simd.Product)
			if j.err = j.m.tick(j.ctx); j.err != nil {
				return true
			}
		}
	}
	return true
}
