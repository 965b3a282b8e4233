package cpu

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"undertone/engine/cpu/simd"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

// These tests run under Node: see `make gpu`.

func module(t *testing.T, fused bool) *simd.Module {
	t.Helper()
	m, err := simd.Open(fused)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every case of the list: the SIMD kernels against plain Go, and those with fused products
// against those without, which takes a fraction of the time.
func TestVectorsOps(t *testing.T) {
	plain := New(Options{SIMD: module(t, false)})
	t.Run("plain", func(t *testing.T) { ops.Run(t, plain, New(Options{})) })
	t.Run("relaxed", func(t *testing.T) { ops.Run(t, New(Options{SIMD: module(t, true)}), plain) })
}

func TestVectorsContract(t *testing.T) { ops.Contract(t, New(Options{SIMD: module(t, false)})) }

// What Load takes says of itself what it is.
func TestVectorsAreNamed(t *testing.T) {
	for plan, o := range map[string]Options{"cpu-f64": {}, "cpu-simd": {SIMD: module(t, false)}, "cpu-relaxed-simd": {SIMD: module(t, true)}} {
		if got := New(o).Info(); got.Plan != plan {
			t.Errorf("%+v, want the plan %s", got, plan)
		}
	}
	if m := simd.Load(); m == nil || !m.Relaxed() {
		t.Errorf("Load gives %+v where relaxed SIMD is to be had", m)
	}
}

// The product with the unit matrix is the weight, to the bit, whatever it is stored as.
func TestVectorsWidenExactly(t *testing.T) {
	for _, dt := range []op.DType{op.F32, op.F16, op.BF16, op.Q8_0, op.Q4_0, op.Q4_K, op.Q5_K, op.Q6_K, op.Q3_K} {
		const rows, k = 21, 256
		rng := rand.New(rand.NewPCG(uint64(dt), 5))
		w := op.WeightSpec{Name: "w", DType: dt, Rows: rows, Cols: k, Data: bytes.NewReader(ops.Blocks(dt, rows*k, rng))}
		if !dt.Quantized() {
			w.Data = bytes.NewReader(ops.Encode(dt, random(rng, rows, k).v))
		}
		unit := matrix{k, k, make([]float32, k*k)}
		for i := range k {
			unit.v[i*k+i] = 1
		}
		var want []float32
		for _, o := range []Options{{}, {SIMD: module(t, false)}, {SIMD: module(t, true)}} {
			b := &bench{t, New(o), op.NewList("test")}
			tensor, err := b.m.Upload(context.Background(), w)
			if err != nil {
				t.Fatal(err)
			}
			got := b.run(b.l.MatMul(b.put(unit), tensor, op.Epilogue{Out: b.put(random(rng, k, rows))}))
			if want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: %s multiplies by other numbers than are stored", dt, b.m.Info().Plan)
			}
		}
	}
}

// Sizes of every remainder, and runs of one program, give the same bits again.
func TestVectorsSameBits(t *testing.T) {
	for _, fused := range []bool{false, true} {
		b := &bench{t, New(Options{SIMD: module(t, fused)}), op.NewList("test")}
		rng := rand.New(rand.NewPCG(1, 2))
		x, w, k := random(rng, 143, 96), random(rng, 512, 96), random(rng, 127, 9*128)
		y := b.l.MatMul(b.put(x), b.weight(op.UseMatrix, 512, w.v...), op.Epilogue{})
		b.l.Attention(y, 2, 64, true)
		y = b.l.Conv3x3(y.Columns(384, 512), 11, 13, b.weight(op.UseConv3x3, 127, k.v...), nil, nil, op.GELU, nil)
		out := b.l.Activation(y, op.SiLU, b.put(random(rng, 143, 127)))
		first := b.run(out)
		if again := b.run(out); !slices.Equal(again, first) {
			t.Error("a second run gives other bits")
		}
	}
}

