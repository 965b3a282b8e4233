package cpu

import (
	"bytes"
	"context"
	"math"
	"slices"
	"testing"

	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// bench makes tensors on a machine for one test.
type bench struct {
	*testing.T
	m *Machine
	l *op.List
}

func newBench(t *testing.T) *bench {
	return &bench{t, New(Options{}), op.NewList("test")}
}

// x makes a tensor with rows of the given numbers.
func (b *bench) x(rows int, data ...float32) *op.Tensor {
	b.Helper()
	t, err := b.m.New("x", op.F32, rows, len(data)/rows)
	if err == nil {
		err = b.m.Write(t, data)
	}
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (b *bench) weight(use op.Use, rows int, data ...float32) *op.Tensor {
	b.Helper()
	t, err := b.m.Upload(context.Background(), op.WeightSpec{
		Name: "w", Use: use, DType: op.F32, Rows: rows, Cols: len(data) / rows,
		Data: bytes.NewReader(ops.Encode(op.F32, data)),
	})
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// run runs the list and reads x.
func (b *bench) run(x *op.Tensor) []float32 {
	b.Helper()
	p, err := b.m.Compile(context.Background(), b.l)
	if err == nil {
		err = p.Run(context.Background())
	}
	var got []float32
	if err == nil {
		got, err = b.m.Read(context.Background(), x)
	}
	if err != nil {
		b.Fatal(err)
	}
	return got
}

// want runs the list and holds x to numbers worked out by hand.
func (b *bench) want(x *op.Tensor, want ...float32) {
	b.Helper()
	got := b.run(x)
	ok := len(got) == len(want)
	for i := range want {
		ok = ok && math.Abs(float64(got[i]-want[i])) <= 2e-7*math.Abs(float64(want[i]))
	}
	if !ok {
		b.Errorf("got %v, want %v", got, want)
	}
}

func TestMatMulByHand(t *testing.T) {
	// [1 2 3; 4 5 6] · [1 0 -1; 2 1 0; 0 1 0; -1 -1 -1; 1 1 1]ᵀ = [-2 4 2 -6 6; -2 13 5 -15 15]
	a := []float32{1, 2, 3, 4, 5, 6}
	w := []float32{1, 0, -1, 2, 1, 0, 0, 1, 0, -1, -1, -1, 1, 1, 1}
	t.Run("plain", func(t *testing.T) {
		b := newBench(t)
		y := b.x(2, make([]float32, 10)...)
		b.l.MatMul(b.x(2, a...), b.weight(op.UseMatrix, 5, w...), op.Epilogue{Out: y})
		b.want(y, -2, 4, 2, -6, 6, -2, 13, 5, -15, 15)
	})
	t.Run("bias, activation, gate, residual", func(t *testing.T) {
		b := newBench(t)
		y := b.x(2, 100, 100, 100, 100, 100, 200, 200, 200, 200, 200)
		b.l.MatMul(b.x(2, a...), b.weight(op.UseMatrix, 5, w...), op.Epilogue{
			Bias: b.x(1, 1, 1, 1, 1, 1), Act: op.ReLU, ActFrom: 4, Gate: b.x(1, 2, 2, 2, 3, -1), Residual: y, Out: y})
		// bias: -1 5 3 -5 7; ReLU on the last only; gate: -2 10 6 -15 -7
		b.want(y, 98, 110, 106, 85, 93, 198, 228, 212, 158, 184)
	})
	t.Run("gap", func(t *testing.T) {
		b := newBench(t)
		y := b.x(1, 7, 7, 7, 7, 7, 7, 7, 7, 7)
		b.l.MatMul(b.x(1, 4, 5, 6), b.weight(op.UseMatrix, 5, w...), op.Epilogue{GapAt: 4, GapWidth: 4, Out: y})
		b.want(y, -2, 13, 5, -15, 7, 7, 7, 7, 15)
	})
}

func TestAttentionByHand(t *testing.T) {
	// Size 4 has scale 1/2, so q = (2, 0, 0, 0) against k = 0 and k = (ln 3, …)
	// gives logits 0 and ln 3: weights 1/4 and 3/4.
	ln3 := float32(math.Log(3))
	y := []float32{
		2, 0, 0, 0 /**/, 0, 5, 5, 5 /**/, 4, 8, 0, -4 /**/, 9, 9, 9, 9,
		2, 0, 0, 0 /**/, ln3, 5, 5, 5 /**/, 8, 0, 4, 0 /**/, 9, 9, 9, 9,
	}
	b := newBench(t)
	out := b.l.Attention(b.x(2, y...), 1, 4, false)
	b.want(out, 7, 2, 3, -1, 7, 2, 3, -1)
	b = newBench(t)
	out = b.l.Attention(b.x(2, y...), 1, 4, true)
	b.want(out, 4, 8, 0, -4, 7, 2, 3, -1)
}

func TestLayerNormByHand(t *testing.T) {
	// Mean 10, variance 5, with eps 4 a divisor of 3.
	x := []float32{7, 9, 11, 13}
	b := newBench(t)
	b.want(b.l.LayerNorm(b.x(1, x...), nil, nil, 4, false, b.x(1, 0, 0, 0, 0)), -1, -1.0/3, 1.0/3, 1)
	b = newBench(t)
	b.want(b.l.LayerNorm(b.x(1, x...), b.x(1, 2, 3, 6, 0), b.x(1, 1, 2, 3, 4), 4, false, b.x(1, 0, 0, 0, 0)), -1, 1, 5, 4)
	b = newBench(t)
	b.want(b.l.LayerNorm(b.x(1, x...), b.x(1, 2, 2, 5, 0), b.x(1, 1, 2, 3, 4), 4, true, b.x(1, 0, 0, 0, 0)), -2, 1, 5, 5)
}

func TestQKNormRoPEByHand(t *testing.T) {
	// The mean square of q is 1, with eps 3 a divisor of 2; of k 13, a divisor of 4.
	// The first pair turns by 90°, the second by 180°. v is left alone.
	b := newBench(t)
	y := b.x(1, 1, -1, 1, 1 /**/, 4, 4, -4, -2 /**/, 8, 8, 8, 8)
	b.l.QKNormRoPE(y, 1, 4, b.x(1, 2, 4, 6, 8), b.x(1, 1, 1, 1, 2), b.x(1, 0, 1, -1, 0), 3)
	b.want(y, 2, 1, -3, -4 /**/, -1, 1, 1, 1 /**/, 8, 8, 8, 8)
	b = newBench(t)
	y = b.x(1, 1, -1, 1, 1 /**/, 4, 4, -4, -2)
	b.l.QKNormRoPE(y, 1, 4, nil, nil, b.x(1, 0, 1, -1, 0), 3)
	b.want(y, 1, 1, -1, -1 /**/, -4, 4, 4, 2)
}

func TestActivationByHand(t *testing.T) {
	for _, c := range []struct {
		act  op.Act
		x    float32
		want float32
	}{
		{op.None, -2, -2}, {op.ReLU, -2, 0}, {op.ReLU, 3, 3},
		{op.SiLU, 1, 0.731058579}, {op.SiLU, -1, -0.268941421}, {op.SiLU, 0, 0}, {op.SiLU, -1000, 0},
		{op.GELU, 1, 0.841344746}, {op.GELU, -1, -0.158655254}, {op.GELU, -5, -1.43325786e-6},
		{op.GELUTanh, 1, 0.841191991}, {op.GELUTanh, -1, -0.158808009}, {op.GELUTanh, 100, 100},
		{op.QuickGELU, 1, 0.845795766}, {op.QuickGELU, -1, -0.154204234},
		{op.Clamp3, 3, 2.28478247}, {op.Clamp3, -3, -2.28478247}, {op.Clamp3, 1000, 3},
	} {
		b := newBench(t)
		x := b.x(1, c.x)
		b.l.Activation(x, c.act, x)
		b.want(x, c.want)
	}
}

func TestElementwiseByHand(t *testing.T) {
	b := newBench(t)
	b.want(b.l.Add(b.x(1, 1, 2, -3), b.x(1, 3, 1, 1), b.x(1, 0, 0, 0)), 4, 3, -2)
	b = newBench(t)
	b.want(b.l.CFG(b.x(1, 1, 2, -3), b.x(1, 3, 1, 1), 3, b.x(1, 0, 0, 0)), -3, 4, -11)
	b = newBench(t)
	x, v := b.x(1, 1, 2, -3), b.x(1, 4, -2, 1)
	b.l.Euler(x, v, b.x(1, -0.5))
	b.want(x, -1, 3, -3.5)
	b = newBench(t)
	same := b.l.CFG(b.x(1, 5, 0.1), b.x(1, 3, 0.3), 1, b.x(1, 0, 0))
	b.want(same, 5, 0.1)
}

func TestEmbeddingByHand(t *testing.T) {
	b := newBench(t)
	ids, err := b.m.New("ids", op.U32, 1, 3)
	if err == nil {
		err = b.m.WriteU32(ids, []uint32{2, 0, 2})
	}
	if err != nil {
		t.Fatal(err)
	}
	out := b.l.Embedding(b.weight(op.UseVector, 3, 1, 2, 3, 4, 5, 6), ids, b.x(3, make([]float32, 6)...))
	b.want(out, 5, 6, 1, 2, 5, 6)
}

func TestConv3x3ByHand(t *testing.T) {
	// The kernel 1 … 9 over the picture 1 2 / 3 4.
	b := newBench(t)
	x, w := b.x(4, 1, 2, 3, 4), b.weight(op.UseConv3x3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	b.want(b.l.Conv3x3(x, 2, 2, w, nil, nil, op.None, b.x(4, 0, 0, 0, 0)), 77, 67, 47, 37)
	b = newBench(t)
	y := b.x(4, 0, 0, -100, 1000)
	b.l.Conv3x3(b.x(4, 1, 2, 3, 4), 2, 2, b.weight(op.UseConv3x3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9), b.x(1, 0.5), y, op.ReLU, y)
	b.want(y, 77.5, 67.5, 0, 1037.5)
	// Two channels to two, in a picture 1 high and 2 wide: only the middle row of
	// a kernel is used. Kernels: channel 0 takes the pixel on the left, channel 1
	// ten times the pixel itself; the second output the pixel on the right of channel 1.
	b = newBench(t)
	w = b.weight(op.UseConv3x3, 2,
		0, 0, 0, 1, 0, 0, 0, 0, 0 /**/, 0, 0, 0, 0, 10, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0 /**/, 0, 0, 0, 0, 0, 1, 0, 0, 0)
	b.want(b.l.Conv3x3(b.x(2, 1, 2, 3, 4), 1, 2, w, nil, nil, op.None, b.x(2, 0, 0, 0, 0)), 20, 4, 41, 0)
}

func TestImagesByHand(t *testing.T) {
	b := newBench(t)
	// Two pixels of two channels, 1 high and 2 wide.
	b.want(b.l.Upsample(b.x(2, 1, -1, 2, -2), 1, 2, b.x(8, make([]float32, 16)...)),
		1, -1, 1, -1, 2, -2, 2, -2, 1, -1, 1, -1, 2, -2, 2, -2)
	// 2×4 pixels of two channels: the second is ten times the first.
	image := []float32{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60, 7, 70, 8, 80}
	tokens := []float32{1, 2, 5, 6, 10, 20, 50, 60, 3, 4, 7, 8, 30, 40, 70, 80}
	b = newBench(t)
	b.want(b.l.Patchify(b.x(8, image...), 2, 4, 2, false, b.x(2, make([]float32, 16)...)), tokens...)
	b = newBench(t)
	b.want(b.l.Unpatchify(b.x(2, tokens...), 2, 4, 2, false, b.x(8, make([]float32, 16)...)), image...)
	channelLast := []float32{1, 10, 2, 20, 5, 50, 6, 60, 3, 30, 4, 40, 7, 70, 8, 80}
	b = newBench(t)
	b.want(b.l.Patchify(b.x(8, image...), 2, 4, 2, true, b.x(2, make([]float32, 16)...)), channelLast...)
	b = newBench(t)
	b.want(b.l.Unpatchify(b.x(2, channelLast...), 2, 4, 2, true, b.x(8, make([]float32, 16)...)), image...)
	b = newBench(t)
	y := b.x(3, make([]float32, 6)...)
	b.l.Copy(b.x(2, 1, 2, 3, 4), y.Slice(1, 3))
	b.want(y, 0, 0, 1, 2, 3, 4)
}

func TestToRGBAByHand(t *testing.T) {
	b := newBench(t)
	out, err := b.m.New("pixels", op.U32, 1, 6)
	if err != nil {
		t.Fatal(err)
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	b.l.ToRGBA(b.x(6, 0, 0.5, 1, -2, 7, 0.001, nan, inf, -inf, nan, 1, 1, 1, inf, 1, 1, 1, -inf), 1, 0, out)
	b.run(b.x(1, 0))
	got, err := b.m.ReadU32(context.Background(), out)
	if want := []uint32{0xffff8000, 0xff00ff00, 0x0000ff00, 0x00ffff00, 0x00ffffff, 0x0000ffff}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %08x, %v, want %08x", got, err, want)
	}
}
