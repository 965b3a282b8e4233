package conform

import (
	"fmt"
	"strings"

	"undertone/engine"
	"undertone/engine/sample"
)

// pipelines are those that are compared, as the descriptions name them.
var pipelines = map[string]pipelineOf{
	"FluxPipeline":             {list: "flux", class: "FlowMatchEulerDiscreteScheduler"},
	"StableDiffusion3Pipeline": {list: "sd3", class: "FlowMatchEulerDiscreteScheduler"},
	"HiDreamImagePipeline with FlowMatchLCMScheduler; noises[i] is the fresh noise after step i": {list: "sd3", class: "FlowMatchLCMScheduler"},
}

// pipelineOf is a pipeline's list of σ, in our words, and its scheduler.
type pipelineOf struct{ list, class string }

// pipeline compares whole pictures from the same conditioning and noise: the latent
// after every step and the picture.
func (r *run) pipeline() error {
	kind, ok := pipelines[r.desc.Pipeline]
	if !ok {
		return fmt.Errorf("the pipeline %.80q is not supported", r.desc.Pipeline)
	}
	t, closeT, err := r.openTransformer()
	if err != nil {
		return fmt.Errorf("its transformer: %w", err)
	}
	defer closeT()
	d, closeD, err := r.openDecoder()
	if err != nil {
		return fmt.Errorf("its decoder: %w", err)
	}
	defer closeD()
	return r.eachCase(func(c *check) error {
		in, width := c.input()
		latent := c.trajectory(t, kind, in, width)
		if c.err != nil {
			return c.err
		}
		shape := []int{t.Shape().Channels / (t.Shape().Patch * t.Shape().Patch), 2 * in.Rows, 2 * in.Cols}
		z, h, w := c.latent(Unpatchify(latent, shape), shape)
		c.near("image", channelsFirst(d.image(c, z, h, w), 3))
		return c.err
	})
}

// openTransformer loads the transformer that lies beside.
func (r *run) openTransformer() (t transformer, closed func(), err error) {
	other, w, err := r.uploadBeside(r.desc.Transformer)
	if err != nil {
		return t, nil, err
	}
	switch f, _ := findFamily(other.desc.Family); f.prefix {
	case "flux":
		t.Transformer, err = loadFlux(other, w)
	case "sd3":
		var pixels int
		if pixels, err = largestLatent(r); err == nil {
			t.exact = true
			t.Transformer, err = loadSD3(other, w, pixels)
		}
	case "hidream":
		t.exact = true
		t.Transformer, err = loadHiDream(other, w)
	default:
		err = fmt.Errorf("the family %.64q is not supported", other.desc.Family)
	}
	if err != nil {
		w.close()
	}
	return t, w.close, err
}

// openDecoder loads the decoder that lies beside.
func (r *run) openDecoder() (d decoder, closed func(), err error) {
	other, w, err := r.uploadBeside(r.desc.VAE)
	if err != nil {
		return d, nil, err
	}
	switch f, _ := findFamily(other.desc.Family); f.prefix {
	case "vae_kl":
		d, err = loadKL(other, w)
	case "taef1":
		d, err = loadTiny(other, w)
	default:
		err = fmt.Errorf("the family %.64q is not supported", other.desc.Family)
	}
	if err != nil {
		w.close()
	}
	return d, w.close, err
}

