package dit

import "undertone/engine/op"

// Maps records, beside a pass, how much attention every image token pays to some
// of the pass's tokens, averaged over the heads. It needs no kernel of its own:
// where the values of attention are unit vectors, the result is the probabilities
// themselves.
type Maps struct {
	Unit      *op.Tensor // [T+S+R, Heads·HeadDim], see Shape.UnitValues
	Mean      *op.Tensor // [HeadDim, Heads·HeadDim], weights: see Shape.HeadMean
	Out       *op.Tensor // [Blocks·S, HeadDim], Fixed: row b·S+i is image token i in block b, column c the token of UnitValues' rows[c]
	Limit     int64      // that of the pass
	Lead      int        // that of the pass
	Cols      int        // that of the pass
	Reference int        // R, tokens of a reference picture
}

// UnitValues is the values [n, Heads·HeadDim] for attention over n tokens: in every
// head, the token rows[c] has a 1 in column c. At most HeadDim rows can be told apart.
func (s Shape) UnitValues(n int, rows []int) []float32 {
	width := s.Heads * s.HeadDim
	out := make([]float32, n*width)
	for col, r := range rows {
		for head := range s.Heads {
			out[r*width+head*s.HeadDim+col] = 1
		}
	}
	return out
}

// HeadMean is the matrix [HeadDim, Heads·HeadDim] whose product averages the heads.
func (s Shape) HeadMean() []float32 {
	width := s.Heads * s.HeadDim
	out := make([]float32, s.HeadDim*width)
	for col := range s.HeadDim {
		for head := range s.Heads {
			out[col*width+head*s.HeadDim+col] = 1 / float32(s.Heads)
		}
	}
	return out
}

// maps begins a recording of the maps of a transformer whose image tokens are the
// rows from image on; what it returns is Pass.BeforeAttention of the same list's pass.
func (s Shape) maps(l *op.List, m Maps, image int) func(block int, qkv []*op.Tensor) {
	return s.mapsOf(l, m, image, m.Out.Rows/len(s.Blocks))
}

// mapsOf is maps for n image tokens, which the rows of Unit need not end with.
func (s Shape) mapsOf(l *op.List, m Maps, image, n int) func(block int, qkv []*op.Tensor) {
	z := newJoint(l, m.Unit.Rows, s.Heads, s.HeadDim, m.Limit) // [T+S, q|k|unit|attn]
	for _, g := range z.groups {
		d := g.heads * s.HeadDim
		l.Copy(m.Unit.Columns(g.columns(s.HeadDim)), g.y.Columns(2*d, 3*d))
	}
	return func(block int, qkv []*op.Tensor) {
		for i, g := range z.groups {
			d := g.heads * s.HeadDim
			l.Copy(qkv[i].Columns(0, 2*d), g.y.Columns(0, 2*d))
		}
		z.attend(l)
		a := z.attended(l, image, image+n)                                       // [S, D]
		l.MatMul(a, m.Mean, op.Epilogue{Out: m.Out.Slice(block*n, (block+1)*n)}) // [S, HeadDim]
	}
}
