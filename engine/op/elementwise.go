package op

// ActivationOp is out = act(x).
type ActivationOp struct {
	X   *Tensor
	Act Act
	Out *Tensor
}

func (n *ActivationOp) Kind() Kind        { return Activation }
func (n *ActivationOp) Output() *Tensor   { return n.Out }
func (n *ActivationOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// AddOp is out = a + b.
type AddOp struct{ A, B, Out *Tensor }

func (n *AddOp) Kind() Kind        { return Add }
func (n *AddOp) Output() *Tensor   { return n.Out }
func (n *AddOp) Inputs() []*Tensor { return []*Tensor{n.A, n.B} }

// CFGOp is out = uncond + scale·(cond − uncond).
type CFGOp struct {
	Cond, Uncond *Tensor
	Scale        float32
	Out          *Tensor
}

func (n *CFGOp) Kind() Kind        { return CFG }
func (n *CFGOp) Output() *Tensor   { return n.Out }
func (n *CFGOp) Inputs() []*Tensor { return []*Tensor{n.Cond, n.Uncond} }

// EulerOp is x += dt·v.
type EulerOp struct{ X, V, DT *Tensor }

func (n *EulerOp) Kind() Kind        { return Euler }
func (n *EulerOp) Output() *Tensor   { return n.X }
func (n *EulerOp) Inputs() []*Tensor { return []*Tensor{n.V, n.DT} }

// EmbeddingOp is out[i] = table[ids[i]].
type EmbeddingOp struct{ Table, IDs, Out *Tensor }

func (n *EmbeddingOp) Kind() Kind        { return Embedding }
func (n *EmbeddingOp) Output() *Tensor   { return n.Out }
func (n *EmbeddingOp) Inputs() []*Tensor { return []*Tensor{n.Table, n.IDs} }

// CopyOp is out = x.
type CopyOp struct{ X, Out *Tensor }

func (n *CopyOp) Kind() Kind        { return Copied }
func (n *CopyOp) Output() *Tensor   { return n.Out }
func (n *CopyOp) Inputs() []*Tensor { return []*Tensor{n.X} }

// Activation records out = act(x); out may be x or nil.
func (l *List) Activation(x *Tensor, act Act, out *Tensor) *Tensor {
	o := l.out(Activation, out, x.Rows, x.Cols)
	return l.record(&ActivationOp{X: x, Act: act, Out: o})
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
	return l.record(&AddOp{A: a, B: b, Out: o})
}

// CFG records classifier-free guidance, out = uncond + scale·(cond − uncond)
// (arXiv 2207.12598); out may be cond or nil.
func (l *List) CFG(cond, uncond *Tensor, scale float32, out *Tensor) *Tensor {
	if cond.Rows != uncond.Rows || cond.Cols != uncond.Cols || uncond.Same(out) {
		l.fail(CFG, "cond %s, uncond %s; uncond must not be the output", cond, uncond)
	}
	o := l.out(CFG, out, cond.Rows, cond.Cols)
	return l.record(&CFGOp{Cond: cond, Uncond: uncond, Scale: scale, Out: o})
}

// Euler records x += dt·v in place; dt is a [1, 1] tensor written before each step.
func (l *List) Euler(x, v, dt *Tensor) {
	if x.Rows != v.Rows || x.Cols != v.Cols || dt.Rows != 1 || dt.Cols != 1 {
		l.fail(Euler, "x %s, v %s, dt %s", x, v, dt)
	}
	l.record(&EulerOp{X: x, V: v, DT: dt})
}

// Embedding records out[i] = table[ids[i]]; ids is a [1, n] U32 tensor, table [V, C]
// either a weight of any type (Use: UseMatrix) or another F32 tensor. An id over V−1 is
// a mistake of the caller: the CPU refuses to run it (fault.Shape), a GPU, which cannot,
// reads the last row.
func (l *List) Embedding(table, ids, out *Tensor) *Tensor {
	if ids.Rows != 1 || ids.DType() != U32 || table.DType() == U32 || table.DType() != F32 && table.Storage.Class != Weight {
		l.fail(Embedding, "table %s, ids %s", table, ids)
	}
	o := l.out(Embedding, out, ids.Cols, table.Cols)
	return l.record(&EmbeddingOp{Table: table, IDs: ids, Out: o})
}

// Copy records out = x between any two views of one shape; out may be nil.
func (l *List) Copy(x, out *Tensor) *Tensor {
	o := l.out(Copied, out, x.Rows, x.Cols)
	return l.record(&CopyOp{X: x, Out: o})
}

// GatedOp is out = act(a) ⊙ b.
type GatedOp struct {
	A, B    *Tensor
	Act     Act
	Counted Counted // rows that do not count stay as they are
	Out     *Tensor
}

func (n *GatedOp) Kind() Kind        { return Gated }
func (n *GatedOp) Output() *Tensor   { return n.Out }
func (n *GatedOp) Inputs() []*Tensor { return []*Tensor{n.A, n.B, n.Counted.List} }

// Gated records out = act(a) ⊙ b, the middle of a gated MLP (arXiv 2002.05202); out
// may be a or nil. b has a's shape.
func (l *List) Gated(a, b *Tensor, act Act, c Counted, out *Tensor) *Tensor {
	l.counted(Gated, c, a.Rows)
	if a.Rows != b.Rows || a.Cols != b.Cols || b.Same(out) {
		l.fail(Gated, "%s and %s; b must not be the output", a, b)
	}
	o := l.out(Gated, out, a.Rows, a.Cols)
	return l.record(&GatedOp{A: a, B: b, Act: act, Counted: c, Out: o})
}
