package cpu

import (
	"math"

	"undertone/engine/op"
)

// layerNorm: (x − mean)/√(var + eps) · weight + bias, row by row.
func layerNorm(j *job, p *op.LayerNormOp) {
	x, weight, bias, out := f32(p.X), f32(p.Weight), f32(p.Bias), f32(p.Out)
	n := float64(x.Cols)
	for r := range x.Rows {
		in, o := x.row(r), out.row(r)
		mean := 0.0
		for _, v := range in {
			mean += float64(v)
		}
		mean /= n
		variance := 0.0
		for _, v := range in {
			d := float64(v) - mean
			variance += d * d
		}
		inv := 1 / math.Sqrt(variance/n+float64(p.Eps))
		for i, v := range in {
			e := (float64(v) - mean) * inv
			if weight.Tensor != nil {
				w := float64(weight.row(0)[i])
				if p.OnePlus {
					w++
				}
				e *= w
			}
			if bias.Tensor != nil {
				e += float64(bias.row(0)[i])
			}
			o[i] = float32(e)
		}
	}
}

// rmsNorm: x/√(mean(x²) + eps) · weight, row by row.
func rmsNorm(j *job, n *op.RMSNormOp) {
	x, out, weight := f32(n.X), f32(n.Out), first(n.Weight)
	for r := range x.Rows {
		in, o := x.row(r), out.row(r)
		sum := 0.0
		for _, v := range in {
			sum += float64(v) * float64(v)
		}
		inv := 1 / math.Sqrt(sum/float64(x.Cols)+float64(n.Eps))
		for i, v := range in {
			e := float64(v) * inv
			if weight != nil {
				w := float64(weight[i])
				if n.OnePlus {
					w++
				}
				e *= w
			}
			o[i] = float32(e)
		}
	}
}

// groupMoments: count, first value, mean and sum of squares, group by group and
// stretch by stretch.
func groupMoments(j *job, n *op.GroupMomentsOp) {
	x, out := f32(n.X), f32(n.Out)
	size, stretch := x.Cols/n.Groups, n.Stretch()
	j.parallel(out.Rows, func(part int) {
		first, end := part*stretch, min((part+1)*stretch, x.Rows)
		count := float64(size * (end - first))
		for g := range n.Groups {
			from, to := g*size, (g+1)*size
			pivot := float64(x.row(first)[from])
			mean, squares := 0.0, 0.0
			for r := first; r < end; r++ {
				for _, v := range x.row(r)[from:to] {
					mean += float64(v) - pivot
				}
			}
			mean /= count
			for r := first; r < end; r++ {
				for _, v := range x.row(r)[from:to] {
					d := float64(v) - pivot - mean
					squares += d * d
				}
			}
			copy(out.row(part)[4*g:], []float32{float32(count), float32(pivot), float32(mean), float32(squares)})
		}
	})
}

// groupNorm: act((x − mean)/√(var + eps) · weight + bias), group by group, with mean
// and variance of the moments of all stretches.
func groupNorm(j *job, n *op.GroupNormOp) {
	x, out, moments, weight, bias := f32(n.X), f32(n.Out), f32(n.Moments), first(n.Weight), first(n.Bias)
	size := x.Cols / n.Groups()
	j.parallel(n.Groups(), func(g int) {
		mean, inv := joined(moments, g, n.Eps)
		from, to := g*size, (g+1)*size
		for r := range x.Rows {
			o := out.row(r)
			for c, v := range x.row(r)[from:to] {
				at := from + c
				o[at] = float32(activate(n.Act, (float64(v)-mean)*inv*float64(weight[at])+float64(bias[at])))
			}
		}
	})
}

// joined are the mean of a group and 1/√(variance + eps), of the moments of all stretches.
func joined(moments view, g int, eps float32) (mean, inv float64) {
	count, squares := 0.0, 0.0
	for part := range moments.Rows {
		m := moments.row(part)[4*g : 4*g+4]
		more, d := float64(m[0]), float64(m[1])+float64(m[2])-mean
		squares += float64(m[3]) + d*d*count*more/(count+more)
		mean += d * more / (count + more)
		count += more
	}
	return mean, 1 / math.Sqrt(squares/count+float64(eps))
}
