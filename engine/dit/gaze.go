package dit

import "undertone/engine/op"

// Gaze records, beside a pass, how much attention every image token pays to some
// of the pass's tokens, averaged over the heads. It needs no kernel of its own:
// where the values of attention are unit vectors, the result is the
// probabilities themselves.
type Gaze struct {
	Unit *op.Tensor // [T+S, D], see GazeUnit
	Mean *op.Tensor // [headDim, D], weights: see GazeMean
	Out  *op.Tensor // [Blocks·S, headDim], Fixed: row b·S+i is image token i in block b, column c the token of GazeUnit's rows[c]
}

// GazeUnit is the values [n, D] for attention over n tokens: in every head, the
// token rows[c] has a 1 in column c. At most headDim rows can be told apart.
func (c Config) GazeUnit(n int, rows []int) []float32 {
	out := make([]float32, n*c.Hidden)
	for col, r := range rows {
		for head := range c.Heads {
			out[r*c.Hidden+head*c.HeadDim()+col] = 1
		}
	}
	return out
}

// GazeMean is the matrix [headDim, D] whose product averages the heads.
func (c Config) GazeMean() []float32 {
	out := make([]float32, c.HeadDim()*c.Hidden)
	for col := range c.HeadDim() {
		for head := range c.Heads {
			out[col*c.Hidden+head*c.HeadDim()+col] = 1 / float32(c.Heads)
		}
	}
	return out
}

// Gaze begins a recording; what it returns is Step.Look of the same list's pass.
func (f *Flux) Gaze(l *op.List, g Gaze) func(block int, y *op.Tensor) {
	d, rows := f.Hidden, g.Unit.Rows
	s := g.Out.Rows / f.Blocks()
	z := l.Temp(rows, 4*d) // [T+S, q|k|unit|attn]
	l.Copy(g.Unit, z.Columns(2*d, 3*d))
	return func(block int, y *op.Tensor) {
		l.Copy(y.Columns(0, 2*d), z.Columns(0, 2*d))
		a := l.Attention(z, f.Heads, f.HeadDim(), false).Slice(rows-s, rows)     // [S, D]
		l.MatMul(a, g.Mean, op.Epilogue{Out: g.Out.Slice(block*s, (block+1)*s)}) // [S, headDim]
	}
}

// Part names one set of vectors in a row of modulation.
type Part struct {
	Block int    // in the order they run; Blocks() for the output head
	Name  string // "image attention", "image MLP", "text attention", "text MLP" of double blocks, "block" of single ones, "head"
	Gate  bool   // it has a gate beside shift and scale
}

// Parts lists the sets of vectors in the order of a row of modulation (see
// Modulate): shift, scale and, except for the head, gate, each of width D.
func (c Config) Parts() []Part {
	var out []Part
	for n := range c.Depth {
		for _, name := range []string{"image attention", "image MLP", "text attention", "text MLP"} {
			out = append(out, Part{n, name, true})
		}
	}
	for n := range c.DepthSingle {
		out = append(out, Part{c.Depth + n, "block", true})
	}
	return append(out, Part{c.Blocks(), "head", false})
}
