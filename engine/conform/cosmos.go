package conform

import (
	"fmt"
	"slices"
	"strings"

	"undertone/engine"
	"undertone/engine/dit"
	"undertone/engine/op"
)

// cosmosConfig is that of a Cosmos in the words of diffusers.
type cosmosConfig struct {
	OutChannels int   `json:"out_channels"`
	Patch       []int `json:"patch_size"`
	dit.CosmosConfig
}

// cosmos is a network being compared: by itself, with its adapter, and with one whose
// scales are zeros.
type cosmos struct {
	plain, adapter, silent *dit.Cosmos
	schedules              map[string][]float64
}

// film is a Cosmos that is given a film, or a border.
type cosmosFilm struct {
	*dit.Cosmos
	frames  int
	fps     float64
	padding *op.Tensor
}

func (f cosmosFilm) Positions(_, rows, cols int) ([]float32, int) {
	return f.FilmPositions(f.frames, rows/f.frames, cols, f.fps), f.HeadDim
}

func (f cosmosFilm) Velocity(l *op.List, p dit.Pass) *op.Tensor {
	p.Frames, p.Padding = f.frames, f.padding
	return f.Cosmos.Velocity(l, p)
}

// given has other numbers in place of some of the weights.
type given struct {
	op.Weights
	values map[string][]float32
}

func (w given) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	if values, ok := w.values[name]; ok {
		return w.Constant(name, use, rows, cols, values)
	}
	return w.Weights.Get(name, use, rows, cols)
}

// adapterBeside takes an adapter from another file.
type adapterBeside struct {
	op.Weights
	other *network
}

func (w adapterBeside) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	if name == "scales" || strings.HasPrefix(name, "text_embedder_clip.") {
		return w.other.Get(name, use, rows, cols)
	}
	return w.Weights.Get(name, use, rows, cols)
}

// loadCosmos loads what a file holds; of its configuration the JSON tells.
func loadCosmos(r *run, n *network, w op.Weights) (m cosmos, err error) {
	var c cosmosConfig
	if err := r.desc.configure(&c); err != nil {
		return m, err
	}
	if !slices.Equal(c.Patch, []int{1, 2, 2}) || c.OutChannels != c.InChannels {
		return m, fmt.Errorf("patch_size %v, out_channels %d; supported [1 2 2] and as many as in_channels %d", c.Patch, c.OutChannels, c.InChannels)
	}
	if m.plain, err = dit.LoadCosmos(c.CosmosConfig, w); err == nil && r.desc.PooledDim > 0 {
		c.PooledDim = r.desc.PooledDim
		if m.adapter, err = dit.LoadCosmos(c.CosmosConfig, w); err == nil {
			zeros := make([]float32, c.Layers*3*c.Hidden()) // with which an adapter has no effect
			m.silent, err = dit.LoadCosmos(c.CosmosConfig, given{w, map[string][]float32{"scales": zeros}})
		}
	}
	m, err = loaded(n, m, err)
	m.schedules = map[string][]float64{}
	for name, data := range r.desc.Schedules {
		var w []float64
		if err == nil {
			if err = strict(data, &w); err != nil {
				err = fmt.Errorf("its schedule %.64q is not understood: %w", name, err)
			}
		}
		m.schedules[name] = w
	}
	return m, err
}

func openCosmos(r *run, w *network) (func(c *check) error, error) {
	var weights op.Weights = w
	if r.desc.PooledDim > 0 && !w.Has("scales") { // the adapter lies in the other file
		other, err := r.upload(r.path(".safetensors"), r.renamed)
		if err != nil {
			return nil, err
		}
		defer other.src.Close()
		weights = adapterBeside{w, other}
		w.beside = other
	}
	m, err := loadCosmos(r, w, weights)
	if err != nil {
		return nil, err
	}
	if m.adapter == nil {
		return m.checkExtra, nil
	}
	return m.check, nil
}

// cosmosInput is what a pass is given.
type cosmosInput struct {
	latent, text, pooled []float32
	shape                []int // of the latent: channels, frames, rows, columns
	time, fps            float64
	shift                []float32 // [L, 3D], what is added to ψ; nil: nothing
	padding              []float32 // [H, W] of a picture; nil: none
	head                 []float32 // [L, 3D], what is added to τ; nil: nothing
}

// film reads a latent [1, C, F, H, W].
func (c *check) film(tensor string) (x []float32, shape []int) { return c.shapedAs(tensor, 4) }

// tokens are the image tokens of a film, frame by frame.
func filmTokens(x []float32, shape []int) (tokens []float32) {
	for _, one := range frames(x, shape) {
		tokens = append(tokens, Patchify(channelsFirst(one, shape[0]), []int{shape[0], shape[2], shape[3]})...)
	}
	return tokens
}

// filmOf is the inverse of filmTokens.
func filmOf(tokens []float32, shape []int) []float32 {
	var all [][]float32
	n := shape[0] * shape[2] * shape[3]
	for at := 0; at+n <= len(tokens); at += n {
		one := Unpatchify(tokens[at:at+n], []int{shape[0], shape[2], shape[3]})
		all = append(all, channelsLast(one, shape[0]))
	}
	return film(all, shape[0])
}

