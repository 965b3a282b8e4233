package gpu

import (
	"context"
	"math"
	"slices"
	"syscall/js"
	"time"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Program is a compiled list: a command list, its bind groups, its arena.
type Program struct {
	d       *Device
	name    string
	steps   []step
	list    *op.List
	cmd     commands
	js      js.Value // for web/replay.js
	owned   []*buffer
	arena   arena
	encodes time.Duration // of the last Run
	runs    int
	closed  bool
}

// Compile chooses the kernels, compiles those that are new, plans the memory of
// temporaries and makes all bind groups. Errors: what lower says,
// fault.ShaderCompile, OutOfMemory, LimitExceeded, DeviceLost.
func (d *Device) Compile(ctx context.Context, l *op.List) (out op.Program, err error) {
	defer d.guard(&err)
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	steps, err := lower(l, d.caps)
	if err != nil {
		return nil, err
	}
	steps = cut(steps, launchSubmits*d.submit)
	p := &Program{d: d, name: l.Name, list: l, steps: steps, arena: planArena(steps)}
	if err := p.build(ctx); err != nil {
		p.Close()
		return nil, err
	}
	d.programs[p] = true
	return p, nil
}

func (p *Program) build(ctx context.Context) (err error) {
	// Also what the browser throws must not leave the arena behind.
	defer p.d.guard(&err)
	d := p.d
	launches := make([]Launch, len(p.steps))
	for i, s := range p.steps {
		launches[i] = s.Launch
	}
	index, err := d.prepare(ctx, launches)
	if err != nil {
		return err
	}
	temps := make([]*buffer, len(p.arena.sizes))
	for i, n := range p.arena.sizes {
		if temps[i], err = p.alloc("temporaries of "+p.name, n, storageUsage); err != nil {
			return err
		}
	}
	var uniform *buffer
	words := uniforms(p.steps)
	if len(words) > 0 {
		uniform, err = p.alloc("parameters of "+p.name, int64(len(words))*4, wgpu.BufferUsageUniform|wgpu.BufferUsageCopyDst)
		if err != nil {
			return err
		}
	}
	if err := d.answered(ctx); err != nil {
		return err
	}
	if d.poison {
		for i, n := range p.arena.sizes {
			d.send(temps[i], 0, bytesOf(slices.Repeat([]float32{float32(math.NaN())}, int(n/4))))
		}
	}
	if len(words) > 0 {
		d.send(uniform, 0, bytesOf(words))
	}
	find := func(b Binding) (*buffer, error) {
		if b.Storage.Class == op.Temp {
			return temps[p.arena.place[b.Storage]], nil
		}
		return use(b.Storage, b.Part)
	}
	groups := js.Global().Get("Array").New(len(p.steps))
	for i, s := range p.steps {
		g, err := d.bind(s.Launch, uniform, int64(i)*uniformSlot, find)
		if err != nil {
			return err
		}
		groups.SetIndex(i, g)
	}
	p.cmd = flatten(p.steps, index, d.submit)
	p.js = d.replay.Call("program", jsWords(p.cmd.words), groups)
	return d.ready(ctx)
}

// jsWords copies words into a new Uint32Array.
func jsWords(words []uint32) js.Value {
	array := js.Global().Get("Uint32Array").New(len(words))
	if len(words) > 0 {
		js.CopyBytesToJS(js.Global().Get("Uint8Array").New(array.Get("buffer")), bytesOf(words))
	}
	return array
}

func (p *Program) alloc(name string, bytes int64, usage wgpu.BufferUsage) (*buffer, error) {
	b, err := p.d.alloc(name, bytes, usage)
	if err == nil {
		p.owned = append(p.owned, b)
	}
	return b, err
}

// submitted is work that may still be on the GPU.
type submitted struct {
	flops float64
	sent  time.Time
	done  <-chan settled
}

// Run submits the copies and then the list, in as many submits as its work asks
// for. Errors: fault.Aborted, DeviceLost, OutOfMemory for a tensor made since, Shape
// or Closed for a copy that cannot be done.
func (p *Program) Run(ctx context.Context, copies ...op.Copy) (err error) {
	d := p.d
	defer d.guard(&err)
	if p.closed {
		return fault.New(fault.Closed, "the program %s was closed", p.name)
	}
	if err := d.ready(ctx); err != nil {
		return err
	}
	if err := d.answered(ctx); err != nil {
		return err
	}
	words, err := copyWords(copies)
	if err != nil {
		return err
	}
	if err := d.flush(); err != nil {
		return err
	}
	p.encodes = 0
	p.runs++
	if p.cmd.limit != d.submit { // more was learned since
		p.cmd.split(p.steps, d.submit)
	}
	for i := 0; i+1 < len(p.cmd.splits); i++ {
		if err := d.throttle(ctx, p.cmd.work[i]); err != nil {
			return err
		}
		args := append([]any{p.js, p.cmd.splits[i], p.cmd.splits[i+1]}, words...)
		words = nil
		start := time.Now()
		d.replay.Call("run", args...)
		p.encodes += time.Since(start)
		d.inflight = append(d.inflight, submitted{p.cmd.work[i], start, promise(d.jsq.Call("onSubmittedWorkDone"))})
	}
	return nil
}

// maxSubmitted bounds how many small submits may be on the GPU at once.
const maxSubmitted = 32

// throttle waits until another submit makes no more than two on the GPU, or than two full
// ones. More would not make it faster, but would go on long after a person pressed Stop.
func (d *Device) throttle(ctx context.Context, flops float64) error {
	for _, s := range d.inflight {
		flops += s.flops
	}
	for len(d.inflight) >= maxSubmitted || len(d.inflight) > 1 && flops > 2*d.submit {
		oldest := d.inflight[0]
		select {
		case s := <-oldest.done:
			d.hear(oldest, s)
			d.inflight = d.inflight[1:]
			flops -= oldest.flops
		case <-d.lost:
			return d.lostError()
		case <-ctx.Done():
			return aborted(ctx)
		}
	}
	return d.ready(ctx)
}

// hear lets the pace of submits learn from one that is done.
func (d *Device) hear(s submitted, done settled) {
	if done.err == nil {
		d.ended(s.flops, s.sent, done.at)
	}
}

// hearAll does when all of them are; a lost device may not have told.
func (d *Device) hearAll() {
	for _, s := range d.inflight {
		select {
		case done := <-s.done:
			d.hear(s, done)
		default:
		}
	}
	d.inflight = d.inflight[:0]
}

// copyWords turns copies into the numbers that replay.js takes.
func copyWords(copies []op.Copy) ([]any, error) {
	var words []any
	for _, c := range copies {
		n := copyElems(c.Dst, c.Src)
		if n == 0 {
			return nil, fault.New(fault.Shape, "copying %s to %s: two contiguous F32 tensors of one size in different storage are supported", c.Src, c.Dst)
		}
		dst, err := use(c.Dst.Storage, 0)
		if err != nil {
			return nil, err
		}
		src, err := use(c.Src.Storage, 0)
		if err != nil {
			return nil, err
		}
		words = append(words, src.id, c.Src.Offset*4, dst.id, c.Dst.Offset*4, n*4)
	}
	return words, nil
}

// copyElems is how many elements a copy moves in one piece; 0 if it cannot.
// Between tensors of one shape whose rows are padded alike the padding goes along.
func copyElems(dst, src *op.Tensor) int {
	if dst == nil || src == nil || dst.DType() != op.F32 || src.DType() != op.F32 || dst.Storage == src.Storage {
		return 0
	}
	contiguous := func(t *op.Tensor) bool { return t.Rows == 1 || t.Cols == t.Stride }
	if contiguous(dst) && contiguous(src) && dst.Rows*dst.Cols == src.Rows*src.Cols {
		return dst.Rows * dst.Cols
	}
	if dst.Rows == src.Rows && dst.Cols == src.Cols && dst.Stride == src.Stride && dst.Stride == op.Pad(dst.Cols) {
		return (dst.Rows-1)*dst.Stride + dst.Cols
	}
	return 0
}

// Stats tells what one run costs.
func (p *Program) Stats() op.Stats {
	return op.Stats{Dispatches: len(p.steps), TempBytes: p.arena.bytes()}
}

// EncodeTime is how long the CPU took to encode and submit the last Run.
func (p *Program) EncodeTime() time.Duration { return p.encodes }

// Close gives the memory back.
func (p *Program) Close() {
	for _, b := range p.owned {
		p.d.destroy(b)
	}
	p.owned, p.closed = nil, true
	delete(p.d.programs, p)
}
