package networks

import (
	"math"
	"testing"

	"undertone/engine/op"
)

// bench records one operation of the golden file at a time.
type bench struct {
	*golden
	be   op.Backend
	made []*op.Tensor
}

// fixed makes a tensor of the golden file.
func (b *bench) fixed(name string) *op.Tensor {
	b.t.Helper()
	rows, cols := b.shape(name)
	return b.fill(name, rows, cols, b.get(name))
}

func (b *bench) fill(name string, rows, cols int, data []float32) *op.Tensor {
	b.t.Helper()
	t, err := b.be.New(name, op.F32, rows, cols)
	if err == nil && data != nil {
		err = b.be.Write(t, data)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.made = append(b.made, t)
	return t
}

// u32 makes a tensor [1, n].
func (b *bench) u32(name string, values []uint32) *op.Tensor {
	b.t.Helper()
	x, err := b.be.New(name, op.U32, 1, len(values))
	if err == nil {
		b.made = append(b.made, x)
		err = b.be.WriteU32(x, values)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return x
}

func (b *bench) weight(name string, use op.Use) *op.Tensor {
	b.t.Helper()
	in, _ := b.index.Lookup(name)
	rows, cols := b.shape(name)
	t, err := b.be.Upload(background(), op.WeightSpec{Name: name, Use: use, DType: in.DType, Rows: rows, Cols: cols, Data: b.src, Offset: in.Offset})
	if err != nil {
		b.t.Fatal(err)
	}
	b.made = append(b.made, t)
	return t
}

// run records, executes and reads one result.
func (b *bench) run(name string, record func(l *op.List) *op.Tensor) []float32 {
	b.t.Helper()
	l := op.NewList(name)
	out := record(l)
	if out.Storage.Class == op.Temp {
		out = l.Copy(out, b.fill(name, out.Rows, out.Cols, nil))
	}
	p, err := b.be.Compile(background(), l)
	if err != nil {
		b.t.Fatal(err)
	}
	defer p.Close()
	if err := p.Run(background()); err != nil {
		b.t.Fatal(err)
	}
	got, err := b.be.Read(background(), out)
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

// check compares one operation with PyTorch, element by element, within the
// operation's row of the table in op.
func (b *bench) check(kind op.Kind, want string, record func(l *op.List) *op.Tensor) {
	b.t.Helper()
	tol := kind.Tolerance()
	got, truth := b.run(want, record), b.get(want)
	if len(got) != len(truth) {
		b.t.Fatalf("%s has %d numbers, want %d", want, len(got), len(truth))
	}
	scale := 0.0
	for _, v := range truth {
		scale += float64(v) * float64(v) / float64(len(truth))
	}
	scale = math.Sqrt(scale)
	for i, w := range truth {
		// Golden numbers are themselves rounded to float32.
		limit := tol.Abs*scale + (tol.Rel+1.2e-7)*math.Abs(float64(w))
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= limit) {
			b.t.Errorf("%s: element %d is %g, want %g within %.2g", want, i, got[i], w, limit)
			return
		}
	}
}

// Ops compares every operation with PyTorch.
func Ops(t *testing.T, be op.Backend) {
	b := &bench{golden: openGolden(t, "ops", nil), be: be}
	defer func() { be.Free(b.made...) }()

	x := b.fixed("activation.x")
	for _, act := range []op.Act{op.ReLU, op.SiLU, op.GELU, op.GELUTanh, op.QuickGELU, op.Clamp3} {
		b.check(op.Activation, "activation."+act.String(), func(l *op.List) *op.Tensor { return l.Activation(x, act, nil) })
	}

	a, w, bias := b.fixed("matmul.a"), b.weight("matmul.w", op.UseMatrix), b.fixed("matmul.bias")
	gate, residual := b.fixed("matmul.gate"), b.fixed("matmul.residual")
	b.check(op.MatMul, "matmul.plain", func(l *op.List) *op.Tensor { return l.MatMul(a, w, op.Epilogue{}) })
	b.check(op.MatMul, "matmul.out", func(l *op.List) *op.Tensor {
		return l.MatMul(a, w, op.Epilogue{Bias: bias, Act: op.GELU, Gate: gate, Residual: residual})
	})
	b.check(op.MatMul, "matmul.gap", func(l *op.List) *op.Tensor {
		wide := l.MatMul(a, w, op.Epilogue{Bias: bias, Act: op.SiLU, ActFrom: 4, GapAt: 4, GapWidth: 8})
		out := b.fill("gap", a.Rows, w.Rows, nil)
		l.Copy(wide.Columns(0, 4), out.Columns(0, 4))
		l.Copy(wide.Columns(12, wide.Cols), out.Columns(4, out.Cols))
		return out
	})

	const heads, headDim, d = 2, 12, 24
	for _, causal := range []bool{false, true} {
		want := map[bool]string{false: "attention.full", true: "attention.causal"}[causal]
		b.check(op.Attention, want, func(l *op.List) *op.Tensor { return l.Attention(b.fixed("attention.y"), heads, headDim, causal) })
	}
	qw, kw, rope := b.fixed("qk_norm_rope.q"), b.fixed("qk_norm_rope.k"), b.fixed("qk_norm_rope.rope")
	b.check(op.QKNormRoPE, "qk_norm_rope.out", func(l *op.List) *op.Tensor {
		y := b.fixed("qk_norm_rope.y")
		l.QKNormRoPE(y, heads, headDim, qw, kw, rope, 1e-6)
		return y.Columns(0, 2*d)
	})

	x, scale, shift := b.fixed("layer_norm.x"), b.fixed("layer_norm.weight"), b.fixed("layer_norm.bias")
	b.check(op.LayerNorm, "layer_norm.plain", func(l *op.List) *op.Tensor { return l.LayerNorm(x, nil, nil, 1e-5, false, nil) })
	b.check(op.LayerNorm, "layer_norm.affine", func(l *op.List) *op.Tensor { return l.LayerNorm(x, scale, shift, 1e-5, false, nil) })
	b.check(op.LayerNorm, "layer_norm.modulated", func(l *op.List) *op.Tensor { return l.LayerNorm(x, scale, shift, 1e-5, true, nil) })

	b.check(op.CFG, "cfg.out", func(l *op.List) *op.Tensor { return l.CFG(b.fixed("cfg.cond"), b.fixed("cfg.uncond"), 3.5, nil) })
	b.check(op.Add, "add.out", func(l *op.List) *op.Tensor { return l.Add(b.fixed("add.a"), b.fixed("add.b"), nil) })
	b.check(op.Euler, "euler.out", func(l *op.List) *op.Tensor {
		x := b.fixed("euler.x")
		l.Euler(x, b.fixed("euler.v"), b.fill("dt", 1, 1, []float32{-0.25}))
		return x
	})
	ids, err := be.New("ids", op.U32, 1, 4)
	if err == nil {
		err = be.WriteU32(ids, []uint32{3, 0, 10, 3})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.made = append(b.made, ids)
	b.check(op.Embedding, "embedding.out", func(l *op.List) *op.Tensor {
		return l.Embedding(b.weight("embedding.table", op.UseMatrix), ids, nil)
	})

	const h, wd = 4, 6
	x, cw, cb, cr := b.fixed("conv3x3.x"), b.weight("conv3x3.w", op.UseConv3x3), b.fixed("conv3x3.bias"), b.fixed("conv3x3.residual")
	b.check(op.Conv3x3, "conv3x3.plain", func(l *op.List) *op.Tensor { return l.Conv3x3(x, h, wd, cw, nil, nil, op.None, nil) })
	b.check(op.Conv3x3, "conv3x3.out", func(l *op.List) *op.Tensor { return l.Conv3x3(x, h, wd, cw, cb, cr, op.ReLU, nil) })
	b.check(op.Upsample, "upsample.out", func(l *op.List) *op.Tensor { return l.Upsample(x, h, wd, nil) })
	b.check(op.Patchify, "patchify.out", func(l *op.List) *op.Tensor { return l.Patchify(x, h, wd, 2, false, nil) })
	b.check(op.Unpatchify, "patchify.x", func(l *op.List) *op.Tensor { return l.Unpatchify(b.fixed("patchify.out"), h, wd, 2, false, nil) })

	pixels(t, be, b)
}

// pixels compares the bytes of a picture, in units of 1/255.
func pixels(t *testing.T, be op.Backend, b *bench) {
	t.Helper()
	rgb, want := b.fixed("to_rgba.x"), b.get("to_rgba.out")
	pixels, err := be.New("rgba", op.U32, 1, rgb.Rows)
	if err != nil {
		t.Fatal(err)
	}
	b.made = append(b.made, pixels)
	b.run("to_rgba", func(l *op.List) *op.Tensor {
		l.ToRGBA(rgb, 0.5, 0.5, pixels)
		return rgb
	})
	got, err := be.ReadU32(background(), pixels)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range got {
		for c := range 3 {
			if v := float64(p >> (8 * c) & 255); math.Abs(v-float64(want[3*i+c])) > 0.5+1e-4 {
				t.Errorf("to_rgba: pixel %d channel %d is %g, want %g rounded", i, c, v, want[3*i+c])
			}
		}
		if p>>24 != 255 {
			t.Errorf("to_rgba: pixel %d has alpha %d", i, p>>24)
		}
	}
}
