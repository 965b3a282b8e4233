package checkpoint

import (
	"slices"
	"strings"
)

// What shapes do not tell of HiDream-I1 and Cosmos-Predict: what the published
// transformer/config.json have.
const (
	hidreamHead   = 128
	hidreamActive = 2
	cosmosQKEps   = 1e-6 // of files under NVIDIA's names, in whose code it stands; diffusers has another
	llamaLast     = 31   // the last of Llama's layers, which the blocks behind it read again
)

var (
	hidreamAxes       = []int{64, 32, 32}
	hidreamResolution = []int{128, 128}
	cosmosSize        = []int{128, 240, 240}
	cosmosScale       = []float64{1, 4, 4}
	cosmosScaleExtra  = []float64{2, 1, 1} // of Predict1
)

func readHiDream(r *reading) config {
	d, in := r.dim("x_embedder.proj.weight", 0, 2), r.dim("x_embedder.proj.weight", 1, 2)
	double, single := r.count("double_stream_blocks."), r.count("single_stream_blocks.")
	captions := r.count("caption_projection.") // of every block, then T5's
	if in%4 != 0 || captions != double+single+1 {
		r.unsupported("it has image tokens of %d channels and %d projections of text for %d blocks; supported are multiples of 4, and one more than blocks", in, captions, double+single)
	}
	of := func(n int) int {
		return r.dim(parsePattern("caption_projection.{N}.linear.weight").name(numbers{n: n}), 1, 2)
	}
	experts := max(r.count("double_stream_blocks.0.block.ff_i.experts."), r.count("single_stream_blocks.0.block.ff_i.experts."))
	layers := make([]int, double+single)
	for i := range layers {
		layers[i] = min(i, llamaLast)
	}
	return config{
		"in_channels": in / 4, "num_layers": double, "num_single_layers": single, "num_attention_heads": d / hidreamHead, "attention_head_dim": hidreamHead,
		"caption_channels": []int{of(captions - 1), of(0)}, "text_emb_dim": r.dim("p_embedder.pooled_embedder.linear_1.weight", 1, 2),
		"num_routed_experts": experts, "num_activated_experts": min(hidreamActive, experts), "axes_dims_rope": hidreamAxes, "max_resolution": hidreamResolution, "llama_layers": layers,
	}
}

func readCosmos(r *reading) config {
	const proj, mod = "x_embedder.proj.1.weight", "blocks.0.adaln_modulation_self_attn.1.weight"
	d, in, out := r.dim(proj, 0, 2), r.dim(proj, 1, 2), r.dim("final_layer.linear.weight", 0, 2)
	head := r.dim("blocks.0.self_attn.q_norm.weight", 0, 1)
	if d%head != 0 || out%4 != 0 || in != out && in != out+4 {
		r.unsupported("its width is %d in heads of %d, its image tokens have %d channels and its velocity %d; supported are whole heads, and as many channels or those of a mask beside them", d, head, in, out)
	}
	c := config{
		"in_channels": out / 4, "num_attention_heads": d / head, "attention_head_dim": head, "num_layers": r.count("blocks."),
		"mlp_ratio": ratio(r.dim("blocks.0.mlp.layer1.weight", 0, 2), d), "text_embed_dim": r.dim("blocks.0.cross_attn.k_proj.weight", 1, 2),
		"adaln_lora_dim": r.dim(mod, 0, 2), "concat_padding_mask": in != out, "max_size": cosmosSize, "rope_scale": cosmosScale, "extra_pos_embed_type": "",
	}
	if r.has("extra_pos_embedder.pos_emb_t") {
		at := func(axis string) int { return r.dim("extra_pos_embedder.pos_emb_"+axis, 0, 2) }
		c["extra_pos_embed_type"], c["rope_scale"], c["max_size"] = "learnable", cosmosScaleExtra, []int{at("t"), 2 * at("h"), 2 * at("w")}
	}
	if slices.ContainsFunc(r.unit.names, func(name string) bool { return strings.HasSuffix(name, "blocks.0.self_attn.q_norm.weight") }) {
		c["qk_norm_eps"] = cosmosQKEps
	}
	if r.has("scales") {
		c["pooled_dim"] = r.dim("text_embedder_clip.linear_1.weight", 1, 2)
	}
	return c
}
