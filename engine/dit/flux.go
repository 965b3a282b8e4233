package dit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// FluxConfig is the configuration of a FLUX in a manifest, in the words of FLUX's
// own params.
type FluxConfig struct {
	InChannels    int     `json:"in_channels"` // latent channels × patch²
	VecDim        int     `json:"vec_in_dim"`  // 0: it reads no pooled vector, or one through an adapter
	ContextDim    int     `json:"context_in_dim"`
	Hidden        int     `json:"hidden_size"`
	MLPRatio      float64 `json:"mlp_ratio"`
	Heads         int     `json:"num_heads"`
	Depth         int     `json:"depth"`
	DepthSingle   int     `json:"depth_single_blocks"`
	AxesDim       []int   `json:"axes_dim"`
	Theta         float64 `json:"theta"`
	QKVBias       bool    `json:"qkv_bias"`
	GuidanceEmbed bool    `json:"guidance_embed"`
	Activation    string  `json:"activation"`
	PooledDim     int     `json:"pooled_dim,omitempty"` // of an adapter's pooled vector; see fluxadapter.go
}

// fluxPatch is the side of the square of latent pixels that makes one image token.
const fluxPatch = 2

// HeadDim is the width of one attention head.
func (c FluxConfig) HeadDim() int { return c.Hidden / c.Heads }

// MLP is the hidden width of the MLPs.
func (c FluxConfig) MLP() int { return int(float64(c.Hidden) * c.MLPRatio) }

// blocks counts the blocks in the order they run: double, then single.
func (c FluxConfig) blocks() int { return c.Depth + c.DepthSingle }

// modWidth is the length of one row of modulation: 12 vectors for each double
// block, 3 for each single one, 2 for the head.
func (c FluxConfig) modWidth() int { return (12*c.Depth + 3*c.DepthSingle + 2) * c.Hidden }

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c FluxConfig) Check() error {
	if err := checkWidths(width{"in_channels", c.InChannels}, width{"context_in_dim", c.ContextDim},
		width{"hidden_size", c.Hidden}, width{"num_heads", c.Heads}); err != nil {
		return err
	}
	if c.VecDim < 0 || c.VecDim > maxWidth || c.PooledDim < 0 || c.PooledDim > maxWidth || c.VecDim > 0 && c.PooledDim > 0 {
		return unsupported("vec_in_dim %d, pooled_dim %d; supported 0 to %d, and an adapter where there is no path", c.VecDim, c.PooledDim, maxWidth)
	}
	if c.Depth < 0 || c.DepthSingle < 0 || c.blocks() < 1 || c.blocks() > 200 {
		return unsupported("%d + %d blocks, supported 1 to 200", c.Depth, c.DepthSingle)
	}
	if c.Hidden%c.Heads != 0 || c.HeadDim()%op.Align != 0 || c.HeadDim() > 128 {
		return unsupported("width %d in %d heads; heads must be multiples of %d up to 128 wide", c.Hidden, c.Heads, op.Align)
	}
	if c.InChannels%(fluxPatch*fluxPatch) != 0 {
		return unsupported("in_channels %d is not a multiple of %d", c.InChannels, fluxPatch*fluxPatch)
	}
	if !(c.MLPRatio > 0 && c.MLPRatio <= 16) || c.MLP() < op.Align || c.MLP()%op.Align != 0 {
		return unsupported("mlp_ratio %g of width %d; the product must be a multiple of %d", c.MLPRatio, c.Hidden, op.Align)
	}
	if len(c.AxesDim) != 3 {
		return unsupported("axes_dim %v, supported: three axes", c.AxesDim)
	}
	sum := 0
	for _, a := range c.AxesDim {
		if a < 0 || a > c.HeadDim() || a%2 != 0 {
			return unsupported("axes_dim %v; each must be even", c.AxesDim)
		}
		sum += a
	}
	if sum != c.HeadDim() {
		return unsupported("axes_dim %v sums to %d, a head is %d wide", c.AxesDim, sum, c.HeadDim())
	}
	if !(c.Theta > 0) || math.IsInf(c.Theta, 0) {
		return unsupported("theta %g must be positive", c.Theta)
	}
	_, err := op.ParseAct(c.Activation)
	return err
}

