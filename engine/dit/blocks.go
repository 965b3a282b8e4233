package dit

import (
	"undertone/engine/fault"
	"undertone/engine/op"
)

// maxWidth bounds every width that a configuration may claim, so that no product
// of two of them overflows on a 32-bit machine; 12B FLUX has 12,288.
const maxWidth = 1 << 14

// linear is x·wᵀ + b; the bias may be absent.
type linear struct{ w, b *op.Tensor }

// loadLinear asks for a linear layer from in to out channels, with its bias if it has one.
func loadLinear(weights op.Weights, name string, out, in int, bias bool) linear {
	l := linear{w: weights.Get(name+".weight", op.UseMatrix, out, in)}
	if bias {
		l.b = weights.Get(name+".bias", op.UseVector, 1, out)
	}
	return l
}

// width is one of the widths of a configuration.
type width struct {
	name  string
	value int
}

// checkWidths refuses widths out of range (fault.ModelUnsupported).
func checkWidths(widths ...width) error {
	for _, w := range widths {
		if w.value < 1 || w.value > maxWidth {
			return unsupported("%s %d, supported 1 to %d", w.name, w.value, maxWidth)
		}
	}
	return nil
}

// unsupported is the refusal of a configuration.
func unsupported(format string, args ...any) error {
	return fault.New(fault.ModelUnsupported, "transformer: "+format, args...)
}

// embedder is FLUX's MLPEmbedder: out(silu(in(x))).
type embedder struct{ in, out linear }

func (e embedder) record(l *op.List, x, residual, out *op.Tensor) {
	h := l.MatMul(x, e.in.w, op.Epilogue{Bias: e.in.b, Act: op.SiLU})              // [n, D]
	l.MatMul(h, e.out.w, op.Epilogue{Bias: e.out.b, Residual: residual, Out: out}) // [n, D]
}

// mods deals out consecutive vectors of a modulation row.
type mods struct {
	row *op.Tensor
	at  int
}

func (m *mods) next(d int) *op.Tensor {
	m.at += d
	return m.row.Columns(m.at-d, m.at)
}

// grid sees tokens [rows·cols, D] as [rows, cols·D]: D is a multiple of op.Align, so
// that they lie without gaps.
func grid(x *op.Tensor, rows, cols int) *op.Tensor {
	v := *x
	v.Rows, v.Cols, v.Stride = rows, cols*x.Cols, cols*x.Stride
	return &v
}
