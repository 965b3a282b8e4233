package main

import (
	"context"

	"undertone/engine/op"
)

func (t *trial) matMul(ctx context.Context) {
	dt, err := dtype(t.DType)
	if err != nil {
		t.err = err
		return
	}
	a, w := random(t.M*t.K, 1, 1), weights(dt, t.N, t.K)
	out := t.fixed(t.be, "out", t.M, t.N, nil)
	x, y := t.fixed(t.be, "a", t.M, t.K, a), t.weight(ctx, t.be, op.UseMatrix, dt, t.N, t.K, w)
	if t.err != nil {
		return
	}
	t.list.MatMul(x, y, op.Epilogue{Out: out})
	t.bytes = 4*float64(t.M)*float64(t.K+t.N) + float64(w.size)
	t.again = func(ctx context.Context) (got, want []float32, err error) {
		rows, few := some(t.M), min(t.N, period)
		if got, err = t.readRows(ctx, out, rows); err != nil {
			return nil, nil, err
		}
		narrow, err := t.onCPU(ctx, func(be op.Backend, l *op.List) *op.Tensor {
			out := t.fixed(be, "out", len(rows), few, nil)
			a := t.fixed(be, "a", len(rows), t.K, gathered(a, t.K, rows))
			w := t.weight(ctx, be, op.UseMatrix, dt, few, t.K, w)
			if t.err == nil {
				l.MatMul(a, w, op.Epilogue{Out: out})
			}
			return out
		})
		for i := range got {
			if err == nil {
				want = append(want, narrow[i/t.N*few+i%t.N%few])
			}
		}
		return got, want, err
	}
}

func (t *trial) attention() {
	width := t.Heads * t.D
	q, k, v := random(t.Rows*width, 4, 1), random(t.Rows*width, 1, 2), random(t.Rows*width, 1, 3)
	all := make([]float32, t.Rows*4*width)
	for r := range t.Rows {
		for i, part := range [][]float32{q, k, v} {
			copy(all[(4*r+i)*width:], part[r*width:][:width])
		}
	}
	y := t.fixed(t.be, "y", t.Rows, 4*width, all)
	if t.err != nil {
		return
	}
	out := t.list.Attention(y, t.Heads, t.D, false)
	t.bytes = 16 * float64(t.Rows) * float64(width)
	t.again = func(ctx context.Context) (got, want []float32, err error) {
		rows, head := some(t.Rows), (t.Heads-1)*t.D
		if got, err = t.readRows(ctx, out.Columns(head, head+t.D), rows); err != nil {
			return nil, nil, err
		}
		one := func(x []float32) (columns []float32) {
			for r := range t.Rows {
				columns = append(columns, x[r*width+head:][:t.D]...)
			}
			return columns
		}
		want, err = t.onCPU(ctx, func(be op.Backend, l *op.List) *op.Tensor {
			n := op.AttentionOp{Heads: 1, HeadDim: t.D,
				Q: t.fixed(be, "q", len(rows), t.D, gathered(one(q), t.D, rows)), K: t.fixed(be, "k", t.Rows, t.D, one(k)),
				V: t.fixed(be, "v", t.Rows, t.D, one(v)), Out: t.fixed(be, "out", len(rows), t.D, nil)}
			if t.err == nil {
				l.Attend(n)
			}
			return n.Out
		})
		return got, want, err
	}
}

func (t *trial) conv(ctx context.Context) {
	x, w := random(t.H*t.W*t.Cin, 1, 1), weights(op.F32, t.Cout, 9*t.Cin)
	out := t.fixed(t.be, "out", t.H*t.W, t.Cout, nil)
	in, kernel := t.fixed(t.be, "x", t.H*t.W, t.Cin, x), t.weight(ctx, t.be, op.UseConv3x3, op.F32, t.Cout, 9*t.Cin, w)
	if t.err != nil {
		return
	}
	t.list.Conv3x3(in, t.H, t.W, kernel, nil, nil, op.None, out)
	t.bytes = 4*float64(t.H*t.W)*float64(t.Cin+t.Cout) + float64(w.size)
	// The corner at the end, with a line and a column beyond what is compared.
	t.again = func(ctx context.Context) (got, want []float32, err error) {
		h, width := min(t.H, 6), min(t.W, 6)
		var corner []float32
		for r := t.H - h; r < t.H; r++ {
			corner = append(corner, x[(r*t.W+t.W-width)*t.Cin:][:width*t.Cin]...)
		}
		all, err := t.onCPU(ctx, func(be op.Backend, l *op.List) *op.Tensor {
			out := t.fixed(be, "out", h*width, t.Cout, nil)
			in, kernel := t.fixed(be, "x", h*width, t.Cin, corner), t.weight(ctx, be, op.UseConv3x3, op.F32, t.Cout, 9*t.Cin, w)
			if t.err == nil {
				l.Conv3x3(in, h, width, kernel, nil, nil, op.None, out)
			}
			return out
		})
		if err != nil {
			return nil, nil, err
		}
		var rows []int
		for r := min(1, t.H-h); r < h; r++ {
			for c := min(1, t.W-width); c < width; c++ {
				rows = append(rows, (t.H-h+r)*t.W+t.W-width+c)
				want = append(want, all[(r*width+c)*t.Cout:][:t.Cout]...)
			}
		}
		got, err = t.readRows(ctx, out, rows)
		return got, want, err
	}
}

