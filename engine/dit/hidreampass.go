package dit

import (
	"fmt"

	"undertone/engine/op"
)

// hidreamPass is one pass of a HiDream being recorded. The rows of its stream are those of
// padding, the image's tokens, the carried text and the block's own state of Llama. Neither
// attention nor anything else depends on their order.
type hidreamPass struct {
	*HiDream
	Pass
	l                *op.List
	x                *op.Tensor // [N, D]
	y                *joint     // [N, q|k|v|attn]
	image, text, own int        // where the image, the carried text and the own state begin
	mod              *mods
}

// layout tells where the parts of the stream begin, and how many rows it has.
func (h *HiDream) layout(context, lead, rows, cols int) (image, text, own, all int) {
	each := (context - lead) / h.blocks()
	text = h.padded(rows, cols)
	image = text - rows*cols
	own = text + lead + each
	return image, text, own, own + each
}

// Velocity records one pass and returns the velocity [S, in], noise − data.
func (h *HiDream) Velocity(l *op.List, p Pass) *op.Tensor {
	d := h.Hidden()
	b := &hidreamPass{HiDream: h, Pass: p, l: l, mod: &mods{row: p.Mod}}
	var all int
	b.image, b.text, b.own, all = h.layout(p.Context.Rows, p.Lead, p.Rows, p.Cols)
	b.x = l.Temp(all, d)                                // [N, D]
	b.y = newJoint(l, all, h.Heads, h.HeadDim, p.Limit) // [N, q|k|v|attn]

	img := l.Unpatchify(p.Latent, 2*p.Rows, 2*p.Cols, hidreamPatch, false, nil)         // [4S, in/4]
	img = l.Patchify(img, 2*p.Rows, 2*p.Cols, hidreamPatch, true, nil)                  // [S, in], channels last
	l.MatMul(img, h.xIn.w, op.Epilogue{Bias: h.xIn.b, Out: b.x.Slice(b.image, b.text)}) // [S, D]
	b.fill(h.xIn.b, b.x.Slice(0, b.image))                                              // of tokens of zeros
	l.Copy(p.Context.Slice(0, b.own-b.text), b.x.Slice(b.text, b.own))                  // T5's and the last block's state
	for n := range h.double {
		l.Copy(h.own(p.Context, n, p.Lead), b.x.Slice(b.own, all))
		b.double(n)
		p.afterBlock(fmt.Sprintf("double_stream_blocks.%d.img", n), b.x.Slice(b.image, b.text))
		p.afterBlock(fmt.Sprintf("double_stream_blocks.%d.txt", n), b.x.Slice(b.text, b.own))
	}
	for n := range h.single {
		l.Copy(h.own(p.Context, h.Layers+n, p.Lead), b.x.Slice(b.own, all))
		b.single(n)
		p.afterBlock(fmt.Sprintf("single_stream_blocks.%d", n), b.x.Slice(b.image, b.own))
	}
	shift, scale := b.mod.next(d), b.mod.next(d)
	v := l.LayerNorm(b.x.Slice(b.image, b.text), scale, shift, eps, true, nil) // [S, D]
	v = l.MatMul(v, h.final.w, op.Epilogue{Bias: h.final.b, Gate: h.minus})    // [S, in], channels last
	v = l.Unpatchify(v, 2*p.Rows, 2*p.Cols, hidreamPatch, true, nil)           // [4S, in/4]
	return l.Patchify(v, 2*p.Rows, 2*p.Cols, hidreamPatch, false, p.Out)       // [S, in], as they came
}

// fill records one row [1, C] for every row of out.
func (b *hidreamPass) fill(row, out *op.Tensor) {
	if out.Rows == 0 {
		return
	}
	many := *row
	many.Rows, many.Stride = out.Rows, 0
	b.l.Copy(&many, out)
}

// triple is a shift, a scale and a gate [1, D].
type triple struct{ shift, scale, gate *op.Tensor }

func (b *hidreamPass) triple() triple {
	d := b.Hidden()
	return triple{b.mod.next(d), b.mod.next(d), b.mod.next(d)}
}

