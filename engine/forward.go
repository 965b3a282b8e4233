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
	Img        []float32 // [Rows·Cols, Channels]
	Reference  Reference // a picture to go by, where the model reads one
	Txt        []float32 // [T, C], token states of the only text encoder, or of all joined
	Texts      []Encoded // in place of Txt, where the model reads several that cannot be joined
	Pooled     []float32 // [P]
	Time       float64   // 1 noise … 0 data
	Guidance   float64   // embedded scale, where the model has one
	Shift      []float32 // [Blocks+1, Vector] added to y block by block, the head's last; nil: none
}

// Encoded is what one text encoder gives for a prompt; its pooled vector is in Pass.Pooled.
type Encoded struct {
	dit.Encoder
	States []float32 // [Layers, Tokens, Width]
}

// Reference is a reference picture's latent as image tokens; empty: none.
type Reference struct {
	Rows, Cols int
	Img        []float32 // [Rows·Cols, Channels]
}

// referenced is a Transformer that reads reference pictures.
type referenced interface {
	// ReferencePositions follow those of Transformer.Positions.
	ReferencePositions(rows, cols int) []float32
}

// positions continue the table of the transformer's positions.
func (r Reference) positions(t Transformer, side int) ([]float32, error) {
	if r.Rows == 0 && r.Cols == 0 {
		return nil, nil
	}
	reads, ok := t.(referenced)
	if !ok {
		return nil, fault.New(fault.RequestInvalid, "a reference picture of %d × %d tokens, of which this transformer reads none", r.Rows, r.Cols)
	}
	if r.Rows < 1 || r.Cols < 1 || r.Rows > side || r.Cols > side {
		return nil, fault.New(fault.RequestInvalid, "a reference picture of %d × %d tokens, supported 1 to %d a side", r.Rows, r.Cols, side)
	}
	return reads.ReferencePositions(r.Rows, r.Cols), nil
}

// Passed is what one forward pass gives.
type Passed struct {
	Velocity []float32  // [Rows·Cols, Channels]
	Blocks   []BlockRMS // the residual stream after every block
}

// BlockRMS is the root mean square of the residual stream after a block. Double
// blocks are named with the stream they mean, as in "double_blocks.0.img".
type BlockRMS struct {
	Name string    `json:"name"`
	RMS  float64   `json:"rms"`
	Last []float32 `json:"-"` // the stream's last row [D], which shows what a mean hides
}

// Forward runs one pass of the loaded transformer, on the token states and the pooled
// vector of all its text encoders joined.
func (e *Engine) Forward(ctx context.Context, in Pass) (*Passed, error) {
	release, err := e.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	shape := e.transformer.Shape()
	out, err := Forward(ctx, e.be, e.transformer, dit.Encoder{Name: "joined", Width: shape.Context, Pooled: shape.Pooled}, in)
	if err != nil {
		return nil, explain(ctx, err)
	}
	return out, nil
}

