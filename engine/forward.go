package engine

import (
	"context"
	"math"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// Pass is the input of one forward pass of a transformer, for comparing it with
// another implementation.
type Pass struct {
	Rows, Cols int       // image tokens
	Img        []float32 // [Rows·Cols, in]
	Txt        []float32 // [T, C], token states
	Pooled     []float32 // [P]
	Time       float64   // 1 noise … 0 data
	Guidance   float64   // embedded scale, where the model has one
	Shift      []float32 // [Blocks+1, D] added to y block by block, the head's last; nil: none
}

// Passed is what one forward pass gives.
type Passed struct {
	Velocity []float32  // [Rows·Cols, in]
	Blocks   []BlockRMS // the residual stream after every block
}

// BlockRMS is the root mean square of the residual stream after a block. Double
// blocks are named with the stream they mean, as in "double_blocks.0.img".
type BlockRMS struct {
	Name string    `json:"name"`
	RMS  float64   `json:"rms"`
	Last []float32 `json:"-"` // the stream's last row [D], which shows what a mean hides
}

// Forward runs one pass of the loaded transformer.
func (e *Engine) Forward(ctx context.Context, in Pass) (*Passed, error) {
	release, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	out, err := Forward(ctx, e.be, e.flux, in)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return out, nil
}

// Forward runs one pass of any transformer on any machine. Nothing is kept. Errors:
// RequestInvalid for sizes that do not fit, NotFinite where a result is NaN or
// infinite, and the machine's.
func Forward(ctx context.Context, be op.Backend, f *dit.Flux, in Pass) (*Passed, error) {
	tokens := in.Rows * in.Cols
	if in.Rows < 1 || in.Cols < 1 || in.Rows > 1<<12 || in.Cols > 1<<12 {
		return nil, fault.New(fault.RequestInvalid, "%d × %d image tokens, supported 1 to %d a side", in.Rows, in.Cols, 1<<12)
	}
	text := len(in.Txt) / f.ContextDim
	for _, c := range []struct {
		name      string
		got, want int
	}{
		{"img", len(in.Img), tokens * f.InChannels}, {"txt", len(in.Txt), max(text, 1) * f.ContextDim},
		{"pooled", len(in.Pooled), f.VecDim}, {"shift", len(in.Shift), (f.Blocks() + 1) * f.Hidden},
	} {
		if c.got != c.want && !(c.name == "shift" && c.got == 0) {
			return nil, fault.New(fault.RequestInvalid, "%s has %d numbers, wanted %d", c.name, c.got, c.want)
		}
	}
	r := &runner{ctx: ctx, be: be}
	defer r.free()

	// y = τ + ψ, in the same two halves as for pictures.
	vectors := op.NewList("vectors")
	psi, tau, txt := r.fixed("psi", 1, f.Hidden), r.fixed("tau", 1, f.Hidden), r.fixed("txt", text, f.Hidden)
	var scale *op.Tensor
	if f.GuidanceEmbed {
		scale = r.fixed("guidance scale", 1, dit.TimeDim, dit.Sinusoid(in.Guidance)...)
	}
	f.Psi(vectors, r.fixed("pooled", 1, f.VecDim, in.Pooled...), psi)
	f.Tau(vectors, r.fixed("time", 1, dit.TimeDim, dit.Sinusoid(in.Time)...), scale, tau)
	f.TextIn(vectors, r.fixed("tokens", text, f.ContextDim, in.Txt...), txt)
	r.run(vectors)
	var yhat []float32
	psiRow, tauRow := r.read(psi), r.read(tau)
	for b := range f.Blocks() + 1 {
		for i := range psiRow {
			v := tauRow[i] + psiRow[i]
			if in.Shift != nil {
				v += in.Shift[b*f.Hidden+i]
			}
			yhat = append(yhat, v)
		}
	}

	pass := op.NewList("forward")
	x := r.fixed("x", text+tokens, f.Hidden)
	mods := r.fixed("modulation", 1, f.ModWidth())
	out := r.fixed("velocity", tokens, f.InChannels)
	var names []string
	var probes []*op.Tensor
	f.Modulate(pass, r.fixed("yhat", 1, (f.Blocks()+1)*f.Hidden, yhat...), mods)
	f.Velocity(pass, dit.Step{
		X: x, Latent: r.fixed("img", tokens, f.InChannels, in.Img...), Mod: mods, Out: out,
		Rope: r.fixed("rope", text+tokens, f.HeadDim(), f.RopeTable(text, in.Rows, in.Cols)...),
		Probe: func(name string, v *op.Tensor) {
			names = append(names, name)
			probes = append(probes, pass.Copy(v, r.fixed(name, v.Rows, v.Cols)))
		},
	})
	r.run(pass, op.Copy{Dst: x.Slice(0, text), Src: txt})
	res := &Passed{Velocity: r.read(out)}
	for i, p := range probes {
		x := r.read(p)
		res.Blocks = append(res.Blocks, BlockRMS{names[i], rms(x), x[max(len(x)-f.Hidden, 0):]})
	}
	if r.err == nil {
		r.err = res.finite()
	}
	if r.err != nil {
		return nil, r.err
	}
	return res, nil
}

// finite names the first block after which the residual stream is no longer finite
// (fault.NotFinite), or the velocity.
func (p *Passed) finite() error {
	for _, b := range p.Blocks {
		if math.IsNaN(b.RMS) || math.IsInf(b.RMS, 0) {
			return fault.New(fault.NotFinite, "after %s the residual stream has values that are NaN or infinite (RMS %g)", b.Name, b.RMS)
		}
	}
	if v := rms(p.Velocity); math.IsNaN(v) || math.IsInf(v, 0) {
		return fault.New(fault.NotFinite, "the velocity has values that are NaN or infinite, though the stream after every block is finite")
	}
	return nil
}

// runner runs lists once. The first error sticks, and nothing runs after it.
type runner struct {
	ctx      context.Context
	be       op.Backend
	tensors  []*op.Tensor
	programs []op.Program
	err      error
}

// fixed makes a tensor, with contents if any are given. After an error it gives
// a description without memory, so that recording can go on.
func (r *runner) fixed(name string, rows, cols int, data ...float32) *op.Tensor {
	if r.err == nil {
		var t *op.Tensor
		if t, r.err = r.be.New(name, op.F32, rows, cols); r.err == nil {
			r.tensors = append(r.tensors, t)
			if len(data) > 0 {
				r.err = r.be.Write(t, data)
			}
			return t
		}
	}
	return op.NewStorage(name, op.Fixed, op.F32, rows, cols)
}

func (r *runner) run(l *op.List, copies ...op.Copy) {
	if r.err != nil {
		return
	}
	var p op.Program
	if p, r.err = r.be.Compile(r.ctx, l); r.err == nil {
		r.programs = append(r.programs, p)
		r.err = p.Run(r.ctx, copies...)
	}
}

func (r *runner) read(t *op.Tensor) (data []float32) {
	if r.err == nil {
		data, r.err = r.be.Read(r.ctx, t)
	}
	return data
}

func (r *runner) free() {
	for _, p := range r.programs {
		p.Close()
	}
	r.be.Free(r.tensors...)
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(max(len(x), 1)))
}