// Flux is the transformer of FLUX.1 (Black Forest Labs, 2024; the blocks are
// those of SD3's MM-DiT, arXiv 2403.03206, then parallel ones in the manner of
// ViT-22B). Double blocks keep separate weights for text and image, which meet in
// attention; single blocks treat both alike. One vector per block,
//
//	ŷ = τ(t) + g(guidance) + ψ(pooled) (+ modulation guidance)
//
// sets the shift, scale and gate of everything in it.
//
// The work is cut where the data allows it: Context and Psi once per prompt, Tau
// and Modulate once per picture for all its steps, Velocity once per step.
type Flux struct {
	FluxConfig
	act               op.Act
	imgIn, txtIn      linear // [D, in], [D, C]
	time, vector, dev embedder
	scales, zeros     *op.Tensor // of an adapter, [L, D]; [1, D]; nil where they are not needed
	double            []doubleBlock
	single            []singleBlock
	finalMod          linear // [2D, D]
	final             linear // [in, D]
}

// stream is one modality's half of a double block.
type stream struct {
	mod          linear     // [6D, D]: shift, scale, gate of attention, then of the MLP
	qkv, proj    linear     // [3D, D], [D, D]
	qNorm, kNorm *op.Tensor // [1, headDim]
	up, down     linear     // [M, D], [D, M]
}

type doubleBlock struct{ img, txt stream }

type singleBlock struct {
	mod              linear     // [3D, D]: shift, scale, gate
	linear1, linear2 linear     // [3D+M, D], [D, D+M]
	qNorm, kNorm     *op.Tensor // [1, headDim]
}

// eps is the epsilon of every norm in FLUX.
const eps = 1e-6

// LoadFlux asks for the weights under the names of the published checkpoints.
func LoadFlux(c FluxConfig, weights op.Weights) (*Flux, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	act, err := op.ParseAct(c.Activation)
	if err != nil {
		return nil, err
	}
	d, m, hd := c.Hidden, c.MLP(), c.HeadDim()
	lin := func(name string, out, in int, bias bool) linear { return loadLinear(weights, name, out, in, bias) }
	norm := func(name string) *op.Tensor { return weights.Get(name+".scale", op.UseVector, 1, hd) }
	embed := func(name string, in int) embedder {
		return embedder{lin(name+".in_layer", d, in, true), lin(name+".out_layer", d, d, true)}
	}
	half := func(at, who string) stream {
		return stream{
			mod:   lin(at+who+"_mod.lin", 6*d, d, true),
			qkv:   lin(at+who+"_attn.qkv", 3*d, d, c.QKVBias),
			proj:  lin(at+who+"_attn.proj", d, d, true),
			qNorm: norm(at + who + "_attn.norm.query_norm"),
			kNorm: norm(at + who + "_attn.norm.key_norm"),
			up:    lin(at+who+"_mlp.0", m, d, true),
			down:  lin(at+who+"_mlp.2", d, m, true),
		}
	}
	f := &Flux{
		FluxConfig: c,
		act:        act,
		imgIn:      lin("img_in", d, c.InChannels, true),
		txtIn:      lin("txt_in", d, c.ContextDim, true),
		time:       embed("time_in", timeWidth),
	}
	f.loadPooled(weights, embed)
	if c.GuidanceEmbed {
		f.dev = embed("guidance_in", timeWidth)
	}
	for n := range c.Depth {
		at := fmt.Sprintf("double_blocks.%d.", n)
		f.double = append(f.double, doubleBlock{img: half(at, "img"), txt: half(at, "txt")})
	}
	for n := range c.DepthSingle {
		at := fmt.Sprintf("single_blocks.%d.", n)
		f.single = append(f.single, singleBlock{
			mod:     lin(at+"modulation.lin", 3*d, d, true),
			linear1: lin(at+"linear1", 3*d+m, d, true),
			linear2: lin(at+"linear2", d, d+m, true),
			qNorm:   norm(at + "norm.query_norm"),
			kNorm:   norm(at + "norm.key_norm"),
		})
	}
	f.finalMod = lin("final_layer.adaLN_modulation.1", 2*d, d, true)
	f.final = lin("final_layer.linear", c.InChannels, d, true)
	return f, nil
}

// Shape tells the sizes of what goes in and comes out.
func (f *Flux) Shape() Shape {
	return Shape{
		Blocks: append(repeat("double", f.Depth), repeat("single", f.DepthSingle)...),
		Vector: f.vectorWidth(), Context: f.ContextDim, Pooled: f.pooledDim(), Modulation: f.modWidth(), Channels: f.InChannels, Patch: fluxPatch,
		Time: timeWidth, EmbedsGuidance: f.GuidanceEmbed, Heads: f.Heads, HeadDim: f.HeadDim(),
	}
}

