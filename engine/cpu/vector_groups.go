package cpu

import (
	"undertone/engine/cpu/simd"
	"undertone/engine/op"
)

// columnSums sums up rows of x, each column by itself, or the squares of the differences
// from means.
func (j *job) columnSums(x view, from, end int, means []float64) []float64 {
	v := j.m.simd
	sums := room(&v.sums, op.Pad(x.Cols))
	clear(sums)
	var at uint32
	if means != nil {
		at = address(means, 0)
	}
	j.stretches(end-from, x.Cols, elementsInCall, func(first, count int) {
		v.run(simd.ColumnSums, x.at(from+first), x.apart(), uint32(count), uint32(x.Cols), at, address(sums, 0))
	})
	return sums
}

// vectorGroupMoments: the sums of columns, group by group.
func vectorGroupMoments(j *job, n *op.GroupMomentsOp) bool {
	x, out := f32(n.X), f32(n.Out)
	size, stretch := x.Cols/n.Groups, n.Stretch()
	means := room(&j.m.simd.means, op.Pad(x.Cols))
	for part := range out.Rows {
		first, end := part*stretch, min((part+1)*stretch, x.Rows)
		count := float64(size * (end - first))
		sums := j.columnSums(x, first, end, nil)
		for g := range n.Groups {
			mean := 0.0
			for c := g * size; c < (g+1)*size; c++ {
				mean += sums[c] / count
			}
			for c := g * size; c < (g+1)*size; c++ {
				means[c] = mean
			}
		}
		sums = j.columnSums(x, first, end, means)
		for g := range n.Groups {
			squares, pivot := 0.0, x.row(first)[g*size]
			for c := g * size; c < (g+1)*size; c++ {
				squares += sums[c]
			}
			copy(out.row(part)[4*g:], []float32{float32(count), pivot, float32(means[g*size] - float64(pivot)), float32(squares)})
		}
		if j.err != nil {
			break
		}
	}
	return true
}

func vectorGroupNorm(j *job, n *op.GroupNormOp) bool {
	x, out, moments, weight, bias := f32(n.X), f32(n.Out), f32(n.Moments), first(n.Weight), f32(n.Bias)
	size, width := x.Cols/n.Groups(), op.Pad(x.Cols)
	columns := room(&j.m.simd.affine, 3*width)
	for g := range n.Groups() {
		mean, inv := joined(moments, g, n.Eps)
		for c := g * size; c < (g+1)*size; c++ {
			columns[c] = float32(mean)
			columns[width+c] = float32(mean - float64(float32(mean)))
			columns[2*width+c] = float32(inv * float64(weight[c]))
		}
	}
	return j.stretches(x.Rows, x.Cols, elementsInCall, func(from, count int) {
		j.m.simd.run(simd.ColumnNorm, x.at(from), x.apart(), out.at(from), out.apart(), uint32(count), uint32(x.Cols),
			address(columns, 0), address(columns, width), address(columns, 2*width), bias.at(0), uint32(n.Act))
	})
}
