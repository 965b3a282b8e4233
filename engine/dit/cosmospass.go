package dit

import (
	"fmt"

	"undertone/engine/op"
)

// cosmosPass is one pass of a Cosmos being recorded.
type cosmosPass struct {
	*Cosmos
	Pass
	l   *op.List
	x   *op.Tensor // [S, D]
	y   *joint     // [S, q|k|v|attn]
	mod *mods
}

// Velocity records one pass and returns the velocity [S, in], noise − data. The rows of a
// film are those of its frames, one below the other.
func (m *Cosmos) Velocity(l *op.List, p Pass) *op.Tensor {
	d, s := m.Hidden(), p.Latent.Rows
	b := &cosmosPass{Cosmos: m, Pass: p, l: l, mod: &mods{row: p.Mod}, y: newJoint(l, s, m.Heads, m.HeadDim, p.Limit)}
	in := p.Latent // [S, in]
	if m.PaddingMask {
		n := p.Latent.Cols
		in = l.Temp(s, n+cosmosPatch*cosmosPatch) // [S, in + 4]
		l.Copy(p.Latent, in.Columns(0, n))
		if p.Padding != nil {
			l.Copy(p.Padding, in.Columns(n, in.Cols))
		} else {
			m.leave(l, in.Columns(n, in.Cols))
		}
	}
	b.x = l.MatMul(in, m.xIn.w, op.Epilogue{Bias: m.xIn.b}) // [S, D]
	frames := max(p.Frames, 1)
	extra := m.Learned(l, frames, p.Rows/frames, p.Cols)
	for n, w := range m.blocks {
		if extra != nil {
			l.Add(b.x, extra, b.x)
		}
		b.block(n, w)
		p.afterBlock(fmt.Sprintf("blocks.%d", n), b.x)
	}
	shift, scale := b.mod.next(d), b.mod.next(d)
	v := l.LayerNorm(b.x, scale, shift, eps, true, nil)                 // [S, D]
	v = l.MatMul(v, m.final.w, op.Epilogue{Bias: m.final.b})            // [S, in], channels last
	v = l.Unpatchify(v, 2*p.Rows, 2*p.Cols, cosmosPatch, true, nil)     // [4S, in/4]
	return l.Patchify(v, 2*p.Rows, 2*p.Cols, cosmosPatch, false, p.Out) // [S, in], as they came
}

// Learned records the learned positions of frames × rows × cols tokens, [S, D]: the sum of
// those of frame, row and column, over its root mean square. It is nil without any.
func (m *Cosmos) Learned(l *op.List, frames, rows, cols int) *op.Tensor {
	if m.axesTables[0] == nil {
		return nil
	}
	of := func(axis, at, n int) *op.Tensor { // one row, seen n times
		v := *m.axesTables[axis].Slice(at, at+1)
		v.Rows, v.Stride = n, 0
		return &v
	}
	frame := l.Temp(rows*cols, m.Hidden())
	for r := range rows {
		l.Add(m.axesTables[2].Slice(0, cols), of(1, r, cols), frame.Slice(r*cols, (r+1)*cols))
	}
	all := l.Temp(frames*frame.Rows, m.Hidden())
	for f := range frames {
		l.Add(frame, of(0, f, frame.Rows), all.Slice(f*frame.Rows, (f+1)*frame.Rows))
	}
	return l.RMSNorm(all, nil, cosmosPosEps, false, nil)
}

// normed records mod(x; shift, scale) with the next vectors, and returns the gate.
func (b *cosmosPass) normed() (n, gate *op.Tensor) {
	d := b.Hidden()
	shift, scale := b.mod.next(d), b.mod.next(d)
	return b.l.LayerNorm(b.x, scale, shift, eps, true, nil), b.mod.next(d)
}

func (b *cosmosPass) block(n int, w cosmosBlock) {
	l, x := b.l, b.x
	in, gate := b.normed()
	for part, p := range []linear{w.self.q, w.self.k, w.self.v} {
		b.y.spread(l, l.MatMul(in, p.w, op.Epilogue{Out: b.y.part(0, x.Rows, part)}), 0, part) // [S, D]
	}
	for _, g := range b.y.groups {
		d := g.heads * b.HeadDim
		l.QKNormRoPE(g.y, g.heads, b.HeadDim, w.self.qNorm, w.self.kNorm, nil, b.qkEps())
		l.Rotary(g.y.Columns(0, d), b.Pass.Positions, b.HeadDim, true)
		l.Rotary(g.y.Columns(d, 2*d), b.Pass.Positions, b.HeadDim, true)
	}
	b.y.attend(l)
	l.MatMul(b.y.attended(l, 0, x.Rows), w.self.out.w, op.Epilogue{Gate: gate, Residual: x, Out: x}) // [S, D]

	in, gate = b.normed()
	q := b.headsNormed(l.MatMul(in, w.cross.q.w, op.Epilogue{}), w.cross.qNorm)             // [S, D]
	k := b.headsNormed(l.MatMul(b.Pass.Context, w.cross.k.w, op.Epilogue{}), w.cross.kNorm) // [T, D]
	v := l.MatMul(b.Pass.Context, w.cross.v.w, op.Epilogue{})                               // [T, D]
	if b.BeforeAttention != nil {
		b.BeforeAttention(n, []*op.Tensor{q, k})
	}
	attn := l.Attend(op.AttentionOp{Q: q, K: k, V: v, Heads: b.Heads, HeadDim: b.HeadDim}) // [S, D]
	l.MatMul(attn, w.cross.out.w, op.Epilogue{Gate: gate, Residual: x, Out: x})            // [S, D]

	in, gate = b.normed()
	mlp(l, in, x, w.up, w.down, op.GELU, gate, b.Limit) // [S, D]
}

// headsNormed records the RMS norm of every head of x [n, D], which lies without gaps.
func (b *cosmosPass) headsNormed(x, weight *op.Tensor) *op.Tensor {
	heads := *x
	heads.Rows, heads.Cols, heads.Stride = x.Rows*b.Heads, b.HeadDim, b.HeadDim
	n := *b.l.RMSNorm(&heads, weight, b.qkEps(), false, nil)
	n.Rows, n.Cols, n.Stride = x.Rows, x.Cols, x.Cols
	return &n
}

// Maps begins a recording of attention maps; what it returns is Pass.BeforeAttention of
// the same list's pass, which is shown q of the image and k of the text.
func (m *Cosmos) Maps(l *op.List, p Maps) func(block int, qk []*op.Tensor) {
	n := p.Out.Rows / m.Layers
	return func(block int, qk []*op.Tensor) {
		a := l.Attend(op.AttentionOp{Q: qk[0], K: qk[1], V: p.Unit.Slice(0, qk[1].Rows), Heads: m.Heads, HeadDim: m.HeadDim}) // [S, D]
		l.MatMul(a, p.Mean, op.Epilogue{Out: p.Out.Slice(block*n, (block+1)*n)})                                              // [S, HeadDim]
	}
}