// Fit checks that the parts belong together (fault.ModelUnsupported). The token states
// are those of the last text encoder that is as wide as the context, the pooled vector
// that of the first whose vector is as wide as ψ's: one encoder may give both, or
// CLIP-L gives the vector and T5 the tokens.
func (f *Flux) Fit(p Parts) (Reading, error) {
	tokens, reads := -1, f.pooledDim()
	pooled := slices.IndexFunc(p.Encoders, func(e Encoder) bool { return reads > 0 && e.Pooled == reads })
	for i, e := range p.Encoders {
		if e.Width == f.ContextDim {
			tokens = i
		}
	}
	if tokens < 0 || pooled < 0 && reads > 0 {
		var given []string
		for _, e := range p.Encoders {
			given = append(given, fmt.Sprintf("%.64s of %d and %d", e.Name, e.Width, e.Pooled))
		}
		return Reading{}, fault.New(fault.ModelUnsupported, "the text encoders give token states and vectors of these widths: %s; the transformer reads tokens of %d and a vector of %d", strings.Join(given, ", "), f.ContextDim, reads)
	}
	for i, e := range p.Encoders {
		if i != tokens && i != pooled {
			return Reading{}, fault.New(fault.ModelUnsupported, "the transformer reads nothing of the text encoder %.64q, which gives token states of %d and a vector of %d", e.Name, e.Width, e.Pooled)
		}
	}
	if c := p.LatentChannels * fluxPatch * fluxPatch; c != f.InChannels {
		return Reading{}, fault.New(fault.ModelUnsupported, "the decoder's latent makes tokens of %d channels, the transformer's have %d", c, f.InChannels)
	}
	r := Reading{Tokens: p.Encoders[tokens].Tokens, Width: f.Hidden, First: p.Encoders[tokens].Name}
	if pooled >= 0 {
		r.Pooled = []string{p.Encoders[pooled].Name}
	}
	return r, nil
}

// Psi records ψ: pooled [n, P], nil where there is no path for it, → out [n, Vector].
func (f *Flux) Psi(l *op.List, pooled, out *op.Tensor) {
	d := f.Hidden
	if f.zeros != nil {
		f.leave(l, out.Columns(0, d))
	}
	if f.pooledDim() > 0 {
		f.vector.record(l, pooled, nil, out.Columns(out.Cols-d, out.Cols))
	}
}

// Time is what Tau reads of a time or of a guidance scale, [Time].
func (f *Flux) Time(t float64) []float32 { return sinusoid(t) }

// Tau records τ (+ g where the model embeds a guidance scale) for n times:
// Time of the times and of the scales, each [n, Time] → out [n, Vector]. The scales are
// nil for models without the embedding.
func (f *Flux) Tau(l *op.List, times, scales, out *op.Tensor) {
	d := f.Hidden
	own := out.Columns(0, d)
	f.time.record(l, times, nil, own) // [n, D]
	if f.GuidanceEmbed {
		f.dev.record(l, scales, own, own) // [n, D]
	}
	if out.Cols > d {
		f.leave(l, out.Columns(d, out.Cols))
	}
}

// Context records txt_in: token states [T, C] → out [T, D]. It does not depend on
// the step, so its result is kept with the prompt.
func (f *Flux) Context(l *op.List, states []States, out *op.Tensor) {
	for _, s := range slices.Backward(states) { // see Fit
		if s.Width == f.ContextDim {
			l.MatMul(s.Tensor, f.txtIn.w, op.Epilogue{Bias: f.txtIn.b, Out: out}) // [T, D]
			return
		}
	}
}

// Positions is the rotary table [T + rows·cols, headDim]: text tokens lie at
// (0, 0, 0), image tokens at (0, row, column).
func (f *Flux) Positions(text, rows, cols int) (table []float32, width int) {
	table = make([]float32, 0, (text+rows*cols)*f.HeadDim())
	for range text {
		table = rotary(table, []int{0, 0, 0}, f.AxesDim, f.Theta)
	}
	return f.grid(table, 0, rows, cols), f.HeadDim()
}

// ReferencePositions is the part of the rotary table that stands for a reference
// picture, [rows·cols, headDim], behind that of Positions: its tokens lie at
// (1, row, column), counted from 0 again (FLUX.1 Kontext).
func (f *Flux) ReferencePositions(rows, cols int) []float32 { return f.grid(nil, 1, rows, cols) }

// grid appends the embeddings of rows × cols tokens to a table.
func (f *Flux) grid(table []float32, picture, rows, cols int) []float32 {
	for r := range rows {
		for c := range cols {
			table = rotary(table, []int{picture, r, c}, f.AxesDim, f.Theta)
		}
	}
	return table
}

