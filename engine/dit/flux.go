// Package dit holds the diffusion transformers, one readable file per family.
// Each records its operations; none executes anything or knows any machine.
package dit

import (
	"fmt"

	"undertone/engine/op"
)

// Flux is the transformer of FLUX.1 (Black Forest Labs, 2024; the blocks are
// those of SD3's MM-DiT, arXiv 2403.03206, then parallel ones in the manner of
// ViT-22B). Double blocks keep separate weights for text and image, which meet in
// attention; single blocks treat both alike. One vector per block,
//
//	ŷ = τ(t) + g(guidance) + ψ(pooled) (+ modulation guidance)
//
// sets the shift, scale and gate of everything in it.
//
// The work is cut where the data allows it: TextIn and Vectors once per prompt,
// Modulate once per picture for all its steps, Velocity once per step.
type Flux struct {
	Config
	act               op.Act
	imgIn, txtIn      linear // [D, in], [D, C]
	time, vector, dev embedder
	double            []doubleBlock
	single            []singleBlock
	finalMod          linear // [2D, D]
	final             linear // [in, D]
}

// linear is x·wᵀ + b; the bias may be absent.
type linear struct{ w, b *op.Tensor }

// embedder is FLUX's MLPEmbedder: out(silu(in(x))).
type embedder struct{ in, out linear }

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

