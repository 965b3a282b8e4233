package gpu

import (
	"context"
	"syscall/js"

	"github.com/cogentcore/webgpu/wgpu"

	"undertone/engine/fault"
	"undertone/engine/op"
)

const (
	chunkBytes   = 16 << 20 // of raw weights on their way through the GPU at once
	smallRaw     = 64 << 10 // tensors up to this size share a submit …
	smallSlots   = 32       // … with this many others
	badSlots     = 4096     // uploads between two looks at the counters
	launchSlots  = 256      // parameters of repack launches waiting for a submit
	maxRepack    = 16       // launches for one chunk
	uploadWindow = 64 << 20 // bytes sent before waiting for the GPU
)

// uploads is what weights pass through: raw bytes are written to a buffer, a
// small kernel lays them out (weight.go) and counts what is not finite.
type uploads struct {
	large    *op.Storage   // one chunk of a large tensor
	small    []*op.Storage // one small tensor each, until the next submit
	used     int           // of small
	uniform  *buffer
	launches int         // waiting, and slots used of uniform
	pending  js.Value    // bind groups of the waiting launches
	words    []uint32    // their command list
	bad      *op.Storage // counters, one per upload
	names    []string    // whose counter it is
	sent     int64       // bytes since the last wait
	scratch  []byte      // for sources that cannot hand out pieces
}

// Upload reads a weight and lays it out on the GPU. It returns before the GPU has
// done so; Sync reports weights that are not finite. Errors: fault.Shape,
// LimitExceeded, OutOfMemory, DeviceLost, Aborted, and what the source says.
func (d *Device) Upload(ctx context.Context, w op.WeightSpec) (t *op.Tensor, err error) {
	defer d.guard(&err)
	if err := d.ready(ctx); err != nil {
		return nil, err
	}
	elems, blockBytes := w.DType.Block()
	if w.Rows < 1 || w.Cols < 1 || w.Cols%elems != 0 {
		return nil, fault.New(fault.Shape, "%s: %d×%d %s, wanted whole blocks of %d", w.Name, w.Rows, w.Cols, w.DType, elems)
	}
	rowBytes := int64(w.Cols/elems) * int64(blockBytes)
	if end := w.Offset + int64(w.Rows)*rowBytes; w.Offset < 0 || end > w.Data.Size() {
		return nil, fault.New(fault.WeightsTruncated, "%s ends at byte %d of a file of %d", w.Name, end, w.Data.Size())
	}
	if err := d.prepareUploads(ctx); err != nil {
		return nil, err
	}
	t = op.NewStorage(w.Name, op.Weight, op.F32, w.Rows, w.Cols)
	if w.Use == op.UseMatrix {
		t.Storage.DType = w.DType
	}
	parts, made, done := &weight{}, t, false
	t.Storage.Handle = parts
	defer func() {
		if !done { // an error, or an exception on its way to guard
			d.Free(made)
		}
	}()
	for _, p := range weightParts(w, d.caps) {
		b, err := d.alloc(w.Name, p.Bytes, storageUsage)
		if err != nil {
			return nil, err
		}
		parts.parts = append(parts.parts, b)
	}
	slot := len(d.uploads.names)
	d.uploads.names = append(d.uploads.names, w.Name)
	rows := chunkRows(rowBytes, chunkBytes)
	for from := 0; from < w.Rows; from += rows {
		to := min(from+rows, w.Rows)
		if err := d.uploadRows(ctx, w, t.Storage, slot, from, to, rowBytes); err != nil {
			return nil, err
		}
	}
	done = true
	return t, nil
}

// uploadRows sends rows [from, to) and records the launches that lay them out.
func (d *Device) uploadRows(ctx context.Context, w op.WeightSpec, dst *op.Storage, slot, from, to int, rowBytes int64) error {
	if err := d.ready(ctx); err != nil {
		return err
	}
	u := &d.uploads
	n := int64(to-from) * rowBytes
	if u.launches+maxRepack > launchSlots || u.used == smallSlots {
		if err := d.flush(); err != nil {
			return err
		}
	}
	raw, err := d.rawFor(ctx, n)
	if err != nil {
		return err
	}
	launches, err := repack(w, dst, raw, u.bad, slot, from, to, d.caps)
	if err != nil {
		return err
	}
	if len(launches) > maxRepack {
		return fault.New(fault.Internal, "%s: %d launches lay out one chunk, %d are possible", w.Name, len(launches), maxRepack)
	}
	for _, l := range launches {
		if err := check(l, d.caps); err != nil {
			return err
		}
	}
	index, err := d.prepare(ctx, launches)
	if err != nil {
		return err
	}
	if err := d.sendRaw(w.Data, bufferOf(raw, 0), w.Offset+int64(from)*rowBytes, n); err != nil {
		return fault.Wrap(err, fault.Of(err).Code, "reading %s", w.Name)
	}
	if err := d.answered(ctx); err != nil {
		return err
	}
	for i, l := range launches {
		at := int64(u.launches) * uniformSlot
		if len(l.Params) > 0 {
			d.send(u.uniform, at, bytesOf(l.Params))
		}
		g, err := d.bind(l, u.uniform, at, func(b Binding) (*buffer, error) { return use(b.Storage, b.Part) })
		if err != nil {
			return err
		}
		u.pending.SetIndex(u.launches, g)
		u.words = append(u.words, index[i], uint32(u.launches), uint32(l.Groups[0]), uint32(l.Groups[1]), uint32(l.Groups[2]))
		u.launches++
	}
	u.sent += n
	if n > smallRaw {
		if err := d.flush(); err != nil {
			return err
		}
	}
	if u.sent >= uploadWindow {
		// The browser holds what the GPU has not taken yet in memory of its own.
		u.sent = 0
		return d.idle(ctx)
	}
	return nil
}

