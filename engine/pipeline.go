package engine

import (
	"context"
	"math"
	"slices"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/recipe"
	"undertone/engine/sample"
)

// keepPipelines is how many picture sizes stay compiled.
const keepPipelines = 2

// lowMemoryStrips is how many strips pictures are decoded in where memory is short.
const lowMemoryStrips = 4

// pipeline holds the tensors and programs of pictures of one size.
type pipeline struct {
	be            op.Backend
	transformer   Transformer
	decoder       Decoder
	reading       dit.Reading
	size          recipe.Size // of the picture
	edits         bool        // pictures have a reference
	width, height int         // of the latent, in its own pixels
	rows, cols    int         // of image tokens
	steps         int         // at most
	schedule      sample.Schedule

	noise         *op.Tensor   // [height·width, c]
	drawn         uint64       // of what seed that is, and in the lower half the factor's bits; 0: of none
	latent        *op.Tensor   // [S, in], x_t
	velocity      *op.Tensor   // [S, in]
	rgba, preview *op.Tensor   // [1, pixels] and [1, height·width] U32
	positions     *op.Tensor   // see Transformer.Positions; nil where it is empty
	context       []*op.Tensor // [T, D], one for each branch
	mod           []*op.Tensor // [1, Modulation], likewise
	dts, ts       *op.Tensor   // [max steps, 1]: what Euler's step is multiplied by, and −t_next
	dt, t         *op.Tensor   // [1, 1], those of the current step
	given         *op.Tensor   // [picture's pixels, 3], the reference as it is read; these three only where pictures have one
	reference     *op.Tensor   // [S, in], its latent
	referred      string       // the hash of the picture that reference is of
	fresh         *fresh       // of a stochastic sampler, else nil
	history       *history     // of one that remembers, else nil

	runNoise     op.Program // noise → latent
	runDecode    op.Program // latent → rgba
	runPreview   op.Program // latent, velocity → preview
	runStep      op.Program // one pass, Euler
	runCFG       op.Program // two passes, classifier-free guidance, Euler
	cfg          float32    // the scale recorded in runCFG
	runReference op.Program // pixels → reference
	runProbe     op.Program // one pass that leaves the latent alone, see probe.go
	maps         dit.Maps   // what runProbe writes to
	stepMs       float64    // what a step took in the last picture; 0 before the first
	owned        []*op.Tensor
}

// pipeline finds or makes the pipeline of a size, for pictures with or without a reference.
func (e *Engine) pipeline(ctx context.Context, s recipe.Size, edits bool) (*pipeline, error) {
	if i := slices.IndexFunc(e.pipelines, func(p *pipeline) bool { return p.size == s && p.edits == edits }); i >= 0 {
		p := e.pipelines[i]
		e.pipelines = append(slices.Delete(e.pipelines, i, i+1), p)
		return p, nil
	}
	keep, strips := keepPipelines, 1
	if e.lowMemory {
		keep, strips = 1, lowMemoryStrips
	}
	for len(e.pipelines) >= keep {
		e.pipelines[0].free()
		e.pipelines = slices.Delete(e.pipelines, 0, 1)
	}
	down := e.decoder.Shape().Downscale
	rows, cols := e.tokens(s)
	p := &pipeline{
		be: e.be, transformer: e.transformer, decoder: e.decoder, reading: e.conditioner.reading, size: s, edits: edits,
		width: s.Width / down, height: s.Height / down, rows: rows, cols: cols,
		steps: e.manifest.MaxSteps, schedule: e.manifest.Scheduler,
	}
	err := p.make(ctx, strips)
	if err == nil && edits {
		err = p.makeReference(ctx, e.encoder)
	}
	if err != nil {
		p.free()
		return nil, err
	}
	e.pipelines = append(e.pipelines, p)
	return p, nil
}

// tokens is how many image tokens a picture has in a column and in a row.
func (e *Engine) tokens(s recipe.Size) (rows, cols int) {
	side := e.decoder.Shape().Downscale * e.transformer.Shape().Patch
	return s.Height / side, s.Width / side
}

// new makes a Fixed tensor that the pipeline frees.
func (p *pipeline) new(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t, err := p.be.New(name, dt, rows, cols)
	if err == nil {
		p.owned = append(p.owned, t)
	}
	return t, err
}

