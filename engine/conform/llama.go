package conform

import (
	"encoding/json"
	"fmt"
	"math"

	"undertone/engine/text"
)

// llamaConfig is that of a Llama in the words of transformers, which gave its rotary
// embedding two fields and later one.
type llamaConfig struct {
	Vocabulary int     `json:"vocab_size"`
	Width      int     `json:"hidden_size"`
	MLP        int     `json:"intermediate_size"`
	Layers     int     `json:"num_hidden_layers"`
	Heads      int     `json:"num_attention_heads"`
	KVHeads    int     `json:"num_key_value_heads"`
	HeadDim    int     `json:"head_dim"`
	Eps        float64 `json:"rms_norm_eps"`
	Theta      float64 `json:"rope_theta"`
	Scaling    *roping `json:"rope_scaling"`
	Rope       *roping `json:"rope_parameters"`
}

type roping struct {
	Type  string  `json:"rope_type"`
	Theta float64 `json:"rope_theta"`
	text.RopeScaling
}

// ours is the configuration of the engine's loader for prompts of so many tokens.
func (c llamaConfig) ours(tokens int) (text.LlamaConfig, error) {
	out := text.LlamaConfig{VocabSize: c.Vocabulary, Width: c.Width, NumLayers: c.Layers, NumHeads: c.Heads, KVHeads: c.KVHeads, HeadDim: c.HeadDim,
		MLP: c.MLP, Eps: c.Eps, RopeTheta: c.Theta, MaxLength: tokens}
	if out.HeadDim == 0 && c.Heads > 0 {
		out.HeadDim = c.Width / c.Heads
	}
	if out.KVHeads == 0 {
		out.KVHeads = c.Heads
	}
	for _, r := range []*roping{c.Scaling, c.Rope} {
		if r == nil {
			continue
		}
		if r.Theta != 0 {
			out.RopeTheta = r.Theta
		}
		switch r.Type {
		case "llama3":
			out.RopeScaling = r.RopeScaling
		case "", "default":
		default:
			return out, fmt.Errorf("rope_type %.64q, supported: default and llama3", r.Type)
		}
	}
	return out, nil
}

// openLlama compares the states behind every layer, the last behind the final norm.
func openLlama(r *run, w *network) (func(c *check) error, error) {
	var config llamaConfig
	if err := r.desc.configure(&config); err != nil {
		return nil, err
	}
	r.asides = map[string]aside{
		"rope.inv_freq": func(c *check) { config.frequencies(c) },
		"last_state_is_after_the_final_norm": func(c *check) {
			if told := string(c.desc.raw); told != "true" {
				c.err = fmt.Errorf("it is %.64s; supported: true", told)
				return
			}
			c.within("told", 0, 0)
		},
	}
	return func(k *check) error {
		ids := k.ids(config.Vocabulary)
		if k.err != nil {
			return k.err
		}
		ours, err := config.ours(len(ids))
		if err != nil {
			return err
		}
		m, err := text.LoadLlama(ours, w)
		if m, err = loaded(w, m, err); err != nil {
			return err
		}
		e := k.encode(m, ids, 0)
		k.near("states", e.states)
		var layers [][]float32
		for n := 0; k.err == nil && n < config.Layers; n++ {
			layers = append(layers, e.states[n*len(ids)*config.Width:(n+1)*len(ids)*config.Width])
		}
		k.rmsOf("layers", layers)
		return k.err
	}, nil
}

// frequencies compares those that the rotary table is made of with a tensor of the file.
func (c llamaConfig) frequencies(k *check) {
	ours, err := c.ours(2)
	if err == nil {
		err = ours.Check()
	}
	want, _, missing := k.cases.get(k.name)
	switch {
	case err != nil:
		k.err = err
		return
	case missing != nil:
		k.err = missing
		return
	}
	got := ours.Frequencies()
	if len(got) != len(want) {
		k.err = fmt.Errorf("it has %d numbers, a head of %d channels has %d pairs", len(want), ours.HeadDim, len(got))
		return
	}
	off := 0.0
	for i, f := range got {
		off = max(off, math.Abs(f/float64(want[i])-1)) // max keeps NaN
	}
	k.within("frequencies", off, frequencyLimit)
}

// frequencyLimit is what the library's powers in float32 are off by, and some room.
const frequencyLimit = 1e-6

// aside compares what stands in a file beside its cases: a tensor, or a word of the
// description, under its name.
type aside func(c *check)

// isObject reports whether JSON is an object, as the description of a case is.
func isObject(data json.RawMessage) bool { return len(data) > 0 && data[0] == '{' }