// rawFor chooses the buffer that n raw bytes are written to.
func (d *Device) rawFor(ctx context.Context, n int64) (*op.Storage, error) {
	u := &d.uploads
	if n <= smallRaw {
		if u.used == len(u.small) {
			s, err := d.storage(ctx, "small weights", smallRaw)
			if err != nil {
				return nil, err
			}
			u.small = append(u.small, s)
		}
		u.used++
		return u.small[u.used-1], nil
	}
	if u.large == nil || bufferOf(u.large, 0).bytes < n {
		if u.large != nil {
			d.destroy(bufferOf(u.large, 0))
		}
		u.large = nil
		s, err := d.storage(ctx, "weights in transit", min(max(2*n, 1<<20), max(n, chunkBytes)))
		if err != nil {
			return nil, err
		}
		u.large = s
	}
	return u.large, nil
}

// storage makes U32 memory of this package's own, which stays.
func (d *Device) storage(ctx context.Context, name string, bytes int64) (*op.Storage, error) {
	t := op.NewStorage(name, op.Fixed, op.U32, 1, int((bytes+3)/4))
	b, err := d.sure(ctx, name, storageBytes(t.Storage), storageUsage)
	if err != nil {
		return nil, err
	}
	t.Storage.Handle = single{b}
	return t.Storage, nil
}

// prepareUploads makes the buffers of the first upload, and empties the counters
// when they are used up.
func (d *Device) prepareUploads(ctx context.Context) (err error) {
	u := &d.uploads
	if u.uniform == nil {
		u.pending = js.Global().Get("Array").New()
		u.uniform, err = d.sure(ctx, "parameters of uploads", launchSlots*uniformSlot, wgpu.BufferUsageUniform|wgpu.BufferUsageCopyDst)
		if err != nil {
			return err
		}
	}
	if u.bad == nil {
		if u.bad, err = d.storage(ctx, "counters of weights", badSlots*4); err != nil {
			return err
		}
	}
	if len(u.names) == badSlots {
		return d.Sync(ctx)
	}
	return nil
}

// sendRaw writes n bytes of a source to the start of a buffer, those of a joined one
// run by run. WebGPU takes whole words: where runs meet within a word, the bytes are
// joined in Go's memory.
func (d *Device) sendRaw(src op.Source, b *buffer, off, n int64) error {
	if !wordwise(src, off, n) {
		return d.sendCopy(src, b, 0, off, n)
	}
	for to := int64(0); to < n; {
		from, at, have := op.RunAt(src, off+to)
		size := min(n-to, have)
		if err := d.sendRun(from, b, to, at, size); err != nil {
			return err
		}
		to += size
	}
	return nil
}

// sendRun writes n bytes of a source to byte to of a buffer, a whole word. The last
// word is filled up with zeros.
func (d *Device) sendRun(src op.Source, b *buffer, to, off, n int64) error {
	p, ok := src.(op.PieceSource)
	if !ok {
		return d.sendCopy(src, b, to, off, n)
	}
	v, err := p.Piece(off, n)
	if err != nil {
		return err
	}
	piece, ok := v.(js.Value)
	if !ok || piece.Get("byteLength").Int() != int(n) {
		return fault.New(fault.Internal, "the source gave %T of another size than the %d bytes asked for", v, n)
	}
	dst, whole := d.replay.Get("buffers").Index(int(b.id)), n&^3
	if whole > 0 {
		d.jsq.Call("writeBuffer", dst, to, piece, 0, whole)
	}
	if whole < n {
		last := js.Global().Get("Uint8Array").New(4)
		last.Call("set", piece.Call("subarray", whole))
		d.jsq.Call("writeBuffer", dst, to+whole, last)
	}
	return nil
}

// sendCopy is sendRun through Go's memory.
func (d *Device) sendCopy(src op.Source, b *buffer, to, off, n int64) error {
	padded := int((n + 3) &^ 3)
	if cap(d.uploads.scratch) < padded {
		d.uploads.scratch = make([]byte, padded)
	}
	buf := d.uploads.scratch[:padded]
	clear(buf[n:])
	if _, err := src.ReadAt(buf[:n], off); err != nil {
		return fault.Pass(err, fault.Fetch, "%d bytes at %d", n, off)
	}
	d.send(b, to, buf)
	return nil
}

// flush submits the repack launches that wait.
func (d *Device) flush() error {
	u := &d.uploads
	u.used = 0
	if u.launches == 0 {
		return nil
	}
	program := d.replay.Call("program", jsWords(u.words), u.pending)
	d.replay.Call("run", program, 0, u.launches)
	u.pending = js.Global().Get("Array").New()
	u.words, u.launches = u.words[:0], 0
	return nil
}

// checkWeights reads the counters of the uploads since the last look.
func (d *Device) checkWeights(ctx context.Context) error {
	u := &d.uploads
	if len(u.names) == 0 {
		return nil
	}
	counts := make([]uint32, len(u.names))
	if err := d.fetch(ctx, bufferOf(u.bad, 0), 0, bytesOf(counts)); err != nil {
		return err
	}
	names := u.names
	u.names = nil
	d.send(bufferOf(u.bad, 0), 0, bytesOf(make([]uint32, len(counts))))
	for i, n := range counts {
		if n > 0 {
			return fault.New(fault.WeightsNotFinite, "%s holds %d values or scales that are not finite", names[i], n)
		}
	}
	return nil
}
