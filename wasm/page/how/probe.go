package how

import (
	"encoding/binary"
	"errors"
	"math"

	"undertone/engine/recipe"
)

// probe is what was seen while a picture was made. Its Attention is, of what a cell of
// the picture gives to the words together, the share of each.
type probe struct {
	recipe.Probe
	prompt float64 // of all attention, what the words get together
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
	p.Attention = make([]float32, n)
	for i := range p.Attention {
		p.Attention[i] = math.Float32frombits(binary.LittleEndian.Uint32(attention[4*i:]))
	}
	maps, words, cells := p.steps()*p.blocks(), len(p.Words), p.cells()
	for m := range maps {
		for c := range cells {
			at := p.Attention[m*words*cells+c:]
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
	return p.Attention[at : at+n]
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

// topShare is the share at which a token's colours end: all but the 50th part of its
// cells, in all blocks and steps, lie below. A few extreme cells would else leave
// the rest in the dark.
func (p *probe) topShare(word int) float64 {
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

// mostInformative is the word that the picture's cells differ most about: the best one to
// show first. Without any word it is the token that ends the prompt.
func (p *probe) mostInformative() int {
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

// mostTurned is the block whose vector guidance turns furthest, −1 where it turns none.
func (p *probe) mostTurned() int {
	best := -1
	for b := range p.blocks() {
		if n := p.Blocks[b].NormShift; n > 0 && (best < 0 || n > p.Blocks[best].NormShift) {
			best = b
		}
	}
	return best
}
