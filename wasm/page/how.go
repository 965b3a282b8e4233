package page

import (
	"encoding/binary"
	"errors"
	"math"
)

// how is the state of the view "how it works".
type how struct {
	asked recipe   // what was last looked at
	of    *picture // whose inside this is: the picture again, to the bit
	probe *probe
	word  int // the token that is followed
	block int // the block whose attention lies over the picture; −1: all of them
}

// probe is what the API says was seen on the way, see web/undertone.d.ts.
type probe struct {
	Tokens  []token   `json:"tokens"`
	Padding int       `json:"padding"`
	Times   []float64 `json:"times"`
	NormY   []float64 `json:"normY"`
	Blocks  []struct {
		Kind         string    `json:"kind"`
		Norm         []float64 `json:"norm"`
		AngleDegrees []float64 `json:"angleDegrees"`
		NormShift    float64   `json:"normShift"`
	} `json:"blocks"`
	Modulation []struct {
		Block int       `json:"block"`
		Part  string    `json:"part"`
		Shift []float64 `json:"shift"`
		Scale []float64 `json:"scale"`
		Gate  []float64 `json:"gate"`
	} `json:"modulation"`
	Words     []int     `json:"words"`
	Rows      int       `json:"rows"`
	Cols      int       `json:"cols"`
	attention []float32 // of what a cell gives to these tokens together, the share of each
	prompt    float64   // of all attention, what these tokens get together
}

type token struct {
	ID   int    `json:"id"`
	Text string `json:"text"`
	Kind string `json:"kind"`
}

// take reads the attention, little-endian float32, and checks that everything
// has the size that the rest claims. Most of a cell's attention goes to other cells
// and to padding, much the same for every token; what tells tokens apart is how they
// share what is left, so that is what is kept.
func (p *probe) take(attention []byte) error {
	n := p.steps() * p.blocks() * len(p.Words) * p.cells()
	if n <= 0 || len(attention) != 4*n || len(p.NormY) != p.steps() || len(p.Tokens) < 2 {
		return errors.New("the probe does not fit together")
	}
	p.attention = make([]float32, n)
	for i := range p.attention {
		p.attention[i] = math.Float32frombits(binary.LittleEndian.Uint32(attention[4*i:]))
	}
	maps, words, cells := p.steps()*p.blocks(), len(p.Words), p.cells()
	for m := range maps {
		for c := range cells {
			at := p.attention[m*words*cells+c:]
			sum := float32(0)
			for w := range words {
				sum += at[w*cells]
			}
			p.prompt += float64(sum) / float64(maps*cells)
			for w := range words {
				at[w*cells] /= max(sum, math.SmallestNonzeroFloat32)
			}
		}
	}
	return nil
}

func (p *probe) steps() int  { return len(p.Times) - 1 }
func (p *probe) blocks() int { return len(p.Blocks) - 1 } // without the head
func (p *probe) cells() int  { return p.Rows * p.Cols }

// column is where a token stands among the attention's words, −1 if it is not there.
func (p *probe) column(word int) int {
	for i, w := range p.Words {
		if w == word {
			return i
		}
	}
	return -1
}

// cell is the map of a token at one step in one block.
func (p *probe) cell(word, step, block int) []float32 {
	n := p.cells()
	at := ((step*p.blocks()+block)*len(p.Words) + p.column(word)) * n
	return p.attention[at : at+n]
}

// mean is the map of a token over all steps, in one block or, for −1, in all.
func (p *probe) mean(word, block int) []float32 {
	out := make([]float32, p.cells())
	n := 0
	for s := range p.steps() {
		for b := range p.blocks() {
			if block >= 0 && b != block {
				continue
			}
			n++
			for i, v := range p.cell(word, s, b) {
				out[i] += v
			}
		}
	}
	for i := range out {
		out[i] /= float32(n)
	}
	return out
}