// Maps begins a recording of attention maps; what it returns is
// Pass.BeforeAttention of the same list's pass.
func (f *Flux) Maps(l *op.List, m Maps) func(block int, qkv []*op.Tensor) {
	s := f.Shape()
	return s.maps(l, m, m.Unit.Rows-m.Reference-m.Out.Rows/len(s.Blocks))
}

// Parts lists the sets of vectors in the order of a row of modulation (see
// Modulate): shift, scale and, except for the head, gate.
func (f *Flux) Parts() []Part {
	var out []Part
	for n := range f.Depth {
		for _, name := range []string{"image attention", "image MLP", "text attention", "text MLP"} {
			out = append(out, Part{n, name, true, f.Hidden})
		}
	}
	for n := range f.DepthSingle {
		out = append(out, Part{f.Depth + n, "block", true, f.Hidden})
	}
	return append(out, Part{f.blocks(), "head", false, f.Hidden})
}

// Modulate records the modulation of every block for n rows (steps, and the two
// branches of classifier-free guidance): yhat [n, (Blocks+1)·Vector], one vector per
// block and the head's last → mods [n, ModWidth].
func (f *Flux) Modulate(l *op.List, yhat, mods *op.Tensor) {
	y := l.Activation(f.blended(l, yhat), op.SiLU, nil) // [n, (L+1)·D]
	block, at := 0, 0
	lin := func(w linear) {
		v := y.Columns(block*f.Hidden, (block+1)*f.Hidden)                           // [n, D]
		l.MatMul(v, w.w, op.Epilogue{Bias: w.b, Out: mods.Columns(at, at+w.w.Rows)}) // [n, 6D | 3D | 2D]
		at += w.w.Rows
	}
	for _, b := range f.double {
		lin(b.img.mod)
		lin(b.txt.mod)
		block++
	}
	for _, b := range f.single {
		lin(b.mod)
		block++
	}
	lin(f.finalMod)
}

// Velocity records one pass and returns the velocity [S, in], noise − data. The R
// tokens of a reference picture, of which there may be none, follow the latent's: they
// go through every block and are dropped before the head.
func (f *Flux) Velocity(l *op.List, p Pass) *op.Tensor {
	d, t := f.Hidden, p.Context.Rows
	end := t + p.Latent.Rows
	rows := end
	if p.Reference != nil {
		rows += p.Reference.Rows
	}
	x := l.Temp(rows, d)                        // [T+S+R, D]
	txt, img := x.Slice(0, t), x.Slice(t, rows) // [T, D], [S+R, D]
	latent := x.Slice(t, end)                   // [S, D]
	mod := &mods{row: p.Mod}

	l.Copy(p.Context, txt)
	l.MatMul(p.Latent, f.imgIn.w, op.Epilogue{Bias: f.imgIn.b, Out: latent}) // [S, D]
	if p.Reference != nil {
		l.MatMul(p.Reference, f.imgIn.w, op.Epilogue{Bias: f.imgIn.b, Out: x.Slice(end, rows)}) // [R, D]
	}
	if len(f.double) > 0 {
		y := newJoint(l, rows, f.Heads, f.HeadDim(), p.Limit) // [T+S+R, q|k|v|attn]
		for n, b := range f.double {
			f.doubleBlock(l, b, img, txt, y, p, mod, func() { p.beforeAttention(n, y) })
			p.afterBlock(fmt.Sprintf("double_blocks.%d.img", n), img)
			p.afterBlock(fmt.Sprintf("double_blocks.%d.txt", n), txt)
		}
	}
	if len(f.single) > 0 {
		record, y := f.singleBlock, &joint{f.HeadDim(), []headGroup{{heads: f.Heads}}}
		if wide := 4*d + f.MLP(); evenly(rows, wide, p.Limit) == rows {
			y.groups[0].y = l.Temp(rows, wide) // [T+S+R, q|k|v|attn|mlp]
		} else {
			record, y = f.singleBlockInStrips, newJoint(l, rows, f.Heads, f.HeadDim(), p.Limit) // [T+S+R, q|k|v|attn]
		}
		for n, b := range f.single {
			record(l, b, x, y, p, mod, func() { p.beforeAttention(f.Depth+n, y) })
			p.afterBlock(fmt.Sprintf("single_blocks.%d", n), x)
		}
	}
	shift, scale := mod.next(d), mod.next(d)
	h := l.LayerNorm(latent, scale, shift, eps, true, nil)                  // [S, D]
	return l.MatMul(h, f.final.w, op.Epilogue{Bias: f.final.b, Out: p.Out}) // [S, in]
}

