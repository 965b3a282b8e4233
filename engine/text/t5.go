package text

import (
	"cmp"
	"fmt"
	"math/bits"

	"undertone/engine/fault"
	"undertone/engine/op"
)

// T5Config is the configuration of a T5 in a manifest, in the words of T5's own.
type T5Config struct {
	VocabSize int `json:"vocab_size"`
	Width     int `json:"d_model"`
	HeadDim   int `json:"d_kv"` // heads together may be wider or narrower than d_model
	MLP       int `json:"d_ff"`
	NumLayers int `json:"num_layers"`
	NumHeads  int `json:"num_heads"`
	MaxLength int `json:"max_length"`
	EOS       int `json:"eos"`
	PAD       int `json:"pad"`
	// Eps is that of the norms; 0 stands for 1e-6, which all published ones have.
	Eps float64 `json:"layer_norm_epsilon,omitempty"`
	// FeedForward is "relu" of T5 1.0, whose MLPs have no gate; "" or "gated-gelu" of v1.1.
	FeedForward string `json:"feed_forward_proj,omitempty"`
	// Masked leaves padding out of attention, as HiDream does; FLUX and SD3 attend to it.
	Masked bool `json:"masked,omitempty"`
	// Zeroed makes the states of padding zeros, as Cosmos reads them.
	Zeroed bool `json:"zeroed,omitempty"`
}

// Check refuses configurations that cannot be computed (fault.ModelUnsupported).
func (c T5Config) Check() error {
	unsupported := func(format string, args ...any) error {
		return fault.New(fault.ModelUnsupported, "text encoder: "+format, args...)
	}
	switch {
	case c.Width < op.Align || c.Width > 8192 || c.Width%op.Align != 0:
		return unsupported("d_model %d, supported: multiples of %d up to 8192", c.Width, op.Align)
	case c.HeadDim < op.Align || c.HeadDim > op.MaxHeadDim || c.HeadDim%op.Align != 0 || c.NumHeads < 1 || c.NumHeads > 256:
		return unsupported("%d heads of d_kv %d, supported: up to 256 of multiples of %d up to %d", c.NumHeads, c.HeadDim, op.Align, op.MaxHeadDim)
	case c.NumLayers < 1 || c.NumLayers > 100 || c.MLP < 1 || c.MLP > 1<<16:
		return unsupported("%d layers with %d hidden units, supported 1 to 100 and up to %d", c.NumLayers, c.MLP, 1<<16)
	case c.MaxLength < 1 || c.MaxLength > 1024 || c.VocabSize < 1 || c.VocabSize > maxVocabulary:
		return unsupported("%d tokens out of %d words, supported 1 to 1024 and up to %d", c.MaxLength, c.VocabSize, maxVocabulary)
	case !(c.Eps >= 0 && c.Eps < 1):
		return unsupported("layer_norm_epsilon %g, supported 0 and above, below 1", c.Eps)
	case c.FeedForward != "" && c.FeedForward != t5Gated && c.FeedForward != t5Plain:
		return unsupported("feed_forward_proj %.40q, supported %q and %q", c.FeedForward, t5Gated, t5Plain)
	}
	for _, id := range []int{c.EOS, c.PAD} {
		if id < 0 || id >= c.VocabSize {
			return unsupported("token id %d in a vocabulary of %d", id, c.VocabSize)
		}
	}
	return nil
}

// T5 is the encoder of T5 1.0 and v1.1 (arXiv 1910.10683, and 2002.05202 for the MLP of
// the latter): a pre-norm transformer without biases, whose attention knows positions only by a
// learned bias for the distance of key and query. It gives no pooled vector.
type T5 struct {
	T5Config
	token     *op.Tensor // [V, C]
	bias      *op.Tensor // [t5Buckets, heads], of the first layer and used by all
	transpose *op.Tensor // [heads, heads], the identity
	buckets   *op.Tensor // [2·T − 1, t5Buckets], 1 at the bucket of each distance
	layers    []rmsLayer
	finalNorm *op.Tensor // [1, C]
	zero      *op.Tensor // [1, C], the state of padding; nil where it is not zeroed
}

// The MLPs, in the words of transformers.
const (
	t5Gated = "gated-gelu"
	t5Plain = "relu"
)

const (
	t5Eps     = 1e-6
	t5Buckets = 32 // of distances, half of them for keys behind the query
)

// t5Bucket numbers the bucket of a distance, key − query. Distances below 8 have one
// each; from there every doubling has two, up to the last one, which begins at 91:
//
//	8 + ⌊log(n/8)/log(128/8)·8⌋ = 8 + ⌊log₂(n²/64)⌋
//
// taken in whole numbers, so that no machine rounds it to another bucket.
func t5Bucket(distance int) int {
	const half, exact = t5Buckets / 2, t5Buckets / 4
	first := 0
	if distance > 0 {
		first = half
	}
	n := max(distance, -distance)
	if n < exact {
		return first + n
	}
	return first + min(exact+bits.Len(uint(n*n/(exact*exact)))-1, half-1)
}

