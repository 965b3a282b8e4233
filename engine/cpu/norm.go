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

// groupNorm: act((x − mean)/√(var + eps) · weight + bias), group by group.
func groupNorm(j *job, n *op.GroupNormOp) {
	x, out, weight, bias := f32(n.X), f32(n.Out), first(n.Weight), first(n.Bias)
	size := x.Cols / n.Groups
	count := float64(size * x.Rows)
	j.parallel(n.Groups, func(g int) {
		from, to := g*size, (g+1)*size
		mean, variance := 0.0, 0.0
		for r := range x.Rows {
			for _, v := range x.row(r)[from:to] {
				mean += float64(v)
			}
		}
		mean /= count
		for r := range x.Rows {
			for _, v := range x.row(r)[from:to] {
				d := float64(v) - mean
				variance += d * d
			}
		}
		inv := 1 / math.Sqrt(variance/count+float64(n.Eps))
		for r := range x.Rows {
			o := out.row(r)
			for c, v := range x.row(r)[from:to] {
				at := from + c
				o[at] = float32(activate(n.Act, (float64(v)-mean)*inv*float64(weight[at])+float64(bias[at])))
			}
		}
	})
}
