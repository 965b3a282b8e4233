package checkpoint

import (
	"encoding/json"
	"strconv"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// clipHead is the width of a CLIP's heads, which shapes do not tell.
const clipHead = 64

func readCLIP(r *reading) config {
	const token, position = "text_model.embeddings.token_embedding.weight", "text_model.embeddings.position_embedding.weight"
	words, width := r.dim(token, 0, 2), r.dim(token, 1, 2)
	c := config{
		"vocab_size": words, "hidden_size": width, "num_layers": r.count("text_model.encoder.layers."), "num_heads": width / clipHead,
		"intermediate_size": r.dim("text_model.encoder.layers.0.mlp.fc1.weight", 0, 2), "max_length": r.dim(position, 0, 2),
		"bos": words - 2, "eos": words - 1,
	}
	return c
}

func readT5(r *reading) config {
	const attention = "encoder.block.0.layer.0.SelfAttention."
	heads, all := r.dim(attention+"relative_attention_bias.weight", 1, 2), r.dim(attention+"q.weight", 0, 2)
	if all%heads != 0 {
		r.unsupported("its queries are %d wide, which is no multiple of its %d heads", all, heads)
	}
	if n := r.dim(attention+"relative_attention_bias.weight", 0, 2); n != 32 {
		r.unsupported("it tells %d distances apart, supported 32", n)
	}
	c := config{
		"vocab_size": r.dim("shared.weight", 0, 2), "d_model": r.dim("shared.weight", 1, 2), "d_kv": all / heads,
		"d_ff": r.dim("encoder.block.0.layer.1.DenseReluDense.wo.weight", 1, 2), "num_layers": r.count("encoder.block."), "num_heads": heads,
		"eos": 1, "pad": 0,
	}
	if r.has("encoder.block.0.layer.1.DenseReluDense.wi.weight") {
		c["feed_forward_proj"] = "relu"
	}
	return c
}

// What shapes do not tell of Llama 3.1 8B Instruct, which HiDream-I1 reads: what the
// published config.json has. Padding is the end of a message, as HiDream's pipeline has it.
const (
	llamaVocabulary = 128256 // by which a Llama 3 is known
	llamaHead       = 128
	llamaTheta      = 500000
	llamaEps        = 1e-5
	llamaBOS        = 128000
	llamaPad        = 128009
)

var llamaScaling = ropeScaling{8, 1, 4, 8192}

func readLlama(r *reading) config {
	const layer = "model.layers.0."
	c := config{
		"vocab_size": r.dim("model.embed_tokens.weight", 0, 2), "hidden_size": r.dim("model.embed_tokens.weight", 1, 2),
		"num_hidden_layers": r.count("model.layers."), "intermediate_size": r.dim(layer+"mlp.gate_proj.weight", 0, 2),
		"rms_norm_eps": llamaEps, "rope_theta": llamaTheta, "rope_scaling": llamaScaling, "bos": llamaBOS, "pad": llamaPad,
	}
	if _, ok := r.unit.tensors["token_embd.weight"]; ok {
		r.llamaCPP(r.unit.files[0].index, c)
	} else if c["vocab_size"] == llamaVocabulary {
		c["head_dim"] = llamaHead
	}
	return c
}

// llamaCPP reads what llama.cpp writes into a GGUF file. Its q and k turn adjacent
// channels, and the rotary scaling is a tensor of factors, which every Llama 3.1 has and no
// Llama 3.
func (r *reading) llamaCPP(x *weights.Index, c config) {
	if kind, _ := value[string](x, "general.architecture"); kind != "llama" {
		r.unsupported("its general.architecture is %.64q, supported \"llama\"", kind)
	}
	c["rope_adjacent"] = true
	whole := func(key, ours string) {
		if n, ok := value[uint32](x, key); ok {
			c[ours] = int(n)
		}
	}
	number := func(key, ours string) {
		if v, ok := value[float32](x, key); ok {
			c[ours] = json.Number(strconv.FormatFloat(float64(v), 'g', -1, 32)) // 1e-5, not its nearest float32
		}
	}
	whole("llama.attention.head_count", "num_attention_heads")
	whole("llama.attention.head_count_kv", "num_key_value_heads")
	whole("tokenizer.ggml.bos_token_id", "bos")
	whole("tokenizer.ggml.eos_token_id", "pad")
	number("llama.attention.layer_norm_rms_epsilon", "rms_norm_eps")
	number("llama.rope.freq_base", "rope_theta")
	if _, scaled := r.unit.tensors["rope_freqs.weight"]; !scaled {
		c["rope_scaling"] = ropeScaling{}
	}
}

// finishLlama takes the word of a config.json for what is written in several ways there,
// and finds the heads.
func (c *candidate) finishLlama() error {
	o, name := c.unit.settings, c.unit.folder+"/"+nameConfig
	var words struct {
		Model   string          `json:"model_type"`
		Act     string          `json:"hidden_act"`
		Theta   float64         `json:"rope_theta"`
		Scaling *roping         `json:"rope_scaling"`
		Rope    *roping         `json:"rope_parameters"`
		EOS     json.RawMessage `json:"eos_token_id"`
	}
	raw, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(raw, &words)
	}
	if err != nil {
		return fault.Wrap(err, fault.ManifestInvalid, "%s is not that of a Llama", shown(name))
	}
	if words.Model != "" && words.Model != "llama" || words.Act != "" && words.Act != "silu" {
		return fault.New(fault.ModelUnsupported, "%s says model_type %.64q and hidden_act %.64q, supported \"llama\" and \"silu\"", shown(name), words.Model, words.Act)
	}
	if o != nil {
		if err := c.turns(name, words.Theta, words.Scaling, words.Rope); err != nil {
			return err
		}
	}
	if len(words.EOS) > 0 && string(words.EOS) != "null" {
		var ends []int // of Instruct the last is the end of a message
		if json.Unmarshal(words.EOS, &ends) != nil || len(ends) == 0 {
			ends = make([]int, 1)
			if err := json.Unmarshal(words.EOS, &ends[0]); err != nil {
				return fault.Wrap(err, fault.ManifestInvalid, "%s: eos_token_id is %.64s, wanted a number or several", shown(name), words.EOS)
			}
		}
		c.config["pad"] = ends[len(ends)-1]
	}
	return c.llamaHeads()
}