// Load asks for the weights under the names of the published checkpoints.
func Load(c Config, get op.Get) (*Flux, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	act, err := op.ParseAct(c.Activation)
	if err != nil {
		return nil, err
	}
	d, m, hd := c.Hidden, c.MLP(), c.HeadDim()
	lin := func(name string, out, in int, bias bool) linear {
		l := linear{w: get(name+".weight", op.UseMatrix, out, in)}
		if bias {
			l.b = get(name+".bias", op.UseVector, 1, out)
		}
		return l
	}
	norm := func(name string) *op.Tensor { return get(name+".scale", op.UseVector, 1, hd) }
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
		Config: c,
		act:    act,
		imgIn:  lin("img_in", d, c.InChannels, true),
		txtIn:  lin("txt_in", d, c.ContextDim, true),
		time:   embed("time_in", TimeDim),
		vector: embed("vector_in", c.VecDim),
	}
	if c.GuidanceEmbed {
		f.dev = embed("guidance_in", TimeDim)
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

func (e embedder) record(l *op.List, x, residual, out *op.Tensor) {
	h := l.MatMul(x, e.in.w, op.Epilogue{Bias: e.in.b, Act: op.SiLU})              // [n, D]
	l.MatMul(h, e.out.w, op.Epilogue{Bias: e.out.b, Residual: residual, Out: out}) // [n, D]
}

// Psi records ψ: pooled [n, P] → out [n, D].
func (f *Flux) Psi(l *op.List, pooled, out *op.Tensor) { f.vector.record(l, pooled, nil, out) }

// Tau records τ (+ g where the model embeds a guidance scale) for n times:
// sinusoids of the times and of the scales, each [n, TimeDim] → out [n, D].
// Guidance is nil for models without the embedding.
func (f *Flux) Tau(l *op.List, times, guidance, out *op.Tensor) {
	f.time.record(l, times, nil, out) // [n, D]
	if f.GuidanceEmbed {
		f.dev.record(l, guidance, out, out) // [n, D]
	}
}

// TextIn records txt_in: token states [T, C] → out [T, D]. It does not depend on
// the step, so its result is kept for the picture.
func (f *Flux) TextIn(l *op.List, tokens, out *op.Tensor) {
	l.MatMul(tokens, f.txtIn.w, op.Epilogue{Bias: f.txtIn.b, Out: out}) // [T, D]
}

// Modulate records the modulation of every block for n rows (steps, and the two
// branches of classifier-free guidance): yhat [n, (Blocks+1)·D], one vector per
// block and the head's last → mods [n, ModWidth].
func (f *Flux) Modulate(l *op.List, yhat, mods *op.Tensor) {
	y := l.Activation(yhat, op.SiLU, nil) // [n, (L+1)·D]
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

// Step names the tensors of one pass.
type Step struct {
	X      *op.Tensor // [T+S, D], Fixed: rows 0…T hold TextIn's result before each pass; overwritten
	Latent *op.Tensor // [S, in], image tokens
	Mod    *op.Tensor // [1, ModWidth], this step's modulation
	Rope   *op.Tensor // [T+S, headDim], see RopeTable
	Out    *op.Tensor // [S, in] or nil, where the velocity goes
	// Probe, if not nil, is shown the residual stream after every block: the
	// image's and the text's rows of double blocks, all rows of single ones.
	Probe func(name string, x *op.Tensor)
	// Look, if not nil, is shown y [T+S, q|k|v|…] of every block, counted in the
	// order they run, before its attention. It must not change it.
	Look func(block int, y *op.Tensor)
}

// mods deals out consecutive vectors of a modulation row.
type mods struct {
	row *op.Tensor
	at  int
}

func (m *mods) next(d int) *op.Tensor {
	m.at += d
	return m.row.Columns(m.at-d, m.at)
}

// Velocity records one pass and returns the velocity [S, in], noise − data.
func (f *Flux) Velocity(l *op.List, s Step) *op.Tensor {
	d, rows := f.Hidden, s.X.Rows
	t := rows - s.Latent.Rows
	txt, img := s.X.Slice(0, t), s.X.Slice(t, rows) // [T, D], [S, D]
	probe := s.Probe
	if probe == nil {
		probe = func(string, *op.Tensor) {}
	}
	look := s.Look
	if look == nil {
		look = func(int, *op.Tensor) {}
	}
	mod := &mods{row: s.Mod}

	l.MatMul(s.Latent, f.imgIn.w, op.Epilogue{Bias: f.imgIn.b, Out: img}) // [S, D]
	if len(f.double) > 0 {
		y := l.Temp(rows, 4*d) // [T+S, q|k|v|attn]
		for n, b := range f.double {
			f.doubleBlock(l, b, img, txt, y, s.Rope, mod, func() { look(n, y) })
			probe(fmt.Sprintf("double_blocks.%d.img", n), img)
			probe(fmt.Sprintf("double_blocks.%d.txt", n), txt)
		}
	}
	if len(f.single) > 0 {
		y := l.Temp(rows, 4*d+f.MLP()) // [T+S, q|k|v|attn|mlp]
		for n, b := range f.single {
			f.singleBlock(l, b, s.X, y, s.Rope, mod, func() { look(len(f.double)+n, y) })
			probe(fmt.Sprintf("single_blocks.%d", n), s.X)
		}
	}
	shift, scale := mod.next(d), mod.next(d)
	h := l.LayerNorm(img, scale, shift, eps, true, nil)                     // [S, D]
	return l.MatMul(h, f.final.w, op.Epilogue{Bias: f.final.b, Out: s.Out}) // [S, in]
}

func (f *Flux) doubleBlock(l *op.List, b doubleBlock, img, txt, y, rope *op.Tensor, mod *mods, look func()) {
	d, t, rows := f.Hidden, txt.Rows, y.Rows
	type half struct {
		stream
		x, y, rope                                   *op.Tensor
		shift1, scale1, gate1, shift2, scale2, gate2 *op.Tensor // [1, D]
	}
	halves := []*half{
		{stream: b.img, x: img, y: y.Slice(t, rows), rope: rope.Slice(t, rows)},
		{stream: b.txt, x: txt, y: y.Slice(0, t), rope: rope.Slice(0, t)},
	}
	for _, h := range halves {
		h.shift1, h.scale1, h.gate1 = mod.next(d), mod.next(d), mod.next(d)
		h.shift2, h.scale2, h.gate2 = mod.next(d), mod.next(d), mod.next(d)
		n := l.LayerNorm(h.x, h.scale1, h.shift1, eps, true, nil)                  // [S, D]
		l.MatMul(n, h.qkv.w, op.Epilogue{Bias: h.qkv.b, Out: h.y.Columns(0, 3*d)}) // [S, q|k|v]
		l.QKNormRoPE(h.y, f.Heads, f.HeadDim(), h.qNorm, h.kNorm, h.rope, eps)     // [S, q|k]
	}
	look()
	l.Attention(y, f.Heads, f.HeadDim(), false) // [T+S, D] into columns 3D…4D
	for _, h := range halves {
		a := h.y.Columns(3*d, 4*d)                                                                 // [S, D]
		l.MatMul(a, h.proj.w, op.Epilogue{Bias: h.proj.b, Gate: h.gate1, Residual: h.x, Out: h.x}) // [S, D]
		n := l.LayerNorm(h.x, h.scale2, h.shift2, eps, true, nil)                                  // [S, D]
		n = l.MatMul(n, h.up.w, op.Epilogue{Bias: h.up.b, Act: f.act})                             // [S, M]
		l.MatMul(n, h.down.w, op.Epilogue{Bias: h.down.b, Gate: h.gate2, Residual: h.x, Out: h.x}) // [S, D]
	}
}

func (f *Flux) singleBlock(l *op.List, b singleBlock, x, y, rope *op.Tensor, mod *mods, look func()) {
	d, m := f.Hidden, f.MLP()
	shift, scale, gate := mod.next(d), mod.next(d), mod.next(d)
	n := l.LayerNorm(x, scale, shift, eps, true, nil) // [T+S, D]
	// linear1 gives q|k|v|mlp; the gap leaves room for attention between v and mlp,
	// so that linear2 reads attn|act(mlp) in place.
	l.MatMul(n, b.linear1.w, op.Epilogue{Bias: b.linear1.b, Act: f.act, ActFrom: 3 * d, GapAt: 3 * d, GapWidth: d, Out: y}) // [T+S, 4D+M]
	l.QKNormRoPE(y, f.Heads, f.HeadDim(), b.qNorm, b.kNorm, rope, eps)                                                      // [T+S, q|k]
	look()
	l.Attention(y, f.Heads, f.HeadDim(), false)                                                // [T+S, D] into columns 3D…4D
	in := y.Columns(3*d, 4*d+m)                                                                // [T+S, D+M]
	l.MatMul(in, b.linear2.w, op.Epilogue{Bias: b.linear2.b, Gate: gate, Residual: x, Out: x}) // [T+S, D]
}
