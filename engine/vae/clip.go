package vae

import (
	"slices"

	"undertone/engine/op"
)

// clip is the frames of one latent frame, each in strips: one of the first latent frame,
// several of those behind it.
type clip []*plane

// film is a decoding that goes from one latent frame to the next. What convolutions read
// of earlier frames is kept by them: the last two that went in.
type film struct {
	l     *op.List
	store map[any]clip
}

// history is the two frames before those that go into a convolution now, nil where there
// is none, and these; the last two of them are kept for the next time.
func (f *film) history(key any, in clip) clip {
	kept, ok := f.store[key]
	if !ok {
		kept = clip{nil, nil}
	}
	all := append(slices.Clone(kept), in...)
	f.store[key] = all[len(all)-2:]
	return all
}

// causalEps keeps the norm of a pixel of zeros from dividing by 0. The published one
// divides by no less than 1e-12.
const causalEps = 1e-24

// like is a plane whose strips lie as those of p, with these tensors.
func (p *plane) like(xs []*op.Tensor) *plane {
	out := *p
	out.strips = nil
	for i, s := range p.strips {
		s.x = xs[i]
		out.strips = append(out.strips, s)
	}
	return &out
}

// pixelNormed records silu(x/rms(x)·gamma) of every pixel of the strips and of the rows
// beside them.
func (p *plane) pixelNormed(l *op.List, gamma *op.Tensor) *plane {
	var xs []*op.Tensor
	w := p.width
	for i, s := range p.strips {
		out := l.Temp(s.x.Rows, s.x.Cols)
		l.RMSNorm(s.inner(s.x, w), gamma, causalEps, false, s.inner(out, w))
		p.beside(i, func(row *op.Tensor, at int) {
			l.RMSNorm(row, gamma, causalEps, false, out.Slice(at*w, (at+1)*w))
		})
		xs = append(xs, l.Activation(out, op.SiLU, out))
	}
	return p.like(xs)
}

// record records the convolution of frames, whose strips have the rows beside them, plus
// residuals, which it is written to, if there are any.
func (c *causalConv) record(f *film, in clip, residual clip) (out clip) {
	before := f.history(c, in)
	for k, p := range in {
		var xs []*op.Tensor
		for i, s := range p.strips {
			var y *op.Tensor
			if residual != nil {
				y = residual[k].strips[i].x
			}
			y = f.l.Conv3x3(s.x, s.x.Rows/p.width, p.width, c.w[2], c.b, y, op.None, y)
			for back, earlier := range []*plane{before[k+1], before[k]} {
				if earlier != nil {
					x := earlier.strips[i].x
					f.l.Conv3x3(x, x.Rows/p.width, p.width, c.w[1-back], nil, y, op.None, y)
				}
			}
			xs = append(xs, y)
		}
		out = append(out, p.like(xs))
	}
	return out
}

// normed are the frames behind a norm.
func (f *film) normed(in clip, gamma *op.Tensor) (out clip) {
	for _, p := range in {
		out = append(out, p.pixelNormed(f.l, gamma))
	}
	return out
}

// record records what the block makes of the frames.
func (b *causalBlock) record(f *film, in clip) clip {
	inside := b.conv1.record(f, f.normed(in, b.norm1), nil)
	residual := in
	if b.shortcut.w != nil {
		residual = nil
		for _, p := range in {
			var xs []*op.Tensor
			for _, s := range p.strips {
				xs = append(xs, f.l.MatMul(s.x, b.shortcut.w, op.Epilogue{Bias: b.shortcut.b}))
			}
			residual = append(residual, p.like(xs))
		}
	}
	return b.conv2.record(f, f.normed(inside, b.norm2), residual)
}

// record adds the attention of all pixels of a frame to one another; frames are whole.
func (a causalAttention) record(l *op.List, in clip) {
	for _, p := range in {
		x := p.strips[0].x // [h·w, c]
		c := x.Cols
		n := l.RMSNorm(x, a.norm, causalEps, false, nil)
		qkv := l.MatMul(n, a.qkv.w, op.Epilogue{Bias: a.qkv.b}) // [h·w, q|k|v]
		y := l.Attend(op.AttentionOp{Q: qkv.Columns(0, c), K: qkv.Columns(c, 2*c), V: qkv.Columns(2*c, 3*c), Heads: 1, HeadDim: c})
		l.MatMul(y, a.out.w, op.Epilogue{Bias: a.out.b, Residual: x, Out: x})
	}
}