// step is the map of a token at one step, the mean of all blocks.
func (p *probe) step(word, step int) []float32 {
	out := make([]float32, p.cells())
	for b := range p.blocks() {
		for i, v := range p.cell(word, step, b) {
			out[i] += v / float32(p.blocks())
		}
	}
	return out
}

// extremes are the least, the mean and the most of a map, and where the most is.
func extremes(m []float32) (least, mean, most float64, at int) {
	least = math.Inf(1)
	for i, v := range m {
		v := float64(v)
		mean += v / float64(len(m))
		least = math.Min(least, v)
		if v > most {
			most, at = v, i
		}
	}
	return least, mean, most, at
}

// bright is the share at which a token's colours end: all but the 50th part of its
// cells, in all blocks and steps, lie below. A few extreme cells would else leave
// the rest in the dark.
func (p *probe) bright(word int) float64 {
	const bins = 1000
	var count [bins + 1]int
	n := 0
	for s := range p.steps() {
		for b := range p.blocks() {
			for _, v := range p.cell(word, s, b) {
				count[int(max(0, min(1, v))*bins)]++
				n++
			}
		}
	}
	top, above := bins, 0
	for ; top > 0 && above+count[top] <= n/50; top-- {
		above += count[top]
	}
	return float64(top+1) / bins
}

// telling is the word that the picture's cells differ most about: the best one to
// show first. Without any word it is the token that ends the prompt.
func (p *probe) telling() int {
	best, most := len(p.Tokens)-1, 0.0
	for _, w := range p.Words {
		if p.Tokens[w].Kind != "word" {
			continue
		}
		if least, _, top, _ := extremes(p.mean(w, -1)); top-least > most {
			best, most = w, top-least
		}
	}
	return best
}

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

// veil darkens a picture where a map is low: RGBA of one pixel for every cell.
func veil(m []float32) []byte {
	least, _, most, _ := extremes(m)
	rgba := make([]byte, 4*len(m))
	for i, v := range m {
		share := (float64(v) - least) / math.Max(most-least, 1e-9)
		rgba[4*i+3] = byte(math.Round(200 * (1 - share)))
	}
	return rgba
}

// lengths are the mean lengths of a block's shift, scale and gate over all steps
// and, in double blocks, over its four places.
func (p *probe) lengths(block int) (shift, scale, gate float64) {
	parts := 0.0
	for _, m := range p.Modulation {
		if m.Block == block {
			parts++
			shift += average(m.Shift)
			scale += average(m.Scale)
			gate += average(m.Gate)
		}
	}
	parts = math.Max(parts, 1)
	return shift / parts, scale / parts, gate / parts
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / math.Max(1, float64(len(x)))
}

// turned is the block whose vector guidance turns furthest, −1 where it turns none.
func (p *probe) turned() int {
	best := -1
	for b := range p.blocks() {
		if n := p.Blocks[b].NormShift; n > 0 && (best < 0 || n > p.Blocks[best].NormShift) {
			best = b
		}
	}
	return best
}

// part is one stretch of the time a picture took.
type part struct {
	name *string
	ms   float64
}

// watched reports whether every step was waited for, so that each part has a time.
func (t timings) watched() bool { return t.ModulationMs > 0 && t.DecodeMs > 0 }

// whole is what the picture took, without looking on.
func (t timings) whole() float64 { return t.TotalMs - t.ProbeMs }

// parts cuts a picture's time up in the order it was spent; the rest is what lies
// between: preparing, previews, reading back.
func (t timings) parts() []part {
	list := []part{
		{&say.HowPartWords, t.TextMs}, {&say.HowPartGuidance, t.GuidanceMs}, {&say.HowPartModulation, t.ModulationMs},
		{&say.HowPartSteps, average(t.StepsMs) * float64(len(t.StepsMs))}, {&say.HowPartDecoder, t.DecodeMs},
	}
	rest := t.whole()
	for _, p := range list {
		rest -= p.ms
	}
	return append(list, part{&say.HowPartRest, math.Max(0, rest)})
}