// Forward runs one pass of any transformer on any machine, on what one text encoder
// gives: where a model has several, one that gives what they give joined. Nothing is
// kept. Errors:
// RequestInvalid for sizes that do not fit, NotFinite where a result is NaN or
// infinite, and the machine's.
func Forward(ctx context.Context, be op.Backend, t Transformer, encoder dit.Encoder, in Pass) (*Passed, error) {
	shape, tokens := t.Shape(), in.Rows*in.Cols
	blocks := len(shape.Blocks)
	side := 1 << 12
	if shape.Side > 0 {
		side = min(side, shape.Side)
	}
	if in.Rows < 1 || in.Cols < 1 || in.Rows > side || in.Cols > side {
		return nil, fault.New(fault.RequestInvalid, "%d × %d image tokens, supported 1 to %d a side", in.Rows, in.Cols, side)
	}
	behind, err := in.Reference.positions(t, side)
	if err != nil {
		return nil, err
	}
	texts := in.texts(encoder)
	reading, err := t.Fit(partsOf(texts, shape))
	if err != nil {
		return nil, err
	}
	if err := in.check(shape, texts, reading); err != nil {
		return nil, err
	}
	r := &runner{ctx: ctx, be: be}
	defer r.free()

	// y = τ + ψ, in the same two halves as for pictures.
	vectors := op.NewList("vectors")
	psi, tau := r.fixed("psi", 1, shape.Vector), r.fixed("tau", 1, shape.Vector)
	text := r.fixed("context", reading.Tokens, reading.Width)
	var scale *op.Tensor
	if shape.EmbedsGuidance {
		scale = r.fixed("guidance scale", 1, shape.Time, t.Time(in.Guidance)...)
	}
	var pooled *op.Tensor // nil for a network without a pooled path
	if shape.Pooled > 0 {
		pooled = r.fixed("pooled", 1, shape.Pooled, in.Pooled...)
	}
	t.Psi(vectors, pooled, psi)
	t.Tau(vectors, r.fixed("time", 1, shape.Time, t.Time(in.Time)...), scale, tau)
	t.Context(vectors, r.states(texts), text)
	r.run(vectors)
	yhat := in.vectors(r.read(psi), r.read(tau), blocks+1)

	pass := op.NewList("forward")
	mods := r.fixed("modulation", 1, shape.Modulation)
	out := r.fixed("velocity", tokens, shape.Channels)
	table, width := t.Positions(reading.Tokens, in.Rows, in.Cols)
	var positions, reference *op.Tensor
	table = append(table, behind...)
	if n := in.Reference.Rows * in.Reference.Cols; n > 0 {
		reference = r.fixed("reference", n, shape.Channels, in.Reference.Img...)
	}
	if len(table) > 0 {
		positions = r.fixed("positions", len(table)/width, width, table...)
	}
	var names []string
	var probes []*op.Tensor
	t.Modulate(pass, r.fixed("yhat", 1, (blocks+1)*shape.Vector, yhat...), mods)
	t.Velocity(pass, dit.Pass{
		Context: text, Lead: reading.Lead, Latent: r.fixed("img", tokens, shape.Channels, in.Img...), Reference: reference, Mod: mods, Out: out,
		Positions: positions, Rows: in.Rows, Cols: in.Cols, Limit: be.Info().MaxTensor(),
		AfterBlock: func(name string, v *op.Tensor) {
			names = append(names, name)
			probes = append(probes, pass.Copy(v, r.fixed(name, v.Rows, v.Cols)))
		},
	})
	r.run(pass)
	res := &Passed{Velocity: r.read(out)}
	for i, p := range probes {
		x := r.read(p)
		res.Blocks = append(res.Blocks, BlockRMS{names[i], rms(x), x[max(len(x)-p.Cols, 0):]})
	}
	if r.err == nil {
		r.err = res.finite()
	}
	if r.err != nil {
		return nil, r.err
	}
	return res, nil
}

// texts are what the encoders give: several, or what the only one does.
func (in Pass) texts(encoder dit.Encoder) []Encoded {
	if in.Texts != nil {
		return in.Texts
	}
	encoder.Tokens = len(in.Txt) / max(encoder.Width, 1)
	return []Encoded{{encoder, in.Txt}}
}

// partsOf are the encoders, beside a decoder that fits the shape.
func partsOf(texts []Encoded, shape dit.Shape) dit.Parts {
	parts := dit.Parts{LatentChannels: shape.Channels / (shape.Patch * shape.Patch)}
	for _, e := range texts {
		parts.Encoders = append(parts.Encoders, e.Encoder)
	}
	return parts
}

// states are the token states of the encoders that give any.
func (r *runner) states(texts []Encoded) (all []dit.States) {
	for _, e := range texts {
		if e.Width > 0 {
			all = append(all, dit.States{Encoder: e.Encoder, Tensor: r.fixed("tokens", max(e.Encoder.States, 1)*e.Tokens, e.Width, e.States...)})
		}
	}
	return all
}

// vectors is y = ψ + τ for every block and the head, with the shifts added.
func (in Pass) vectors(psi, tau []float32, n int) (yhat []float32) {
	for b := range n {
		for i := range psi {
			v := tau[i] + psi[i]
			if in.Shift != nil {
				v += in.Shift[b*len(psi)+i]
			}
			yhat = append(yhat, v)
		}
	}
	return yhat
}

// check compares the lengths of what goes in with what the network reads.
func (in Pass) check(shape dit.Shape, texts []Encoded, reading dit.Reading) error {
	type length struct {
		name      string
		got, want int
	}
	lengths := []length{
		{"img", len(in.Img), in.Rows * in.Cols * shape.Channels},
		{"reference", len(in.Reference.Img), in.Reference.Rows * in.Reference.Cols * shape.Channels}, {"pooled", len(in.Pooled), shape.Pooled}, {"shift", len(in.Shift), (len(shape.Blocks) + 1) * shape.Vector},
	}
	for _, e := range texts {
		want := max(e.Encoder.States, 1) * e.Tokens * e.Width
		if in.Texts == nil {
			want = max(reading.Tokens, 1) * e.Width
		}
		lengths = append(lengths, length{"txt", len(e.States), want})
	}
	for _, c := range lengths {
		if c.got != c.want && !(c.name == "shift" && c.got == 0) {
			return fault.New(fault.RequestInvalid, "%s has %d numbers, wanted %d", c.name, c.got, c.want)
		}
	}
	return nil
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

func (r *runner) run(l *op.List) {
	if r.err != nil {
		return
	}
	var p op.Program
	if p, r.err = r.be.Compile(r.ctx, l); r.err == nil {
		r.programs = append(r.programs, p)
		r.err = p.Run(r.ctx)
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
