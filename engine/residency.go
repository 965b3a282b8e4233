package engine

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"undertone/engine/op"
	"undertone/engine/weights"
)

// residency is a Backend that knows which weights are on the machine beneath it. A
// program's weights are there while it runs. Where they do not fit into a limit
// together with those of other programs, the ones used longest ago leave: text encoders
// once the transformer comes, AdaLN's once modulation is computed, the transformer's
// before the decoder draws. What has left comes back from its file when a program needs
// it. Without a limit everything stays.
type residency struct {
	op.Backend
	bundle *weights.Bundle
	limit  int64 // bytes of weights at once, as files hold them; 0: no limit
	lazy   bool  // weights come when they are first needed, not while a model is loaded
	known  map[*op.Storage]*resident
	fixed  map[*op.Tensor]bool // what is on the machine beside weights that can leave
	made   map[*program]bool
	here   int64 // bytes of weights that are on the machine
	clock  int64 // counts uses
}

// oneProgram is the limit at which no more weights are on the machine than the running
// program needs.
const oneProgram = 1

// resident is a weight that can leave.
type resident struct {
	tensor     *op.Tensor // what networks hold; without a handle while it is away
	uploaded   *op.Tensor // what the machine made last, whose storage tensor's is a copy of
	file       string     // the name of its file
	name       string
	use        op.Use
	rows, cols int
	bytes      int64
	here       bool
	used       int64 // the clock at its last use
}

func (w *resident) away() bool { return !w.here }

// need are the weights that a list reads, each once.
func (r *residency) need(l *op.List) (all []*resident) {
	seen := map[*resident]bool{}
	for _, n := range l.Nodes {
		for _, t := range n.Inputs() {
			if t == nil {
				continue
			}
			if w := r.known[t.Storage]; w != nil && !seen[w] {
				seen[w] = true
				all = append(all, w)
			}
		}
	}
	return all
}

// Compile compiles a list once its weights are there.
func (r *residency) Compile(ctx context.Context, l *op.List) (op.Program, error) {
	if err := l.Err(); err != nil {
		return nil, err
	}
	p := &program{r: r, list: l, needs: r.need(l)}
	r.made[p] = true
	if slices.ContainsFunc(p.needs, (*resident).away) {
		return p, nil // compiled at its first run
	}
	return p, p.compile(ctx)
}

// bring makes weights be on the machine, and others leave where both do not fit.
func (r *residency) bring(ctx context.Context, needs []*resident) error {
	r.clock++
	missing := int64(0)
	files := map[string][]*resident{}
	for _, w := range needs {
		w.used = r.clock
		if !w.here {
			missing += w.bytes
			files[w.file] = append(files[w.file], w)
		}
	}
	if missing == 0 {
		return nil
	}
	if r.limit > 0 {
		r.evict(r.here + missing - r.limit)
	}
	for _, m := range r.bundle.Files {
		if err := r.read(ctx, m.Name, files[m.Name]); err != nil {
			return err
		}
	}
	return nil
}

// evict frees at least so many bytes of weights that the current use does not need, if
// there are as many, those first that were used longest ago.
func (r *residency) evict(bytes int64) {
	var others []*resident
	for _, w := range r.known {
		if w.here && w.used < r.clock {
			others = append(others, w)
		}
	}
	slices.SortFunc(others, func(a, b *resident) int { return cmp.Or(cmp.Compare(a.used, b.used), cmp.Compare(a.name, b.name)) })
	for _, w := range others {
		if bytes <= 0 {
			break
		}
		r.Free(w.uploaded)
		w.tensor.Storage.Handle, w.uploaded, w.here = nil, nil, false
		r.here -= w.bytes
		bytes -= w.bytes
	}
	for p := range r.made { // whose temporaries take memory, too
		if slices.ContainsFunc(p.needs, (*resident).away) {
			p.forget()
		}
	}
}

// read uploads weights from their file again.
func (r *residency) read(ctx context.Context, file string, list []*resident) error {
	if len(list) == 0 {
		return nil
	}
	whole, err := r.bundle.OpenWhole(file, func(name string) (op.Source, error) {
		src, _, err := r.bundle.OpenFile(ctx, name)
		return src, err
	})
	if err != nil {
		return err
	}
	defer weights.Close(whole)
	u, err := NewUploader(ctx, r.Backend, whole)
	if err != nil {
		return err
	}
	for _, w := range list {
		t := u.Get(w.name, w.use, w.rows, w.cols)
		if err := u.Err(); err != nil {
			return err
		}
		*w.tensor.Storage = *t.Storage // which every view of it sees
		w.uploaded, w.here = t, true
		r.here += w.bytes
	}
	return nil
}

