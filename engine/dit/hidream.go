package dit

import (
	"fmt"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// HiDreamConfig is the configuration of a HiDream-I1 in a manifest, in the words of the
// published transformer/config.json.
type HiDreamConfig struct {
	InChannels  int   `json:"in_channels"`
	Layers      int   `json:"num_layers"`        // double blocks
	Single      int   `json:"num_single_layers"` // and those behind them
	HeadDim     int   `json:"attention_head_dim"`
	Heads       int   `json:"num_attention_heads"`
	Captions    []int `json:"caption_channels"` // of T5's states, and of Llama's
	PooledDim   int   `json:"text_emb_dim"`
	Experts     int   `json:"num_routed_experts"`
	Active      int   `json:"num_activated_experts"`
	AxesDim     []int `json:"axes_dims_rope"`
	Resolution  []int `json:"max_resolution"` // of the latent
	LlamaLayers []int `json:"llama_layers"`   // which of Llama's states each block reads
	// Unpadded leaves out the tokens of nothing that the publisher's pipeline adds to
	// pictures that are not square, up to those of max_resolution, and that take part in
	// attention.
	Unpadded bool `json:"unpadded,omitempty"`
}

const (
	hidreamPatch  = 2
	hidreamTheta  = 10000
	hidreamQKEps  = 1e-5 // of the norms of q and k over all heads
	hidreamRound  = 256  // what the widths of MLPs are multiples of
	hidreamVector = 12   // vectors of modulation of a double block, 6 of a single one
)

// Hidden is the width of the streams.
func (c HiDreamConfig) Hidden() int { return c.Heads * c.HeadDim }

func (c HiDreamConfig) blocks() int { return c.Layers + c.Single }

func (c HiDreamConfig) tokenChannels() int { return c.InChannels * hidreamPatch * hidreamPatch }

// mlp is the width of an MLP that is asked for wide times the stream's: two thirds of it,
// since it has a gate, rounded up.
func (c HiDreamConfig) mlp(wide int) int {
	return op.CeilDiv(2*wide*c.Hidden()/3, hidreamRound) * hidreamRound
}

// padded is how many image tokens a picture of rows × cols becomes.
func (c HiDreamConfig) padded(rows, cols int) int {
	n := rows * cols
	if c.Unpadded || rows == cols || len(c.Resolution) != 2 {
		return n
	}
	return max(n, c.Resolution[0]*c.Resolution[1]/(hidreamPatch*hidreamPatch))
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c HiDreamConfig) Check() error {
	if len(c.Captions) != 2 {
		return unsupported("caption_channels %v, supported: those of T5 and of Llama", c.Captions)
	}
	if err := checkWidths(width{"in_channels", c.InChannels}, width{"num_attention_heads", c.Heads}, width{"attention_head_dim", c.HeadDim},
		width{"caption_channels", c.Captions[0]}, width{"caption_channels", c.Captions[1]}, width{"text_emb_dim", c.PooledDim}); err != nil {
		return err
	}
	switch {
	case c.HeadDim%op.Align != 0 || c.HeadDim > 128 || c.Hidden() > maxWidth:
		return unsupported("%d heads of %d; heads must be multiples of %d up to 128 wide, %d together", c.Heads, c.HeadDim, op.Align, maxWidth)
	case c.Layers < 0 || c.Single < 0 || c.blocks() < 1 || c.blocks() > 200:
		return unsupported("%d + %d blocks, supported 1 to 200", c.Layers, c.Single)
	case c.Experts < 1 || c.Experts > 64 || c.Active < 1 || c.Active > c.Experts:
		return unsupported("%d of %d experts, supported 1 to all of up to 64", c.Active, c.Experts)
	case len(c.LlamaLayers) != c.blocks():
		return unsupported("llama_layers has %d entries for %d blocks", len(c.LlamaLayers), c.blocks())
	case slices.Min(c.LlamaLayers) < 0 || slices.Max(c.LlamaLayers) >= 200:
		return unsupported("llama_layers %v, supported 0 to 199", c.LlamaLayers)
	case len(c.Resolution) != 2 || min(c.Resolution[0], c.Resolution[1]) < 1 || max(c.Resolution[0], c.Resolution[1]) > 4096:
		return unsupported("max_resolution %v, supported are two numbers of 1 to 4096", c.Resolution)
	case len(c.AxesDim) != 3:
		return unsupported("axes_dims_rope %v, supported: three axes", c.AxesDim)
	}
	sum := 0
	for _, a := range c.AxesDim {
		if a < 0 || a > c.HeadDim || a%2 != 0 {
			return unsupported("axes_dims_rope %v; each must be even", c.AxesDim)
		}
		sum += a
	}
	if sum != c.HeadDim && 2*sum != c.HeadDim {
		return unsupported("axes_dims_rope %v sums to %d, a head is %d wide, of which all or half may turn", c.AxesDim, sum, c.HeadDim)
	}
	return nil
}

// HiDream is the transformer of HiDream-I1 (arXiv 2505.22705): double blocks with separate
// weights for image and text, then blocks that treat both alike, all of whose image MLPs
// are a mixture of experts. The text is T5's and the last listed state of Llama, carried
// through all blocks, and beside them in every block one state of Llama of its own, which
// is dropped behind it. One vector per block,
//
//	ŷ = τ(t) + ψ(pooled) (+ modulation guidance)
//
// sets the shift, scale and gate of everything in it. What the network gives is −v.
type HiDream struct {
	HiDreamConfig
	xIn          linear // [D, in]
	time, pooled embedder
	captions     []linear // [D, Llama] of every block, then [D, T5]
	double       []hidreamDouble
	single       []hidreamSingle
	finalMod     linear     // [2D, D]
	final        linear     // [in, D]
	zeros        *op.Tensor // [1, D]: the keys of padding
	minus        *op.Tensor // [1, in], −1
}

type hidreamDouble struct {
	mod      linear // [12D, D]: shift, scale, gate of the image's attention and MLP, then the text's
	img, txt hidreamAttention
	ff       experts
	ffText   gatedMLP
}

type hidreamSingle struct {
	mod  linear // [6D, D]: shift, scale, gate of attention, then of the MLP
	attn hidreamAttention
	ff   experts
}

// hidreamAttention is one modality's half of attention: q, k and v, of which the first two
// have a norm over all heads.
type hidreamAttention struct {
	qkv   [3]linear     // [D, D]
	norms [3]*op.Tensor // [1, D], the last nil
	out   linear        // [D, D]
}

// LoadHiDream asks for the weights under the names of the published files.
func LoadHiDream(c HiDreamConfig, weights op.Weights) (*HiDream, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	d := c.Hidden()
	lin := func(name string, out, in int) linear { return loadLinear(weights, name, out, in, true) }
	embed := func(name string, in int) embedder {
		return embedder{lin(name+".linear_1", d, in), lin(name+".linear_2", d, d)}
	}
	attention := func(at, which string) (a hidreamAttention) {
		for i, part := range []string{"q", "k", "v"} {
			a.qkv[i] = lin(at+"attn1.to_"+part+which, d, d)
			if i < 2 {
				a.norms[i] = weights.Get(at+"attn1."+part+"_rms_norm"+which+".weight", op.UseVector, 1, d)
			}
		}
		a.out = lin(at+"attn1.to_out"+which, d, d)
		return a
	}
	mixture := func(at string) experts {
		x := experts{active: c.Active, router: loadLinear(weights, at+"ff_i.gate", c.Experts, d, false),
			shared: loadGatedMLP(weights, at+"ff_i.shared_experts", d, c.mlp(2))}
		for n := range c.Experts {
			x.routed = append(x.routed, loadGatedMLP(weights, fmt.Sprintf("%sff_i.experts.%d", at, n), d, c.mlp(4)))
		}
		return x
	}
	h := &HiDream{
		HiDreamConfig: c,
		xIn:           lin("x_embedder.proj", d, c.tokenChannels()),
		time:          embed("t_embedder.timestep_embedder", timeWidth),
		pooled:        embed("p_embedder.pooled_embedder", c.PooledDim),
	}
	for n := range c.blocks() + 1 {
		in := c.Captions[1]
		if n == c.blocks() {
			in = c.Captions[0]
		}
		h.captions = append(h.captions, loadLinear(weights, fmt.Sprintf("caption_projection.%d.linear", n), d, in, false))
	}
	for n := range c.Layers {
		at := fmt.Sprintf("double_stream_blocks.%d.block.", n)
		h.double = append(h.double, hidreamDouble{mod: lin(at+"adaLN_modulation.1", hidreamVector*d, d), img: attention(at, ""), txt: attention(at, "_t"),
			ff: mixture(at), ffText: loadGatedMLP(weights, at+"ff_t", d, c.mlp(4))})
	}
	for n := range c.Single {
		at := fmt.Sprintf("single_stream_blocks.%d.block.", n)
		h.single = append(h.single, hidreamSingle{mod: lin(at+"adaLN_modulation.1", hidreamVector/2*d, d), attn: attention(at, ""), ff: mixture(at)})
	}
	h.finalMod = lin("final_layer.adaLN_modulation.1", 2*d, d)
	h.final = lin("final_layer.linear", c.tokenChannels(), d)
	h.zeros = weights.Constant("zeros", op.UseVector, 1, d, make([]float32, d))
	h.minus = weights.Constant("minus one", op.UseVector, 1, c.tokenChannels(), slices.Repeat([]float32{-1}, c.tokenChannels()))
	return h, nil
}

// Shape tells the sizes of what goes in and comes out.
func (h *HiDream) Shape() Shape {
	d := h.Hidden()
	return Shape{
		Blocks: append(repeat("double", h.Layers), repeat("single", h.Single)...),
		Vector: d, Context: h.Captions[0], Pooled: h.PooledDim, Modulation: (hidreamVector*h.Layers + hidreamVector/2*h.Single + 2) * d,
		Channels: h.tokenChannels(), Patch: hidreamPatch, Time: timeWidth, Heads: h.Heads, HeadDim: h.HeadDim,
		Rows: "signed",
	}
}

// Fit checks that the parts belong together (fault.ModelUnsupported): one encoder whose
// tokens have a state of many layers, Llama; one without a pooled vector beside it, T5; and
// those of the pooled vectors, which stand side by side.
func (h *HiDream) Fit(p Parts) (Reading, error) {
	refuse := func(format string, args ...any) (Reading, error) {
		return Reading{}, fault.New(fault.ModelUnsupported, format, args...)
	}
	if p.LatentChannels != h.InChannels {
		return refuse("the decoder's latent has %d channels, the transformer's %d", p.LatentChannels, h.InChannels)
	}
	var t5, llama *Encoder
	need := slices.Max(h.LlamaLayers) + 1
	layered := slices.ContainsFunc(p.Encoders, func(e Encoder) bool { return e.States > 1 })
	r := Reading{Width: h.Hidden()}
	pooled := 0
	for _, e := range p.Encoders {
		switch {
		case e.Pooled > 0:
			pooled += e.Pooled
			r.Pooled = append(r.Pooled, e.Name)
		case e.States > 1 && llama == nil:
			llama = &e
		case e.States <= 1 && t5 == nil:
			t5 = &e
		case !layered && need > 1:
			return refuse("the text encoder %.64q gives the states of 1 layer, the transformer reads %d", e.Name, need)
		default:
			return refuse("the transformer reads nothing of the text encoder %.64q beside the others", e.Name)
		}
	}
	switch {
	case t5 == nil || llama == nil:
		return refuse("the transformer reads the states of T5 and those of all layers of Llama, one of which is missing among %d text encoders", len(p.Encoders))
	case llama.States < need:
		return refuse("the text encoder %.64q gives the states of %d layers, the transformer reads %d", llama.Name, llama.States, need)
	case t5.Width != h.Captions[0]:
		return refuse("the text encoder %.64q gives token states of %d, the transformer reads %d", t5.Name, t5.Width, h.Captions[0])
	case llama.Width != h.Captions[1]:
		return refuse("the text encoder %.64q gives token states of %d, the transformer reads %d", llama.Name, llama.Width, h.Captions[1])
	case pooled != h.PooledDim:
		return refuse("the text encoders give vectors of %d together, the transformer reads %d", pooled, h.PooledDim)
	}
	r.First, r.Lead = t5.Name, t5.Tokens
	r.Tokens = t5.Tokens + h.blocks()*llama.Tokens
	return r, nil
}

// Context records caption_projection: T5's states [T, C] and those of Llama's layers
// [L, T', C'] → out [T + blocks·T', D]: T5's, the state of the last block, which is carried
// with them, and those of the other blocks in their order.
func (h *HiDream) Context(l *op.List, states []States, out *op.Tensor) {
	for _, e := range states {
		if e.Pooled > 0 {
			continue
		}
		if e.States <= 1 {
			l.MatMul(e.Tensor, h.captions[h.blocks()].w, op.Epilogue{Out: out.Slice(0, e.Tokens)}) // [T, D]
			continue
		}
		for n, layer := range h.LlamaLayers {
			state := e.Tensor.Slice(layer*e.Tokens, (layer+1)*e.Tokens)                                     // [T', C']
			l.MatMul(state, h.captions[n].w, op.Epilogue{Out: h.own(out, n, out.Rows-h.blocks()*e.Tokens)}) // [T', D]
		}
	}
}

// own is the part [T', D] of a context that block n reads beside the carried text; lead is
// how many tokens of T5 it begins with.
func (h *HiDream) own(context *op.Tensor, n, lead int) *op.Tensor {
	each := (context.Rows - lead) / h.blocks()
	at := (n + 1) % h.blocks() // the last block's comes first
	return context.Slice(lead+at*each, lead+(at+1)*each)
}

// Psi records ψ: pooled [n, P] → out [n, D].
func (h *HiDream) Psi(l *op.List, pooled, out *op.Tensor) { h.pooled.record(l, pooled, nil, out) }

// Time is what Tau reads of a time, [Time].
func (h *HiDream) Time(t float64) []float32 { return sinusoid(t) }

// Tau records τ for n times: Time of the times [n, Time] → out [n, D].
func (h *HiDream) Tau(l *op.List, times, _, out *op.Tensor) { h.time.record(l, times, nil, out) }

// Positions is the rotary table [rows·cols, HeadDim] of the image tokens, at (0, row,
// column); text and padding lie at (0, 0, 0) and do not turn. Where the axes cover half of
// a head, the other half does not turn either.
func (h *HiDream) Positions(_, rows, cols int) (table []float32, width int) {
	table = make([]float32, 0, rows*cols*h.HeadDim)
	for r := range rows {
		for c := range cols {
			table = rotary(table, []int{0, r, c}, h.AxesDim, hidreamTheta)
			for len(table)%h.HeadDim != 0 {
				table = append(table, 1, 0)
			}
		}
	}
	return table, h.HeadDim
}

// Parts lists the sets of vectors in the order of a row of modulation (see Modulate).
func (h *HiDream) Parts() (out []Part) {
	d := h.Hidden()
	for n := range h.Layers {
		for _, name := range []string{"image attention", "image MLP", "text attention", "text MLP"} {
			out = append(out, Part{n, name, true, d})
		}
	}
	for n := range h.Single {
		out = append(out, Part{h.Layers + n, "attention", true, d}, Part{h.Layers + n, "MLP", true, d})
	}
	return append(out, Part{h.blocks(), "head", false, d})
}

// Modulate records the modulation of every block for n rows: yhat [n, (Blocks+1)·D], one
// vector per block and the head's last → mods [n, Modulation].
func (h *HiDream) Modulate(l *op.List, yhat, mods *op.Tensor) {
	d := h.Hidden()
	y := l.Activation(yhat, op.SiLU, nil) // [n, (L+1)·D]
	at := 0
	lin := func(block int, w linear) {
		v := y.Columns(block*d, (block+1)*d)                                         // [n, D]
		l.MatMul(v, w.w, op.Epilogue{Bias: w.b, Out: mods.Columns(at, at+w.w.Rows)}) // [n, 12D | 6D | 2D]
		at += w.w.Rows
	}
	for n, b := range h.double {
		lin(n, b.mod)
	}
	for n, b := range h.single {
		lin(h.Layers+n, b.mod)
	}
	lin(h.blocks(), h.finalMod)
}
