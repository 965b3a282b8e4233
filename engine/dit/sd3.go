package dit

import (
	"fmt"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// SD3Config is the configuration of an SD3 or SD3.5 in a manifest, in the words of
// the published transformer/config.json.
type SD3Config struct {
	InChannels int    `json:"in_channels"` // of the latent
	Layers     int    `json:"num_layers"`
	Heads      int    `json:"num_attention_heads"`
	HeadDim    int    `json:"attention_head_dim"`
	ContextDim int    `json:"joint_attention_dim"`
	PooledDim  int    `json:"pooled_projection_dim"`
	Side       int    `json:"pos_embed_max_size"`    // of the square table of positions, in image tokens
	Sample     int    `json:"sample_size"`           // of the largest picture's latent, in pixels; 0: as large as the table
	Dual       []int  `json:"dual_attention_layers"` // the blocks with a second attention
	QKNorm     string `json:"qk_norm"`               // "rms_norm" or empty
}

// sd3Patch is the side of the square of latent pixels that makes one image token.
const sd3Patch = 2

// sd3MLP is how many times wider than the stream the MLPs are.
const sd3MLP = 4

// Hidden is the width of the streams.
func (c SD3Config) Hidden() int { return c.Heads * c.HeadDim }

// tokenChannels is the width of an image token, before and after the network.
func (c SD3Config) tokenChannels() int { return c.InChannels * sd3Patch * sd3Patch }

// side is that of the middle of the table of positions that pictures need. It is even
// or odd as the table's, so that a crop of the one is a crop of the other.
func (c SD3Config) side() int {
	side := op.CeilDiv(c.Sample, sd3Patch)
	if c.Sample == 0 || side > c.Side {
		return c.Side
	}
	return side + (c.Side-side)%2
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c SD3Config) Check() error {
	if err := checkWidths(width{"in_channels", c.InChannels}, width{"num_attention_heads", c.Heads}, width{"attention_head_dim", c.HeadDim},
		width{"joint_attention_dim", c.ContextDim}, width{"pooled_projection_dim", c.PooledDim}); err != nil {
		return err
	}
	if c.HeadDim%op.Align != 0 || c.HeadDim > 128 || c.Hidden() > maxWidth {
		return unsupported("%d heads of %d; heads must be multiples of %d up to 128 wide, %d together", c.Heads, c.HeadDim, op.Align, maxWidth)
	}
	if c.Layers < 1 || c.Layers > 200 {
		return unsupported("num_layers %d, supported 1 to 200", c.Layers)
	}
	if c.Side < 1 || c.Side > 1<<10 {
		return unsupported("pos_embed_max_size %d, supported 1 to %d", c.Side, 1<<10)
	}
	if c.Sample < 0 || c.Sample > maxWidth {
		return unsupported("sample_size %d, supported up to %d", c.Sample, maxWidth)
	}
	for i, n := range c.Dual {
		if n < 0 || n >= c.Layers || slices.Contains(c.Dual[:i], n) {
			return unsupported("dual_attention_layers %v of %d blocks", c.Dual, c.Layers)
		}
	}
	if c.QKNorm != "" && c.QKNorm != "rms_norm" {
		return unsupported("qk_norm %.64q, supported: rms_norm or none", c.QKNorm)
	}
	return nil
}

// SD3 is the MM-DiT of Stable Diffusion 3 and 3.5 (arXiv 2403.03206). Every block
// keeps separate weights for image (x) and text (context), which meet in attention;
// the first blocks of SD3.5 medium have a second attention among the image tokens
// alone. The last block's text is read by its attention and then dropped. One vector
// per block,
//
//	ŷ = τ(t) + ψ(pooled) (+ modulation guidance)
//
// sets the shift, scale and gate of everything in it.
type SD3 struct {
	SD3Config
	xIn, contextIn linear     // [D, in], [D, C]
	positions      *op.Tensor // [side², D], row by row
	time, pooled   embedder
	blocks         []sd3Block
	finalMod       linear     // [2D, D]
	final          linear     // [in, D]
	zeros          *op.Tensor // [1, C]: beside the states of narrow encoders
}

type sd3Block struct{ x, context sd3Stream }

// sd3Stream is one modality's half of a block. Of the last block's context there are
// only mod, of shift and scale, and the attention's qkv and norms.
type sd3Stream struct {
	mod      linear // [6D, D]: shift, scale, gate of attention, then of the MLP; [9D, D]: then of attn2
	attn     sd3Attention
	attn2    *sd3Attention // nil where there is none
	up, down linear        // [4D, D], [D, 4D]
}

type sd3Attention struct {
	qkv, proj    linear     // [3D, D], [D, D]
	qNorm, kNorm *op.Tensor // [1, HeadDim], nil without a norm
}

// LoadSD3 asks for the weights under the names of the published single files.
func LoadSD3(c SD3Config, weights op.Weights) (*SD3, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	d := c.Hidden()
	lin := func(name string, out, in int) linear { return loadLinear(weights, name, out, in, true) }
	embed := func(name string, in int) embedder {
		return embedder{lin(name+".mlp.0", d, in), lin(name+".mlp.2", d, d)}
	}
	attention := func(at string, out bool) sd3Attention {
		a := sd3Attention{qkv: lin(at+".qkv", 3*d, d)}
		if out {
			a.proj = lin(at+".proj", d, d)
		}
		if c.QKNorm != "" {
			a.qNorm = weights.Get(at+".ln_q.weight", op.UseVector, 1, c.HeadDim)
			a.kNorm = weights.Get(at+".ln_k.weight", op.UseVector, 1, c.HeadDim)
		}
		return a
	}
	stream := func(at string, vectors int) sd3Stream {
		s := sd3Stream{mod: lin(at+".adaLN_modulation.1", vectors*d, d), attn: attention(at+".attn", vectors > 2)}
		if vectors > 6 {
			second := attention(at+".attn2", true)
			s.attn2 = &second
		}
		if vectors > 2 {
			s.up, s.down = lin(at+".mlp.fc1", sd3MLP*d, d), lin(at+".mlp.fc2", d, sd3MLP*d)
		}
		return s
	}
	s := &SD3{
		SD3Config: c,
		xIn:       lin("x_embedder.proj", d, c.tokenChannels()),
		contextIn: lin("context_embedder", d, c.ContextDim),
		positions: weights.Get("pos_embed", op.UseMiddle, c.side()*c.side(), d),
		time:      embed("t_embedder", timeWidth),
		pooled:    embed("y_embedder", c.PooledDim),
		zeros:     weights.Constant("zeros", op.UseVector, 1, c.ContextDim, make([]float32, c.ContextDim)),
	}
	for n := range c.Layers {
		at := fmt.Sprintf("joint_blocks.%d.", n)
		x, context := c.vectors(n)
		s.blocks = append(s.blocks, sd3Block{stream(at+"x_block", x), stream(at+"context_block", context)})
	}
	s.finalMod = lin("final_layer.adaLN_modulation.1", 2*d, d)
	s.final = lin("final_layer.linear", c.tokenChannels(), d)
	return s, nil
}

// vectors counts the vectors of modulation of a block's two streams.
func (c SD3Config) vectors(block int) (x, context int) {
	x, context = 6, 6
	if slices.Contains(c.Dual, block) {
		x = 9
	}
	if block == c.Layers-1 {
		context = 2
	}
	return x, context
}

// Shape tells the sizes of what goes in and comes out.
func (s *SD3) Shape() Shape {
	row := 2 // the head's
	for n := range s.Layers {
		x, context := s.vectors(n)
		row += x + context
	}
	d := s.Hidden()
	return Shape{
		Blocks: repeat("double", s.Layers),
		Vector: d, Context: s.ContextDim, Pooled: s.PooledDim, Modulation: row * d, Channels: s.tokenChannels(), Patch: sd3Patch,
		Time: timeWidth, Heads: s.Heads, HeadDim: s.HeadDim, Side: s.side(),
	}
}

// Fit checks that the parts belong together (fault.ModelUnsupported). Encoders narrower
// than the context stand side by side, the rest of the width zero; those as wide as it
// follow, token after token: CLIP-L beside CLIP-G, then T5. Where T5 is left out, as
// many tokens of zeros as CLIP reads stand in its place. The pooled vectors stand side
// by side in the order of the encoders.
func (s *SD3) Fit(p Parts) (Reading, error) {
	if p.LatentChannels != s.InChannels {
		return Reading{}, fault.New(fault.ModelUnsupported, "the decoder's latent has %d channels, the transformer's %d", p.LatentChannels, s.InChannels)
	}
	r := Reading{Width: s.Hidden()}
	beside, pooled, tokens := 0, 0, 0 // tokens of narrow encoders
	wide := false
	for _, e := range p.Encoders {
		if e.Pooled > 0 {
			pooled += e.Pooled
			r.Pooled = append(r.Pooled, e.Name)
		}
		switch {
		case e.Width == s.ContextDim:
			wide = true
			r.Tokens += e.Tokens
			if r.First == "" {
				r.First = e.Name
			}
		case e.Width > s.ContextDim || e.Width%op.Align != 0:
			return Reading{}, fault.New(fault.ModelUnsupported, "the text encoder %.64q gives token states of %d, the transformer reads up to %d in steps of %d", e.Name, e.Width, s.ContextDim, op.Align)
		case e.Width > 0 && tokens > 0 && e.Tokens != tokens:
			return Reading{}, fault.New(fault.ModelUnsupported, "the text encoder %.64q gives %d tokens, one before it %d, which do not stand side by side", e.Name, e.Tokens, tokens)
		case e.Width > 0:
			if tokens == 0 {
				r.First = e.Name
			}
			tokens = e.Tokens
			beside += e.Width
		}
	}
	r.Tokens += tokens
	if !wide {
		r.Tokens += tokens // zeros
	}
	if beside > s.ContextDim || r.Tokens == 0 {
		return Reading{}, fault.New(fault.ModelUnsupported, "the text encoders give token states of %d together, the transformer reads %d", beside, s.ContextDim)
	}
	if pooled != s.PooledDim {
		return Reading{}, fault.New(fault.ModelUnsupported, "the text encoders give vectors of %d together, the transformer reads %d", pooled, s.PooledDim)
	}
	return r, nil
}

// Context records context_embedder on the states of all text encoders (see Fit):
// token states [T, ≤ C] of each → out [ΣT, D].
func (s *SD3) Context(l *op.List, states []States, out *op.Tensor) {
	all := l.Temp(out.Rows, s.ContextDim) // [ΣT, C]
	row, col := 0, 0                      // of what is still empty
	for _, e := range states {
		if e.Width > 0 && e.Width < s.ContextDim {
			l.Copy(e.Tensor, all.Slice(0, e.Tokens).Columns(col, col+e.Width))
			row, col = e.Tokens, col+e.Width
		}
	}
	zeros := func(from, to, col int) {
		if col < s.ContextDim && from < to {
			rest := *s.zeros.Columns(col, s.ContextDim) // one row, seen once per token
			rest.Rows, rest.Stride = to-from, 0
			l.Copy(&rest, all.Slice(from, to).Columns(col, s.ContextDim))
		}
	}
	zeros(0, row, col)
	for _, e := range states {
		if e.Width == s.ContextDim {
			l.Copy(e.Tensor, all.Slice(row, row+e.Tokens))
			row += e.Tokens
		}
	}
	zeros(row, out.Rows, 0)
	l.MatMul(all, s.contextIn.w, op.Epilogue{Bias: s.contextIn.b, Out: out}) // [ΣT, D]
}

// Psi records ψ: pooled [n, P] → out [n, D].
func (s *SD3) Psi(l *op.List, pooled, out *op.Tensor) { s.pooled.record(l, pooled, nil, out) }

// Time is what Tau reads of a time, [Time].
func (s *SD3) Time(t float64) []float32 { return sinusoid(t) }

// Tau records τ for n times: Time of the times [n, Time] → out [n, D].
func (s *SD3) Tau(l *op.List, times, _, out *op.Tensor) { s.time.record(l, times, nil, out) }

// Positions is empty: the table is a weight.
func (s *SD3) Positions(context, rows, cols int) (table []float32, width int) { return nil, 0 }

// Maps begins a recording of attention maps; what it returns is
// Pass.BeforeAttention of the same list's pass.
func (s *SD3) Maps(l *op.List, m Maps) func(block int, qkv []*op.Tensor) {
	shape := s.Shape()
	return shape.maps(l, m, m.Unit.Rows-m.Out.Rows/len(shape.Blocks))
}

// Parts lists the sets of vectors in the order of a row of modulation (see
// Modulate): shift, scale and, except for the head and the last block's text, gate.
func (s *SD3) Parts() []Part {
	var out []Part
	d := s.Hidden()
	for n := range s.Layers {
		x, context := s.vectors(n)
		out = append(out, Part{n, "image attention", true, d}, Part{n, "image MLP", true, d})
		if x > 6 {
			out = append(out, Part{n, "image attention 2", true, d})
		}
		out = append(out, Part{n, "text attention", context > 2, d})
		if context > 2 {
			out = append(out, Part{n, "text MLP", true, d})
		}
	}
	return append(out, Part{s.Layers, "head", false, d})
}

// Modulate records the modulation of every block for n rows (steps, and the two
// branches of classifier-free guidance): yhat [n, (Blocks+1)·D], one vector per
// block and the head's last → mods [n, Modulation], of each block the image's, then
// the text's.
func (s *SD3) Modulate(l *op.List, yhat, mods *op.Tensor) {
	d := s.Hidden()
	y := l.Activation(yhat, op.SiLU, nil) // [n, (L+1)·D]
	at := 0
	lin := func(block int, w linear) {
		v := y.Columns(block*d, (block+1)*d)                                         // [n, D]
		l.MatMul(v, w.w, op.Epilogue{Bias: w.b, Out: mods.Columns(at, at+w.w.Rows)}) // [n, 9D | 6D | 2D]
		at += w.w.Rows
	}
	for n, b := range s.blocks {
		lin(n, b.x.mod)
		lin(n, b.context.mod)
	}
	lin(s.Layers, s.finalMod)
}

// Velocity records one pass and returns the velocity [S, in], noise − data.
//
// The published order of attention is [image ; text]. Softmax does not depend on the
// order of its keys: here text comes first, as in every family whose maps are read.
func (s *SD3) Velocity(l *op.List, p Pass) *op.Tensor {
	d, t := s.Hidden(), p.Context.Rows
	rows := t + p.Latent.Rows
	stream := l.Temp(rows, d)                               // [T+S, D]
	context, x := stream.Slice(0, t), stream.Slice(t, rows) // [T, D], [S, D]
	y := newJoint(l, rows, s.Heads, s.HeadDim, p.Limit)     // [T+S, q|k|v|attn]
	mod := &mods{row: p.Mod}

	l.Copy(p.Context, context)
	l.MatMul(p.Latent, s.xIn.w, op.Epilogue{Bias: s.xIn.b, Out: x}) // [S, D]
	l.Add(grid(x, p.Rows, p.Cols), s.crop(p.Rows, p.Cols), grid(x, p.Rows, p.Cols))
	for n, b := range s.blocks {
		s.block(l, b, x, context, y, p.Limit, mod, func() { p.beforeAttention(n, y) })
		p.afterBlock(fmt.Sprintf("joint_blocks.%d.x", n), x)
		if n < s.Layers-1 {
			p.afterBlock(fmt.Sprintf("joint_blocks.%d.context", n), context)
		}
	}
	shift, scale := mod.next(d), mod.next(d)
	h := l.LayerNorm(x, scale, shift, eps, true, nil)                // [S, D]
	v := l.MatMul(h, s.final.w, op.Epilogue{Bias: s.final.b})        // [S, in], channels last
	v = l.Unpatchify(v, 2*p.Rows, 2*p.Cols, sd3Patch, true, nil)     // [4S, in/4]
	return l.Patchify(v, 2*p.Rows, 2*p.Cols, sd3Patch, false, p.Out) // [S, in], as they came
}

// crop is the middle [rows, cols·D] of the table of positions. It panics where the
// picture has more tokens than the table (see Shape.Side).
func (s *SD3) crop(rows, cols int) *op.Tensor {
	side := s.side()
	top, left := (side-rows)/2, (side-cols)/2
	v := grid(s.positions, side, side).Slice(top, top+rows)
	return v.Columns(left*s.Hidden(), (left+cols)*s.Hidden())
}

// block records one block; y is room for attention of all tokens.
func (s *SD3) block(l *op.List, b sd3Block, x, context *op.Tensor, y *joint, limit int64, mod *mods, beforeAttention func()) {
	d, t := s.Hidden(), context.Rows
	type half struct {
		sd3Stream
		x        *op.Tensor
		from, to int           // rows
		m        [9]*op.Tensor // [1, D]: shift, scale, gate of attention, of the MLP, of attn2
	}
	halves := []*half{{sd3Stream: b.x, x: x, from: t, to: t + x.Rows}, {sd3Stream: b.context, x: context, to: t}}
	for _, h := range halves {
		for i := range h.mod.w.Rows / d {
			h.m[i] = mod.next(d)
		}
		s.qkv(l, h.attn, l.LayerNorm(h.x, h.m[1], h.m[0], eps, true, nil), y, h.from)
	}
	beforeAttention()
	y.attend(l) // [T+S, D]
	for _, h := range halves {
		if h.up.w == nil { // the last block's text
			continue
		}
		var own *joint // [S, q|k|v|attn] of attn2, which reads the stream from before the first attention
		if h.attn2 != nil {
			own = newJoint(l, h.x.Rows, s.Heads, s.HeadDim, limit)
			s.qkv(l, *h.attn2, l.LayerNorm(h.x, h.m[7], h.m[6], eps, true, nil), own, 0)
			own.attend(l)
		}
		add := func(w linear, from, gate *op.Tensor) {
			l.MatMul(from, w.w, op.Epilogue{Bias: w.b, Gate: gate, Residual: h.x, Out: h.x}) // [S, D]
		}
		add(h.attn.proj, y.attended(l, h.from, h.to), h.m[2])
		if h.attn2 != nil {
			add(h.attn2.proj, own.attended(l, 0, h.x.Rows), h.m[8])
		}
		n := l.LayerNorm(h.x, h.m[4], h.m[3], eps, true, nil)    // [S, D]
		mlp(l, n, h.x, h.up, h.down, op.GELUTanh, h.m[5], limit) // [S, D]
	}
}

// qkv records q, k and v of x [S, D] → the rows of y from row at on, with the norm of q
// and k where there is one.
func (s *SD3) qkv(l *op.List, a sd3Attention, x *op.Tensor, y *joint, at int) {
	y.project(l, x, at, a.qkv)
	if a.qNorm != nil {
		y.norm(l, at, at+x.Rows, a.qNorm, a.kNorm, nil)
	}
}
