package engine

import (
	"context"
	"math"
	"slices"
	"time"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/sample"
)

// keepCanvases is how many picture sizes stay compiled.
const keepCanvases = 2

// shortStrips is how many strips pictures are decoded in where memory is short.
const shortStrips = 4

// canvas holds the tensors and programs of one picture size.
type canvas struct {
	e    *Engine
	size int // pixels
	side int // latent pixels

	noise      *op.Tensor   // [side², c]
	latent     *op.Tensor   // [tokens, in], x_t
	velocity   *op.Tensor   // [tokens, in]
	rgba, mini *op.Tensor   // [1, size²] and [1, side²] U32
	rope       *op.Tensor   // [T + tokens, headDim]
	x          []*op.Tensor // [T + tokens, D], one for each branch
	mod        []*op.Tensor // [1, ModWidth], likewise
	dts, ts    *op.Tensor   // [max steps, 1]: t_next − t, and −t_next
	dt, t      *op.Tensor   // [1, 1], those of the current step
	runNoise   op.Program   // noise → latent
	runDecode  op.Program   // latent → rgba
	runPreview op.Program   // latent, velocity → mini
	runStep    op.Program   // one pass, Euler
	runCFG     op.Program   // two passes, classifier-free guidance, Euler
	cfg        float32      // the scale recorded in runCFG
	runProbe   op.Program   // one pass that leaves the latent alone, see probe.go
	gaze       dit.Gaze     // what runProbe writes to
	stepMs     float64      // what a step took in the last picture; 0 before the first
	owned      []*op.Tensor
}

// canvas finds or makes the canvas of a size.
func (e *Engine) canvas(ctx context.Context, size int) (*canvas, error) {
	if i := slices.IndexFunc(e.canvases, func(c *canvas) bool { return c.size == size }); i >= 0 {
		c := e.canvases[i]
		e.canvases = append(slices.Delete(e.canvases, i, i+1), c)
		return c, nil
	}
	keep := keepCanvases
	if e.short {
		keep = 1
	}
	for len(e.canvases) >= keep {
		e.canvases[0].free()
		e.canvases = slices.Delete(e.canvases, 0, 1)
	}
	c := &canvas{e: e, size: size, side: size / e.vae.Downscale}
	if err := c.make(ctx); err != nil {
		c.free()
		return nil, err
	}
	e.canvases = append(e.canvases, c)
	return c, nil
}

// new makes a Fixed tensor that the canvas frees.
func (c *canvas) new(name string, dt op.DType, rows, cols int) (*op.Tensor, error) {
	t, err := c.e.be.New(name, dt, rows, cols)
	if err == nil {
		c.owned = append(c.owned, t)
	}
	return t, err
}

func (c *canvas) make(ctx context.Context) error {
	f, v, be := c.e.flux, c.e.vae, c.e.be
	pixels, channels := c.side*c.side, v.LatentChannels
	grid := c.side / dit.Patch
	tokens, steps := grid*grid, c.e.manifest.MaxSteps
	text := c.e.clip.MaxLength
	for _, t := range []struct {
		at         **op.Tensor
		name       string
		dt         op.DType
		rows, cols int
	}{
		{&c.noise, "noise", op.F32, pixels, channels}, {&c.latent, "latent", op.F32, tokens, f.InChannels},
		{&c.velocity, "velocity", op.F32, tokens, f.InChannels},
		{&c.rgba, "rgba", op.U32, 1, c.size * c.size}, {&c.mini, "preview", op.U32, 1, pixels},
		{&c.rope, "rope", op.F32, text + tokens, f.HeadDim()},
		{&c.dts, "dts", op.F32, steps, 1}, {&c.ts, "ts", op.F32, steps, 1},
		{&c.dt, "dt", op.F32, 1, 1}, {&c.t, "t", op.F32, 1, 1},
	} {
		var err error
		if *t.at, err = c.new(t.name, t.dt, t.rows, t.cols); err != nil {
			return err
		}
	}
	if err := be.Write(c.rope, f.RopeTable(text, grid, grid)); err != nil {
		return err
	}

	start := op.NewList("noise")
	start.Patchify(c.noise, c.side, c.side, dit.Patch, c.latent) // [tokens, in]

	decode := op.NewList("decode")
	z := decode.Unpatchify(c.latent, c.side, c.side, dit.Patch, nil) // [side², c]
	strips := v.Strips(c.side, c.side, be.Info().Limits["maxStorageBufferBindingSize"])
	if c.e.short {
		strips = max(strips, shortStrips)
	}
	v.Draw(decode, z, c.side, c.side, strips, c.rgba)

	// The preview shows the data the velocity points to, x₀ = x_t − t·v, not the
	// noisy latent itself.
	preview := op.NewList("preview")
	x0 := preview.Copy(c.latent, nil)                          // [tokens, in]
	preview.Euler(x0, c.velocity, c.t)                         // [tokens, in]
	z = preview.Unpatchify(x0, c.side, c.side, dit.Patch, nil) // [side², c]
	preview.ToRGBA(v.Tint(preview, z), 1, 0, c.mini)

	var err error
	if c.runNoise, err = be.Compile(ctx, start); err != nil {
		return err
	}
	if c.runDecode, err = be.Compile(ctx, decode); err != nil {
		return err
	}
	c.runPreview, err = be.Compile(ctx, preview)
	return err
}

