package text

import (
	"fmt"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// Config is the "text" object of model.json.
type Config struct {
	VocabSize    int    `json:"vocab_size"`
	HiddenSize   int    `json:"hidden_size"`
	NumLayers    int    `json:"num_layers"`
	NumHeads     int    `json:"num_heads"`
	Intermediate int    `json:"intermediate_size"`
	MaxLength    int    `json:"max_length"`
	Activation   string `json:"activation"`
	BOS          int    `json:"bos"`
	EOS          int    `json:"eos"`
	PAD          int    `json:"pad"`
	// Penultimate takes the token states before the last layer, without the final
	// norm, as SD3 reads them. The pooled vector is always of the final states.
	Penultimate bool `json:"penultimate,omitempty"`
	// Projection is the width of the pooled vector behind text_projection; 0 leaves
	// it as it is.
	Projection int `json:"projection_dim,omitempty"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c Config) Check() error {
	unsupported := func(format string, args ...any) error {
		return fault.New(fault.ModelUnsupported, "text encoder: "+format, args...)
	}
	switch {
	case c.HiddenSize < 4 || c.HiddenSize > 8192 || c.NumHeads < 1 || c.HiddenSize%c.NumHeads != 0 || c.HiddenSize/c.NumHeads%op.Align != 0:
		return unsupported("width %d in %d heads; heads must be multiples of %d wide", c.HiddenSize, c.NumHeads, op.Align)
	case c.NumLayers < 0 || c.NumLayers > 100 || c.Intermediate < 1 || c.Intermediate > 1<<16:
		return unsupported("%d layers with %d hidden units, supported up to 100 and %d", c.NumLayers, c.Intermediate, 1<<16)
	case c.Penultimate && c.NumLayers < 1:
		return unsupported("%d layers, penultimate states need 1", c.NumLayers)
	case c.Projection < 0 || c.Projection > 8192 || c.Projection%op.Align != 0:
		return unsupported("projection_dim %d, supported: multiples of %d up to 8192", c.Projection, op.Align)
	case c.MaxLength < 2 || c.MaxLength > 4096 || c.VocabSize < 1 || c.VocabSize > maxVocabulary:
		return unsupported("%d tokens out of %d words, supported up to 4096 and %d", c.MaxLength, c.VocabSize, maxVocabulary)
	}
	for _, id := range []int{c.BOS, c.EOS, c.PAD} {
		if id < 0 || id >= c.VocabSize {
			return unsupported("token id %d in a vocabulary of %d", id, c.VocabSize)
		}
	}
	_, err := op.ParseAct(c.Activation)
	return err
}

// Shape is what the engine has to know of a text encoder.
type Shape struct {
	Tokens int  // T, what it reads of a prompt
	Width  int  // C, of a token's state
	Pooled int  // width of the pooled vector; 0 where there is none
	States int  // states of one token, of as many layers; 0 stands for 1
	Masked bool // it is told which tokens are padding, see Pass.Mask
	Zeroed bool // it is told whose states are kept, see Pass.Kept
}

// Layers is how many states a token has.
func (s Shape) Layers() int { return max(s.States, 1) }

// Pass names the tensors of one prompt.
type Pass struct {
	IDs    *op.Tensor // [1, T] U32
	End    *op.Tensor // [1, 1] U32, Tokens.EOS; read where there is a pooled vector
	Mask   *op.Tensor // [1, T], Tokens.Mask; read where the shape is Masked
	Kept   *op.Tensor // [1, T] U32, Tokens.Kept; read where the shape is Zeroed
	States *op.Tensor // [Layers·T, Width], where the token states go, layer by layer
	Pooled *op.Tensor // [1, Pooled] or nil, where the pooled vector goes
	// AfterLayer, if not nil, is shown the stream [T, Width] before the first layer
	// and after every layer.
	AfterLayer func(x *op.Tensor)
}

// afterLayer calls what was asked for, if anything was.
func (p Pass) afterLayer(x *op.Tensor) {
	if p.AfterLayer != nil {
		p.AfterLayer(x)
	}
}

// CLIP is the text encoder of CLIP (arXiv 2103.00020): a causal, pre-norm
// transformer. Its final states, or those before the last layer, are the tokens the
// image attends to; the final state at the first EOS, projected where the
// configuration says so, is the pooled vector.
type CLIP struct {
	Config
	act        op.Act
	token      *op.Tensor // [V, C]
	position   *op.Tensor // [T, C]
	layers     []clipLayer
	finalNorm  affine
	projection *op.Tensor // [P, C] or nil
}

// linear is x·wᵀ + b; affine is a layer norm's scale and shift.
type linear struct{ w, b *op.Tensor }
type affine struct{ w, b *op.Tensor }

type clipLayer struct {
	norm1, norm2 affine
	q, k, v, out linear // [C, C]
	fc1, fc2     linear // [F, C], [C, F]
}

// clipEps is the epsilon of CLIP's layer norms.
const clipEps = 1e-5

// LoadCLIP asks for the weights under their Hugging Face names.
func LoadCLIP(c Config, weights op.Weights) (*CLIP, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	act, err := op.ParseAct(c.Activation)
	if err != nil {
		return nil, err
	}
	const root = "text_model."
	lin := func(name string, out, in int) linear {
		return linear{weights.Get(name+".weight", op.UseMatrix, out, in), weights.Get(name+".bias", op.UseVector, 1, out)}
	}
	norm := func(name string) affine {
		return affine{weights.Get(name+".weight", op.UseVector, 1, c.HiddenSize), weights.Get(name+".bias", op.UseVector, 1, c.HiddenSize)}
	}
	m := &CLIP{
		Config:    c,
		act:       act,
		token:     weights.Get(root+"embeddings.token_embedding.weight", op.UseMatrix, c.VocabSize, c.HiddenSize),
		position:  weights.Get(root+"embeddings.position_embedding.weight", op.UseVector, c.MaxLength, c.HiddenSize),
		finalNorm: norm(root + "final_layer_norm"),
	}
	for n := range c.NumLayers {
		at := fmt.Sprintf("%sencoder.layers.%d.", root, n)
		m.layers = append(m.layers, clipLayer{
			norm1: norm(at + "layer_norm1"), norm2: norm(at + "layer_norm2"),
			q:   lin(at+"self_attn.q_proj", c.HiddenSize, c.HiddenSize),
			k:   lin(at+"self_attn.k_proj", c.HiddenSize, c.HiddenSize),
			v:   lin(at+"self_attn.v_proj", c.HiddenSize, c.HiddenSize),
			out: lin(at+"self_attn.out_proj", c.HiddenSize, c.HiddenSize),
			fc1: lin(at+"mlp.fc1", c.Intermediate, c.HiddenSize),
			fc2: lin(at+"mlp.fc2", c.HiddenSize, c.Intermediate),
		})
	}
	if c.Projection > 0 {
		m.projection = weights.Get("text_projection.weight", op.UseMatrix, c.Projection, c.HiddenSize)
	}
	return m, nil
}

// Shape tells the sizes of what is read and given.
func (m *CLIP) Shape() Shape {
	s := Shape{Tokens: m.MaxLength, Width: m.HiddenSize, Pooled: m.HiddenSize}
	if m.projection != nil {
		s.Pooled = m.Projection
	}
	return s
}

// Tokenizer makes the tokenizer that belongs to it out of a tokenizer.json, or of
// vocab.json and merges.txt (see ReadTokenizer).
func (m *CLIP) Tokenizer(files ...[]byte) (*Tokenizer, error) {
	return ReadTokenizer(m.Frame(), files...)
}

// Encode records ids [1, T] → states [T, C] and the pooled vector [1, P].
func (m *CLIP) Encode(l *op.List, p Pass) {
	c := m.HiddenSize
	x := l.Embedding(m.token, p.IDs, nil)        // [T, C]
	x = l.Add(x, m.position.Slice(0, x.Rows), x) // [T, C]
	y := l.Temp(x.Rows, 4*c)                     // [T, q|k|v|attn]
	p.afterLayer(x)
	for i, b := range m.layers {
		if m.Penultimate && i == len(m.layers)-1 {
			l.Copy(x, p.States) // [T, C]
		}
		h := l.LayerNorm(x, b.norm1.w, b.norm1.b, clipEps, false, nil)         // [T, C]
		l.MatMul(h, b.q.w, op.Epilogue{Bias: b.q.b, Out: y.Columns(0, c)})     // [T, C]
		l.MatMul(h, b.k.w, op.Epilogue{Bias: b.k.b, Out: y.Columns(c, 2*c)})   // [T, C]
		l.MatMul(h, b.v.w, op.Epilogue{Bias: b.v.b, Out: y.Columns(2*c, 3*c)}) // [T, C]
		a := l.Attention(y, m.NumHeads, c/m.NumHeads, true)                    // [T, C]
		l.MatMul(a, b.out.w, op.Epilogue{Bias: b.out.b, Residual: x, Out: x})  // [T, C]
		h = l.LayerNorm(x, b.norm2.w, b.norm2.b, clipEps, false, nil)          // [T, C]
		h = l.MatMul(h, b.fc1.w, op.Epilogue{Bias: b.fc1.b, Act: m.act})       // [T, F]
		l.MatMul(h, b.fc2.w, op.Epilogue{Bias: b.fc2.b, Residual: x, Out: x})  // [T, C]
		p.afterLayer(x)
	}
	final := p.States
	if m.Penultimate {
		final = nil
	}
	final = l.LayerNorm(x, m.finalNorm.w, m.finalNorm.b, clipEps, false, final) // [T, C]
	switch {
	case p.Pooled == nil:
	case m.projection == nil:
		l.Embedding(final, p.End, p.Pooled) // [1, C]
	default:
		end := l.Embedding(final, p.End, nil)                   // [1, C]
		l.MatMul(end, m.projection, op.Epilogue{Out: p.Pooled}) // [1, P]
	}
}