// LoadT5 asks for the weights under the names of the published checkpoints.
func LoadT5(c T5Config, weights op.Weights) (*T5, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	d, a := c.Width, c.NumHeads*c.HeadDim
	m := &T5{
		T5Config:  c,
		token:     weights.Get("shared.weight", op.UseMatrix, c.VocabSize, d),
		bias:      weights.Get("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", op.UseMatrix, t5Buckets, c.NumHeads),
		finalNorm: weights.Get("encoder.final_layer_norm.weight", op.UseVector, 1, d),
	}
	names := rmsNames{"0.layer_norm", "1.layer_norm", "0.SelfAttention.q", "0.SelfAttention.k", "0.SelfAttention.v", "0.SelfAttention.o",
		"1.DenseReluDense.wi_0", "1.DenseReluDense.wi_1", "1.DenseReluDense.wo"}
	if c.FeedForward == t5Plain {
		names.gate, names.up = "", "1.DenseReluDense.wi"
	}
	for n := range c.NumLayers {
		m.layers = append(m.layers, loadRMSLayer(weights, fmt.Sprintf("encoder.block.%d.layer.", n), names, d, a, a, c.MLP))
	}
	if c.Zeroed {
		m.zero = weights.Constant("zero", op.UseVector, 1, d, make([]float32, d))
	}
	one := make([]float32, c.NumHeads*c.NumHeads)
	for h := range c.NumHeads {
		one[h*c.NumHeads+h] = 1
	}
	distances := 2*c.MaxLength - 1
	hot := make([]float32, distances*t5Buckets)
	for i := range distances {
		hot[i*t5Buckets+t5Bucket(i-(c.MaxLength-1))] = 1
	}
	m.transpose = weights.Constant("heads", op.UseVector, c.NumHeads, c.NumHeads, one)
	m.buckets = weights.Constant("buckets", op.UseMatrix, distances, t5Buckets, hot)
	return m, nil
}

// Shape tells the sizes of what is read and given.
func (m *T5) Shape() Shape {
	return Shape{Tokens: m.MaxLength, Width: m.Width, Masked: m.Masked, Zeroed: m.Zeroed}
}

// Tokenizer makes the tokenizer that belongs to it out of a tokenizer.json or a file of
// sentencepiece.
func (m *T5) Tokenizer(files ...[]byte) (*Tokenizer, error) {
	return ReadTokenizer(m.Frame(), files...)
}

// Encode records ids [1, T] → states [T, C].
func (m *T5) Encode(l *op.List, p Pass) {
	a, eps := m.NumHeads*m.HeadDim, float32(cmp.Or(m.Eps, t5Eps))
	x := l.Embedding(m.token, p.IDs, nil) // [T, C]
	bias := m.relativeBias(l)             // [heads·T, T]
	qkv := l.Temp(x.Rows, 3*a)            // [T, q|k|v]
	q, k, v := qkv.Columns(0, a), qkv.Columns(a, 2*a), qkv.Columns(2*a, 3*a)
	var mask *op.Tensor
	if m.Masked {
		mask = p.Mask
	}
	act := op.GELUTanh
	if m.FeedForward == t5Plain {
		act = op.ReLU
	}
	p.afterLayer(x)
	for _, b := range m.layers {
		h := l.RMSNorm(x, b.norm1, eps, false, nil) // [T, C]
		l.MatMul(h, b.q, op.Epilogue{Out: q})       // [T, A]
		l.MatMul(h, b.k, op.Epilogue{Out: k})       // [T, A]
		l.MatMul(h, b.v, op.Epilogue{Out: v})       // [T, A]
		attn := l.Attend(op.AttentionOp{Q: q, K: k, V: v, Heads: m.NumHeads, HeadDim: m.HeadDim,
			Scale: 1, Bias: bias, Mask: mask}) // [T, A]; trained without the usual scale
		b.behind(l, attn, x, eps, act)
		p.afterLayer(x)
	}
	if m.zero == nil {
		l.RMSNorm(x, m.finalNorm, eps, false, p.States) // [T, C]
		return
	}
	all := l.Temp(x.Rows+1, m.Width)                            // [T + 1, C]
	l.RMSNorm(x, m.finalNorm, eps, false, all.Slice(0, x.Rows)) // [T, C]
	l.Copy(m.zero, all.Slice(x.Rows, x.Rows+1))                 // [1, C]
	l.Embedding(all, p.Kept, p.States)                          // [T, C]
}

// relativeBias lays the table of buckets out as attention reads it. Both products
// only pick numbers: the first turns the table around, the second finds the bucket
// of every distance.
func (m *T5) relativeBias(l *op.List) *op.Tensor {
	table := l.MatMul(m.transpose, m.bias, op.Epilogue{})   // [heads, t5Buckets]
	byDistance := l.MatMul(table, m.buckets, op.Epilogue{}) // [heads, 2·T − 1]
	return l.RelativeBias(byDistance, nil)                  // [heads·T, T]
}