func (r *run) uploadBeside(name string) (*run, *network, error) {
	if name == "" || strings.ContainsAny(name, `/\`) {
		return nil, nil, fmt.Errorf("%.80q is not the name of a prefix in the same folder", name)
	}
	other, err := r.beside(name)
	if err != nil {
		return nil, nil, err
	}
	w, err := other.upload(other.path(".safetensors"), engine.NewUploader)
	return other, w, err
}

// trajectory follows Euler's steps from the case's latent, with classifier-free
// guidance where the case has it, compares the latent after each and returns the last.
func (c *check) trajectory(t transformer, kind pipelineOf, in engine.Pass, width int) []float32 {
	times, sigmas, schedule := c.times(t, kind, in.Rows*in.Cols)
	noises := c.noises(schedule, len(times), t, in)
	velocity := c.velocities(t, in, width)
	var latents [][]float32
	x := in.Img
	for k, time := range times {
		v := velocity(x, time)
		if c.err != nil {
			return nil
		}
		next := make([]float32, len(x))
		step := schedule.Step(float64(sigmas[k]), float64(sigmas[k+1]))
		for i := range x {
			next[i] = float32(step.X*float64(x[i]) + step.V*float64(v[i]))
			if step.Noise != 0 {
				next[i] += float32(step.Noise * float64(noises[k][i]))
			}
		}
		x = next
		latents = append(latents, x)
	}
	want, ok := c.out("latents")
	if n := len(x); ok && len(want) != n*len(latents) {
		c.wrong("latents", fmt.Errorf("it has %d numbers, %d steps of %d make %d", len(want), len(latents), n, n*len(latents)))
	} else if ok {
		shape := []int{t.Shape().Channels / (t.Shape().Patch * t.Shape().Patch), 2 * in.Rows, 2 * in.Cols}
		for k, latent := range latents {
			c.nearTo(fmt.Sprintf("latents.%d", k+1), Unpatchify(latent, shape), want[k*n:(k+1)*n])
		}
	}
	return x
}

// noises is the fresh noise of every step of a stochastic sampler, as image tokens.
func (c *check) noises(schedule sample.Schedule, steps int, t transformer, in engine.Pass) (all [][]float32) {
	if c.err != nil || !schedule.Stochastic() {
		return nil
	}
	data, shape := c.shaped("noises", 4)
	n := len(in.Img)
	if c.err == nil && (shape[0] != steps || len(data) != steps*n) {
		c.err = fmt.Errorf("in.noises has the shape %v for %d steps of %d numbers", shape, steps, n)
	}
	for k := 0; k < steps && c.err == nil; k++ {
		all = append(all, Patchify(data[k*n:(k+1)*n], shape[1:]))
	}
	return all
}

// times compares the σ of a case with those of its scheduler and returns what the
// network is given at every step, and the stored σ, of which the last is 0.
func (c *check) times(t transformer, kind pipelineOf, tokens int) (times []float64, stored []float32, schedule sample.Schedule) {
	stored = c.in("sigmas")
	var config scheduler
	if c.err == nil {
		c.err = strict(c.desc.Scheduler, &config)
	}
	if c.err != nil {
		return nil, nil, schedule
	}
	schedule, err := config.schedule(kind.class)
	schedule.List = kind.list
	if err == nil {
		err = schedule.Validate()
	}
	if err == nil && len(stored) < 2 {
		err = fmt.Errorf("in.sigmas has %d numbers", len(stored))
	}
	if err != nil {
		c.err = err
		return nil, nil, schedule
	}
	exact, rounded := schedule.Sigmas(len(stored)-1, tokens), make([]float64, len(stored))
	for i, sigma := range stored {
		rounded[i] = float64(sigma)
	}
	c.within("sigmas", furthest(exact, rounded), sigmaLimit)
	if !t.exact {
		exact = rounded
	}
	return exact[:len(exact)-1], stored, schedule
}

// velocities is the velocity at a latent and a time under the case's guidance: v of the
// prompt, or with classifier-free guidance u + s·(v − u), u of the negative prompt.
func (c *check) velocities(t transformer, in engine.Pass, width int) func(x []float32, time float64) []float32 {
	if c.has("in.w") {
		delta, w := c.delta(t), c.in("w")
		if c.err == nil && len(w) != len(t.Shape().Blocks)+1 {
			c.err = fmt.Errorf("in.w has %d weights; there are %d blocks and the head", len(w), len(t.Shape().Blocks))
		}
		if c.err == nil {
			in.Shift, c.err = shifts(t.Shape().Vector, delta, w)
		}
	}
	if !c.has("in.cfg") {
		return func(x []float32, time float64) []float32 {
			in.Img, in.Time = x, time
			return c.forward(t, in, width).Velocity
		}
	}
	scale, negative := c.one("cfg"), in
	negative.Txt, negative.Pooled = c.in("negative_tokens"), c.in("negative_pooled")
	if in.Shift != nil {
		switch {
		case strings.HasSuffix(c.name, "guided_cond_only"):
			negative.Shift = nil
		case !strings.HasSuffix(c.name, "guided_both"):
			c.err = fmt.Errorf("its name does not say whether the negative branch is guided")
		}
	}
	return func(x []float32, time float64) []float32 {
		in.Img, in.Time, negative.Img, negative.Time = x, time, x, time
		v, u := c.forward(t, in, width).Velocity, c.forward(t, negative, width).Velocity
		for i := range u {
			v[i] = u[i] + scale*(v[i]-u[i])
		}
		return v
	}
}