// norm is LayerNorm with AdaLN's modulation, or RMSNorm.
func (t *trial) norm() {
	x, scale := random(t.M*t.N, 1, 1), random(t.N, 1, 2)
	record := func(l *op.List, x, s, out *op.Tensor) {
		if t.err != nil {
			return
		}
		if t.Op == op.LayerNorm.String() {
			l.LayerNorm(x, s, s, 1e-6, true, out)
		} else {
			l.RMSNorm(x, s, 1e-6, false, out)
		}
	}
	out := t.fixed(t.be, "out", t.M, t.N, nil)
	record(t.list, t.fixed(t.be, "x", t.M, t.N, x), t.fixed(t.be, "scale", 1, t.N, scale), out)
	t.bytes = 8 * float64(t.M) * float64(t.N)
	t.again = func(ctx context.Context) (got, want []float32, err error) {
		rows := some(t.M)
		if got, err = t.readRows(ctx, out, rows); err != nil {
			return nil, nil, err
		}
		want, err = t.onCPU(ctx, func(be op.Backend, l *op.List) *op.Tensor {
			out := t.fixed(be, "out", len(rows), t.N, nil)
			record(l, t.fixed(be, "x", len(rows), t.N, gathered(x, t.N, rows)), t.fixed(be, "scale", 1, t.N, scale), out)
			return out
		})
		return got, want, err
	}
}

// rope is QKNormRoPE, which works in place: what is compared ran once.
func (t *trial) rope() {
	width := 2 * t.Heads * t.D
	x, scale, table := random(t.Rows*width, 1, 1), random(t.D, 1, 2), random(t.Rows*t.D, 1, 3)
	record := func(be op.Backend, l *op.List, x, table []float32, rows int) *op.Tensor {
		y, s, r := t.fixed(be, "y", rows, width, x), t.fixed(be, "scale", 1, t.D, scale), t.fixed(be, "rope", rows, t.D, table)
		if t.err == nil {
			l.QKNormRoPE(y, t.Heads, t.D, s, s, r, 1e-6)
		}
		return y
	}
	out := record(t.be, t.list, x, table, t.Rows)
	t.bytes = 8 * float64(t.Rows) * float64(width)
	t.again = func(ctx context.Context) (got, want []float32, err error) {
		rows := some(t.Rows)
		if got, err = t.readRows(ctx, out, rows); err != nil {
			return nil, nil, err
		}
		want, err = t.onCPU(ctx, func(be op.Backend, l *op.List) *op.Tensor {
			return record(be, l, gathered(x, width, rows), gathered(table, t.D, rows), len(rows))
		})
		return got, want, err
	}
}

// groupNorm is both of its passes, compared as a whole.
func (t *trial) groupNorm() {
	const groups = 32
	pixels := t.H * t.W
	x, scale := random(pixels*t.Cin, 1, 1), random(t.Cin, 1, 2)
	record := func(be op.Backend, l *op.List) *op.Tensor {
		out, moments := t.fixed(be, "out", pixels, t.Cin, nil), t.fixed(be, "moments", min(pixels, 64), 4*groups, nil)
		in, s := t.fixed(be, "x", pixels, t.Cin, x), t.fixed(be, "scale", 1, t.Cin, scale)
		if t.err == nil {
			l.GroupMoments(in, groups, moments)
			l.GroupNorm(in, moments, s, s, 1e-6, op.SiLU, out)
		}
		return out
	}
	out := record(t.be, t.list)
	t.bytes = 12 * float64(pixels) * float64(t.Cin)
	t.again = func(ctx context.Context) (got, want []float32, err error) {
		if got, err = t.be.Read(ctx, out); err != nil {
			return nil, nil, err
		}
		want, err = t.onCPU(ctx, record)
		return got, want, err
	}
}
