package cpu

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/testing/ops"
)

func TestContract(t *testing.T) { ops.Contract(t, New(Options{})) }

// Every case of the list runs, and leaves its surroundings alone, with more
// workers than there are cores.
func TestOpsOnManyWorkers(t *testing.T) {
	one, many := New(Options{}), New(Options{})
	one.workers, many.workers = 1, 5
	ops.Run(t, many, one)
}

// The number of workers changes no bit of a result.
func TestSameBitsOnManyWorkers(t *testing.T) {
	var first []float32
	for _, workers := range []int{1, 2, 3, 8} {
		b := newBench(t)
		b.m.workers = workers
		rng := rand.New(rand.NewPCG(1, 2))
		x, w, k := random(rng, 144, 96), random(rng, 512, 96), random(rng, 128, 9*128)
		y := b.l.MatMul(b.put(x), b.weight(op.UseMatrix, 512, w.v...), op.Epilogue{})
		b.l.Attention(y, 2, 64, true)
		y = b.l.Conv3x3(y.Columns(384, 512), 12, 12, b.weight(op.UseConv3x3, 128, k.v...), nil, nil, op.GELU, nil)
		got := b.run(b.l.Activation(y, op.SiLU, b.put(random(rng, 144, 128))))
		if first == nil {
			first = got
		} else if !slices.Equal(got, first) {
			t.Errorf("%d workers give other results than 1", workers)
		}
	}
}

// A long run calls Yield again and again, and stops when ctx ends in it.
func TestYieldAndAbort(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	yields := 0
	b := newBench(t)
	b.m.opt.Yield = func() {
		if yields++; yields == 3 {
			cancel()
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	x, w := b.put(random(rng, 256, 256)), b.weight(op.UseMatrix, 256, random(rng, 256, 256).v...)
	for range 10000 { // minutes of work, of which three yields' worth is done
		b.l.MatMul(x, w, op.Epilogue{})
	}
	p, err := b.m.Compile(ctx, b.l)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(ctx); !fault.Is(err, fault.Aborted) || yields != 3 {
		t.Errorf("Run gave %v after %d yields, want the fault %s after 3", err, yields, fault.Aborted)
	}
}

// A chain of temporaries of one size takes turns in two pieces of memory.
func TestTemporariesShareMemory(t *testing.T) {
	b := newBench(t)
	x := b.x(1, 1, 2, 3)
	y := b.l.Add(x, x, nil)
	for range 9 {
		y = b.l.Add(y, x, nil)
	}
	b.l.Copy(y, x)
	p, err := b.m.Compile(context.Background(), b.l)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Stats(); got.TempBytes != 2*4*4 || got.Dispatches != 11 {
		t.Errorf("%+v, want 32 bytes and 11 dispatches", got)
	}
	b.want(x, 11, 22, 33)
}

// A tensor freed too early is an error with its name, not a panic.
func TestFreedTensor(t *testing.T) {
	b := newBench(t)
	x := b.x(1, 1, 2)
	b.l.Activation(x, op.ReLU, x)
	p, err := b.m.Compile(context.Background(), b.l)
	if err != nil {
		t.Fatal(err)
	}
	b.m.Free(x)
	if err := p.Run(context.Background()); !fault.Is(err, fault.Internal) || !strings.Contains(err.Error(), "x has no memory") {
		t.Errorf("got %v", err)
	}
}

func TestClosed(t *testing.T) {
	b := newBench(t)
	x := b.x(1, 1)
	b.l.Add(x, x, x.Slice(0, 1))
	b.m.Close()
	if _, err := b.m.New("x", op.F32, 1, 1); !fault.Is(err, fault.Closed) {
		t.Errorf("New gave %v, want the fault %s", err, fault.Closed)
	}
	if _, err := b.m.Read(context.Background(), x); !fault.Is(err, fault.Closed) {
		t.Errorf("Read gave %v, want the fault %s", err, fault.Closed)
	}
}