// make allocates the tensors, and compiles the programs that every picture needs.
// Pictures are decoded in at least so many strips.
func (p *pipeline) make(ctx context.Context, strips int) error {
	shape, v := p.transformer.Shape(), p.decoder
	pixels, tokens := p.height*p.width, p.rows*p.cols
	table, width := p.transformer.Positions(p.reading.Tokens, p.rows, p.cols)
	if p.edits {
		table = append(table, p.transformer.(referenced).ReferencePositions(p.rows, p.cols)...)
	}
	for _, t := range []struct {
		at         **op.Tensor
		name       string
		dt         op.DType
		rows, cols int
	}{
		{&p.noise, "noise", op.F32, pixels, v.Shape().Channels}, {&p.latent, "latent", op.F32, tokens, shape.Channels},
		{&p.velocity, "velocity", op.F32, tokens, shape.Channels},
		{&p.rgba, "rgba", op.U32, 1, p.size.Height * p.size.Width}, {&p.preview, "preview", op.U32, 1, pixels},
		{&p.dts, "dts", op.F32, p.steps, 1}, {&p.ts, "ts", op.F32, p.steps, 1},
		{&p.dt, "dt", op.F32, 1, 1}, {&p.t, "t", op.F32, 1, 1},
	} {
		var err error
		if *t.at, err = p.new(t.name, t.dt, t.rows, t.cols); err != nil {
			return err
		}
	}
	if p.schedule.Stochastic() {
		var err error
		if p.fresh, err = p.newFresh(); err != nil {
			return err
		}
	}
	if p.schedule.Remembers() {
		var err error
		if p.history, err = p.newHistory(); err != nil {
			return err
		}
	}
	if len(table) > 0 {
		var err error
		if p.positions, err = p.new("positions", op.F32, len(table)/width, width); err != nil {
			return err
		}
		if err := p.be.Write(p.positions, table); err != nil {
			return err
		}
	}
	start := op.NewList("noise")
	start.Patchify(p.noise, p.height, p.width, shape.Patch, false, p.latent) // [S, in]

	decode := op.NewList("decode")
	z := decode.Unpatchify(p.latent, p.height, p.width, shape.Patch, false, nil) // [height·width, c]
	strips = max(strips, v.Strips(p.height, p.width, p.be.Info().MaxTensor()))
	v.Draw(decode, z, p.height, p.width, strips, p.rgba)

	// The preview shows the data the velocity points to, x₀ = x_t − t·v, not the
	// noisy latent itself.
	preview := op.NewList("preview")
	x0 := preview.Copy(p.latent, nil)                                      // [S, in]
	preview.Euler(x0, p.velocity, p.t)                                     // [S, in]
	z = preview.Unpatchify(x0, p.height, p.width, shape.Patch, false, nil) // [height·width, c]
	preview.ToRGBA(v.LinearPreview(preview, z), 1, 0, p.preview)
	var err error
	if p.runNoise, err = p.be.Compile(ctx, start); err != nil {
		return err
	}
	if p.runDecode, err = p.be.Compile(ctx, decode); err != nil {
		return err
	}
	p.runPreview, err = p.be.Compile(ctx, preview)
	return err
}

// step finds or compiles the program of one step. The scale of classifier-free
// guidance is part of the program; 1 means a single pass.
func (p *pipeline) step(ctx context.Context, scale float32) (op.Program, error) {
	run, branches := &p.runStep, 1
	if scale != 1 {
		run, branches = &p.runCFG, 2
		if p.runCFG != nil && p.cfg != scale {
			p.runCFG.Close()
			p.runCFG = nil
		}
	}
	if *run != nil {
		return *run, nil
	}
	for len(p.context) < branches {
		c, err := p.new("context", op.F32, p.reading.Tokens, p.reading.Width)
		if err != nil {
			return nil, err
		}
		m, err := p.new("modulation of the step", op.F32, 1, p.transformer.Shape().Modulation)
		if err != nil {
			return nil, err
		}
		p.context, p.mod = append(p.context, c), append(p.mod, m)
	}
	l := op.NewList("step")
	if branches == 1 {
		p.transformer.Velocity(l, p.pass(0, p.velocity))
	} else {
		cond := p.transformer.Velocity(l, p.pass(0, nil))
		uncond := p.transformer.Velocity(l, p.pass(1, nil))
		l.CFG(cond, uncond, scale, p.velocity)
	}
	p.advance(l)
	program, err := p.be.Compile(ctx, l)
	if err != nil {
		return nil, err
	}
	*run = program
	if branches == 2 {
		p.cfg = scale
	}
	return program, nil
}

// advance records what the sampler makes of the velocity.
func (p *pipeline) advance(l *op.List) {
	if p.history != nil {
		p.history.record(l, p)
		return
	}
	l.Euler(p.latent, p.velocity, p.dt)
	if p.fresh != nil {
		p.fresh.record(l, p)
	}
}

// pass names the tensors of one branch.
func (p *pipeline) pass(branch int, out *op.Tensor) dit.Pass {
	return dit.Pass{Context: p.context[branch], Lead: p.reading.Lead, Latent: p.latent, Reference: p.reference, Mod: p.mod[branch], Positions: p.positions,
		Rows: p.rows, Cols: p.cols, Out: out, Limit: p.be.Info().MaxTensor()}
}

