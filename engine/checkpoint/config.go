package checkpoint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"undertone/engine/fault"
)

// config is a component's configuration in the words of its loader.
type config map[string]any

// reading is what a configuration is read from.
type reading struct {
	*View
	unit *unit
	err  error
}

func (r *reading) unsupported(format string, args ...any) {
	if r.err == nil {
		r.err = fault.New(fault.ModelUnsupported, "%s: %s", shown(r.unit.label), fmt.Sprintf(format, args...))
	}
}

// dim is a dimension of a tensor that must have so many of them.
func (r *reading) dim(name string, i, dims int) int {
	t, ok := r.Index.Lookup(name)
	switch {
	case !ok:
		if r.err == nil {
			r.err = fault.New(fault.WeightsMissing, "%s has no tensor %.120q", shown(r.unit.label), name)
		}
		return 1
	case len(t.Shape) != dims || t.Shape[i] < 1:
		r.unsupported("tensor %.120q has the shape %.80s, wanted %d dimensions", name, fmt.Sprint(t.Shape), dims)
		return 1
	}
	return t.Shape[i]
}

func (r *reading) has(name string) bool {
	_, ok := r.Index.Lookup(name)
	return ok
}

// count is how many blocks there are whose names begin like this.
func (r *reading) count(literal string) int {
	last := -1
	for _, t := range r.Index.Tensors {
		if rest, ok := strings.CutPrefix(t.Name, literal); ok {
			if n, _, ok := leadingNumber(rest); ok {
				last = max(last, n)
			}
		}
	}
	return last + 1
}

// readers know what names and shapes tell of a network's configuration.
var readers = map[string]func(*reading) config{
	"flux": readFlux, "sd3": readSD3, "clip": readCLIP, "t5": readT5, "kl": readKL, "tiny": readTiny,
	"hidream": readHiDream, "cosmos": readCosmos, "llama": readLlama, "causal3d": readCausal3D, RoleAdapter: readAdapter,
}

// What shapes do not tell of a network whose heads are as wide as those that were
// published: of FLUX.1 the rotary axes and theta (transformer/config.json of FLUX.1
// dev and schnell, and the publisher's params), of SD3 the width of heads where there
// is no norm over it.
const (
	fluxTheta   = 10000
	fluxHead    = 128
	sd3Head     = 64
	sd3MLPRatio = 4
)

var fluxAxes = []int{16, 56, 56}

func readFlux(r *reading) config {
	d, in := r.dim("img_in.weight", 0, 2), r.dim("img_in.weight", 1, 2)
	if out := r.dim("final_layer.linear.weight", 0, 2); out != in {
		r.unsupported("its image tokens have %d channels and its velocity %d; it reads a second picture beside the latent, as FLUX.1 Fill, Canny and Depth do, which is not supported", in, out)
	}
	single := r.count("single_blocks.")
	var head, mlp int
	if r.count("double_blocks.") > 0 {
		head, mlp = r.dim("double_blocks.0.img_attn.norm.query_norm.scale", 0, 1), r.dim("double_blocks.0.img_mlp.0.weight", 0, 2)
	} else { // linear1 gives q, k, v and the MLP together
		head, mlp = r.dim("single_blocks.0.norm.query_norm.scale", 0, 1), r.dim("single_blocks.0.linear1.weight", 0, 2)-3*d
	}
	c := config{
		"in_channels": in, "vec_in_dim": r.dim("vector_in.in_layer.weight", 1, 2), "context_in_dim": r.dim("txt_in.weight", 1, 2),
		"hidden_size": d, "mlp_ratio": ratio(mlp, d), "num_heads": d / head,
		"depth": r.count("double_blocks."), "depth_single_blocks": single, "theta": fluxTheta,
		"qkv_bias": r.has("double_blocks.0.img_attn.qkv.bias"), "guidance_embed": r.has("guidance_in.in_layer.weight"), "activation": "gelu_tanh",
	}
	if d%head != 0 {
		r.unsupported("its width %d is no multiple of its heads' %d", d, head)
	}
	if head == fluxHead {
		c["axes_dim"] = fluxAxes
	}
	return c
}