// enlarge records doubling the side and, for all but the first latent frame, the frames.
func (s *causalStage) enlarge(f *film, in clip, first bool) clip {
	out := in
	if s.time.w != nil && !first {
		out = s.doubleTime(f, in)
	}
	for _, p := range out {
		p.double(f.l, s.up)
	}
	return out
}

// doubleTime makes two frames of each, by a convolution over time alone. The first latent
// frame never enters it.
func (s *causalStage) doubleTime(f *film, in clip) (out clip) {
	l, before := f.l, f.history(s, in)
	for k, p := range in {
		var first, second []*op.Tensor
		for i, strip := range p.strips {
			own := strip.inner(strip.x, p.width)
			n, c := own.Rows, own.Cols
			var frames []*op.Tensor
			for _, q := range before[k : k+3] {
				if q != nil {
					frames = append(frames, q.strips[i].inner(q.strips[i].x, p.width))
				}
			}
			three := l.Temp(len(frames)*n, c)
			for at, x := range frames {
				l.Copy(x, three.Slice(at*n, (at+1)*n))
			}
			window := op.Window{Kernel: [3]int{3, 1, 1}, Stride: [3]int{1, 1, 1}, Before: [3]int{3 - len(frames), 0, 0}, Out: [3]int{1, 1, n}}
			both := l.Conv(three, [3]int{len(frames), 1, n}, window, s.time.w, op.Epilogue{Bias: s.time.b}) // [n, 2c]
			for half, xs := range []*[]*op.Tensor{&first, &second} {
				x := l.Temp(strip.x.Rows, c)
				l.Copy(both.Columns(half*c, (half+1)*c), strip.inner(x, p.width))
				*xs = append(*xs, x)
			}
		}
		out = append(out, p.like(first), p.like(second))
	}
	return out
}

// Decode records the latent frames zs, each [h·w, c] → the rows of a film's frames, from
// above, each time as many as lie in a strip: draw is called with the number of the frame
// and [rows·W, 3], nominally between −1 and 1 and not clamped. Of the first latent frame
// one frame is made, of the others as many as there are doublings of time. after, if not
// nil, is shown the stream of every latent frame after conv_in, after the middle and after
// every stage: the strips of all its frames, which it must not keep.
func (m *Causal3D) Decode(l *op.List, zs []*op.Tensor, h, w, strips int, after func(stage int, rows []*op.Tensor), draw func(frame int, rows *op.Tensor)) {
	f := &film{l, map[any]clip{}}
	frame := 0
	for n, z := range zs {
		told := 0
		tell := func(c clip) {
			if after != nil {
				var rows []*op.Tensor
				for _, p := range c {
					rows = append(rows, p.rows()...)
				}
				after(told, rows)
			}
			told++
		}
		x := l.MatMul(m.scaled(l, z, op.None), m.quant.w, op.Epilogue{Bias: m.quant.b}) // [h·w, c]
		c := m.begin.record(f, clip{{strips: []strip{{x: x, rows: h}}, width: w, latent: h}}, nil)
		tell(c)
		c = m.mid[0].record(f, c)
		m.attn.record(l, c)
		c = m.mid[1].record(f, c)
		tell(c)
		for _, p := range c {
			p.cut(l, strips)
		}
		for i := range m.stages {
			s := &m.stages[i]
			for j := range s.blocks {
				c = s.blocks[j].record(f, c)
			}
			if s.up.w != nil {
				c = s.enlarge(f, c, n == 0)
			}
			tell(c)
		}
		for _, p := range m.end.record(f, f.normed(c, m.norm), nil) {
			for _, s := range p.strips {
				draw(frame, s.inner(s.x, p.width))
			}
			frame++
		}
	}
}
