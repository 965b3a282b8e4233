package engine_test

import (
	"context"
	"testing"
	"time"

	"undertone/engine"
	"undertone/engine/cpu"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// delayed is a machine whose runs take these times besides, and that counts what it holds.
type delayed struct {
	*cpu.Machine
	delays []time.Duration
	runs   int
	held   int
	fails  bool
}

func (d *delayed) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	d.held++
	return d.Machine.New(name, dt, rows, cols)
}

func (d *delayed) Upload(ctx context.Context, w op.WeightSpec) (*op.Tensor, error) {
	d.held++
	return d.Machine.Upload(ctx, w)
}

func (d *delayed) Free(ts ...*op.Tensor) {
	d.held -= len(ts)
	d.Machine.Free(ts...)
}

func (d *delayed) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	p, err := d.Machine.Compile(ctx, l)
	d.held++
	return &delayedProgram{p, d}, err
}

type delayedProgram struct {
	op.Program
	d *delayed
}

func (p *delayedProgram) Run(ctx context.Context, copies ...op.Copy) error {
	if p.d.fails {
		return fault.New(fault.DeviceLost, "planted")
	}
	time.Sleep(p.d.delays[p.d.runs])
	p.d.runs++
	return p.Program.Run(ctx, copies...)
}

func (p *delayedProgram) Close() {
	p.d.held--
	p.Program.Close()
}

// The first run does not count, of the others the shortest does, and none begins once
// enough was measured.
func TestDuration(t *testing.T) {
	const second = time.Second
	plain, err := engine.Duration(context.Background(), cpu.New(cpu.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		delays []time.Duration
		runs   int
		least  time.Duration
	}{
		{[]time.Duration{0, second, 0}, 2, second},
		{[]time.Duration{second / 2, 0, 0, 0}, 0, 0},
	} {
		d := &delayed{Machine: cpu.New(cpu.Options{}), delays: c.delays}
		took, err := engine.Duration(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		if c.runs > 0 && d.runs != c.runs {
			t.Errorf("delays of %v: %d runs, want %d", c.delays, d.runs, c.runs)
		}
		if took < c.least || took >= c.least+second/4+4*plain {
			t.Errorf("delays of %v: it takes %v, want %v and about %v", c.delays, took, c.least, plain)
		}
		if d.held != 0 {
			t.Errorf("%d tensors and programs are left", d.held)
		}
	}
	d := &delayed{Machine: cpu.New(cpu.Options{}), fails: true}
	if _, err := engine.Duration(context.Background(), d); !fault.Is(err, fault.DeviceLost) || d.held != 0 {
		t.Errorf("a machine that fails: %v, and %d tensors and programs are left", err, d.held)
	}
}
