package how

import "math"

// heat is the colour of a share of the strongest attention, 0 … 1: dark to bright,
// by brightness first, so that it needs no eye for colours.
func heat(x float64) (r, g, b byte) {
	stops := [...][3]float64{{24, 15, 46}, {92, 30, 116}, {187, 55, 84}, {249, 142, 9}, {252, 253, 191}}
	x = math.Max(0, math.Min(1, x)) * float64(len(stops)-1)
	i := min(int(x), len(stops)-2)
	x -= float64(i)
	mix := func(c int) byte { return byte(math.Round(stops[i][c] + x*(stops[i+1][c]-stops[i][c]))) }
	return mix(0), mix(1), mix(2)
}

// strip draws maps of one size in a row, a column of nothing between them: RGBA.
func strip(maps [][]float32, rows, cols int, most float64) (w, h int, rgba []byte) {
	w, h = len(maps)*(cols+1)-1, rows
	rgba = make([]byte, 4*w*h)
	for k, m := range maps {
		for i, v := range m {
			at := 4 * (i/cols*w + k*(cols+1) + i%cols)
			rgba[at], rgba[at+1], rgba[at+2] = heat(float64(v) / math.Max(most, 1e-9))
			rgba[at+3] = 255
		}
	}
	return w, h, rgba
}

// overlay darkens a picture where a map is low: RGBA of one pixel for every cell.
func overlay(m []float32) []byte {
	least, _, most, _ := extremes(m)
	rgba := make([]byte, 4*len(m))
	for i, v := range m {
		share := (float64(v) - least) / math.Max(most-least, 1e-9)
		rgba[4*i+3] = byte(math.Round(200 * (1 - share)))
	}
	return rgba
}
