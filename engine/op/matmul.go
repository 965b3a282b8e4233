package op

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
	Counted         Counted // rows that do not count stay as they are
}

// MatMulOp is out = residual + gate ⊙ act(a·wᵀ + bias).
type MatMulOp struct {
	A, W *Tensor // [M, K] F32, [N, K] any weight type
	Epilogue
}

func (n *MatMulOp) Kind() Kind      { return MatMul }
func (n *MatMulOp) Output() *Tensor { return n.Out }
func (n *MatMulOp) Inputs() []*Tensor {
	return []*Tensor{n.A, n.W, n.Bias, n.Gate, n.Residual, n.Counted.List}
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
	l.counted(MatMul, e.Counted, m)
	if e.ActFrom%Align != 0 {
		l.fail(MatMul, "ActFrom %d is not a multiple of %d", e.ActFrom, Align)
	}
	if a.DType() != F32 || a.Same(e.Out) {
		l.fail(MatMul, "a %s must be F32 and not the output", a)
	}
	out := l.out(MatMul, e.Out, m, n+e.GapWidth)
	e.Out = out
	return l.record(&MatMulOp{A: a, W: w, Epilogue: e})
}
