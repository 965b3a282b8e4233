package vae

import "undertone/engine/op"

// groupEps is the epsilon of every group norm.
const groupEps = 1e-6

// plane is an image in strips, which go through a network's layers side by side:
// a group norm takes the moments of all strips before it norms any, and a convolution
// gets the rows beside a strip from the strips above and below it.
type plane struct {
	strips []strip // from above
	width  int     // of the image
	latent int     // rows of the latent, which the image has a multiple of
	groups int     // of norms
}

// strip is a piece of an image as wide as the image.
type strip struct {
	x     *op.Tensor // [(above + rows + below)·width, c]
	rows  int
	above int // rows of x that belong to the strip above it, of undefined content: 1, or 0 in the first strip
	below int // likewise, 0 in the last strip
}

// inner is the strip's own rows of y, which lies as x does.
func (s strip) inner(y *op.Tensor, width int) *op.Tensor {
	return y.Slice(s.above*width, (s.above+s.rows)*width)
}

// rows lists the strips' own rows.
func (p *plane) rows() (own []*op.Tensor) {
	for _, s := range p.strips {
		own = append(own, s.inner(s.x, p.width))
	}
	return own
}

// cut makes strips of an image that is whole, each of as many rows of the latent.
func (p *plane) cut(l *op.List, strips int) {
	x, height := p.strips[0].x, p.strips[0].rows
	step := op.CeilDiv(height, strips)
	if step >= height {
		return
	}
	p.strips = nil
	for from := 0; from < height; from += step {
		s := strip{rows: min(step, height-from), above: min(from, 1), below: 1}
		if from+s.rows == height {
			s.below = 0
		}
		s.x = l.Copy(x.Slice((from-s.above)*p.width, (from+s.rows+s.below)*p.width), nil)
		p.strips = append(p.strips, s)
	}
}

// moments records the moments of the groups of every strip, one stretch for each row
// of the latent: strips are whole rows of it, so that the sums do not depend on
// how the image is cut.
func (p *plane) moments(l *op.List) *op.Tensor {
	out := l.Temp(p.latent, 4*p.groups)
	at, zoom := 0, p.zoom()
	for _, s := range p.strips {
		n := s.rows / zoom
		l.GroupMoments(s.inner(s.x, p.width), p.groups, out.Slice(at, at+n))
		at += n
	}
	return out
}

// zoom is how many rows of the image lie in a row of the latent.
func (p *plane) zoom() int {
	rows := 0
	for _, s := range p.strips {
		rows += s.rows
	}
	return rows / p.latent
}

// beside calls visit with the row above and the row below strip i, where there are
// any, and with the place that they have in a tensor that lies as its x does.
func (p *plane) beside(i int, visit func(row *op.Tensor, at int)) {
	s, w := p.strips[i], p.width
	if s.above > 0 {
		o := p.strips[i-1]
		own := o.inner(o.x, w)
		visit(own.Slice(own.Rows-w, own.Rows), 0)
	}
	if s.below > 0 {
		o := p.strips[i+1]
		visit(o.inner(o.x, w).Slice(0, w), s.above+s.rows)
	}
}

// normed records the group norm of strip i and of the rows beside it.
func (p *plane) normed(l *op.List, i int, moments *op.Tensor, n norm, act op.Act) *op.Tensor {
	s, w := p.strips[i], p.width
	out := l.Temp(s.x.Rows, s.x.Cols)
	l.GroupNorm(s.inner(s.x, w), moments, n.w, n.b, groupEps, act, s.inner(out, w))
	p.beside(i, func(row *op.Tensor, at int) {
		l.GroupNorm(row, moments, n.w, n.b, groupEps, act, out.Slice(at*w, (at+1)*w))
	})
	return out
}

// double records doubling the side and a convolution, strip by strip: what was above
// and below is twice as much after it, of which the convolution needs half.
func (p *plane) double(l *op.List, up conv) {
	for i, s := range p.strips {
		p.beside(i, func(row *op.Tensor, at int) {
			l.Copy(row, s.x.Slice(at*p.width, (at+1)*p.width))
		})
	}
	w := 2 * p.width
	for i, s := range p.strips {
		x := l.Upsample(s.x, s.x.Rows/p.width, p.width, nil) // [2·(above + rows + below)·w, c]
		x = x.Slice(s.above*w, x.Rows-s.below*w)             // [(above + 2·rows + below)·w, c]
		s.rows *= 2
		s.x = l.Conv3x3(x, x.Rows/w, w, up.w, up.b, nil, op.None, nil)
		p.strips[i] = s
	}
	p.width = w
}

// record replaces every strip by what the block makes of it: [·, in] → [·, out].
func (r resnet) record(l *op.List, p *plane) {
	convolve := func(i int, q *plane, moments *op.Tensor, n norm, c conv, residual *op.Tensor) *op.Tensor {
		y := q.normed(l, i, moments, n, op.SiLU)
		return l.Conv3x3(y, y.Rows/q.width, q.width, c.w, c.b, residual, op.None, residual)
	}
	inside := *p
	inside.strips = nil
	moments := p.moments(l)
	for i, s := range p.strips {
		s.x = convolve(i, p, moments, r.norm1, r.conv1, nil) // [·, out]
		inside.strips = append(inside.strips, s)
	}
	moments = inside.moments(l)
	for i, s := range p.strips {
		if r.shortcut.w != nil {
			s.x = l.MatMul(s.x, r.shortcut.w, op.Epilogue{Bias: r.shortcut.b}) // [·, out]
		}
		s.x = convolve(i, &inside, moments, r.norm2, r.conv2, s.x) // [·, out]
		p.strips[i] = s
	}
}

// record adds the attention of all pixels to one another; the image is whole.
func (a attention) record(l *op.List, p *plane) {
	s := &p.strips[0]
	n := p.normed(l, 0, p.moments(l), a.norm, op.None) // [h·w, c]
	project := func(c conv) *op.Tensor { return l.MatMul(n, c.w, op.Epilogue{Bias: c.b}) }
	y := l.Attend(op.AttentionOp{Q: project(a.q), K: project(a.k), V: project(a.v), Heads: 1, HeadDim: n.Cols}) // [h·w, c]
	s.x = l.MatMul(y, a.out.w, op.Epilogue{Bias: a.out.b, Residual: s.x, Out: s.x})                             // [h·w, c]
}