// roping is the rotary embedding in the words of transformers, of which older files have
// rope_theta beside it.
type roping struct {
	Type  string  `json:"rope_type"`
	Older string  `json:"type"`
	Theta float64 `json:"rope_theta"`
	ropeScaling
}

// ropeScaling is that of Llama 3.1, alike in config.json and in the engine's configuration.
type ropeScaling struct {
	Factor   float64 `json:"factor"`
	Low      float64 `json:"low_freq_factor"`
	High     float64 `json:"high_freq_factor"`
	Original float64 `json:"original_max_position_embeddings"`
}

// turns sets the rotary embedding of a config.json: without a scaling there is none.
func (c *candidate) turns(name string, theta float64, all ...*roping) error {
	if theta != 0 {
		c.config["rope_theta"] = theta
	}
	scaling := ropeScaling{}
	for _, r := range all {
		if r == nil {
			continue
		}
		if r.Theta != 0 {
			c.config["rope_theta"] = r.Theta
		}
		switch r.Type + r.Older {
		case "llama3", "llama3llama3":
			scaling = r.ropeScaling
		case "", "default":
		default:
			return fault.New(fault.ModelUnsupported, "%s says rope_type %.64q, supported \"default\" and \"llama3\"", shown(name), r.Type+r.Older)
		}
	}
	c.config["rope_scaling"] = scaling
	return nil
}

// llamaHeads divides the rows of q and k into heads.
func (c *candidate) llamaHeads() error {
	rows := func(name string) int {
		t, _ := c.Index.Lookup("model.layers.0.self_attn." + name + ".weight")
		if len(t.Shape) == 0 {
			return 0
		}
		return t.Shape[0]
	}
	q, k := rows("q_proj"), rows("k_proj")
	heads, kv, head := int(number(c.config["num_attention_heads"])), int(number(c.config["num_key_value_heads"])), int(number(c.config["head_dim"]))
	if head == 0 && heads > 0 {
		head = q / heads
	}
	if head <= 0 {
		return fault.New(fault.ModelUnsupported, "%s is a Llama with %v words, known is Llama 3 with %d: its heads stand in config.json, which is not beside it", shown(c.unit.label), c.config["vocab_size"], llamaVocabulary)
	}
	if q != q/head*head || k != k/head*head || heads > 0 && heads*head != q || kv > 0 && kv*head != k {
		return fault.New(fault.ModelUnsupported, "%s has queries of %d and keys of %d, which are not %d and %d heads of %d", shown(c.unit.label), q, k, heads, kv, head)
	}
	c.config["num_attention_heads"], c.config["num_key_value_heads"], c.config["head_dim"] = q/head, k/head, head
	return nil
}