// begin writes a picture's noise, where another one lies there, and time steps.
func (p *pipeline) begin(ctx context.Context, seed uint32, sigmas []float64) error {
	start := float32(p.schedule.Start(sigmas))
	if drawn := uint64(seed)<<32 | uint64(math.Float32bits(start)); drawn != p.drawn {
		noise := sample.Noise(seed, p.noise.Cols, p.height, p.width)
		for i := range noise {
			noise[i] *= start
		}
		p.drawn = 0
		if err := p.be.Write(p.noise, noise); err != nil {
			return err
		}
		p.drawn = drawn
	}
	dts, ts := make([]float32, p.dts.Rows), make([]float32, p.ts.Rows)
	for k := range len(sigmas) - 1 {
		dts[k], ts[k] = float32(sigmas[k+1]-sigmas[k]), float32(-sigmas[k+1])
		if p.fresh != nil || p.history != nil {
			dts[k] = float32(-sigmas[k]) // all the way to the data
		}
		if p.history != nil {
			ts[k] = -1
		}
	}
	if p.history != nil {
		if err := p.history.begin(p, sigmas); err != nil {
			return err
		}
	}
	if p.fresh != nil {
		if err := p.fresh.begin(p, seed, sigmas); err != nil {
			return err
		}
	}
	if err := p.be.Write(p.dts, dts); err != nil {
		return err
	}
	if err := p.be.Write(p.ts, ts); err != nil {
		return err
	}
	return p.runNoise.Run(ctx)
}

// stepCopies is the data of step k: what the recorded program reads at fixed places.
// The contexts stay the same over all steps.
func (p *pipeline) stepCopies(k int, branches []*prompt, m *modulation) []op.Copy {
	copies := []op.Copy{{Dst: p.dt, Src: p.dts.Slice(k, k+1)}}
	if p.fresh != nil {
		copies = append(copies, op.Copy{Dst: p.fresh.next, Src: p.fresh.nexts.Slice(k, k+1)})
	}
	if p.history != nil {
		for i, t := range p.history.factors {
			copies = append(copies, op.Copy{Dst: t, Src: p.history.lists[i].Slice(k, k+1)})
		}
	}
	for b, prompt := range branches {
		copies = append(copies, op.Copy{Dst: p.mod[b], Src: m.row(k, b)})
		if k == 0 {
			copies = append(copies, op.Copy{Dst: p.context[b], Src: prompt.context})
		}
	}
	return copies
}

// drawPreview draws what step k points to, at the latent's own size.
func (p *pipeline) drawPreview(ctx context.Context, k int) (*Image, error) {
	if err := p.runPreview.Run(ctx, op.Copy{Dst: p.t, Src: p.ts.Slice(k, k+1)}); err != nil {
		return nil, err
	}
	return readImage(ctx, p.be, p.preview, p.width, p.height)
}

// decode draws the finished latent. A pixel without alpha is one that the decoder
// could not give a number (fault.NotFinite).
func (p *pipeline) decode(ctx context.Context) (*Image, error) {
	if err := p.runDecode.Run(ctx); err != nil {
		return nil, err
	}
	img, err := readImage(ctx, p.be, p.rgba, p.size.Width, p.size.Height)
	if err != nil {
		return nil, err
	}
	bad := 0
	for i := 3; i < len(img.RGBA); i += 4 {
		if img.RGBA[i] == 0 {
			bad++
		}
	}
	if bad > 0 {
		return nil, fault.New(fault.NotFinite, "%d of the picture's %d pixels are not numbers", bad, len(img.RGBA)/4)
	}
	return img, nil
}

// pixels puts a latent's tokens [tokens, in] into the order of the decoder,
// [height·width, channels]: what Unpatchify does.
func (p *pipeline) pixels(latent []float32) []float32 {
	patch, channels, in := p.transformer.Shape().Patch, p.noise.Cols, p.latent.Cols
	z := make([]float32, 0, len(latent))
	for y := range p.height {
		for x := range p.width {
			token := latent[(y/patch*p.cols+x/patch)*in:]
			for ch := range channels {
				z = append(z, token[(ch*patch+y%patch)*patch+x%patch])
			}
		}
	}
	return z
}

// notFinite counts NaN and infinities.
func notFinite(x []float32) (bad int) {
	for _, v := range x {
		if math.Float32bits(v)&0x7f800000 == 0x7f800000 {
			bad++
		}
	}
	return bad
}

func readImage(ctx context.Context, be op.Backend, t *op.Tensor, width, height int) (*Image, error) {
	pixels, err := be.ReadU32(ctx, t)
	if err != nil {
		return nil, err
	}
	img := &Image{W: width, H: height, RGBA: make([]byte, 0, 4*len(pixels))}
	for _, p := range pixels {
		img.RGBA = append(img.RGBA, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	return img, nil
}

func (p *pipeline) free() {
	for _, run := range []op.Program{p.runNoise, p.runDecode, p.runPreview, p.runStep, p.runCFG, p.runReference, p.runProbe} {
		if run != nil {
			run.Close()
		}
	}
	p.be.Free(p.owned...)
}
