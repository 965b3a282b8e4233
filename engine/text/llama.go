package text

import (
	"fmt"
	"math"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// LlamaConfig is the configuration of a Llama in a manifest, in the words of
// transformers. Its zero RopeScaling scales nothing.
type LlamaConfig struct {
	VocabSize   int         `json:"vocab_size"`
	Width       int         `json:"hidden_size"`
	NumLayers   int         `json:"num_hidden_layers"`
	NumHeads    int         `json:"num_attention_heads"`
	KVHeads     int         `json:"num_key_value_heads"` // each of them is read by NumHeads/KVHeads heads of queries
	HeadDim     int         `json:"head_dim"`
	MLP         int         `json:"intermediate_size"`
	Eps         float64     `json:"rms_norm_eps"`
	RopeTheta   float64     `json:"rope_theta"`
	RopeScaling RopeScaling `json:"rope_scaling"`
	// RopeAdjacent turns channels 2i and 2i + 1 of a head together, in place of i and
	// i + HeadDim/2: llama.cpp orders the rows of q and k so in its files.
	RopeAdjacent bool `json:"rope_adjacent,omitempty"`
	MaxLength    int  `json:"max_length"`
	BOS          int  `json:"bos"`
	PAD          int  `json:"pad"`
}

// RopeScaling is Llama 3.1's change of rotary frequencies: waves longer than
// Original/Low positions turn Factor times slower, those shorter than Original/High as
// they were, and between them the frequency goes from the one to the other.
type RopeScaling struct {
	Factor   float64 `json:"factor"` // 0: no scaling
	Low      float64 `json:"low_freq_factor"`
	High     float64 `json:"high_freq_factor"`
	Original float64 `json:"original_max_position_embeddings"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c LlamaConfig) Check() error {
	unsupported := func(format string, args ...any) error {
		return fault.New(fault.ModelUnsupported, "text encoder: "+format, args...)
	}
	s := c.RopeScaling
	switch {
	case c.Width < op.Align || c.Width > 16384 || c.Width%op.Align != 0:
		return unsupported("hidden_size %d, supported: multiples of %d up to 16384", c.Width, op.Align)
	case c.HeadDim < op.Align || c.HeadDim > op.MaxHeadDim || c.HeadDim%op.Align != 0 || c.NumHeads < 1 || c.NumHeads > 256:
		return unsupported("%d heads of %d, supported: up to 256 of multiples of %d up to %d", c.NumHeads, c.HeadDim, op.Align, op.MaxHeadDim)
	case c.KVHeads < 1 || c.NumHeads%c.KVHeads != 0:
		return unsupported("%d heads with num_key_value_heads %d; the first must be a multiple of the second", c.NumHeads, c.KVHeads)
	case c.NumLayers < 1 || c.NumLayers > 200 || c.MLP < 1 || c.MLP > 1<<16:
		return unsupported("%d layers with %d hidden units, supported 1 to 200 and up to %d", c.NumLayers, c.MLP, 1<<16)
	case c.MaxLength < 2 || c.MaxLength > 4096 || c.VocabSize < 1 || c.VocabSize > maxVocabulary:
		return unsupported("%d tokens out of %d words, supported 2 to 4096 and up to %d", c.MaxLength, c.VocabSize, maxVocabulary)
	case !(c.Eps > 0 && c.Eps < 1):
		return unsupported("rms_norm_eps %g, supported above 0 and below 1", c.Eps)
	case !(c.RopeTheta > 1 && c.RopeTheta <= 1e12):
		return unsupported("rope_theta %g, supported above 1 up to 1e12", c.RopeTheta)
	case s.Factor != 0 && !(s.Factor >= 1 && s.Factor <= 1e4 && s.Low > 0 && s.High > s.Low && s.High <= 1e4 && s.Original >= 1 && s.Original <= 1e9):
		return unsupported("rope_scaling %+v, supported are factors of 1 and more, and a high_freq_factor above low_freq_factor", s)
	}
	for _, id := range []int{c.BOS, c.PAD} {
		if id < 0 || id >= c.VocabSize {
			return unsupported("token id %d in a vocabulary of %d", id, c.VocabSize)
		}
	}
	return nil
}

// Frequencies are those that pairs of channels turn with, in radians for one position,
// [HeadDim/2] (arXiv 2104.09864; the scaling is that of Llama 3.1).
func (c LlamaConfig) Frequencies() []float64 {
	out := make([]float64, c.HeadDim/2)
	for i := range out {
		f := math.Pow(c.RopeTheta, -2*float64(i)/float64(c.HeadDim))
		if s := c.RopeScaling; s.Factor != 0 {
			waves := s.Original * f / (2 * math.Pi) // how often the pair turns in Original positions
			keep := min(max((waves-s.Low)/(s.High-s.Low), 0), 1)
			f = (1-keep)*f/s.Factor + keep*f
		}
		out[i] = f
	}
	return out
}

// Llama is a Llama 3 read as a text encoder (arXiv 2407.21783): a causal, pre-norm
// transformer without biases, in which several heads of queries share one of keys and
// values (arXiv 2305.13245). It gives the states behind every layer, of which the last
// have gone through the final norm, and no pooled vector.
type Llama struct {
	LlamaConfig
	token     *op.Tensor // [V, C]
	rotary    *op.Tensor // [T, HeadDim], cos and sin of every pair
	layers    []rmsLayer
	finalNorm *op.Tensor // [1, C]
}

var llamaNames = rmsNames{"input_layernorm", "post_attention_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
	"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}

// LoadLlama asks for the weights under the names of the published checkpoints.
func LoadLlama(c LlamaConfig, weights op.Weights) (*Llama, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	const root = "model."
	d, a, kv := c.Width, c.NumHeads*c.HeadDim, c.KVHeads*c.HeadDim
	m := &Llama{
		LlamaConfig: c,
		token:       weights.Get(root+"embed_tokens.weight", op.UseMatrix, c.VocabSize, d),
		finalNorm:   weights.Get(root+"norm.weight", op.UseVector, 1, d),
	}
	for n := range c.NumLayers {
		m.layers = append(m.layers, loadRMSLayer(weights, fmt.Sprintf("%slayers.%d.", root, n), llamaNames, d, a, kv, c.MLP))
	}
	table := make([]float32, 0, c.MaxLength*c.HeadDim)
	frequencies := c.Frequencies()
	for position := range c.MaxLength {
		for _, f := range frequencies {
			sin, cos := math.Sincos(float64(position) * f)
			table = append(table, float32(cos), float32(sin))
		}
	}
	m.rotary = weights.Constant("rotary", op.UseVector, c.MaxLength, c.HeadDim, table)
	return m, nil
}

// Shape tells the sizes of what is read and given.
func (m *Llama) Shape() Shape {
	return Shape{Tokens: m.MaxLength, Width: m.Width, States: len(m.layers), Masked: true}
}

// Tokenizer makes the tokenizer that belongs to it out of a tokenizer.json.
func (m *Llama) Tokenizer(files ...[]byte) (*Tokenizer, error) {
	return ReadTokenizer(m.Frame(), files...)
}

// Frame is what it asks of its tokenizer: Llama's puts no token behind the text.
func (c LlamaConfig) Frame() Frame {
	return Frame{Rows: c.VocabSize, Length: c.MaxLength, BOS: c.BOS, EOS: -1, PAD: c.PAD}
}

// Encode records ids [1, T] → states [States·T, C], those of the first layer first.
// Padding comes last and is read by nothing before it; its own rows are states as others.
func (m *Llama) Encode(l *op.List, p Pass) {
	t := m.MaxLength
	eps := float32(m.Eps)
	x := l.Embedding(m.token, p.IDs, nil) // [T, C]
	p.afterLayer(x)
	for n, b := range m.layers {
		h := l.RMSNorm(x, b.norm1, eps, false, nil) // [T, C]
		q := l.MatMul(h, b.q, op.Epilogue{})        // [T, A]
		k := l.MatMul(h, b.k, op.Epilogue{})        // [T, KV]
		v := l.MatMul(h, b.v, op.Epilogue{})        // [T, KV]
		l.Rotary(q, m.rotary, m.HeadDim, !m.RopeAdjacent)
		l.Rotary(k, m.rotary, m.HeadDim, !m.RopeAdjacent)
		attn := l.Attend(op.AttentionOp{Q: q, K: k, V: v, Heads: m.NumHeads, KVHeads: m.KVHeads, HeadDim: m.HeadDim,
			Causal: true, Mask: p.Mask}) // [T, A]
		b.behind(l, attn, x, eps, op.SiLU)
		p.afterLayer(x)
		state := p.States.Slice(n*t, (n+1)*t)
		if n == m.NumLayers-1 {
			l.RMSNorm(x, m.finalNorm, eps, false, state)
		} else {
			l.Copy(x, state)
		}
	}
}
