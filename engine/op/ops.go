package op

import "math"

// Epilogue is what a MatMul does to its product before it is written.
type Epilogue struct {
	Bias     *Tensor // [1, N]
	Act      Act
	ActFrom  int     // the activation applies to columns ≥ ActFrom only
	Gate     *Tensor // [1, N], multiplies the activated product
	Residual *Tensor // [M, N], added last; either Out itself or other storage
	Out      *Tensor // where to write; nil makes a temporary
	// GapAt and GapWidth leave room in the output: columns n ≥ GapAt are written
	// at n + GapWidth, and Out has N + GapWidth columns. FLUX's single blocks use
	// it to keep the place of the attention output between qkv and the MLP.
	GapAt, GapWidth int
}

// MatMul records out = residual + gate ⊙ act(a·wᵀ + bias) and returns out.
//
//	a [M, K] F32 · w [N, K] any weight type (Use: UseMatrix) → out [M, N (+ gap)]
//
// With a gap, Gate and Residual must be nil.
func (l *List) MatMul(a, w *Tensor, e Epilogue) *Tensor {
	m, n, k := a.Rows, w.Rows, a.Cols
	if w.Cols != k {
		l.fail(MatMul, "a %s has %d columns, w %s has %d", a, k, w, w.Cols)
	}
	l.vector(MatMul, "bias", e.Bias, n)
	l.vector(MatMul, "gate", e.Gate, n)
	if e.Residual != nil && (e.Residual.Rows != m || e.Residual.Cols != n) {
		l.fail(MatMul, "residual %s, wanted %d×%d", e.Residual, m, n)
	}
	if e.GapWidth != 0 && (e.Gate != nil || e.Residual != nil || e.GapAt%Align != 0 || e.GapWidth%Align != 0 || e.GapAt < 0 || e.GapAt > n) {
		l.fail(MatMul, "gap of %d at %d in %d columns: multiples of %d without gate and residual are supported", e.GapWidth, e.GapAt, n, Align)
	}
	if e.ActFrom%Align != 0 {
		l.fail(MatMul, "ActFrom %d is not a multiple of %d", e.ActFrom, Align)
	}
	if a.DType() != F32 || a.Same(e.Out) {
		l.fail(MatMul, "a %s must be F32 and not the output", a)
	}
	out := l.out(MatMul, e.Out, m, n+e.GapWidth)
	return l.record(Node{MatMul, out, []*Tensor{a, w, e.Bias, e.Gate, e.Residual},
		Params{Act: e.Act, ActFrom: e.ActFrom, GapAt: e.GapAt, GapWidth: e.GapWidth}})
}

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
	l.record(Node{Attention, y, nil,
		Params{Heads: heads, HeadDim: headDim, Causal: causal, Scale: float32(1 / math.Sqrt(float64(headDim)))}})
	return y.Columns(3*d, 4*d)
}

// LayerNorm records (x − mean)/√(var + eps) · weight + bias over each row; with
// onePlus, weight is 1 + scale (AdaLN's modulate, DiT, arXiv 2212.09748). Weight and bias
// are [1, C] or nil. out may be nil (a new temporary) but not x.
func (l *List) LayerNorm(x, weight, bias *Tensor, eps float32, onePlus bool, out *Tensor) *Tensor {
	l.vector(LayerNorm, "weight", weight, x.Cols)
	l.vector(LayerNorm, "bias", bias, x.Cols)
	if x.Same(out) {
		l.fail(LayerNorm, "x must not be the output")
	}
	o := l.out(LayerNorm, out, x.Rows, x.Cols)
	return l.record(Node{LayerNorm, o, []*Tensor{x, weight, bias}, Params{Eps: eps, OnePlus: onePlus}})
}

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
	l.record(Node{QKNormRoPE, y, []*Tensor{qw, kw, rope}, Params{Heads: heads, HeadDim: headDim, Eps: eps}})
}

// Activation records out = act(x); out may be x or nil.
func (l *List) Activation(x *Tensor, act Act, out *Tensor) *Tensor {
	o := l.out(Activation, out, x.Rows, x.Cols)
	return l.record(Node{Activation, o, []*Tensor{x}, Params{Act: act}})
}

// Add records out = a + b; out may be a or nil. b has a's shape.
func (l *List) Add(a, b, out *Tensor) *Tensor {
	if a.Rows != b.Rows || a.Cols != b.Cols {
		l.fail(Add, "%s and %s", a, b)
	}
	if b.Same(out) {
		l.fail(Add, "b must not be the output")
	}
	o := l.out(Add, out, a.Rows, a.Cols)
	return l.record(Node{Add, o, []*Tensor{a, b}, Params{}})
}

// CFG records classifier-free guidance, out = uncond + scale·(cond − uncond)
// (arXiv 2207.12598); out may be cond or nil.
func (l *List) CFG(cond, uncond *Tensor, scale float32, out *Tensor) *Tensor {
	if cond.Rows != uncond.Rows || cond.Cols != uncond.Cols || uncond.Same(out) {
		l.fail(CFG, "cond %s, uncond %s; uncond must not be the output", cond, uncond)
	}
	o := l.out(CFG, out, cond.Rows, cond.Cols)
	return l.record(Node{CFG, o, []*Tensor{cond, uncond}, Params{Scale: scale}})
}

