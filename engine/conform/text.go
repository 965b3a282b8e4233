package conform

import (
	"fmt"
	"slices"

	"undertone/engine"
	"undertone/engine/op"
	"undertone/engine/text"
)

// clipConfig is that of a CLIP's text model in the words of transformers.
type clipConfig struct {
	Vocabulary int     `json:"vocab_size"`
	Hidden     int     `json:"hidden_size"`
	Layers     int     `json:"num_hidden_layers"`
	Heads      int     `json:"num_attention_heads"`
	MLP        int     `json:"intermediate_size"`
	Act        string  `json:"hidden_act"`
	Length     int     `json:"max_position_embeddings"`
	EOS        int     `json:"eos_token_id"`
	Epsilon    float64 `json:"layer_norm_eps"`
	Projection int     `json:"projection_dim"`
}

// end is where the pooled vector is taken: at the first EOS, which is the highest id
// where the configuration has the 2 that the first published files came with.
func (c clipConfig) end(ids []uint32) int {
	if c.EOS == 2 && len(ids) > 0 {
		return slices.Index(ids, slices.Max(ids))
	}
	return slices.Index(ids, uint32(c.EOS))
}

// openCLIP compares a text encoder as FLUX reads it (final states, the pooled vector as
// it is), as SD3 does (states before the last layer, the pooled vector projected where
// the file has a projection), and a network without its last layer.
func openCLIP(r *run, w *network) (func(c *check) error, error) {
	var c clipConfig
	if err := r.desc.configure(&c); err != nil {
		return nil, err
	}
	if c.Epsilon != 1e-5 {
		return nil, fmt.Errorf("layer_norm_eps %g, supported 1e-5", c.Epsilon)
	}
	plain := text.Config{VocabSize: c.Vocabulary, HiddenSize: c.Hidden, NumLayers: c.Layers, NumHeads: c.Heads,
		Intermediate: c.MLP, MaxLength: c.Length, Activation: c.Act, EOS: max(c.Vocabulary-1, 0)}
	penultimate, shorter := plain, plain
	penultimate.Penultimate = true
	if w.Has("text_projection.weight") {
		penultimate.Projection = c.Projection
	}
	shorter.NumLayers--
	load := func(tokens int) (models []*text.CLIP, err error) {
		for _, config := range []text.Config{plain, penultimate, shorter} {
			config.MaxLength = tokens
			m, err := text.LoadCLIP(config, fewerPositions{w, c.Length})
			if m, err = loaded(w, m, err); err != nil {
				return nil, err
			}
			models = append(models, m)
		}
		return models, nil
	}
	return func(k *check) error {
		ids := k.ids(c.Vocabulary)
		if k.err != nil {
			return k.err
		}
		if len(ids) > c.Length {
			return fmt.Errorf("in.ids has %d tokens, the network knows %d positions", len(ids), c.Length)
		}
		models, err := load(len(ids))
		if err != nil {
			return err
		}
		end := c.end(ids)
		if end < 0 {
			return fmt.Errorf("in.ids have no EOS %d", c.EOS)
		}
		final := k.encode(models[0], ids, end)
		k.near("last", final.states)
		k.rmsOf("layers", final.layers)
		before := k.encode(models[1], ids, end)
		k.near("penultimate", before.states)
		if penultimate.Projection > 0 {
			k.near("text_embeds", before.pooled)
		} else {
			k.near("pooler_output", final.pooled)
		}
		k.near("penultimate_normed", k.encode(models[2], ids, end).states)
		return k.err
	}, nil
}

// fewerPositions gives a CLIP the first rows of its table of positions, for prompts that
// are shorter than the table.
type fewerPositions struct {
	*network
	length int // of the table
}

func (w fewerPositions) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	if name != "text_model.embeddings.position_embedding.weight" || rows == w.length {
		return w.network.Get(name, use, rows, cols)
	}
	x, err := w.read(name)
	if err != nil || len(x) != w.length*cols {
		return w.network.Get(name, use, w.length, cols) // which says what is wrong
	}
	return w.Constant(name, use, rows, cols, x[:rows*cols])
}

