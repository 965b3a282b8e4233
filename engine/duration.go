package engine

import (
	"bytes"
	"context"
	"time"

	"undertone/engine/op"
)

// What Duration measures: a chain of products as a small transformer has them, 34 million
// operations in launches of 8 million. A core does them in 1 ms with SIMD and in some
// 40 ms without; a software adapter of WebGPU takes about 10 ms.
const (
	trialTokens   = 64
	trialWidth    = 256
	trialProducts = 4
	trialRuns     = 3
	trialEnough   = 40 * time.Millisecond // of measuring, after which no further run begins
)

// Duration is how long a machine takes for a fixed small piece of a transformer's
// arithmetic, until the work is done: the shortest of at most three runs, after one that is
// not counted, as the first compiles kernels. Errors are the machine's.
func Duration(ctx context.Context, be op.Backend) (time.Duration, error) {
	x, err := be.New("trial.x", op.F32, trialTokens, trialWidth)
	if err != nil {
		return 0, err
	}
	defer be.Free(x)
	zeros := bytes.NewReader(make([]byte, 4*trialWidth*trialWidth))
	w, err := be.Upload(ctx, op.WeightSpec{Name: "trial.w", Use: op.UseMatrix, DType: op.F32, Rows: trialWidth, Cols: trialWidth, Data: zeros})
	if err != nil {
		return 0, err
	}
	defer be.Free(w)
	l := op.NewList("trial")
	for y, i := x, 0; i < trialProducts; i++ {
		y = l.MatMul(y, w, op.Epilogue{})
	}
	p, err := be.Compile(ctx, l)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	run := func() error {
		if err := p.Run(ctx); err != nil {
			return err
		}
		return be.Sync(ctx)
	}
	if err := run(); err != nil {
		return 0, err
	}
	var least, all time.Duration
	for i := 0; i < trialRuns && all < trialEnough; i++ {
		begin := time.Now()
		if err := run(); err != nil {
			return 0, err
		}
		took := time.Since(begin)
		if all += took; i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}