// step finds or compiles the program of one step. The scale of classifier-free
// guidance is part of the program; 1 means a single pass.
func (c *canvas) step(ctx context.Context, scale float32) (op.Program, error) {
	run, branches := &c.runStep, 1
	if scale != 1 {
		run, branches = &c.runCFG, 2
		if c.runCFG != nil && c.cfg != scale {
			c.runCFG.Close()
			c.runCFG = nil
		}
	}
	if *run != nil {
		return *run, nil
	}
	f := c.e.flux
	for len(c.x) < branches {
		x, err := c.new("x", op.F32, c.rope.Rows, f.Hidden)
		if err != nil {
			return nil, err
		}
		m, err := c.new("modulation of the step", op.F32, 1, f.ModWidth())
		if err != nil {
			return nil, err
		}
		c.x, c.mod = append(c.x, x), append(c.mod, m)
	}
	l := op.NewList("step")
	pass := func(b int, out *op.Tensor) *op.Tensor {
		return f.Velocity(l, dit.Step{X: c.x[b], Latent: c.latent, Mod: c.mod[b], Rope: c.rope, Out: out})
	}
	if branches == 1 {
		pass(0, c.velocity)
	} else {
		l.CFG(pass(0, nil), pass(1, nil), scale, c.velocity)
	}
	l.Euler(c.latent, c.velocity, c.dt)
	p, err := c.e.be.Compile(ctx, l)
	if err != nil {
		return nil, err
	}
	*run = p
	if branches == 2 {
		c.cfg = scale
	}
	return p, nil
}

// begin writes a picture's noise and time steps.
func (c *canvas) begin(ctx context.Context, seed uint32, sigmas []float64) error {
	be := c.e.be
	if err := be.Write(c.noise, sample.Noise(seed, c.noise.Cols, c.side, c.side)); err != nil {
		return err
	}
	dts, ts := make([]float32, c.dts.Rows), make([]float32, c.ts.Rows)
	for k := range len(sigmas) - 1 {
		dts[k], ts[k] = float32(sigmas[k+1]-sigmas[k]), float32(-sigmas[k+1])
	}
	if err := be.Write(c.dts, dts); err != nil {
		return err
	}
	if err := be.Write(c.ts, ts); err != nil {
		return err
	}
	return c.runNoise.Run(ctx)
}

// unwatchedMs is how long the steps of a picture may be left to themselves: an
// abort cannot take back what is submitted.
const unwatchedMs = 150

// encoded is how long a run kept the CPU busy. A program that may wait for the GPU
// inside Run (engine/gpu does when much is submitted) knows its own share.
func encoded(p op.Program, since time.Time) float64 {
	if e, ok := p.(interface{ EncodeTime() time.Duration }); ok {
		return float64(e.EncodeTime().Nanoseconds()) / 1e6
	}
	return milliseconds(since)
}

