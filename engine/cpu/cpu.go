package cpu

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"undertone/engine/cpu/simd"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// Options are the settings of a Machine.
type Options struct {
	// Yield, when set, is called about every 50 ms of computing, from the
	// goroutine that called Run. In the browser it lets the event loop run, so
	// that an abort can arrive.
	Yield func()
	// SIMD, when set, computes what it has kernels for, in float32 and many times as
	// fast; Go does the rest.
	SIMD *simd.Module
}

// Machine is an [op.Backend]. The elements of its storages are []float32, or
// []uint32 for U32; weights are widened to float32 once, when uploaded, or kept as
// panels for the SIMD kernels.
type Machine struct {
	opt     Options
	simd    *vectors // nil where all is computed in Go
	workers int
	last    time.Time // when Yield was last called
	closed  bool
}

// New makes a machine with as many workers as Go may run at once.
func New(opt Options) *Machine {
	m := &Machine{opt: opt, workers: runtime.GOMAXPROCS(0), last: time.Now()}
	if opt.SIMD != nil {
		m.simd = &vectors{module: opt.SIMD}
	}
	return m
}

// Info names the machine.
func (m *Machine) Info() op.Info {
	info := op.Info{
		Backend:  "cpu",
		Adapter:  fmt.Sprintf("%s, %d %s", runtime.GOARCH, m.workers, plural(m.workers, "core", "cores")),
		Software: true,
		Plan:     "cpu-f64",
	}
	if m.simd != nil {
		info.Adapter, info.Plan = info.Adapter+", SIMD", "cpu-simd"
		if m.opt.SIMD.Relaxed() {
			info.Plan = "cpu-relaxed-simd"
		}
	}
	return info
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// New makes a zero-filled tensor.
func (m *Machine) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	if err := m.open(); err != nil {
		return nil, err
	}
	if rows < 1 || cols < 1 {
		return nil, fault.New(fault.Shape, "tensor %s is %d×%d; both must be at least 1", name, rows, cols)
	}
	t := op.NewStorage(name, op.Fixed, dt, rows, cols)
	switch dt {
	case op.F32:
		t.Storage.Handle = make([]float32, t.Storage.Elems)
	case op.U32:
		t.Storage.Handle = make([]uint32, t.Storage.Elems)
	default:
		return nil, fault.New(fault.Shape, "tensor %s cannot hold %s: F32 and U32 are supported", name, dt)
	}
	return t, nil
}

// Write fills t, which may be a view, with data in row order without padding.
func (m *Machine) Write(t *op.Tensor, data []float32) error {
	s, err := elements[float32](m, t)
	if err == nil {
		err = scatter(t, s, data)
	}
	return err
}

// WriteU32 is Write for U32 tensors.
func (m *Machine) WriteU32(t *op.Tensor, data []uint32) error {
	s, err := elements[uint32](m, t)
	if err == nil {
		err = scatter(t, s, data)
	}
	return err
}

// Read returns a copy of the elements of t, which may be a view.
func (m *Machine) Read(ctx context.Context, t *op.Tensor) ([]float32, error) {
	return read[float32](ctx, m, t)
}

// ReadU32 is Read for U32 tensors.
func (m *Machine) ReadU32(ctx context.Context, t *op.Tensor) ([]uint32, error) {
	return read[uint32](ctx, m, t)
}

// Sync has nothing to wait for: Run returns when its work is done.
func (m *Machine) Sync(ctx context.Context) error {
	if err := m.open(); err != nil {
		return err
	}
	return aborted(ctx)
}

// Free lets go of the memory of tensors.
func (m *Machine) Free(ts ...*op.Tensor) {
	for _, t := range ts {
		if t != nil {
			t.Storage.Handle = nil
		}
	}
}

// Lost is nil: a CPU is not lost.
func (m *Machine) Lost() <-chan struct{} { return nil }

// Close ends the use of the machine; its memory goes when its tensors do.
func (m *Machine) Close() { m.closed = true }

func (m *Machine) open() error {
	if m.closed {
		return fault.New(fault.Closed, "the CPU device was closed")
	}
	return nil
}

// aborted turns a cancelled context into a fault.
func aborted(ctx context.Context) error {
	if ctx.Err() != nil {
		return fault.Wrap(context.Cause(ctx), fault.Aborted, "stopped")
	}
	return nil
}

// elements are those of the whole storage behind t.
func elements[T any](m *Machine, t *op.Tensor) ([]T, error) {
	if err := m.open(); err != nil {
		return nil, err
	}
	s, ok := t.Storage.Handle.([]T)
	if !ok {
		var want T
		return nil, fault.New(fault.Shape, "%s holds no %T on this device", t, want)
	}
	return s, nil
}

func scatter[T any](t *op.Tensor, s, data []T) error {
	if len(data) != t.Rows*t.Cols {
		return fault.New(fault.Shape, "%d elements written to %s, which has %d", len(data), t, t.Rows*t.Cols)
	}
	for r := range t.Rows {
		copy(s[t.Offset+r*t.Stride:][:t.Cols], data[r*t.Cols:])
	}
	return nil
}

func read[T any](ctx context.Context, m *Machine, t *op.Tensor) ([]T, error) {
	s, err := elements[T](m, t)
	if err == nil {
		err = aborted(ctx)
	}
	if err != nil {
		return nil, err
	}
	data := make([]T, t.Rows*t.Cols)
	for r := range t.Rows {
		copy(data[r*t.Cols:(r+1)*t.Cols], s[t.Offset+r*t.Stride:])
	}
	return data, nil
}