// ratio is mlp/d, such that the product with d, cut to a whole number, is mlp.
func ratio(mlp, d int) float64 {
	x := float64(mlp) / float64(d)
	if int(x*float64(d)) < mlp {
		x = math.Nextafter(x, math.Inf(1))
	}
	return x
}

// sampled are the sides of published tables of positions, in image tokens, whose
// pictures are of at most 128 × 128 latent pixels (sample_size of SD3 medium, SD3.5
// large and SD3.5 medium).
var sampled = map[int]int{192: 128, 384: 128}

func readSD3(r *reading) config {
	d := r.dim("x_embedder.proj.weight", 0, 4)
	if h, w := r.dim("x_embedder.proj.weight", 2, 4), r.dim("x_embedder.proj.weight", 3, 4); h != 2 || w != 2 {
		r.unsupported("its image tokens are of %d × %d latent pixels, supported 2 × 2", h, w)
	}
	if mlp := r.dim("joint_blocks.0.x_block.mlp.fc1.weight", 0, 2); mlp != sd3MLPRatio*d {
		r.unsupported("its MLPs are %d wide, supported %d, %d times the stream's", mlp, sd3MLPRatio*d, sd3MLPRatio)
	}
	dims := 3
	if t, _ := r.Index.Lookup("pos_embed"); len(t.Shape) == 2 {
		dims = 2
	}
	n := r.dim("pos_embed", dims-2, dims)
	side := int(math.Round(math.Sqrt(float64(n))))
	if side*side != n {
		r.unsupported("its table has %d positions, which is no square", n)
	}
	head, norm, dual := sd3Head, "", []int{}
	if r.has("joint_blocks.0.x_block.attn.ln_q.weight") {
		head, norm = r.dim("joint_blocks.0.x_block.attn.ln_q.weight", 0, 1), "rms_norm"
	}
	layers := r.count("joint_blocks.")
	for i := range layers {
		if r.has(parsePattern("joint_blocks.{N}.x_block.attn2.qkv.weight").name(numbers{n: i})) {
			dual = append(dual, i)
		}
	}
	return config{
		"in_channels": r.dim("x_embedder.proj.weight", 1, 4), "num_layers": layers, "num_attention_heads": d / head, "attention_head_dim": head,
		"joint_attention_dim": r.dim("context_embedder.weight", 1, 2), "pooled_projection_dim": r.dim("y_embedder.mlp.0.weight", 1, 2),
		"pos_embed_max_size": side, "sample_size": sampled[side], "dual_attention_layers": dual, "qk_norm": norm,
	}
}

// setting is a value of a published config.json.
type setting struct {
	theirs, ours string
	told         bool // by the shapes, which it must agree with
}

