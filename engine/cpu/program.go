package cpu

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// program is a compiled list.
type program struct {
	m         *Machine
	nodes     []op.Node
	temps     []*op.Storage
	tempBytes int64
	took      time.Duration // the last Run
}

// Compile gives every temporary of the list its memory; those that are never
// needed at once share it.
func (m *Machine) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	if err := m.open(); err != nil {
		return nil, err
	}
	if err := l.Err(); err != nil {
		return nil, err
	}
	p := &program{m: m, nodes: l.Nodes}
	if err := p.place(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, aborted(ctx)
}

// place walks the list once: a temporary takes a free piece of memory (the
// smallest that is large enough, or a new one) at its first operation and gives
// it back after its last. Large temporaries take seconds to fill, so it looks at
// ctx between the operations.
func (p *program) place(ctx context.Context) error {
	last := map[*op.Storage]int{}
	for i, n := range p.nodes {
		for _, s := range storages(n) {
			if s.Class == op.Temp {
				last[s] = i
			}
		}
	}
	var free [][]float32
	for i, n := range p.nodes {
		if err := p.m.tick(ctx); err != nil {
			return err
		}
		for _, s := range storages(n) {
			if _, isTemp := last[s]; !isTemp || s.Handle != nil {
				continue
			}
			best := -1
			for j, f := range free {
				if len(f) >= s.Elems && (best < 0 || len(f) < len(free[best])) {
					best = j
				}
			}
			if best >= 0 {
				s.Handle = free[best]
				free = append(free[:best], free[best+1:]...)
			} else {
				s.Handle = undefined(s.Elems)
				p.tempBytes += int64(s.Elems) * 4
			}
			p.temps = append(p.temps, s)
		}
		for _, s := range storages(n) {
			if at, isTemp := last[s]; isTemp && at == i {
				free = append(free, s.Handle.([]float32))
				delete(last, s)
			}
		}
	}
	return nil
}

// undefined is memory that shows when it is read before it was written.
func undefined(n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = float32(math.NaN())
	}
	return s
}

// storages are those an operation names, without absent inputs.
func storages(n op.Node) []*op.Storage {
	s := []*op.Storage{n.Output().Storage}
	for _, in := range n.Inputs() {
		if in != nil {
			s = append(s, in.Storage)
		}
	}
	return s
}

// Run does the copies and the list; when it returns, the work is done. When ctx
// ends meanwhile it stops within one operation's part, with outputs half made.
func (p *program) Run(ctx context.Context, copies ...op.Copy) error {
	begin := time.Now()
	defer func() { p.took = time.Since(begin) }()
	if err := p.m.open(); err != nil {
		return err
	}
	if err := aborted(ctx); err != nil {
		return err
	}
	for _, c := range copies {
		if c.Dst.Rows*c.Dst.Cols != c.Src.Rows*c.Src.Cols {
			return fault.New(fault.Shape, "copy of %s to %s", c.Src, c.Dst)
		}
		data, err := p.m.Read(ctx, c.Src)
		if err != nil {
			return err
		}
		if err := p.m.Write(c.Dst, data); err != nil {
			return err
		}
	}
	for i, n := range p.nodes {
		j := job{m: p.m, ctx: ctx}
		for _, s := range storages(n) {
			if s.Handle == nil {
				return fault.New(fault.Internal, "operation %d, %s: %s has no memory: it was freed", i, n.Kind(), s.Name)
			}
		}
		if vector, ok := vectorKernels[n.Kind()]; p.m.simd == nil || !ok || !vector(&j, n) {
			kernels[n.Kind()](&j, n)
		}
		if j.err == nil {
			j.err = p.m.tick(ctx)
		}
		if j.err != nil {
			return j.err
		}
	}
	return nil
}

// EncodeTime is all of the last Run: here the CPU does the work itself.
func (p *program) EncodeTime() time.Duration { return p.took }

// Stats counts each operation as one dispatch.
func (p *program) Stats() op.Stats {
	return op.Stats{Dispatches: len(p.nodes), TempBytes: p.tempBytes}
}

// Close lets go of the temporaries.
func (p *program) Close() {
	for _, s := range p.temps {
		s.Handle = nil
	}
	p.temps, p.nodes = nil, nil
}

// kernels holds the function of every operation.
var kernels = map[op.Kind]func(*job, op.Node){
	op.MatMul: kernel(matmul), op.Attention: kernel(attention), op.LayerNorm: kernel(layerNorm), op.QKNormRoPE: kernel(qkNormRoPE),
	op.Activation: kernel(activation), op.Add: kernel(add), op.CFG: kernel(cfg), op.Euler: kernel(euler), op.Embedding: kernel(embedding),
	op.Conv3x3: kernel(conv3x3), op.Upsample: kernel(upsample), op.Patchify: kernel(patchify), op.Unpatchify: kernel(unpatchify),
	op.ToRGBA: kernel(toRGBA), op.Copied: kernel(copied),
	op.RMSNorm: kernel(rmsNorm), op.GroupMoments: kernel(groupMoments), op.GroupNorm: kernel(groupNorm), op.Rotary: kernel(rotary), op.Gated: kernel(gated),
	op.RelativeBias: kernel(relativeBias), op.Unfold: kernel(unfold), op.Route: kernel(route), op.Gather: kernel(gather), op.ScatterAdd: kernel(scatterAdd),
}

// kernel makes the function of one operation's struct one of the table.
func kernel[N op.Node](compute func(*job, N)) func(*job, op.Node) {
	return func(j *job, n op.Node) { compute(j, n.(N)) }
}

// job is one operation being computed.
type job struct {
	m   *Machine
	ctx context.Context
	err error
}

// view gives access to the rows of a tensor.
type view struct {
	*op.Tensor
	s []float32
}

func (v view) row(r int) []float32 {
	at := v.Offset + r*v.Stride
	return v.s[at : at+v.Cols : at+v.Cols]
}

func f32(t *op.Tensor) view {
	if t == nil {
		return view{}
	}
	s, _ := t.Storage.Handle.([]float32) // none in panels
	return view{t, s}
}

// parallel calls do once for each part 0 … parts−1, on all workers. Parts write
// to different places and each computes the same wherever it runs. Between its
// own parts the calling goroutine lets the event loop run and looks at ctx.
func (j *job) parallel(parts int, do func(part int)) {
	var next atomic.Int64
	var stop atomic.Bool
	work := func(between func() bool) {
		for !stop.Load() {
			part := int(next.Add(1)) - 1
			if part >= parts {
				return
			}
			do(part)
			if !between() {
				stop.Store(true)
			}
		}
	}
	var wg sync.WaitGroup
	for range min(j.m.workers, parts) - 1 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			work(func() bool { return true })
		}()
	}
	work(func() bool {
		if j.err == nil {
			j.err = j.m.tick(j.ctx)
		}
		return j.err == nil
	})
	wg.Wait()
}

// yieldEvery is how long the event loop may wait.
const yieldEvery = 50 * time.Millisecond

// tick is called between parts of the work.
func (m *Machine) tick(ctx context.Context) error {
	if time.Since(m.last) < yieldEvery {
		return nil
	}
	if m.opt.Yield != nil {
		m.opt.Yield()
	}
	m.last = time.Now()
	return aborted(ctx)
}
