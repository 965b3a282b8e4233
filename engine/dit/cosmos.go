package dit

import (
	"fmt"
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// CosmosConfig is the configuration of a Cosmos-Predict in a manifest, in the words of
// diffusers' transformer/config.json.
type CosmosConfig struct {
	InChannels  int       `json:"in_channels"`
	Heads       int       `json:"num_attention_heads"`
	HeadDim     int       `json:"attention_head_dim"`
	Layers      int       `json:"num_layers"`
	MLPRatio    float64   `json:"mlp_ratio"`
	ContextDim  int       `json:"text_embed_dim"`
	LoRA        int       `json:"adaln_lora_dim"` // rank of the modulation's matrices
	MaxSize     []int     `json:"max_size"`       // of a latent: frames, rows, columns
	RopeScale   []float64 `json:"rope_scale"`     // of frames, rows, columns
	PaddingMask bool      `json:"concat_padding_mask"`
	ExtraPos    string    `json:"extra_pos_embed_type"` // "learnable" (Predict1) or ""
	// PooledDim is the width of the pooled vector that an adapter reads; 0: there is none.
	PooledDim int `json:"pooled_dim,omitempty"`
	// QKEps is that of the norms of q and k: 1e-6 as NVIDIA's own code has it, 1e-5, which 0
	// stands for, as diffusers has it.
	QKEps float64 `json:"qk_norm_eps,omitempty"`
}

const (
	cosmosPatch  = 2
	cosmosTheta  = 10000
	cosmosFPS    = 24   // frames a second that positions in time count
	cosmosQKEps  = 1e-5 // of diffusers
	cosmosPosEps = 1e-14
)

// Hidden is the width of the stream.
func (c CosmosConfig) Hidden() int { return c.Heads * c.HeadDim }

// MLP is the hidden width of the MLPs.
func (c CosmosConfig) MLP() int { return int(float64(c.Hidden()) * c.MLPRatio) }

func (c CosmosConfig) tokenChannels() int { return c.InChannels * cosmosPatch * cosmosPatch }

// vector is how many times wider than the stream a block's vector is: τ's three and the
// embedded time, and ψ's three where there is an adapter.
func (c CosmosConfig) vector() int {
	if c.PooledDim > 0 {
		return 7
	}
	return 4
}

// axes are the channels of a head that turn by frame, row and column.
func (c CosmosConfig) axes() []int {
	side := c.HeadDim / 6 * 2
	return []int{c.HeadDim - 2*side, side, side}
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c CosmosConfig) Check() error {
	if err := checkWidths(width{"in_channels", c.InChannels}, width{"num_attention_heads", c.Heads}, width{"attention_head_dim", c.HeadDim},
		width{"text_embed_dim", c.ContextDim}, width{"adaln_lora_dim", c.LoRA}); err != nil {
		return err
	}
	switch {
	case c.HeadDim%op.Align != 0 || c.HeadDim < 12 || c.HeadDim > 128 || c.Hidden() > maxWidth:
		return unsupported("%d heads of %d; heads must be multiples of %d from 12 to 128 wide, %d together", c.Heads, c.HeadDim, op.Align, maxWidth)
	case c.Layers < 1 || c.Layers > 200:
		return unsupported("num_layers %d, supported 1 to 200", c.Layers)
	case !(c.MLPRatio > 0 && c.MLPRatio <= 16) || c.MLP() < op.Align || c.MLP()%op.Align != 0:
		return unsupported("mlp_ratio %g of width %d; the product must be a multiple of %d", c.MLPRatio, c.Hidden(), op.Align)
	case c.ContextDim%op.Align != 0 || c.LoRA%op.Align != 0:
		return unsupported("text_embed_dim %d, adaln_lora_dim %d; supported: multiples of %d", c.ContextDim, c.LoRA, op.Align)
	case len(c.MaxSize) != 3 || min(c.MaxSize[0], c.MaxSize[1], c.MaxSize[2]) < 1 || max(c.MaxSize[0], c.MaxSize[1], c.MaxSize[2]) > 4096:
		return unsupported("max_size %v, supported are three numbers of 1 to 4096", c.MaxSize)
	case len(c.RopeScale) != 3 || !(min(c.RopeScale[0], c.RopeScale[1], c.RopeScale[2]) > 0 && max(c.RopeScale[0], c.RopeScale[1], c.RopeScale[2]) <= 1000):
		return unsupported("rope_scale %v, supported are three numbers above 0 up to 1000", c.RopeScale)
	case c.ExtraPos != "" && c.ExtraPos != "learnable":
		return unsupported("extra_pos_embed_type %.64q, supported: learnable or none", c.ExtraPos)
	case c.PooledDim < 0 || c.PooledDim > maxWidth:
		return unsupported("pooled_dim %d, supported up to %d", c.PooledDim, maxWidth)
	case !(c.QKEps >= 0 && c.QKEps < 1):
		return unsupported("qk_norm_eps %g, supported 0 and above, below 1", c.QKEps)
	}
	return nil
}

// Cosmos is the transformer of Cosmos-Predict2 (arXiv 2501.03575, 2511.00062) and, with
// learned positions, Predict1: attention among the image tokens, attention to the text,
// which is not changed, and an MLP, each with a shift, a scale and a gate of its own,
//
//	lora(silu(e)) + τ(t) (+ scales ⊙ (ψ(pooled) + modulation guidance)),   e = norm(sinusoid(t))
//
// in which the last part is that of an adapter: the network itself has no pooled path.
// A block's vector is therefore [τ | e (| ψ)], of 3·D, D and 3·D.
type Cosmos struct {
	CosmosConfig
	xIn        linear // [D, in]
	time       embedder
	timeNorm   *op.Tensor // [1, D]
	blocks     []cosmosBlock
	finalMod   cosmosLoRA    // [2D]
	final      linear        // [in, D]
	axesTables [3]*op.Tensor // learned positions of frames, rows, columns; nil without
	adapter    embedder
	scales     *op.Tensor // [L, 3D], nil without an adapter
	zeros      *op.Tensor // [1, 7D or 4D]: what one part of a vector leaves to another
}

type cosmosBlock struct {
	mod         [3]cosmosLoRA // of attention, attention to the text, MLP: [3D] shift, scale, gate
	self, cross cosmosAttention
	up, down    linear // [M, D], [D, M]
}

// cosmosLoRA is a product of two narrow matrices.
type cosmosLoRA struct{ down, up linear } // [R, D], [n·D, R]

type cosmosAttention struct {
	q, k, v, out linear
	qNorm, kNorm *op.Tensor // [1, HeadDim]
}

// qkEps is the epsilon of the norms of q and k.
func (c CosmosConfig) qkEps() float32 {
	if c.QKEps == 0 {
		return cosmosQKEps
	}
	return float32(c.QKEps)
}

// LoadCosmos asks for the weights under the publisher's names, without the "net." before
// each, and for those of an adapter.
func LoadCosmos(c CosmosConfig, weights op.Weights) (*Cosmos, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	d := c.Hidden()
	lin := func(name string, out, in int) linear { return loadLinear(weights, name, out, in, false) }
	lora := func(name string, out int) cosmosLoRA {
		return cosmosLoRA{lin(name+".1", c.LoRA, d), lin(name+".2", out, c.LoRA)}
	}
	attention := func(at string, in int) cosmosAttention {
		return cosmosAttention{lin(at+".q_proj", d, d), lin(at+".k_proj", d, in), lin(at+".v_proj", d, in), lin(at+".output_proj", d, d),
			weights.Get(at+".q_norm.weight", op.UseVector, 1, c.HeadDim), weights.Get(at+".k_norm.weight", op.UseVector, 1, c.HeadDim)}
	}
	in := c.tokenChannels()
	if c.PaddingMask {
		in += cosmosPatch * cosmosPatch
	}
	m := &Cosmos{
		CosmosConfig: c,
		xIn:          lin("x_embedder.proj.1", d, in),
		time:         embedder{lin("t_embedder.1.linear_1", d, d), lin("t_embedder.1.linear_2", 3*d, d)},
		timeNorm:     weights.Get("t_embedding_norm.weight", op.UseVector, 1, d),
	}
	for n := range c.Layers {
		at := fmt.Sprintf("blocks.%d.", n)
		b := cosmosBlock{self: attention(at+"self_attn", d), cross: attention(at+"cross_attn", c.ContextDim),
			up: lin(at+"mlp.layer1", c.MLP(), d), down: lin(at+"mlp.layer2", d, c.MLP())}
		for i, part := range []string{"self_attn", "cross_attn", "mlp"} {
			b.mod[i] = lora(at+"adaln_modulation_"+part, 3*d)
		}
		m.blocks = append(m.blocks, b)
	}
	m.finalMod, m.final = lora("final_layer.adaln_modulation", 2*d), lin("final_layer.linear", c.tokenChannels(), d)
	if c.ExtraPos != "" {
		for i, axis := range []string{"t", "h", "w"} {
			n := c.MaxSize[i]
			if i > 0 {
				n /= cosmosPatch
			}
			m.axesTables[i] = weights.Get("extra_pos_embedder.pos_emb_"+axis, op.UseVector, n, d)
		}
	}
	if c.PooledDim > 0 {
		m.adapter = embedder{loadLinear(weights, "text_embedder_clip.linear_1", 3*d, c.PooledDim, true), loadLinear(weights, "text_embedder_clip.linear_2", 3*d, 3*d, true)}
		m.scales = weights.Get("scales", op.UseVector, c.Layers, 3*d)
	}
	m.zeros = weights.Constant("zeros", op.UseVector, 1, 7*d, make([]float32, 7*d))
	return m, nil
}

// Shape tells the sizes of what goes in and comes out.
func (m *Cosmos) Shape() Shape {
	d := m.Hidden()
	return Shape{
		Blocks: repeat("cross", m.Layers), Vector: m.vector() * d, Context: m.ContextDim, Pooled: m.PooledDim, Modulation: (9*m.Layers + 2) * d,
		Channels: m.tokenChannels(), Patch: cosmosPatch, Time: d, Heads: m.Heads, HeadDim: m.HeadDim, Side: max(m.MaxSize[1], m.MaxSize[2]) / cosmosPatch,
		Rows: "cond",
	}
}

// Fit checks that the parts belong together (fault.ModelUnsupported): one encoder of the
// text's tokens and, for an adapter, one of the pooled vector.
func (m *Cosmos) Fit(p Parts) (Reading, error) {
	refuse := func(format string, args ...any) (Reading, error) {
		return Reading{}, fault.New(fault.ModelUnsupported, format, args...)
	}
	if p.LatentChannels != m.InChannels {
		return refuse("the decoder's latent has %d channels, the transformer's %d", p.LatentChannels, m.InChannels)
	}
	r := Reading{Width: m.ContextDim}
	for _, e := range p.Encoders {
		tokens, pooled := r.First == "" && e.Width == m.ContextDim && e.States <= 1, len(r.Pooled) == 0 && m.PooledDim > 0 && e.Pooled == m.PooledDim
		if tokens {
			r.First, r.Tokens = e.Name, e.Tokens
		}
		if pooled {
			r.Pooled = []string{e.Name}
		}
		if !tokens && !pooled {
			return refuse("the transformer reads nothing of the text encoder %.64q, which gives token states of %d and a vector of %d: it reads tokens of %d and a vector of %d", e.Name, e.Width, e.Pooled, m.ContextDim, m.PooledDim)
		}
	}
	if r.First == "" || m.PooledDim > 0 && len(r.Pooled) == 0 {
		return refuse("%d text encoders give not all that the transformer reads: tokens of %d and a vector of %d", len(p.Encoders), m.ContextDim, m.PooledDim)
	}
	return r, nil
}

// Context records a copy of the token states [T, C], which every block reads as they are.
func (m *Cosmos) Context(l *op.List, states []States, out *op.Tensor) {
	for _, s := range states {
		if s.Width == m.ContextDim {
			l.Copy(s.Tensor, out)
			return
		}
	}
}

// Psi records the adapter's ψ: pooled [n, P] → out [n, 7D], zeros before it.
func (m *Cosmos) Psi(l *op.List, pooled, out *op.Tensor) {
	d := m.Hidden()
	m.leave(l, out.Columns(0, 4*d))
	if m.scales != nil {
		m.adapter.record(l, pooled, nil, out.Columns(4*d, 7*d))
	}
}

// leave records zeros.
func (m *Cosmos) leave(l *op.List, out *op.Tensor) {
	rows := *m.zeros.Columns(0, out.Cols)
	rows.Rows, rows.Stride = out.Rows, 0
	l.Copy(&rows, out)
}

// Time is what Tau reads of a time, [D]: cos, then sin, of the time itself.
func (m *Cosmos) Time(t float64) []float32 {
	half := m.Hidden() / 2
	out := make([]float32, 2*half)
	for i := range half {
		a := t * math.Exp(-math.Log(10000)*float64(i)/float64(half))
		out[i], out[half+i] = float32(math.Cos(a)), float32(math.Sin(a))
	}
	return out
}

// Tau records τ and the embedded time for n times: Time of the times [n, D] → out
// [n, 4D or 7D].
func (m *Cosmos) Tau(l *op.List, times, _, out *op.Tensor) {
	d := m.Hidden()
	m.time.record(l, times, nil, out.Columns(0, 3*d))
	l.RMSNorm(times, m.timeNorm, eps, false, out.Columns(3*d, 4*d))
	if m.scales != nil {
		m.leave(l, out.Columns(4*d, 7*d))
	}
}

// Parts lists the sets of vectors in the order of a row of modulation (see Modulate).
func (m *Cosmos) Parts() (out []Part) {
	d := m.Hidden()
	for n := range m.Layers {
		for _, name := range []string{"image attention", "text attention", "MLP"} {
			out = append(out, Part{n, name, true, d})
		}
	}
	return append(out, Part{m.Layers, "head", false, d})
}

// Modulate records the modulation of every block for n rows: yhat [n, (Blocks+1)·Vector]
// → mods [n, Modulation]. The head gets τ without the adapter.
func (m *Cosmos) Modulate(l *op.List, yhat, mods *op.Tensor) {
	d, v := m.Hidden(), m.vector()*m.Hidden()
	e := l.Activation(yhat.Columns(3*d, 4*d), op.SiLU, nil) // [n, D], the same for all blocks
	at := 0
	add := func(w cosmosLoRA, y *op.Tensor) {
		h := l.MatMul(e, w.down.w, op.Epilogue{}) // [n, R]
		n := w.up.w.Rows
		l.MatMul(h, w.up.w, op.Epilogue{Residual: y.Columns(0, n), Out: mods.Columns(at, at+n)}) // [n, 3D | 2D]
		at += n
	}
	for n, b := range m.blocks {
		y := yhat.Columns(n*v, n*v+3*d) // [n, 3D]
		if m.scales != nil {
			scale := *m.scales.Slice(n, n+1)
			scale.Rows, scale.Stride = yhat.Rows, 0
			psi := l.Gated(yhat.Columns(n*v+4*d, (n+1)*v), &scale, op.None, op.Counted{}, nil) // [n, 3D]
			y = l.Add(y, psi, nil)                                                             // [n, 3D]
		}
		for _, w := range b.mod {
			add(w, y)
		}
	}
	add(m.finalMod, yhat.Columns(m.Layers*v, m.Layers*v+3*d))
}

// Positions is the rotary table [rows·cols, HeadDim] of a picture.
func (m *Cosmos) Positions(_, rows, cols int) (table []float32, width int) {
	return m.FilmPositions(1, rows, cols, 0), m.HeadDim
}

// FilmPositions is the rotary table [frames·rows·cols, HeadDim] of a film of so many frames
// a second; 0: their number is not told, and each counts 1. Scales make the waves longer, so
// that pictures larger than those of the training lie within them (NTK-aware scaling).
func (m *Cosmos) FilmPositions(frames, rows, cols int, fps float64) (table []float32) {
	step := 1.0
	if fps > 0 {
		step = cosmosFPS / fps
	}
	axes := m.axes()
	turn := func(axis int, position float64) {
		dim := float64(axes[axis])
		theta := cosmosTheta * math.Pow(m.RopeScale[axis], dim/(dim-2))
		for i := 0; i < axes[axis]; i += 2 {
			sin, cos := math.Sincos(position * math.Pow(theta, -float64(i)/dim))
			table = append(table, float32(cos), float32(sin))
		}
	}
	for f := range frames {
		for r := range rows {
			for c := range cols {
				turn(0, float64(f)*step)
				turn(1, float64(r))
				turn(2, float64(c))
			}
		}
	}
	return table
}
