package shrink

import "undertone/engine"

// Into writes m as w × h pixels of four bytes, each the mean of those that it covers, into
// dst, whose lines are stride bytes apart.
func Into(dst []byte, stride, w, h int, m *engine.Image) {
	for y := range h {
		y0, y1 := y*m.H/h, max((y+1)*m.H/h, y*m.H/h+1)
		for x := range w {
			x0, x1 := x*m.W/w, max((x+1)*m.W/w, x*m.W/w+1)
			var sum [4]int
			for v := y0; v < y1; v++ {
				for u := x0; u < x1; u++ {
					for c := range sum {
						sum[c] += int(m.RGBA[4*(v*m.W+u)+c])
					}
				}
			}
			for c := range sum {
				dst[y*stride+4*x+c] = byte(sum[c] / ((y1 - y0) * (x1 - x0)))
			}
		}
	}
}

// Within is m, or, where a side of it is longer than most, a smaller picture of its shape.
func Within(most int, m *engine.Image) *engine.Image {
	long := max(m.W, m.H)
	if long <= most {
		return m
	}
	w, h := max(1, m.W*most/long), max(1, m.H*most/long)
	small := &engine.Image{W: w, H: h, RGBA: make([]byte, 4*w*h)}
	Into(small.RGBA, 4*w, w, h, m)
	return small
}
