package gpu

import (
	"context"
	"syscall/js"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Read waits for all work before it and returns the F32 elements, unpadded.
func (d *Device) Read(ctx context.Context, t *op.Tensor) (out []float32, err error) {
	defer d.guard(&err)
	return readRows[float32](ctx, d, t, op.F32)
}

// ReadU32 is Read for U32 tensors.
func (d *Device) ReadU32(ctx context.Context, t *op.Tensor) (out []uint32, err error) {
	defer d.guard(&err)
	return readRows[uint32](ctx, d, t, op.U32)
}

func readRows[T float32 | uint32](ctx context.Context, d *Device, t *op.Tensor, dt op.DType) ([]T, error) {
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	if t == nil || t.Storage.Class != op.Fixed || t.DType() != dt {
		return nil, fault.New(fault.Shape, "reading %s elements of %s", dt, t)
	}
	if err := d.answered(ctx); err != nil {
		return nil, err
	}
	b, err := use(t.Storage, 0)
	if err != nil {
		return nil, err
	}
	out := make([]T, t.Rows*t.Cols)
	if len(out) == 0 {
		return out, nil
	}
	span := out
	if t.Rows > 1 && t.Stride != t.Cols {
		span = make([]T, (t.Rows-1)*t.Stride+t.Cols)
	}
	if err := d.fetch(ctx, b, int64(t.Offset)*4, bytesOf(span)); err != nil {
		return nil, err
	}
	if t.Rows > 1 && t.Stride != t.Cols {
		for r := range t.Rows {
			copy(out[r*t.Cols:(r+1)*t.Cols], span[r*t.Stride:])
		}
	}
	return out, d.ready(ctx)
}

// keepStaging is the size up to which the buffer of one reading serves the next.
const keepStaging = 1 << 20

// fetch copies bytes of a buffer to dst through a staging buffer, after all work
// submitted before.
func (d *Device) fetch(ctx context.Context, b *buffer, at int64, dst []byte) error {
	if err := d.flush(); err != nil {
		return err
	}
	n := int64(len(dst))
	staging, err := d.stagingFor(ctx, n)
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept { // destroying a buffer also ends a mapping that is still pending
			d.destroy(staging)
			d.staging = nil
		}
	}()
	d.replay.Call("run", js.Null(), 0, 0, b.id, at, staging.id, 0, n)
	mapped := d.replay.Get("buffers").Index(int(staging.id))
	const read = 1 // GPUMapMode.READ
	if _, err := d.await(ctx, mapped.Call("mapAsync", read, 0, n)); err != nil {
		return err
	}
	d.hearAll()
	js.CopyBytesToGo(dst, js.Global().Get("Uint8Array").New(mapped.Call("getMappedRange", 0, n)))
	mapped.Call("unmap")
	kept = staging.bytes <= keepStaging
	return nil
}

// stagingFor finds or makes a buffer that n bytes can be read through.
func (d *Device) stagingFor(ctx context.Context, n int64) (*buffer, error) {
	if d.staging != nil && d.staging.bytes >= n {
		return d.staging, nil
	}
	if d.staging != nil {
		d.destroy(d.staging)
		d.staging = nil
	}
	b, err := d.sure(ctx, "staging", n, wgpu.BufferUsageMapRead|wgpu.BufferUsageCopyDst)
	d.staging = b
	return b, err
}
