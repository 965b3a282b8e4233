package dit

import "undertone/engine/op"

// joint is the room of attention, q|k|v|attn of all tokens: one tensor or, where one would
// pass the limit of a tensor, one for each group of neighbouring heads. Heads know nothing
// of one another, so that the numbers are the same.
type joint struct {
	headDim int
	groups  []headGroup
}

type headGroup struct {
	y            *op.Tensor // [T+S, ≥ 4·heads·headDim]
	first, heads int
}

// columns are those that the group's part of q, k, v or attn has among all heads'.
func (g headGroup) columns(headDim int) (from, to int) {
	return g.first * headDim, (g.first + g.heads) * headDim
}

// newJoint makes room for rows tokens in tensors of at most limit bytes (0: of any size),
// but at least one head each.
func newJoint(l *op.List, rows, heads, headDim int, limit int64) *joint {
	j := &joint{headDim: headDim}
	each := evenly(heads, 4*rows*headDim, limit)
	for first := 0; first < heads; first += each {
		n := min(each, heads-first)
		j.groups = append(j.groups, headGroup{l.Temp(rows, 4*n*headDim), first, n})
	}
	return j
}

// whole reports whether all heads are in one tensor.
func (j *joint) whole() bool { return len(j.groups) == 1 }

// tensors are those of the groups, in the order of the heads.
func (j *joint) tensors() (all []*op.Tensor) {
	for _, g := range j.groups {
		all = append(all, g.y)
	}
	return all
}

// project records q, k and v of x [n, D], the tokens from row at on; w is [3D, D].
func (j *joint) project(l *op.List, x *op.Tensor, at int, w linear) {
	d := w.w.Rows / 3
	for _, g := range j.groups {
		n := g.heads * j.headDim
		y := g.y.Slice(at, at+x.Rows).Columns(0, 3*n) // [n, q|k|v]
		if j.whole() {
			l.MatMul(x, w.w, op.Epilogue{Bias: w.b, Out: y})
			continue
		}
		from, to := g.columns(j.headDim)
		for part := range 3 {
			p := w.rows(part*d+from, part*d+to)
			l.MatMul(x, p.w, op.Epilogue{Bias: p.b, Out: y.Columns(part*n, (part+1)*n)})
		}
	}
}

// part is the view [to − at, D] of q, k or v (0, 1, 2) of rows [at, to) where all heads are
// in one tensor, else nil.
func (j *joint) part(at, to, part int) *op.Tensor {
	if !j.whole() {
		return nil
	}
	d := j.groups[0].heads * j.headDim
	return j.groups[0].y.Slice(at, to).Columns(part*d, (part+1)*d)
}

// spread records copies of x [n, D], q, k or v (0, 1, 2) of the rows from at on, to the
// groups of heads; nothing where all heads are in one tensor, see part.
func (j *joint) spread(l *op.List, x *op.Tensor, at, part int) {
	if j.whole() {
		return
	}
	for _, g := range j.groups {
		n := g.heads * j.headDim
		l.Copy(x.Columns(g.columns(j.headDim)), g.y.Slice(at, at+x.Rows).Columns(part*n, (part+1)*n))
	}
}

// norm records the norm of q and k, and their rotation, of the tokens from row at on up to
// row to; what is nil is left out.
func (j *joint) norm(l *op.List, at, to int, qNorm, kNorm, rope *op.Tensor) {
	for _, g := range j.groups {
		l.QKNormRoPE(g.y.Slice(at, to), g.heads, j.headDim, qNorm, kNorm, rope, eps) // [n, q|k]
	}
}

// attend records attention among all tokens.
func (j *joint) attend(l *op.List) {
	for _, g := range j.groups {
		l.Attention(g.y, g.heads, j.headDim, false)
	}
}

// attended is what attention gave rows [from, to), [n, D]: a view where all heads are in
// one tensor, else a copy.
func (j *joint) attended(l *op.List, from, to int) *op.Tensor {
	last := j.groups[len(j.groups)-1]
	d := (last.first + last.heads) * j.headDim
	if j.whole() {
		return last.y.Slice(from, to).Columns(3*d, 4*d)
	}
	out := l.Temp(to-from, d)
	j.gather(l, from, to, out)
	return out
}

// gather records copies of what attention gave rows [from, to) → out [n, D].
func (j *joint) gather(l *op.List, from, to int, out *op.Tensor) {
	for _, g := range j.groups {
		n := g.heads * j.headDim
		l.Copy(g.y.Slice(from, to).Columns(3*n, 4*n), out.Columns(g.columns(j.headDim)))
	}
}

// rows are rows [from, to) of the weight and of its bias.
func (w linear) rows(from, to int) linear {
	part := linear{w: w.w.Slice(from, to)}
	if w.b != nil {
		part.b = w.b.Columns(from, to)
	}
	return part
}

// mlp records x += gate ⊙ down(act(up(n))): n and x [S, D], in strips of tokens where the
// layer between them would have more than limit bytes.
func mlp(l *op.List, n, x *op.Tensor, up, down linear, act op.Act, gate *op.Tensor, limit int64) {
	step := evenly(x.Rows, up.w.Rows, limit)
	for from := 0; from < x.Rows; from += step {
		to := min(from+step, x.Rows)
		out := x.Slice(from, to)
		h := l.MatMul(n.Slice(from, to), up.w, op.Epilogue{Bias: up.b, Act: act})           // [S, M]
		l.MatMul(h, down.w, op.Epilogue{Bias: down.b, Gate: gate, Residual: out, Out: out}) // [S, D]
	}
}

// evenly cuts count units of elems elements each into the fewest equal runs of at most
// limit bytes (0: of any size), but at least one unit each, and tells how many units a run has.
func evenly(count, elems int, limit int64) int {
	if limit <= 0 {
		return count
	}
	most := max(1, min(int64(count), limit/(4*int64(elems))))
	return op.CeilDiv(count, op.CeilDiv(count, int(most)))
}