// denoise runs every step and returns the latent [tokens, in]. Each step is waited
// for, unless nobody listens to steps and all of them together are known to be
// quick: then they are submitted at once, which saves a round trip to the GPU for
// each. Waiting for a step is reading its latent, which is small, so that numbers
// out of range are met in the step that made them (fault.NotFinite).
func (c *canvas) denoise(ctx context.Context, step op.Program, mod *modulation, yhat []float32, branches []*prompt, req Request, look *look, onStep func(StepEvent), t *Timings) (latent []float32, err error) {
	quick := onStep == nil && look == nil && c.stepMs > 0 && c.stepMs*float64(req.Steps) <= unwatchedMs
	var encodeMs float64
	lap := time.Now()
	part := func(ms *float64) { *ms, lap = *ms+milliseconds(lap), time.Now() }
	for k := range req.Steps {
		ran, err := mod.fill(ctx, yhat, k)
		if err != nil {
			return nil, err
		}
		if ran && !quick {
			if err := c.e.be.Sync(ctx); err != nil {
				return nil, err
			}
			part(&t.ModulationMs)
		}
		copies := c.stepCopies(k, branches, mod)
		if look != nil {
			if err := look.step(ctx, copies, mod.row(k, 0)); err != nil {
				return nil, err
			}
			lap = time.Now() // what a probe does is not the step's time
		}
		submit := time.Now()
		if err := step.Run(ctx, copies...); err != nil {
			return nil, err
		}
		encodeMs += encoded(step, submit)
		if quick && k < req.Steps-1 {
			continue
		}
		if latent, err = c.e.be.Read(ctx, c.latent); err != nil {
			return nil, err
		}
		var ms float64
		part(&ms)
		t.StepsMs = append(t.StepsMs, ms)
		if bad := notFinite(latent); bad > 0 {
			return nil, fault.New(fault.NotFinite, "after step %d of %d, %d of the latent's %d values are not numbers", k+1, req.Steps, bad, len(latent))
		}
		if onStep == nil {
			continue
		}
		event := StepEvent{Step: k + 1, Steps: req.Steps}
		if req.Preview {
			if event.Preview, err = c.preview(ctx, k); err != nil {
				return nil, err
			}
		}
		onStep(event)
		lap = time.Now() // what a listener does is not the step's time
	}
	t.EncodeMsPerStep = encodeMs / float64(req.Steps)
	c.stepMs = 0
	for _, ms := range t.StepsMs {
		c.stepMs += ms / float64(req.Steps)
	}
	return latent, nil
}

// stepCopies is the data of step k: what the recorded program reads at fixed places.
func (c *canvas) stepCopies(k int, branches []*prompt, m *modulation) []op.Copy {
	copies := []op.Copy{{Dst: c.dt, Src: c.dts.Slice(k, k+1)}}
	for b, p := range branches {
		copies = append(copies,
			op.Copy{Dst: c.x[b].Slice(0, p.txt.Rows), Src: p.txt},
			op.Copy{Dst: c.mod[b], Src: m.row(k, b)})
	}
	return copies
}

// preview draws what step k points to, at the latent's own size.
func (c *canvas) preview(ctx context.Context, k int) (*Image, error) {
	if err := c.runPreview.Run(ctx, op.Copy{Dst: c.t, Src: c.ts.Slice(k, k+1)}); err != nil {
		return nil, err
	}
	return readImage(ctx, c.e.be, c.mini, c.side)
}

// decode draws the finished latent. A pixel without alpha is one that the decoder
// could not give a number (fault.NotFinite).
func (c *canvas) decode(ctx context.Context) (*Image, error) {
	if err := c.runDecode.Run(ctx); err != nil {
		return nil, err
	}
	img, err := readImage(ctx, c.e.be, c.rgba, c.size)
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
// [side², channels]: what Unpatchify does.
func (c *canvas) pixels(latent []float32) []float32 {
	const p = dit.Patch
	channels, in := c.noise.Cols, c.latent.Cols
	z := make([]float32, 0, len(latent))
	for y := range c.side {
		for x := range c.side {
			token := latent[(y/p*(c.side/p)+x/p)*in:]
			for ch := range channels {
				z = append(z, token[(ch*p+y%p)*p+x%p])
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

func readImage(ctx context.Context, be op.Backend, t *op.Tensor, side int) (*Image, error) {
	pixels, err := be.ReadU32(ctx, t)
	if err != nil {
		return nil, err
	}
	img := &Image{W: side, H: side, RGBA: make([]byte, 0, 4*len(pixels))}
	for _, p := range pixels {
		img.RGBA = append(img.RGBA, byte(p), byte(p>>8), byte(p>>16), byte(p>>24))
	}
	return img, nil
}

func (c *canvas) free() {
	for _, p := range []op.Program{c.runNoise, c.runDecode, c.runPreview, c.runStep, c.runCFG, c.runProbe} {
		if p != nil {
			p.Close()
		}
	}
	c.e.be.Free(c.owned...)
}