// pass runs one pass and returns F [C, F, H, W] and the RMS of every block.
func (m cosmos) pass(c *check, t *dit.Cosmos, in cosmosInput) (velocity []float32, blocks []float64) {
	if c.err != nil {
		return nil, nil
	}
	f := cosmosFilm{Cosmos: t, frames: in.shape[1], fps: in.fps}
	rows, cols := in.shape[2]/2, in.shape[3]/2
	if in.padding != nil {
		one := Patchify(in.padding, []int{1, in.shape[2], in.shape[3]})
		f.padding = c.fill("padding", f.frames*rows*cols, 4, slices.Repeat(one, f.frames))
	}
	shape := t.Shape()
	d := t.Hidden()
	pass := engine.Pass{Rows: f.frames * rows, Cols: cols, Img: filmTokens(in.latent, in.shape), Txt: in.text, Time: in.time}
	if t.PooledDim > 0 {
		pass.Pooled = in.pooled
	}
	if in.shift != nil || in.head != nil {
		pass.Shift = make([]float32, (len(shape.Blocks)+1)*shape.Vector)
		for l := range shape.Blocks {
			for i := range 3 * d {
				if in.shift != nil {
					pass.Shift[l*shape.Vector+4*d+i] = in.shift[l*3*d+i]
				}
				if in.head != nil {
					pass.Shift[l*shape.Vector+i] = in.head[l*3*d+i]
				}
			}
		}
	}
	got := c.forward(transformer{Transformer: f}, pass, t.ContextDim)
	for _, b := range got.Blocks {
		blocks = append(blocks, b.RMS)
	}
	return filmOf(got.Velocity, in.shape), blocks
}

// psi is ψ of pooled vectors, 3·D numbers each.
func (m cosmos) psi(c *check, tensors ...string) (out [][]float32) {
	var pooled []float32
	for _, name := range tensors {
		x, _ := c.get(name)
		pooled = append(pooled, x...)
	}
	t, v := m.adapter, m.adapter.Shape().Vector
	if c.err == nil && len(pooled) != len(tensors)*t.PooledDim {
		c.err = fmt.Errorf("%v have %d numbers, the adapter reads %d of each", tensors, len(pooled), t.PooledDim)
	}
	y := c.fill("psi", len(tensors), v, nil)
	c.exec("psi", func(l *op.List) { t.Psi(l, c.fill("pooled", len(tensors), t.PooledDim, pooled), y) })
	all := c.read(y)
	for n := range tensors {
		if c.err != nil {
			return make([][]float32, len(tensors))
		}
		out = append(out, all[n*v+4*t.Hidden():(n+1)*v])
	}
	return out
}

// check compares the parts of a pass, passes with and without the adapter, and pictures.
func (m cosmos) check(c *check) error {
	in := cosmosInput{fps: 16}
	in.latent, in.shape = c.film("in.latent")
	in.text, _ = c.get("in.text")
	in.pooled, _ = c.get("in.pooled")
	in.time = c.oneOf("in.timestep")
	if c.err != nil {
		return c.err
	}
	psi := m.psi(c, "in.pooled", "in.pooled_pos", "in.pooled_neg")
	delta := make([]float32, len(psi[0]))
	for i := range delta {
		delta[i] = psi[1][i] - psi[2][i]
	}
	c.same("mid.psi", psi[0])
	c.same("mid.delta", delta)
	m.times(c, in.time)
	m.positions(c, "fps16", in.shape, 16)

	told := func(name string, t *dit.Cosmos, in cosmosInput) {
		v, blocks := m.pass(c, t, in)
		c.same("out."+name, v)
		if c.cases.has("rms." + name) {
			c.sameEach("rms."+name, blocks)
		}
	}
	told("plain", m.plain, in)
	picture := in
	picture.fps = 0
	picture.latent, picture.shape = c.film("in.image_latent")
	m.positions(c, "image", picture.shape, 0)
	told("plain_image", m.plain, picture)
	masked := in
	masked.padding = m.padding(c, in.shape)
	told("plain_padding_mask", m.plain, masked)
	told("adapter_scales0", m.silent, in)
	told("adapter_w0", m.adapter, in)
	for _, name := range sortedKeys(m.schedules) {
		w := m.schedules[name]
		if len(w) != len(m.adapter.Shape().Blocks) {
			return fmt.Errorf("the schedule %.64q has %d weights for %d blocks", name, len(w), len(m.adapter.Shape().Blocks))
		}
		guided := in
		guided.shift = shiftsOf(w, delta, nil)
		told("adapter."+name, m.adapter, guided)
		if official := "adapter." + name + ".official_code"; c.cases.has("out." + official) {
			guided.shift = shiftsOf(w, delta, psi[0])
			told(official, m.adapter, guided)
		}
	}
	alone := in
	alone.shift = shiftsOf(slices.Repeat([]float64{3}, len(m.adapter.Shape().Blocks)), delta, nil)
	for i := range alone.shift {
		alone.shift[i] -= psi[0][i%len(psi[0])]
	}
	told("adapter.delta_only_const_w3", m.adapter, alone)
	m.batch(c, in, delta)
	if c.cases.has("e2e.sigmas") { // which fill half of a file
		m.pictures(c, delta)
		return c.err
	}
	for _, name := range []string{"e2e.noise", "in.pooled_uncond", "in.text_neg"} { // of pictures, as the published samplers make them
		c.cases.asked[name] = true
	}
	return c.err
}

