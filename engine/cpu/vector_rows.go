package cpu

import (
	"undertone/engine/cpu/simd"
	"undertone/engine/op"
)

// vectorEach computes every element of out from those of a and b, which may be absent.
func (j *job) vectorEach(k simd.Kernel, a, b, out view, what, x uint32) bool {
	return j.stretches(out.Rows, out.Cols, elementsInCall, func(from, count int) {
		j.m.simd.run(k, a.at(from), a.apart(), b.at(from), b.apart(), out.at(from), out.apart(), uint32(count), uint32(out.Cols), what, x)
	})
}

func vectorActivation(j *job, n *op.ActivationOp) bool {
	return j.vectorEach(simd.Activation, f32(n.X), view{}, f32(n.Out), uint32(n.Act), 0)
}

func vectorAdd(j *job, n *op.AddOp) bool {
	return j.vectorEach(simd.Add, f32(n.A), f32(n.B), f32(n.Out), 0, 0)
}

func vectorGated(j *job, n *op.GatedOp) bool {
	out := f32(counted(n.Out, n.Counted))
	return j.vectorEach(simd.Activation, f32(n.A), view{}, out, uint32(n.Act), 0) && j.vectorEach(simd.Multiply, out, f32(n.B), out, 0, 0)
}

func vectorCFG(j *job, n *op.CFGOp) bool {
	return j.vectorEach(simd.Mix, f32(n.Cond), f32(n.Uncond), f32(n.Out), 0, number(n.Scale))
}

func vectorEuler(j *job, n *op.EulerOp) bool {
	return j.vectorEach(simd.Euler, f32(n.X), f32(n.V), f32(n.X), 0, number(f32(n.DT).row(0)[0]))
}

func (j *job) vectorNorm(x, weight, bias, out view, onePlus bool, eps float32, mean bool) bool {
	return j.stretches(x.Rows, x.Cols, elementsInCall, func(from, count int) {
		j.m.simd.run(simd.Norm, x.at(from), x.apart(), out.at(from), out.apart(), uint32(count), uint32(x.Cols),
			weight.at(0), bias.at(0), flag(onePlus), number(eps), flag(mean))
	})
}

func vectorLayerNorm(j *job, n *op.LayerNormOp) bool {
	return j.vectorNorm(f32(n.X), f32(n.Weight), f32(n.Bias), f32(n.Out), n.OnePlus, n.Eps, true)
}

func vectorRMSNorm(j *job, n *op.RMSNormOp) bool {
	return j.vectorNorm(f32(n.X), f32(n.Weight), view{}, f32(n.Out), n.OnePlus, n.Eps, false)
}

// vectorHeads normalizes heads that lie side by side, where there is a weight, and turns
// their pairs, where there is a table.
func (j *job) vectorHeads(x view, heads, size int, weight view, eps float32, table view) bool {
	return j.stretches(x.Rows, heads*size, elementsInCall, func(from, count int) {
		j.m.simd.run(simd.Heads, x.at(from), x.apart(), uint32(count), uint32(heads), uint32(size), weight.at(0), number(eps), table.at(from), table.apart())
	})
}

func vectorQKNormRoPE(j *job, n *op.QKNormRoPEOp) bool {
	d := n.Heads * n.HeadDim
	rope := f32(n.Rope)
	return j.vectorHeads(f32(n.Y.Columns(0, d)), n.Heads, n.HeadDim, f32(n.QueryWeight), n.Eps, rope) &&
		j.vectorHeads(f32(n.Y.Columns(d, 2*d)), n.Heads, n.HeadDim, f32(n.KeyWeight), n.Eps, rope)
}

// vectorRotary leaves pairs that lie apart to Go.
func vectorRotary(j *job, n *op.RotaryOp) bool {
	return !n.Half && j.vectorHeads(f32(n.X), n.X.Cols/n.HeadDim, n.HeadDim, view{}, 0, f32(n.Table))
}

// vectorEmbedding decodes the rows that are asked for; where the table is no weight it is
// Go's work.
func vectorEmbedding(j *job, n *op.EmbeddingOp) bool {
	p, ok := n.Table.Storage.Handle.(*panels)
	if !ok {
		return false
	}
	embed(j, n, func(dst []float32, id int) { p.decode(dst, n.Table.Offset/n.Table.Stride+id) })
	return true
}

func vectorUpsample(j *job, n *op.UpsampleOp) bool {
	x, out := f32(n.X), f32(n.Out)
	return j.stretches(n.Height, n.Width*x.Cols, elementsInCall, func(from, count int) {
		j.m.simd.run(simd.Upsample, x.at(from*n.Width), x.apart(), out.at(4*from*n.Width), out.apart(), uint32(count), uint32(n.Width), uint32(x.Cols))
	})
}

func vectorToRGBA(j *job, n *op.ToRGBAOp) bool {
	x, pixels := f32(n.X), n.Out.Storage.Handle.([]uint32)
	return j.stretches(x.Rows, 4, elementsInCall, func(from, count int) {
		j.m.simd.run(simd.RGBA, x.at(from), x.apart(), address(pixels, n.Out.Offset+from), uint32(count), number(n.Scale), number(n.Bias))
	})
}