// economize gives up what only saves time: other sizes, the contexts of other
// prompts, the modulation. From then on one size is kept, and pictures are decoded
// in strips.
func (e *Engine) economize() {
	e.lowMemory = true
	for _, p := range e.pipelines {
		p.free()
	}
	e.pipelines = nil
	if e.modulation != nil {
		e.modulation.free()
		e.modulation = nil
	}
	e.conditioner.release()
}

// scarce gives up what economize does, and keeps from now on no more weights than a
// program needs.
func (e *Engine) scarce() {
	e.economize()
	r := e.residency
	r.limit = oneProgram
	r.clock++
	r.evict(r.here)
}

// asked is the source of a component's weights, which notes what is asked for.
type asked struct {
	*Uploader
	r    *residency
	file string
}

// Get uploads a weight or, where weights come later, checks that it is in the file.
func (a asked) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	w := &resident{file: a.file, name: name, use: use, rows: rows, cols: cols}
	if a.r.lazy {
		if a.spec(name, use, rows, cols); a.err != nil {
			return nil
		}
		w.tensor = op.NewStorage(name, op.Weight, op.F32, rows, cols)
	} else if w.tensor = a.Uploader.Get(name, use, rows, cols); w.tensor == nil {
		return nil
	}
	t, _ := a.index.Lookup(name)
	w.bytes = t.Bytes
	if w.here = !a.r.lazy; w.here {
		w.uploaded = w.tensor
		a.r.here += w.bytes
	}
	a.r.known[w.tensor.Storage] = w
	return w.tensor
}

// Constant uploads numbers that are not in the file.
func (a asked) Constant(name string, use op.Use, rows, cols int, values []float32) *op.Tensor {
	t := a.Uploader.Constant(name, use, rows, cols, values)
	if t != nil {
		a.r.fixed[t] = true
	}
	return t
}

// mark remembers what there is; what it returns takes away what has come since.
func (r *residency) mark() (back func()) {
	known, fixed := maps.Clone(r.known), maps.Clone(r.fixed)
	return func() {
		for s, w := range r.known {
			if known[s] == nil {
				if w.here {
					r.Free(w.uploaded)
					r.here -= w.bytes
				}
				delete(r.known, s)
			}
		}
		for t := range r.fixed {
			if !fixed[t] {
				r.Free(t)
			}
		}
	}
}

// New makes a tensor that stays until it is freed.
func (r *residency) New(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t, err := r.Backend.New(name, dt, rows, cols)
	if err == nil {
		r.fixed[t] = true
	}
	return t, err
}

// Free gives tensors back.
func (r *residency) Free(ts ...*op.Tensor) {
	for _, t := range ts {
		delete(r.fixed, t)
	}
	r.Backend.Free(ts...)
}

// clear takes everything off the machine.
func (r *residency) clear() {
	for p := range r.made {
		p.Close()
	}
	r.clock++
	r.evict(r.here)
	r.Free(slices.Collect(maps.Keys(r.fixed))...)
}

// program is a list whose weights may have left since it was compiled.
type program struct {
	r     *residency
	list  *op.List
	needs []*resident
	run   op.Program // nil until it is compiled
}

func (p *program) compile(ctx context.Context) (err error) {
	p.run, err = p.r.Backend.Compile(ctx, p.list)
	return err
}

// Run brings the weights, compiles where one had left, and runs.
func (p *program) Run(ctx context.Context, copies ...op.Copy) error {
	if err := p.r.bring(ctx, p.needs); err != nil {
		return err
	}
	if p.run == nil {
		if err := p.compile(ctx); err != nil {
			return err
		}
	}
	return p.run.Run(ctx, copies...)
}

func (p *program) EncodeTime() time.Duration {
	if p.run == nil {
		return 0
	}
	return p.run.EncodeTime()
}

func (p *program) Stats() op.Stats {
	if p.run == nil {
		return op.Stats{}
	}
	return p.run.Stats()
}

func (p *program) Close() {
	delete(p.r.made, p)
	p.forget()
}

// forget gives up what was compiled.
func (p *program) forget() {
	if p.run != nil {
		p.run.Close()
		p.run = nil
	}
}