// normed records mod(x; shift, scale).
func (b *hidreamPass) normed(x *op.Tensor, m triple) *op.Tensor {
	return b.l.LayerNorm(x, m.scale, m.shift, eps, true, nil)
}

// qkv records q, k and v of n [rows, D] → the rows of y from at on.
func (b *hidreamPass) qkv(a hidreamAttention, n *op.Tensor, at int) {
	for part, w := range a.qkv {
		to := b.y.part(at, at+n.Rows, part)
		norm := a.norms[part]
		e := op.Epilogue{Bias: w.b}
		if norm == nil {
			e.Out = to
		}
		v := b.l.MatMul(n, w.w, e) // [rows, D]
		if norm != nil {
			v = b.l.RMSNorm(v, norm, hidreamQKEps, false, to) // [rows, D]
		}
		b.y.spread(b.l, v, at, part)
	}
}

// attend records attention of all rows, behind the rotation of the image's; keys of
// padding are zeros, which take part.
func (b *hidreamPass) attend(block int) {
	for _, g := range b.y.groups {
		if n := g.heads * b.HeadDim; b.image > 0 {
			b.fill(b.zeros.Columns(0, n), g.y.Slice(0, b.image).Columns(n, 2*n))
		}
	}
	b.y.norm(b.l, b.image, b.text, nil, nil, b.Pass.Positions)
	b.beforeAttention(block, b.y)
	b.y.attend(b.l)
}

// project records x += gate ⊙ out(attn) for the rows from at up to to.
func (b *hidreamPass) project(w linear, at, to int, gate *op.Tensor) {
	x := b.x.Slice(at, to)
	b.l.MatMul(b.y.attended(b.l, at, to), w.w, op.Epilogue{Bias: w.b, Gate: gate, Residual: x, Out: x})
}

func (b *hidreamPass) double(n int) {
	w := b.HiDream.double[n]
	img, all := b.x.Slice(0, b.text), b.x.Slice(b.text, b.x.Rows)
	imgAttn, imgMLP, txtAttn, txtMLP := b.triple(), b.triple(), b.triple(), b.triple()
	b.qkv(w.img, b.normed(img, imgAttn), 0)
	b.qkv(w.txt, b.normed(all, txtAttn), b.text)
	b.attend(n)
	b.project(w.img.out, 0, b.text, imgAttn.gate)
	b.project(w.txt.out, b.text, b.own, txtAttn.gate) // the own state is dropped
	w.ff.record(b.l, b.normed(img, imgMLP), img, imgMLP.gate, b.Limit)
	txt := b.x.Slice(b.text, b.own)
	w.ffText.record(b.l, b.normed(txt, txtMLP), txt, txtMLP.gate, b.Limit)
}

func (b *hidreamPass) single(n int) {
	w := b.HiDream.single[n]
	attn, mlp := b.triple(), b.triple()
	b.qkv(w.attn, b.normed(b.x, attn), 0)
	b.attend(b.Layers + n)
	b.project(w.attn.out, 0, b.own, attn.gate)
	x := b.x.Slice(0, b.own)
	w.ff.record(b.l, b.normed(x, mlp), x, mlp.gate, b.Limit)
}

// Maps begins a recording of attention maps; what it returns is Pass.BeforeAttention of
// the same list's pass. The tokens that are looked for are T5's, the first of the context.
func (h *HiDream) Maps(l *op.List, m Maps) func(block int, qkv []*op.Tensor) {
	n := m.Out.Rows / h.blocks()
	rows := n / m.Cols
	image, text, _, all := h.layout(m.Unit.Rows-n, m.Lead, rows, m.Cols)
	unit := l.Temp(all, m.Unit.Cols)
	zero := *m.Unit.Slice(m.Unit.Rows-1, m.Unit.Rows) // an image token's
	zero.Rows, zero.Stride = all, 0
	l.Copy(&zero, unit)
	l.Copy(m.Unit.Slice(0, m.Lead), unit.Slice(text, text+m.Lead))
	m.Unit = unit
	s := h.Shape()
	return s.mapsOf(l, m, image, n)
}
