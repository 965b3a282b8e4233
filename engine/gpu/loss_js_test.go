package gpu

import (
	"context"
	"syscall/js"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// losses take the device away at every point where somebody may be waiting for it, and
// return what the call says that notices.
var losses = map[string]func(a adder, ctx context.Context) error{
	"before a write": func(a adder, ctx context.Context) error {
		a.d.js.Call("destroy")
		a.d.Write(a.x, make([]float32, 64*64))
		return a.d.Sync(ctx)
	},
	"before a run": func(a adder, ctx context.Context) error {
		a.d.js.Call("destroy")
		a.p.Run(ctx)
		return a.d.Sync(ctx)
	},
	"between runs": func(a adder, ctx context.Context) error {
		a.p.Run(ctx)
		a.d.js.Call("destroy")
		a.p.Run(ctx)
		return a.d.Sync(ctx)
	},
	"before a read": func(a adder, ctx context.Context) error {
		a.p.Run(ctx)
		a.d.js.Call("destroy")
		_, err := a.d.Read(ctx, a.x)
		return err
	},
	"during a read": func(a adder, ctx context.Context) error {
		for range 20 {
			a.p.Run(ctx)
		}
		go a.d.js.Call("destroy")
		_, err := a.d.Read(ctx, a.x)
		return err
	},
	"during a wait": func(a adder, ctx context.Context) error {
		for range 20 {
			a.p.Run(ctx)
		}
		go a.d.js.Call("destroy")
		return a.d.Sync(ctx)
	},
	"during many runs": func(a adder, ctx context.Context) error {
		go a.d.js.Call("destroy")
		for range 1000 {
			if err := a.p.Run(ctx); err != nil {
				return err
			}
		}
		return nil
	},
	"before a compilation": func(a adder, ctx context.Context) error {
		a.d.js.Call("destroy")
		return a.compileOther(ctx)
	},
	"during a compilation": func(a adder, ctx context.Context) error {
		go a.d.js.Call("destroy")
		return a.compileOther(ctx)
	},
	"before an upload": func(a adder, ctx context.Context) error {
		a.d.js.Call("destroy")
		_, err := a.d.Upload(ctx, weightOf(zeros(1<<16)))
		if err == nil {
			err = a.d.Sync(ctx)
		}
		return err
	},
	"during an upload": func(a adder, ctx context.Context) error {
		src := &destroyer{zeros: 3 * chunkBytes, device: a.d.js, after: 2}
		_, err := a.d.Upload(ctx, weightOf(src))
		if err == nil {
			err = a.d.Sync(ctx)
		}
		return err
	},
	"while submit throws": func(a adder, ctx context.Context) error {
		throwing(a.d.jsq, "submit")
		a.d.js.Call("destroy")
		return a.p.Run(ctx)
	},
}

// The call that notices a loss says so, and every call after it.
func TestDeviceLost(t *testing.T) {
	for name, lose := range losses {
		t.Run(name, func(t *testing.T) {
			a := newAdder(t, open(t, Options{}))
			ctx := soon(t)
			if err := lose(a, ctx); !fault.Is(err, fault.DeviceLost) {
				t.Fatalf("got %v, want the fault %s", err, fault.DeviceLost)
			}
			select {
			case <-a.d.Lost():
			default:
				t.Error("Lost is not closed")
			}
			_, newErr := a.d.New("z", op.F32, 4, 4)
			_, readErr := a.d.Read(ctx, a.x)
			_, compileErr := a.d.Compile(ctx, op.NewList("z"))
			_, uploadErr := a.d.Upload(ctx, weightOf(zeros(64)))
			for what, err := range map[string]error{
				"New": newErr, "Read": readErr, "Compile": compileErr, "Upload": uploadErr,
				"Write": a.d.Write(a.x, make([]float32, 64*64)), "Run": a.p.Run(ctx), "Sync": a.d.Sync(ctx),
			} {
				if !fault.Is(err, fault.DeviceLost) {
					t.Errorf("%s after the loss gave %v", what, err)
				}
			}
			a.p.Close()
			a.d.Free(a.x, a.y)
		})
	}
}

// compileOther compiles a list of other kernels than adder's.
func (a adder) compileOther(ctx context.Context) error {
	l := op.NewList("other")
	l.CFG(a.x, a.y, 2, nil)
	_, err := a.d.Compile(ctx, l)
	return err
}

// destroyer is a source that takes the device away after some reads.
type destroyer struct {
	zeros
	device js.Value
	after  int
}

func (s *destroyer) ReadAt(p []byte, off int64) (int, error) {
	if s.after--; s.after == 0 {
		s.device.Call("destroy")
	}
	return s.zeros.ReadAt(p, off)
}