// Euler records x += dt·v in place; dt is a [1, 1] tensor written before each step.
func (l *List) Euler(x, v, dt *Tensor) {
	if x.Rows != v.Rows || x.Cols != v.Cols || dt.Rows != 1 || dt.Cols != 1 {
		l.fail(Euler, "x %s, v %s, dt %s", x, v, dt)
	}
	l.record(Node{Euler, x, []*Tensor{v, dt}, Params{}})
}

// Embedding records out[i] = table[ids[i]]; ids is a [1, n] U32 tensor, table an
// F32 [V, C] tensor (Use: UseVector). An id over V−1 is a mistake of the caller: the
// CPU refuses to run it (fault.Shape), a GPU, which cannot, reads the last row.
func (l *List) Embedding(table, ids, out *Tensor) *Tensor {
	if ids.Rows != 1 || ids.DType() != U32 || table.DType() != F32 {
		l.fail(Embedding, "table %s, ids %s", table, ids)
	}
	o := l.out(Embedding, out, ids.Cols, table.Cols)
	return l.record(Node{Embedding, o, []*Tensor{table, ids}, Params{}})
}

// Conv3x3 records a 3×3 convolution, stride 1, zero padding 1, channels last:
//
//	out = act(conv(x) + bias + residual)      x [H·W, Cin], w [Cout, Cin·9] (Use: UseConv3x3), bias [1, Cout] or nil
//
// residual is [H·W, Cout], Out itself, other storage, or nil.
func (l *List) Conv3x3(x *Tensor, h, w int, weight, bias, residual *Tensor, act Act, out *Tensor) *Tensor {
	if h*w != x.Rows || weight.Cols != 9*x.Cols {
		l.fail(Conv3x3, "x %s as %d×%d pixels, weight %s", x, h, w, weight)
	}
	l.vector(Conv3x3, "bias", bias, weight.Rows)
	if residual != nil && (residual.Rows != x.Rows || residual.Cols != weight.Rows) {
		l.fail(Conv3x3, "residual %s, wanted %d×%d", residual, x.Rows, weight.Rows)
	}
	if x.Same(out) {
		l.fail(Conv3x3, "x must not be the output")
	}
	o := l.out(Conv3x3, out, x.Rows, weight.Rows)
	return l.record(Node{Conv3x3, o, []*Tensor{x, weight, bias, residual}, Params{Act: act, H: h, W: w}})
}

// Upsample records nearest-neighbour doubling: x [H·W, C] → [4·H·W, C], 2H × 2W pixels.
func (l *List) Upsample(x *Tensor, h, w int, out *Tensor) *Tensor {
	if h*w != x.Rows {
		l.fail(Upsample, "x %s as %d×%d pixels", x, h, w)
	}
	o := l.out(Upsample, out, 4*x.Rows, x.Cols)
	return l.record(Node{Upsample, o, []*Tensor{x}, Params{H: h, W: w}})
}

// Patchify records image → tokens: x [H·W, C] → [(H/p)·(W/p), C·p·p], token
// channels in the order c, row in patch, column in patch (FLUX).
func (l *List) Patchify(x *Tensor, h, w, p int, out *Tensor) *Tensor {
	if p < 1 || h*w != x.Rows || h%p != 0 || w%p != 0 {
		l.fail(Patchify, "x %s as %d×%d pixels in patches of %d", x, h, w, p)
		return x
	}
	o := l.out(Patchify, out, h/p*(w/p), x.Cols*p*p)
	return l.record(Node{Patchify, o, []*Tensor{x}, Params{H: h, W: w, Patch: p}})
}

// Unpatchify is the inverse of Patchify; h and w are those of the image it makes.
func (l *List) Unpatchify(x *Tensor, h, w, p int, out *Tensor) *Tensor {
	if p < 1 || h%p != 0 || w%p != 0 || x.Rows*p*p != h*w || x.Cols%(p*p) != 0 {
		l.fail(Unpatchify, "x %s to %d×%d pixels in patches of %d", x, h, w, p)
		return x
	}
	o := l.out(Unpatchify, out, h*w, x.Cols/(p*p))
	return l.record(Node{Unpatchify, o, []*Tensor{x}, Params{H: h, W: w, Patch: p}})
}

// ToRGBA records x [H·W, 3] → out [1, H·W] U32 (Fixed): red in the lowest byte,
// alpha 255, or 0 where a channel is not finite, each channel
// round(255·clamp(scale·x + bias, 0, 1)), NaN as 0.
func (l *List) ToRGBA(x *Tensor, scale, bias float32, out *Tensor) {
	if x.Cols != 3 || out == nil || out.DType() != U32 || out.Rows != 1 || out.Cols != x.Rows {
		l.fail(ToRGBA, "x %s to %s", x, out)
		return
	}
	l.record(Node{ToRGBA, out, []*Tensor{x}, Params{Scale: scale, Bias: bias}})
}

// Copy records out = x between any two views of one shape; out may be nil.
func (l *List) Copy(x, out *Tensor) *Tensor {
	o := l.out(Copied, out, x.Rows, x.Cols)
	return l.record(Node{Copied, o, []*Tensor{x}, Params{}})
}

func (l *List) vector(k Kind, what string, v *Tensor, n int) {
	if v != nil && (v.Rows != 1 || v.Cols != n || v.DType() != F32) {
		l.fail(k, "%s %s, wanted 1×%d F32", what, v, n)
	}
}