// settings are those of each kind. What shapes do not tell is taken from there.
var settings = map[string][]setting{
	"flux": {
		{"in_channels", "in_channels", true}, {"pooled_projection_dim", "vec_in_dim", true}, {"joint_attention_dim", "context_in_dim", true},
		{"num_attention_heads", "num_heads", true}, {"num_layers", "depth", true}, {"num_single_layers", "depth_single_blocks", true},
		{"guidance_embeds", "guidance_embed", true}, {"axes_dims_rope", "axes_dim", false},
	},
	"sd3": {
		{"in_channels", "in_channels", true}, {"num_layers", "num_layers", true}, {"num_attention_heads", "num_attention_heads", false},
		{"attention_head_dim", "attention_head_dim", false}, {"joint_attention_dim", "joint_attention_dim", true}, {"pooled_projection_dim", "pooled_projection_dim", true},
		{"pos_embed_max_size", "pos_embed_max_size", true}, {"sample_size", "sample_size", false},
		{"dual_attention_layers", "dual_attention_layers", true}, {"qk_norm", "qk_norm", true},
	},
	"hidream": {
		{"in_channels", "in_channels", true}, {"num_layers", "num_layers", true}, {"num_single_layers", "num_single_layers", true},
		{"attention_head_dim", "attention_head_dim", false}, {"num_attention_heads", "num_attention_heads", false}, {"caption_channels", "caption_channels", true},
		{"text_emb_dim", "text_emb_dim", true}, {"num_routed_experts", "num_routed_experts", true}, {"num_activated_experts", "num_activated_experts", false},
		{"axes_dims_rope", "axes_dims_rope", false}, {"max_resolution", "max_resolution", false}, {"llama_layers", "llama_layers", false},
	},
	"cosmos": {
		{"in_channels", "in_channels", false}, {"num_attention_heads", "num_attention_heads", true}, {"attention_head_dim", "attention_head_dim", true},
		{"num_layers", "num_layers", true}, {"mlp_ratio", "mlp_ratio", true}, {"text_embed_dim", "text_embed_dim", true}, {"adaln_lora_dim", "adaln_lora_dim", true},
		{"max_size", "max_size", false}, {"rope_scale", "rope_scale", false}, {"concat_padding_mask", "concat_padding_mask", true}, {"extra_pos_embed_type", "extra_pos_embed_type", true},
	},
	"clip": {
		{"vocab_size", "vocab_size", true}, {"hidden_size", "hidden_size", true}, {"num_hidden_layers", "num_layers", true}, {"num_attention_heads", "num_heads", false},
		{"intermediate_size", "intermediate_size", true}, {"max_position_embeddings", "max_length", true}, {"hidden_act", "activation", false},
	},
	"t5": {
		{"vocab_size", "vocab_size", true}, {"d_model", "d_model", true}, {"d_kv", "d_kv", true}, {"d_ff", "d_ff", true},
		{"num_layers", "num_layers", true}, {"num_heads", "num_heads", true}, {"layer_norm_epsilon", "layer_norm_epsilon", false},
	},
	"kl": {
		{"latent_channels", "latent_channels", true}, {"block_out_channels", "block_out_channels", true}, {"layers_per_block", "layers_per_block", true},
		{"norm_num_groups", "norm_num_groups", false}, {"scaling_factor", "scaling_factor", false}, {"shift_factor", "shift_factor", false},
	},
	"llama": {
		{"vocab_size", "vocab_size", true}, {"hidden_size", "hidden_size", true}, {"num_hidden_layers", "num_hidden_layers", true},
		{"intermediate_size", "intermediate_size", true}, {"num_attention_heads", "num_attention_heads", false},
		{"num_key_value_heads", "num_key_value_heads", false}, {"head_dim", "head_dim", false}, {"rms_norm_eps", "rms_norm_eps", false},
		{"bos_token_id", "bos", false},
	},
	"causal3d": {
		{"z_dim", "z_dim", true}, {"base_dim", "base_dim", false}, {"dim_mult", "dim_mult", false}, {"num_res_blocks", "num_res_blocks", true},
		{"temperal_downsample", "temperal_downsample", true}, {"latents_mean", "latents_mean", false}, {"latents_std", "latents_std", false},
	},
	"tiny": {{"latent_channels", "latent_channels", true}, {"scaling_factor", "scaling_factor", false}, {"shift_factor", "shift_factor", false}},
}

// activations are transformers' names of those that the engine calls otherwise.
var activations = map[string]string{"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh"}

// apply lets a config.json have its say.
func (c config) apply(kind string, u *unit) error {
	name := strings.TrimPrefix(u.folder+"/"+nameConfig, "./")
	for _, s := range settings[kind] {
		v, there, err := get[any](u.settings, name, s.theirs)
		if err != nil {
			return err
		}
		if word, ok := v.(string); ok && activations[word] != "" {
			v = activations[word]
		}
		switch {
		case !there:
		case s.told && !sameJSON(v, c[s.ours]):
			return fault.New(fault.ModelUnsupported, "%s says %s %.64s, the weights in %s have %.64s", shown(name), s.theirs, fmt.Sprint(v), shown(u.label), fmt.Sprint(c[s.ours]))
		case !s.told:
			c[s.ours] = v
		}
	}
	return nil
}

// sameJSON compares two values as JSON writes them.
func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
