package op

import "math"

// AttentionOp is softmax(scale·q·kᵀ)·v for every head, within y: columns q | k | v | out.
type AttentionOp struct {
	Y              *Tensor // [S, ≥ 4·Heads·HeadDim]
	Heads, HeadDim int
	Causal         bool    // row i attends to rows ≤ i
	Scale          float32 // of the logits
}

func (n *AttentionOp) Kind() Kind        { return Attention }
func (n *AttentionOp) Output() *Tensor   { return n.Y }
func (n *AttentionOp) Inputs() []*Tensor { return nil }

// Attention records softmax(q·kᵀ/√headDim)·v for every head and returns the view
// of y where the result is written.
//
//	y [S, ≥ 4·heads·headDim]: columns q | k | v | out, heads contiguous within each
//
// Everything lies in one tensor so that no concatenation is ever needed and
// WebGPU, which forbids a buffer bound twice for writing, sees it once. With
// causal, row i attends to rows ≤ i. Head sizes: multiples of 4 up to 128.
func (l *List) Attention(y *Tensor, heads, headDim int, causal bool) *Tensor {
	d := heads * headDim
	if heads < 1 || headDim < 4 || headDim%4 != 0 || headDim > 128 {
		l.fail(Attention, "%d heads of size %d; supported: sizes 4 to 128 in steps of 4", heads, headDim)
		return y
	}
	if y.Cols < 4*d {
		l.fail(Attention, "y %s has %d columns, q|k|v|out of %d heads of %d need %d", y, y.Cols, heads, headDim, 4*d)
		return y
	}
	l.record(&AttentionOp{Y: y, Heads: heads, HeadDim: headDim, Causal: causal, Scale: float32(1 / math.Sqrt(float64(headDim)))})
	return y.Columns(3*d, 4*d)
}

// QKNormRoPEOp is the RMS norm of every head of q and k, then the rotation of its
// pairs, in place on y.
type QKNormRoPEOp struct {
	Y                            *Tensor // [S, ≥ 2·Heads·HeadDim]: columns q | k
	QueryWeight, KeyWeight, Rope *Tensor // [1, HeadDim] both or nil; [S, HeadDim] or nil
	Heads, HeadDim               int
	Eps                          float32
}

func (n *QKNormRoPEOp) Kind() Kind        { return QKNormRoPE }
func (n *QKNormRoPEOp) Output() *Tensor   { return n.Y }
func (n *QKNormRoPEOp) Inputs() []*Tensor { return []*Tensor{n.QueryWeight, n.KeyWeight, n.Rope} }

// QKNormRoPE records, in place on columns q and k of y (see Attention), the RMS
// norm of each head followed by the rotary embedding (RoFormer, arXiv 2104.09864,
// interleaved pairs as in FLUX):
//
//	y [S, ≥ 2·heads·headDim] · qw, kw [1, headDim] · rope [S, headDim]
//
// Row r of rope holds cos θ and sin θ of pair i at columns 2i and 2i+1:
// (a, b) → (a·cos − b·sin, a·sin + b·cos). rope nil: no rotation; qw and kw nil: no norm.
func (l *List) QKNormRoPE(y *Tensor, heads, headDim int, qw, kw, rope *Tensor, eps float32) {
	if heads < 1 || headDim < 4 || headDim%4 != 0 || y.Cols < 2*heads*headDim {
		l.fail(QKNormRoPE, "%d heads of %d in y %s", heads, headDim, y)
	}
	l.vector(QKNormRoPE, "query weight", qw, headDim)
	l.vector(QKNormRoPE, "key weight", kw, headDim)
	if (qw == nil) != (kw == nil) {
		l.fail(QKNormRoPE, "query and key weights must both be given or both be nil")
	}
	if rope != nil && (rope.Rows != y.Rows || rope.Cols != headDim) {
		l.fail(QKNormRoPE, "rope %s, wanted %d×%d", rope, y.Rows, headDim)
	}
	l.record(&QKNormRoPEOp{Y: y, QueryWeight: qw, KeyWeight: kw, Rope: rope, Heads: heads, HeadDim: headDim, Eps: eps})
}
