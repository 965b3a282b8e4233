package judge

import "math"

// centre is what is taken off pixels of 0 … 1.
const centre = 0.5

// reduce is the picture at Side × Side, each pixel the mean of a square of the larger
// picture, rounded to whole numbers of 0 … 255 as in training: [Side², 3], less centre.
func (j *Judge) reduce(rgba []byte) []float32 {
	k := j.Size / j.Side
	count := k * k
	out := make([]float32, 0, 3*j.Side*j.Side)
	for y := range j.Side {
		for x := range j.Side {
			for c := range 3 {
				sum := 0
				for dy := range k {
					for dx := range k {
						sum += int(rgba[4*((k*y+dy)*j.Size+k*x+dx)+c])
					}
				}
				out = append(out, float32((sum+count/2)/count)/255-centre)
			}
		}
	}
	return out
}

// seams is how steep the picture is between columns, then between rows, by their place
// in a patch, against the mean of these, less 1: [2·Patch]. Of pixel art the grid shows.
func (j *Judge) seams(pixels []float32) []float64 {
	const flattest = 1e-4 // a mean below it counts as this
	n := j.Side
	steep := make([]float64, 2*j.Patch)
	for y := range n {
		for x := range n {
			before, above := y*n+(x+n-1)%n, (y+n-1)%n*n+x
			for c := range 3 {
				v := float64(pixels[3*(y*n+x)+c])
				steep[x%j.Patch] += math.Abs(v - float64(pixels[3*before+c]))
				steep[j.Patch+y%j.Patch] += math.Abs(v - float64(pixels[3*above+c]))
			}
		}
	}
	each := float64(3 * n * n / j.Patch)
	for _, half := range [][]float64{steep[:j.Patch], steep[j.Patch:]} {
		mean := 0.0
		for i := range half {
			half[i] /= each
			mean += half[i] / float64(len(half))
		}
		for i := range half {
			half[i] = half[i]/max(mean, flattest) - 1
		}
	}
	return steep
}

// pool is the vector that the answers are computed from, without what is below 0:
// places [cells, Places] as they are, of seen [cells, C] the mean and the largest value of
// each channel, the seams, and zeros.
func (j *Judge) pool(seen, places []float32, seams []float64) []float32 {
	c := j.Widths[2]
	cells := len(seen) / c
	out := make([]float32, 0, j.columns())
	for _, v := range places {
		out = append(out, max(v, 0))
	}
	most := make([]float32, c)
	for i := range c {
		sum := 0.0
		most[i] = seen[i]
		for cell := range cells {
			v := seen[cell*c+i]
			sum += float64(v)
			most[i] = max(most[i], v)
		}
		out = append(out, max(float32(sum/float64(cells)), 0))
	}
	for _, v := range most {
		out = append(out, max(v, 0))
	}
	for _, v := range seams {
		out = append(out, max(float32(v), 0))
	}
	return out[:cap(out)]
}
