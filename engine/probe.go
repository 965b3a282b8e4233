package engine

import (
	"context"
	"math"
	"slices"
	"time"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/text"
	"undertone/guidance"
)

// maxProbe bounds the numbers of attention that are kept, and those that a step reads back.
const maxProbe = 1 << 24

// probing is the probe of one picture in the making.
type probing struct {
	*Probe
	r     *run
	shape dit.Shape
	parts []dit.Part
	ms    float64
}

// newProbing begins to probe after the pipeline has got the picture's noise.
func (r *run) newProbing(ctx context.Context) (*probing, error) {
	begin := time.Now()
	p, shape := r.pipeline, r.e.transformer.Shape()
	k := &probing{r: r, shape: shape, parts: r.e.transformer.Parts(), Probe: &Probe{Times: r.sigmas, Rows: p.rows, Cols: p.cols}}
	k.read(r.branches[0].tokens[r.e.conditioner.first()])
	k.Words = k.Words[:min(len(k.Words), shape.HeadDim)]
	if w := r.req.Probe.Word; w != nil {
		if *w < 0 || *w >= len(k.Tokens) {
			return nil, fault.New(fault.RequestInvalid, "the probe asks for token %d, the prompt has 0 to %d", *w, len(k.Tokens)-1)
		}
		k.Words = []int{*w}
	}
	cells := len(shape.Blocks) * p.rows * p.cols
	if n := cells * max(shape.HeadDim, r.req.Steps*len(k.Words)); n > maxProbe {
		return nil, fault.New(fault.RequestInvalid, "the probe would read %d numbers, at most %d: ask for a smaller picture, fewer steps or one word", n, maxProbe)
	}
	if err := p.recordProbe(ctx); err != nil {
		return nil, err
	}
	if err := p.be.Write(p.maps.Unit, shape.UnitValues(p.maps.Unit.Rows, k.Words)); err != nil {
		return nil, err
	}
	k.Attention = make([]float32, 0, r.req.Steps*cells*len(k.Words))
	for _, part := range k.parts {
		k.Modulation = append(k.Modulation, recipe.Modulation{Block: part.Block, Part: part.Name})
	}
	k.vectors()
	k.ms = milliseconds(time.Since(begin))
	return k, nil
}

// recordProbe compiles the pass that is looked at, once.
func (p *pipeline) recordProbe(ctx context.Context) (err error) {
	if p.runProbe != nil {
		return nil
	}
	t, shape := p.transformer, p.transformer.Shape()
	width := shape.Heads * shape.HeadDim
	if p.maps.Unit == nil { // what a failed attempt has made is still owned
		if p.reference != nil {
			p.maps.Reference = p.reference.Rows
		}
		if p.maps.Unit, err = p.new("unit values", op.F32, p.reading.Tokens+p.latent.Rows+p.maps.Reference, width); err != nil {
			return err
		}
	}
	if p.maps.Out == nil {
		if p.maps.Out, err = p.new("attention", op.F32, len(shape.Blocks)*p.latent.Rows, shape.HeadDim); err != nil {
			return err
		}
	}
	if p.maps.Mean == nil {
		if p.maps.Mean, err = constant(ctx, p.be, "mean over heads", op.UseMatrix, shape.HeadDim, width, shape.HeadMean()); err != nil {
			return err
		}
		p.owned = append(p.owned, p.maps.Mean)
	}
	l := op.NewList("probe")
	pass := p.pass(0, nil)
	p.maps.Limit, p.maps.Lead, p.maps.Cols = pass.Limit, pass.Lead, pass.Cols
	pass.BeforeAttention = t.Maps(l, p.maps)
	t.Velocity(l, pass)
	p.runProbe, err = p.be.Compile(ctx, l)
	return err
}

// read lists the prompt's tokens, and takes all of them for Words.
func (k *probing) read(t text.Tokens) {
	last := t.First + len(t.Words)
	k.Padding = len(t.IDs) - 1 - last
	for i, id := range t.IDs[:last+1] {
		token := recipe.Token{ID: id, Kind: "word"}
		switch {
		case i < t.First:
			token.Kind = "start"
		case i == last:
			token.Kind = "end"
		default:
			if token.Text = t.Words[i-t.First]; slices.Contains(t.Unknown, token.Text) {
				token.Kind = "unknown"
			}
		}
		k.Tokens = append(k.Tokens, token)
		k.Words = append(k.Words, i)
	}
}

// vectors measures y and ŷ.
func (k *probing) vectors() {
	d, kinds := k.shape.Vector, append(slices.Clone(k.shape.Blocks), "head")
	k.Blocks = make([]recipe.Vectors, len(kinds))
	for s := range k.r.req.Steps {
		row := s * len(k.r.branches) // the branch with the prompt comes first
		plain := k.r.y[row*d : (row+1)*d]
		k.NormY = append(k.NormY, norm(plain))
		for l, kind := range kinds {
			b := &k.Blocks[l]
			hat := k.r.yhat[(row*len(kinds)+l)*d:][:d]
			g := guidance.ReadOut(plain, hat)
			b.Norm, b.AngleDegrees = append(b.Norm, g.NormDelta), append(b.AngleDegrees, g.AngleDegrees)
			if s == 0 {
				b.Kind, b.NormShift = kind, norm(guidance.Delta(hat, plain))
			}
		}
	}
}

// step looks at a step before it is taken: copies are the step's own data, mod its
// row of modulation.
func (k *probing) step(ctx context.Context, copies []op.Copy, mod *op.Tensor) error {
	begin := time.Now()
	p := k.r.pipeline
	if err := p.runProbe.Run(ctx, copies...); err != nil {
		return err
	}
	seen, err := p.be.Read(ctx, p.maps.Out)
	if err != nil {
		return err
	}
	cells := k.Rows * k.Cols
	for block := range k.shape.Blocks {
		for w := range k.Words {
			for i := range cells {
				k.Attention = append(k.Attention, seen[(block*cells+i)*k.shape.HeadDim+w])
			}
		}
	}
	row, err := p.be.Read(ctx, mod)
	if err != nil {
		return err
	}
	next := func(part dit.Part) float64 {
		v := row[:part.Width]
		row = row[part.Width:]
		return norm(v)
	}
	for i, part := range k.parts {
		m := &k.Modulation[i]
		m.Shift, m.Scale = append(m.Shift, next(part)), append(m.Scale, next(part))
		if part.Gate {
			m.Gate = append(m.Gate, next(part))
		}
	}
	if err := k.draw(ctx); err != nil {
		return err
	}
	k.ms += milliseconds(time.Since(begin))
	return nil
}

// draw keeps the latent as it is. The preview draws x_t − t·v, so t must be 0:
// the time after the last step.
func (k *probing) draw(ctx context.Context) error {
	img, err := k.r.pipeline.drawPreview(ctx, len(k.Times)-2)
	k.Latents = append(k.Latents, img)
	return err
}

// end looks at what all steps have left, and tells the result.
func (k *probing) end(ctx context.Context, r *Result) error {
	begin := time.Now()
	if err := k.draw(ctx); err != nil {
		return err
	}
	r.Probe = k.Probe
	r.Timings.ProbeMs = k.ms + milliseconds(time.Since(begin))
	return nil
}

func norm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