// shiftsOf is w(l)·δ for every block; where ψ is given, it leaves ψ out of the blocks whose
// weight is 0, as the public code does.
func shiftsOf(w []float64, delta, psi []float32) (out []float32) {
	for _, weight := range w {
		for i, v := range delta {
			s := float32(weight * float64(v))
			if psi != nil && weight == 0 {
				s = -psi[i]
			}
			out = append(out, s)
		}
	}
	return out
}

// oneOf reads a tensor of a single number.
func (c *check) oneOf(tensor string) float64 {
	x, _ := c.get(tensor)
	if c.err == nil && len(x) != 1 {
		c.err = fmt.Errorf("%s has %d numbers, wanted 1", tensor, len(x))
	}
	if c.err != nil {
		return 0
	}
	return float64(x[0])
}

// times compares the sinusoid of a time, and τ and the embedded time made of it.
func (m cosmos) times(c *check, time float64) {
	t, d := m.plain, m.plain.Hidden()
	sinus := t.Time(time)
	c.same("mid.sinus", sinus)
	y := c.fill("tau", 1, t.Shape().Vector, nil)
	c.exec("tau", func(l *op.List) { t.Tau(l, c.fill("time", 1, d, sinus), nil, y) })
	if got := c.read(y); c.err == nil {
		c.same("mid.temb", got[:3*d])
		c.same("mid.embedded_timestep", got[3*d:4*d])
	}
}

// positions compares the rotary table with the reference's, which has that of the first
// half of a head twice.
func (m cosmos) positions(c *check, name string, shape []int, fps float64) {
	if c.err != nil {
		return
	}
	table := m.plain.FilmPositions(shape[1], shape[2]/2, shape[3]/2, fps)
	var cos, sin []float32
	half := m.plain.HeadDim / 2
	for at := 0; at < len(table); at += 2 * half {
		for range 2 {
			for i := range half {
				cos, sin = append(cos, table[at+2*i]), append(sin, table[at+2*i+1])
			}
		}
	}
	c.same("mid.rope_cos_"+name, cos)
	c.same("mid.rope_sin_"+name, sin)
}

// padding is the border of a picture in latent pixels: the nearest of its own pixels.
func (m cosmos) padding(c *check, shape []int) (out []float32) {
	x, from := c.shapedAs("in.padding_mask", 3)
	if c.err != nil {
		return nil
	}
	for y := range shape[2] {
		for col := range shape[3] {
			out = append(out, x[y*from[1]/shape[2]*from[2]+col*from[2]/shape[3]])
		}
	}
	return out
}

// batch compares passes whose rows have weights of their own.
func (m cosmos) batch(c *check, in cosmosInput, delta []float32) {
	latents, shape := c.get("batch.latent")
	texts, _ := c.get("batch.text")
	w, _ := c.get("batch.w")
	if c.err == nil && (len(shape) != 5 || shape[0] != len(w) || len(w) == 0) {
		c.err = fmt.Errorf("batch.latent has the shape %v for %d weights", shape, len(w))
	}
	if c.err != nil {
		return
	}
	var got []float32
	for n, weight := range w {
		one := in
		one.shape = shape[1:]
		one.latent = latents[n*len(latents)/len(w) : (n+1)*len(latents)/len(w)]
		one.text = texts[n*len(texts)/len(w) : (n+1)*len(texts)/len(w)]
		one.shift = shiftsOf(slices.Repeat([]float64{float64(weight)}, len(m.adapter.Shape().Blocks)), delta, nil)
		v, _ := m.pass(c, m.adapter, one)
		got = append(got, v...)
	}
	c.same("batch.out", got)
}

// checkExtra compares a network with learned positions.
func (m cosmos) checkExtra(c *check) error {
	in := cosmosInput{fps: 16}
	in.latent, in.shape = c.film("in.latent")
	in.text, _ = c.get("in.text")
	in.time = c.oneOf("in.timestep")
	v, blocks := m.pass(c, m.plain, in)
	c.same("out.plain", v)
	c.sameEach("rms.plain", blocks)
	shift, _ := c.get("in.temb_shift")
	if c.err != nil {
		return c.err
	}
	extra := c.fill("positions", len(in.latent)/(4*in.shape[0]), m.plain.Hidden(), nil)
	c.exec("positions", func(l *op.List) { l.Copy(m.plain.Learned(l, in.shape[1], in.shape[2]/2, in.shape[3]/2), extra) })
	c.same("mid.extra_pos", c.read(extra))
	in.head = shiftsOf(slices.Repeat([]float64{2}, len(m.plain.Shape().Blocks)), shift, nil)
	v, blocks = m.pass(c, m.plain, in)
	c.same("out.shift_const_w2", v)
	c.sameEach("rms.shift_const_w2", blocks)
	return c.err
}