func (f *Flux) doubleBlock(l *op.List, b doubleBlock, img, txt *op.Tensor, y *joint, p Pass, mod *mods, beforeAttention func()) {
	d, t := f.Hidden, txt.Rows
	type half struct {
		stream
		x                                            *op.Tensor
		from, to                                     int        // rows
		shift1, scale1, gate1, shift2, scale2, gate2 *op.Tensor // [1, D]
	}
	halves := []*half{{stream: b.img, x: img, from: t, to: t + img.Rows}, {stream: b.txt, x: txt, to: t}}
	for _, h := range halves {
		h.shift1, h.scale1, h.gate1 = mod.next(d), mod.next(d), mod.next(d)
		h.shift2, h.scale2, h.gate2 = mod.next(d), mod.next(d), mod.next(d)
		n := l.LayerNorm(h.x, h.scale1, h.shift1, eps, true, nil) // [S, D]
		y.project(l, n, h.from, h.qkv)                            // [S, q|k|v]
		y.norm(l, h.from, h.to, h.qNorm, h.kNorm, p.Positions.Slice(h.from, h.to))
	}
	beforeAttention()
	y.attend(l) // [T+S, D]
	for _, h := range halves {
		a := y.attended(l, h.from, h.to)                                                           // [S, D]
		l.MatMul(a, h.proj.w, op.Epilogue{Bias: h.proj.b, Gate: h.gate1, Residual: h.x, Out: h.x}) // [S, D]
		n := l.LayerNorm(h.x, h.scale2, h.shift2, eps, true, nil)                                  // [S, D]
		mlp(l, n, h.x, h.up, h.down, f.act, h.gate2, p.Limit)                                      // [S, D]
	}
}

// singleBlock records a block whose y is one tensor [T+S, q|k|v|attn|mlp].
func (f *Flux) singleBlock(l *op.List, b singleBlock, x *op.Tensor, room *joint, p Pass, mod *mods, beforeAttention func()) {
	d, m, y := f.Hidden, f.MLP(), room.groups[0].y
	shift, scale, gate := mod.next(d), mod.next(d), mod.next(d)
	n := l.LayerNorm(x, scale, shift, eps, true, nil) // [T+S, D]
	// linear1 gives q|k|v|mlp; the gap leaves room for attention between v and mlp,
	// so that linear2 reads attn|act(mlp) in place.
	l.MatMul(n, b.linear1.w, op.Epilogue{Bias: b.linear1.b, Act: f.act, ActFrom: 3 * d, GapAt: 3 * d, GapWidth: d, Out: y}) // [T+S, 4D+M]
	room.norm(l, 0, x.Rows, b.qNorm, b.kNorm, p.Positions)                                                                  // [T+S, q|k]
	beforeAttention()
	room.attend(l)                                                                             // [T+S, D] into columns 3D…4D
	in := y.Columns(3*d, 4*d+m)                                                                // [T+S, D+M]
	l.MatMul(in, b.linear2.w, op.Epilogue{Bias: b.linear2.b, Gate: gate, Residual: x, Out: x}) // [T+S, D]
}

// singleBlockInStrips records the same block, with the same numbers, where such a tensor
// would pass the limit: linear1 makes q|k|v of all tokens first, then the MLP of a strip of
// tokens, beside what attention gave them.
func (f *Flux) singleBlockInStrips(l *op.List, b singleBlock, x *op.Tensor, room *joint, p Pass, mod *mods, beforeAttention func()) {
	d, m := f.Hidden, f.MLP()
	shift, scale, gate := mod.next(d), mod.next(d), mod.next(d)
	n := l.LayerNorm(x, scale, shift, eps, true, nil) // [T+S, D]
	room.project(l, n, 0, b.linear1.rows(0, 3*d))     // [T+S, q|k|v]
	room.norm(l, 0, x.Rows, b.qNorm, b.kNorm, p.Positions)
	beforeAttention()
	room.attend(l) // [T+S, D]
	up := b.linear1.rows(3*d, 3*d+m)
	step := evenly(x.Rows, d+m, p.Limit)
	for from := 0; from < x.Rows; from += step {
		to := min(from+step, x.Rows)
		in, out := l.Temp(to-from, d+m), x.Slice(from, to)
		room.gather(l, from, to, in.Columns(0, d))                                                      // [S, D]
		l.MatMul(n.Slice(from, to), up.w, op.Epilogue{Bias: up.b, Act: f.act, Out: in.Columns(d, d+m)}) // [S, M]
		l.MatMul(in, b.linear2.w, op.Epilogue{Bias: b.linear2.b, Gate: gate, Residual: out, Out: out})  // [S, D]
	}
}
