package guidance

import (
	"fmt"
	"math"
)

// Direction is a shift of the modulation vector and how much of it each block
// gets.
type Direction struct {
	Delta   []float32 // [dim], from Delta
	Weights []float32 // [blocks], from Schedule.Weights
	Head    float32   // the weight at the output head
}

// Delta returns positive − negative, two vectors ψ(pooled(p)) of one length. It
// panics when the lengths differ: that is an error of the calling program.
func Delta(positive, negative []float32) []float32 {
	if len(positive) != len(negative) {
		panic(fmt.Sprintf("guidance: the positive vector has %d elements, the negative %d", len(positive), len(negative)))
	}
	d := make([]float32, len(positive))
	for i, p := range positive {
		d[i] = p - negative[i]
	}
	return d
}

// Blend writes what every block sees at every step, and last what the output
// head sees:
//
//	y [steps, dim] → dst [steps, blocks+1, dim],  dst[s][l] = y[s] + Σ_i w_i(l)·δ_i
//
// Sums are taken in float32, in the order of dirs, with each product rounded
// before it is added, so that every platform gives the same bits; where w_i(l) is
// 0, direction i is skipped. dst and y must not overlap. The error, an *Error,
// names the first length or weight that does not fit.
func Blend(dst, y []float32, steps, dim, blocks int, dirs []Direction) error {
	switch {
	case steps < 1 || dim < 1:
		return refuse("size of the modulation", fmt.Sprintf("%d×%d", steps, dim), "at least 1×1")
	case blocks < 1 || blocks > MaxBlocks:
		return refuse("number of blocks", blocks, "between 1 and %d", MaxBlocks)
	case len(y) != steps*dim:
		return refuse("length of y", len(y), "%d steps × %d = %d", steps, dim, steps*dim)
	case len(dst) != steps*(blocks+1)*dim:
		return refuse("length of dst", len(dst), "%d steps × (%d blocks + 1) × %d = %d", steps, blocks, dim, steps*(blocks+1)*dim)
	}
	for i, d := range dirs {
		if err := d.check(i, dim, blocks); err != nil {
			return err
		}
	}
	for s := range steps {
		row := y[s*dim : (s+1)*dim]
		for l := range blocks + 1 {
			out := dst[(s*(blocks+1)+l)*dim:][:dim]
			copy(out, row)
			for _, d := range dirs {
				w := d.Head
				if l < blocks {
					w = d.Weights[l]
				}
				if w == 0 {
					continue
				}
				for i, v := range d.Delta {
					out[i] += float32(w * v)
				}
			}
		}
	}
	return nil
}

func (d Direction) check(i, dim, blocks int) error {
	if len(d.Delta) != dim {
		return refuse(fmt.Sprintf("length of direction %d", i), len(d.Delta), "that of y, %d", dim)
	}
	if len(d.Weights) != blocks {
		return refuse(fmt.Sprintf("number of weights of direction %d", i), len(d.Weights), "one for each of %d blocks", blocks)
	}
	if !(math.Abs(float64(d.Head)) <= MaxWeight) {
		return refuse("head weight", d.Head, "between -%d and %d", MaxWeight, MaxWeight)
	}
	for l, w := range d.Weights {
		if v := float64(w); math.IsNaN(v) || math.IsInf(v, 0) {
			return refuse(fmt.Sprintf("weight of direction %d at block %d", i, l), w, "a finite number")
		}
	}
	return nil
}

// Geometry tells how a direction lies to the vector that it shifts.
type Geometry struct {
	NormY        float64 `json:"normY"`        // ‖y‖
	NormDelta    float64 `json:"normDelta"`    // ‖δ‖
	AngleDegrees float64 `json:"angleDegrees"` // between y and δ, 0 … 180; 90 where either is zero
}

// ReadOut measures delta against y, two vectors of one length; it panics when
// the lengths differ.
func ReadOut(y, delta []float32) Geometry {
	if len(y) != len(delta) {
		panic(fmt.Sprintf("guidance: y has %d elements, delta %d", len(y), len(delta)))
	}
	var yy, dd, yd float64
	for i := range y {
		a, b := float64(y[i]), float64(delta[i])
		yy += a * a
		dd += b * b
		yd += a * b
	}
	g := Geometry{NormY: math.Sqrt(yy), NormDelta: math.Sqrt(dd), AngleDegrees: 90}
	if yy > 0 && dd > 0 {
		cos := yd / (g.NormY * g.NormDelta)
		g.AngleDegrees = math.Acos(max(-1, min(1, cos))) * 180 / math.Pi
	}
	return g
}
