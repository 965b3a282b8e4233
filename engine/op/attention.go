package op

import "math"

// MaxHeadDim is the widest attention head.
const MaxHeadDim = 512

// AttentionOp is softmax(scale·q·kᵀ + bias + mask)·v for every head. Query head h
// reads key and value head h / (Heads/KVHeads). Head sizes are multiples of 4 up to
// MaxHeadDim. Out lies in other storage than everything else, unless all four are
// packed side by side (see Packed).
type AttentionOp struct {
	Q, Out                  *Tensor // [S, Heads·HeadDim]
	K, V                    *Tensor // [T, KVHeads·HeadDim]
	Heads, KVHeads, HeadDim int
	Causal                  bool    // row i attends to rows ≤ i; S = T
	Scale                   float32 // of the logits, usually 1/√HeadDim
	Bias                    *Tensor // [S, T] for all heads, [Heads·S, T], or nil
	Mask                    *Tensor // [1, T] or nil, added to the logits of every row: 0, or −1e30 where a key does not count
}

func (n *AttentionOp) Kind() Kind        { return Attention }
func (n *AttentionOp) Output() *Tensor   { return n.Out }
func (n *AttentionOp) Inputs() []*Tensor { return []*Tensor{n.Q, n.K, n.V, n.Bias, n.Mask} }

// Packed finds y, of which q, k, v and out are neighbouring columns in this order.
// Then no concatenation is ever needed, and WebGPU, which forbids a buffer bound
// twice for writing, sees it once.
func (n *AttentionOp) Packed() (y *Tensor, ok bool) {
	d := n.Heads * n.HeadDim
	for i, t := range []*Tensor{n.Q, n.K, n.V, n.Out} {
		if t.Storage != n.Q.Storage || t.Rows != n.Q.Rows || t.Stride != n.Q.Stride || t.Cols != d || t.Offset != n.Q.Offset+i*d {
			return nil, false
		}
	}
	v := *n.Q
	v.Cols = 4 * d
	return &v, true
}

// disjoint allows the output to share storage with the inputs.
func (n *AttentionOp) disjoint() bool {
	_, ok := n.Packed()
	return ok
}

// Attend records attention between any views and returns Out, which may be nil.
// KVHeads 0 means Heads, and Scale 0 means 1/√HeadDim.
func (l *List) Attend(n AttentionOp) *Tensor {
	if n.KVHeads == 0 {
		n.KVHeads = n.Heads
	}
	if n.Scale == 0 {
		n.Scale = float32(1 / math.Sqrt(float64(n.HeadDim)))
	}
	if n.Heads < 1 || n.KVHeads < 1 || n.Heads%n.KVHeads != 0 {
		l.fail(Attention, "%d heads with %d of keys and values; the first must be a multiple of the second", n.Heads, n.KVHeads)
		return n.Q
	}
	if n.HeadDim < 4 || n.HeadDim%4 != 0 || n.HeadDim > MaxHeadDim {
		l.fail(Attention, "head size %d; supported: 4 to %d in steps of 4", n.HeadDim, MaxHeadDim)
		return n.Q
	}
	s, t := n.Q.Rows, n.K.Rows
	if n.Q.Cols != n.Heads*n.HeadDim || n.K.Cols != n.KVHeads*n.HeadDim || n.V.Cols != n.K.Cols || n.V.Rows != t {
		l.fail(Attention, "q %s, k %s and v %s of %d and %d heads of %d", n.Q, n.K, n.V, n.Heads, n.KVHeads, n.HeadDim)
	}
	if n.Causal && s != t {
		l.fail(Attention, "causal attention of %d rows to %d", s, t)
	}
	if n.Bias != nil && (n.Bias.Cols != t || n.Bias.Rows != s && n.Bias.Rows != n.Heads*s) {
		l.fail(Attention, "bias %s, wanted %d×%d or %d×%d", n.Bias, s, t, n.Heads*s, t)
	}
	l.vector(Attention, "mask", n.Mask, t)
	n.Out = l.out(Attention, n.Out, s, n.Q.Cols)
	return l.record(&n)
}

// Attention records softmax(q·kᵀ/√headDim)·v within one tensor and returns the view
// of y where the result is written.
//
//	y [S, ≥ 4·heads·headDim]: columns q | k | v | out, heads contiguous within each
func (l *List) Attention(y *Tensor, heads, headDim int, causal bool) *Tensor {
	d := heads * headDim
	if y.Cols < 4*d || d < 1 || headDim%4 != 0 {
		l.fail(Attention, "y %s has %d columns, q|k|v|out of %d heads of %d need %d", y, y.Cols, heads, headDim, 4*d)
		return y
	}
	return l.Attend(AttentionOp{Q: y.Columns(0, d), K: y.Columns(d, 2*d), V: y.Columns(2*d, 3*d), Out: y.Columns(3*d, 4*d),
		Heads: heads, HeadDim: headDim, Causal: causal})
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

// RotaryOp is the rotation of the pairs of every head, in place on x.
type RotaryOp struct {
	X, Table *Tensor // [S, heads·HeadDim], [S, HeadDim]
	HeadDim  int
	Half     bool // pair i is elements i and i + HeadDim/2 (Llama) instead of 2i and 2i+1 (FLUX)
}

func (n *RotaryOp) Kind() Kind        { return Rotary }
func (n *RotaryOp) Output() *Tensor   { return n.X }
func (n *RotaryOp) Inputs() []*Tensor { return []*Tensor{n.Table} }

// Rotary records the rotary embedding (arXiv 2104.09864) of every head of x, in place.
// Row r of table holds cos θ and sin θ of pair i at columns 2i and 2i+1:
// (a, b) → (a·cos − b·sin, a·sin + b·cos).
func (l *List) Rotary(x, table *Tensor, headDim int, half bool) {
	if headDim < 4 || headDim%4 != 0 || x.Cols%headDim != 0 || table.Rows != x.Rows || table.Cols != headDim {
		l.fail(Rotary, "x %s in heads of %d, table %s", x, headDim, table)
		return
	}
	l.record(&RotaryOp{X: x, Table: table, HeadDim: headDim, Half: half})
}

// RelativeBiasOp is out[h·S + i, j] = x[h, j − i + S − 1].
type RelativeBiasOp struct {
	X   *Tensor // [heads, 2·S − 1], by the distance of key and query, from −(S − 1) to S − 1
	Out *Tensor // [heads·S, S]
}

func (n *RelativeBiasOp) Kind() Kind        { return RelativeBias }
func (n *RelativeBiasOp) Output() *Tensor   { return n.Out }
func (n *RelativeBiasOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// RelativeBias records the bias of attention that depends on the distance j − i of
// key j and query i alone (T5, arXiv 1910.10683): x [heads, 2·S − 1] → out [heads·S, S],
// as AttentionOp.Bias reads it. out may be nil.
func (l *List) RelativeBias(x, out *Tensor) *Tensor {
	if x.Cols%2 != 1 || x.DType() != F32 {
		l.fail(RelativeBias, "x %s must be F32 and have an odd number of columns", x)
	}
	s := (x.Cols + 1) / 2
	o := l.out(RelativeBias, out, x.Rows*s, s)
	return l.record(&RelativeBiasOp{X: x, Out: o})
}