// openT5 compares the encoder of a T5 with and without a mask.
func openT5(r *run, w *network) (func(c *check) error, error) {
	var c struct {
		Vocabulary int     `json:"vocab_size"`
		Width      int     `json:"d_model"`
		HeadDim    int     `json:"d_kv"`
		MLP        int     `json:"d_ff"`
		Layers     int     `json:"num_layers"`
		Heads      int     `json:"num_heads"`
		Projection string  `json:"feed_forward_proj"`
		Buckets    int     `json:"relative_attention_num_buckets"`
		Distance   int     `json:"relative_attention_max_distance"`
		Epsilon    float64 `json:"layer_norm_epsilon"`
	}
	if err := r.desc.configure(&c); err != nil {
		return nil, err
	}
	if c.Projection != "gated-gelu" || c.Buckets != 32 || c.Distance != 128 || c.Epsilon != 1e-6 {
		return nil, fmt.Errorf("feed_forward_proj %.64q, %d buckets up to a distance of %d, epsilon %g; supported gated-gelu, 32, 128, 1e-6", c.Projection, c.Buckets, c.Distance, c.Epsilon)
	}
	return func(k *check) error {
		ids, masked := k.ids(c.Vocabulary), k.has("in.mask")
		if k.err != nil {
			return k.err
		}
		m, err := text.LoadT5(text.T5Config{VocabSize: c.Vocabulary, Width: c.Width, HeadDim: c.HeadDim, MLP: c.MLP,
			NumLayers: c.Layers, NumHeads: c.Heads, MaxLength: len(ids), EOS: 1, Masked: masked}, w)
		if m, err = loaded(w, m, err); err != nil {
			return err
		}
		e := k.encode(m, ids, 0)
		k.near("last", e.states)
		if len(e.layers) > 0 { // the last is told behind the final norm
			e.layers[len(e.layers)-1] = e.states
		}
		k.rmsOf("layers", e.layers)
		return k.err
	}, nil
}

// ids are the case's token ids, below the size of the vocabulary.
func (c *check) ids(vocabulary int) (ids []uint32) {
	for _, v := range c.in("ids") {
		if !(v >= 0 && v < float32(vocabulary)) || v != float32(uint32(v)) {
			c.err = fmt.Errorf("in.ids has %g, supported are whole numbers from 0 to %d", v, vocabulary-1)
			return nil
		}
		ids = append(ids, uint32(v))
	}
	return ids
}

// encoded is what a text encoder gives for one prompt.
type encoded struct {
	states, pooled []float32
	layers         [][]float32 // the stream before the first layer and after each
}

func (c *check) encode(m engine.TextEncoder, ids []uint32, end int) (e encoded) {
	s := m.Shape()
	if c.err == nil && len(ids) != s.Tokens {
		c.err = fmt.Errorf("in.ids has %d tokens, the encoder reads %d", len(ids), s.Tokens)
	}
	if c.err != nil {
		return e
	}
	pass := text.Pass{IDs: c.u32("ids", ids), States: c.fill("states", s.Layers()*s.Tokens, s.Width, nil)}
	if s.Pooled > 0 {
		pass.End, pass.Pooled = c.u32("end", []uint32{uint32(end)}), c.fill("pooled", 1, s.Pooled, nil)
	}
	if s.Masked && c.has("in.mask") {
		mask := c.in("mask")
		if c.err == nil && len(mask) != s.Tokens {
			c.err = fmt.Errorf("in.mask has %d numbers for %d tokens", len(mask), s.Tokens)
			return e
		}
		for i, counts := range mask {
			mask[i] = (1 - counts) * -1e30
		}
		pass.Mask = c.fill("mask", 1, s.Tokens, mask)
	}
	var layers []*op.Tensor
	c.exec("encode", func(l *op.List) {
		pass.AfterLayer = func(x *op.Tensor) { layers = append(layers, c.keep(l, x)) }
		m.Encode(l, pass)
	})
	e.states = c.read(pass.States)
	for _, x := range layers {
		e.layers = append(e.layers, c.read(x))
	}
	if pass.Pooled != nil {
		e.pooled = c.read(pass.Pooled)
	}
	return e
}

// rmsOf compares the root mean square of every part.
func (c *check) rmsOf(output string, parts [][]float32) {
	var values []float64
	for _, x := range parts {
		values = append(values, rms(x))
	}
	c.each(output, values)
}