// Products, convolutions and attention at all sizes about those of tiles and panels.
func TestVectorsTails(t *testing.T) {
	literal := New(Options{})
	machines := []*Machine{literal, New(Options{SIMD: module(t, false)}), New(Options{SIMD: module(t, true)})}
	for n := 1; n <= 19; n++ {
		rng := rand.New(rand.NewPCG(uint64(n), 6))
		m, lines, k, size := 1+n*7%19, 1+n*7%6, 1+n*5%9, 4*(1+n%5)
		a, w, x, kernel := random(rng, m, k), random(rng, n, k), random(rng, n*lines, k), random(rng, n, 9*k)
		q, kv := random(rng, m, size), random(rng, n, size)
		var want [3][]float32
		for _, be := range machines {
			b := &bench{t, be, op.NewList("test")}
			got := [3][]float32{
				b.run(b.l.MatMul(b.put(a), b.weight(op.UseMatrix, n, w.v...), op.Epilogue{Out: b.put(random(rng, m, n))})),
				b.run(b.l.Conv3x3(b.put(x), n, lines, b.weight(op.UseConv3x3, n, kernel.v...), nil, nil, op.None, b.put(random(rng, n*lines, n)))),
				b.run(b.l.Attend(op.AttentionOp{Q: b.put(q), K: b.put(kv), V: b.put(kv), Out: b.put(random(rng, m, size)), Heads: 1, HeadDim: size})),
			}
			if be == literal {
				want = got
				continue
			}
			for i, name := range []string{"MatMul", "Conv3x3", "Attention"} {
				for at, g := range got[i] {
					if d := g - want[i][at]; d > 1e-5 || d < -1e-5 || d != d {
						t.Fatalf("%s: %s with m = %d, %d lines, n = %d, k = %d, heads of %d: element %d is %g, want %g", be.Info().Plan, name, m, lines, n, k, size, at, g, want[i][at])
					}
				}
			}
		}
	}
}

// NaN is handed on, as everywhere: a picture of it is refused later.
func TestVectorsHandOnNaN(t *testing.T) {
	for act := op.ReLU; act <= op.Clamp3; act++ {
		b := &bench{t, New(Options{SIMD: module(t, true)}), op.NewList("test")}
		nan := b.x(1, 1, 0, 2, 3)
		if err := b.m.Write(nan, []float32{1, float32NaN(), 2, 3}); err != nil {
			t.Fatal(err)
		}
		if got := b.run(b.l.Activation(nan, act, nan)); got[1] == got[1] || got[0] != got[0] || got[2] != got[2] {
			t.Errorf("%s makes %v of 1, NaN, 2, 3", act, got)
		}
	}
}

func float32NaN() float32 {
	zero := float32(0)
	return zero / zero
}

// A long run calls Yield again and again, and stops when ctx ends in it.
func TestVectorsYieldAndAbort(t *testing.T) {
	for _, kind := range []op.Kind{op.MatMul, op.Conv3x3, op.Attention, op.Activation} {
		ctx, cancel := context.WithCancel(context.Background())
		yields, running := 0, false
		b := &bench{t, New(Options{SIMD: module(t, false), Yield: func() {
			if yields++; running && yields == 3 {
				cancel()
			}
		}}), op.NewList("test")}
		zero := func(rows int) matrix { return matrix{rows, 512, make([]float32, rows*512)} }
		x, y, w, kernel := b.put(zero(1024)), b.put(zero(1024)), b.weight(op.UseMatrix, 512, zero(512).v...), b.weight(op.UseConv3x3, 512, zero(9*512).v...)
		for range 1000 { // a minute of work, of which three yields' worth is done
			switch kind {
			case op.MatMul:
				b.l.MatMul(x, w, op.Epilogue{Out: y})
			case op.Conv3x3:
				b.l.Conv3x3(x, 32, 32, kernel, nil, nil, op.None, y)
			case op.Attention:
				b.l.Attention(x, 2, 64, false)
			default:
				b.l.Activation(x, op.GELU, y)
			}
		}
		p, err := b.m.Compile(ctx, b.l)
		if err != nil {
			t.Fatal(err)
		}
		yields, running = 0, true
		if err := p.Run(ctx); !fault.Is(err, fault.Aborted) || yields != 3 {
			t.Errorf("%s: Run gave %v after %d yields, want the fault %s after 3", kind, err, yields, fault.Aborted)
		}
		cancel()
	}
}

// Weights that are not finite are refused with the place of the first.
func TestVectorsRefuseInfiniteScales(t *testing.T) {
	for _, dt := range []op.DType{op.F16, op.Q8_0, op.Q4_0, op.Q4_K} {
		elems, size := dt.Block()
		raw := make([]byte, 3*size)
		raw[2*size], raw[2*size+1] = 0, 0x7c // the last block's scale, or its first element
		w := op.WeightSpec{Name: "w", DType: dt, Rows: 3, Cols: elems, Data: bytes.NewReader(raw)}
		_, plain := New(Options{}).Upload(context.Background(), w)
		_, err := New(Options{SIMD: module(t, false)}).Upload(context.Background(), w)
		if !fault.Is(err, fault.WeightsNotFinite) || fmt.Sprint(err) != fmt.Sprint(plain) {
			t.Errorf("%s: %v, want %v", dt, err, plain)
		}
	}
}
