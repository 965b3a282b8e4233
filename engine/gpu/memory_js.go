package gpu

import (
	"context"
	"math"
	"syscall/js"
	"unsafe"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// memory is the device's table of buffers.
type memory struct {
	owned  map[uint32]*wgpu.Buffer // by buffer.id
	sizes  map[uint32]int64
	next   uint32   // the first id that was never used
	free   []uint32 // those whose buffers are gone
	bytes  int64
	scopes []scope
}

// scope is an allocation whose error scope has not been answered yet.
type scope struct {
	name   string
	buffer *buffer
	answer <-chan settled
}

// Buffers counts the GPU buffers that exist and their bytes.
func (d *Device) Buffers() (count int, bytes int64) { return len(d.memory.owned), d.memory.bytes }

// raw reaches the browser's object behind a wrapper of the webgpu package, whose
// js implementation keeps it in its only field (TestWrapperLayout).
func raw[T any](w *T) js.Value { return *(*js.Value)(unsafe.Pointer(w)) }

const storageUsage = wgpu.BufferUsageStorage | wgpu.BufferUsageCopySrc | wgpu.BufferUsageCopyDst

// alloc makes a zero-filled buffer. Whether the memory could be had is known only
// later: see answered, which comes before its first use. Errors: fault.LimitExceeded.
func (d *Device) alloc(name string, bytes int64, usage wgpu.BufferUsage) (*buffer, error) {
	if bytes > d.caps.MaxBuffer {
		return nil, fault.New(fault.LimitExceeded, "%s needs a buffer of %d bytes, the device allows %d", name, bytes, d.caps.MaxBuffer)
	}
	if usage&wgpu.BufferUsageStorage != 0 && bytes > d.caps.MaxBinding {
		return nil, fault.New(fault.LimitExceeded, "%s needs a binding of %d bytes, the device allows %d", name, bytes, d.caps.MaxBinding)
	}
	d.js.Call("pushErrorScope", "out-of-memory")
	b, err := d.createBuffer(name, bytes, usage)
	answer := promise(d.js.Call("popErrorScope"))
	if err != nil {
		return nil, err
	}
	id := d.memory.next
	if n := len(d.memory.free); n > 0 {
		id, d.memory.free = d.memory.free[n-1], d.memory.free[:n-1]
	} else {
		d.memory.next++
	}
	d.memory.owned[id], d.memory.sizes[id] = b, bytes
	d.memory.bytes += bytes
	d.replay.Get("buffers").SetIndex(int(id), raw(b))
	made := &buffer{id: id, bytes: bytes}
	d.memory.scopes = append(d.memory.scopes, scope{name, made, answer})
	return made, nil
}

// sure is alloc of a buffer that is known to have its memory.
func (d *Device) sure(ctx context.Context, name string, bytes int64, usage wgpu.BufferUsage) (*buffer, error) {
	b, err := d.alloc(name, bytes, usage)
	if err != nil {
		return nil, err
	}
	if err := d.answered(ctx); err != nil {
		d.destroy(b)
		return nil, err
	}
	return b, nil
}

// createBuffer turns an exception into an error, so that alloc can pop its error scope.
// Quirk: buffer-throws.
func (d *Device) createBuffer(name string, bytes int64, usage wgpu.BufferUsage) (b *wgpu.Buffer, err error) {
	defer func() {
		if thrown, ok := recover().(js.Error); ok {
			err = d.explain(thrown)
			if fault.Is(err, fault.OutOfMemory) {
				err = outOfMemory(name, bytes)
			}
		}
	}()
	return d.dev.CreateBuffer(&wgpu.BufferDescriptor{Label: name, Size: uint64(bytes), Usage: usage})
}

// answered waits until it is known whether the memory of every buffer could be
// had, and marks those that got none. It comes before the first use of any of them:
// what is done with a buffer without memory is an error of its own, of which the
// browser tells in its own time, so that afterwards nobody could keep the cause and
// its consequences apart. Errors: fault.OutOfMemory naming the first that got none.
func (d *Device) answered(ctx context.Context) (short error) {
	for len(d.memory.scopes) > 0 {
		s := d.memory.scopes[0]
		select {
		case a := <-s.answer:
			d.memory.scopes = d.memory.scopes[1:]
			if a.err != nil || !a.value.Truthy() || s.buffer.id == noBuffer {
				continue // it has its memory, or was given back since
			}
			s.buffer.none = true
			if short == nil {
				short = outOfMemory(s.name, s.buffer.bytes)
			}
		case <-d.lost:
			return d.lostError()
		case <-ctx.Done():
			return aborted(ctx)
		}
	}
	return short
}

// destroy gives a buffer's memory back, and its id, which it then has no more.
func (d *Device) destroy(b *buffer) {
	owned, ok := d.memory.owned[b.id]
	if !ok {
		return
	}
	owned.Destroy()
	d.memory.bytes -= d.memory.sizes[b.id]
	delete(d.memory.owned, b.id)
	delete(d.memory.sizes, b.id)
	d.replay.Get("buffers").SetIndex(int(b.id), js.Null())
	d.memory.free = append(d.memory.free, b.id)
	b.id = noBuffer
}

// largeBuffer is the size from which New waits to learn whether the memory could
// be had; for smaller ones what uses them first tells.
const largeBuffer = 4 << 20

// New makes a zero-filled Fixed tensor. Errors: fault.LimitExceeded,
// OutOfMemory, DeviceLost.
func (d *Device) New(name string, dt op.DType, rows, cols int) (t *op.Tensor, err error) {
	defer d.guard(&err)
	ctx := context.Background()
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	if rows < 1 || cols < 1 || (dt != op.F32 && dt != op.U32) {
		return nil, fault.New(fault.Shape, "%s: %d×%d %s, wanted at least one F32 or U32 element", name, rows, cols, dt)
	}
	t = op.NewStorage(name, op.Fixed, dt, rows, cols)
	b, err := d.alloc(name, storageBytes(t.Storage), storageUsage)
	if err != nil {
		return nil, err
	}
	fill := d.poison && t.Stride != t.Cols
	if b.bytes >= largeBuffer || fill {
		if err := d.answered(ctx); err != nil {
			d.destroy(b)
			return nil, err
		}
	}
	t.Storage.Handle = single{b}
	if fill {
		writeRows(d, t, make([]uint32, rows*cols))
	}
	return t, nil
}

// Write fills a Fixed F32 tensor from unpadded rows.
func (d *Device) Write(t *op.Tensor, data []float32) (err error) {
	defer d.guard(&err)
	if err := d.writable(t, op.F32, len(data)); err != nil {
		return err
	}
	writeRows(d, t, data)
	return nil
}

// WriteU32 fills a Fixed U32 tensor from unpadded rows.
func (d *Device) WriteU32(t *op.Tensor, data []uint32) (err error) {
	defer d.guard(&err)
	if err := d.writable(t, op.U32, len(data)); err != nil {
		return err
	}
	writeRows(d, t, data)
	return nil
}

func (d *Device) writable(t *op.Tensor, dt op.DType, n int) error {
	ctx := context.Background()
	if err := d.ready(ctx); err != nil {
		return err
	}
	if t == nil || t.Storage.Class != op.Fixed || t.DType() != dt || n != t.Rows*t.Cols {
		return fault.New(fault.Shape, "writing %d %s elements to %s", n, dt, t)
	}
	if err := d.answered(ctx); err != nil {
		return err
	}
	_, err := use(t.Storage, 0)
	return err
}

// writeRows sends rows to the buffer. Rows whose gap is mere padding go in one
// piece, others one by one, because what lies between them belongs to others.
func writeRows[T float32 | uint32](d *Device, t *op.Tensor, data []T) {
	if len(data) == 0 {
		return
	}
	b, at := bufferOf(t.Storage, 0), int64(t.Offset)*4
	if t.Rows == 1 || t.Stride == t.Cols {
		d.send(b, at, bytesOf(data))
		return
	}
	if t.Stride != op.Pad(t.Cols) {
		for r := range t.Rows {
			d.send(b, at+int64(r*t.Stride)*4, bytesOf(data[r*t.Cols:(r+1)*t.Cols]))
		}
		return
	}
	padded := make([]uint32, t.Rows*t.Stride)
	if d.poison {
		for i := range padded {
			padded[i] = math.Float32bits(float32(math.NaN()))
		}
	}
	bits := unsafe.Slice((*uint32)(unsafe.Pointer(&data[0])), len(data))
	for r := range t.Rows {
		copy(padded[r*t.Stride:], bits[r*t.Cols:(r+1)*t.Cols])
	}
	d.send(b, at, bytesOf(padded))
}

// send writes to a buffer. Queue.WriteBuffer of the webgpu package makes its view
// of Go's memory before it allocates the call's arguments; should that make the
// memory grow, the view is detached and the write fails. web/replay.js makes the
// view when nothing of Go can come between.
func (d *Device) send(b *buffer, at int64, data []byte) {
	d.sending = data // on the heap, where nothing moves, and alive during the call
	d.replay.Call("write", b.id, at, uintptr(unsafe.Pointer(&data[0])), len(data))
	d.sending = nil
}

// bytesOf views elements as bytes; js/wasm is little-endian, as WebGPU is.
func bytesOf[T float32 | uint32](data []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), 4*len(data))
}

// Free gives the buffers of Fixed and Weight tensors back.
func (d *Device) Free(ts ...*op.Tensor) {
	d.flushQuietly()
	for _, t := range ts {
		if t == nil {
			continue
		}
		if h, ok := t.Storage.Handle.(handle); ok {
			for _, b := range h.buffers() {
				d.destroy(b)
			}
			t.Storage.Handle = nil
		}
	}
}

// flushQuietly submits what waits, because it may write to memory about to be
// given up; if that fails, the device is of no use and the next call says why.
func (d *Device) flushQuietly() {
	var err error
	defer d.guard(&err)
	err = d.flush()
}
