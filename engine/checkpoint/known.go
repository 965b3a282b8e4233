package checkpoint

import (
	"strings"

	"undertone/engine/fault"
)

// signature tells by names what a file is that the engine does not support. Every mark
// must be in the name of some tensor; one that begins with ^ must begin it.
type signature struct {
	title string
	marks []string
}

// foreign are files that hold something else, although parts of them may look like
// something that is supported. The first that fits is named.
var foreign = []signature{
	{"a LoRA, which changes another model and is none by itself", []string{".lora_A."}},
	{"a LoRA, which changes another model and is none by itself", []string{".lora_down."}},
	{"a LoRA, which changes another model and is none by itself", []string{".lora.down."}},
	{"a LyCORIS adapter, which changes another model and is none by itself", []string{".hada_w1_a"}},
	{"a LyCORIS adapter, which changes another model and is none by itself", []string{".lokr_w"}},
	{"weights in 4 bits by bitsandbytes (NF4 or FP4)", []string{".quant_state.bitsandbytes__"}},
	{"weights in 4 bits by Nunchaku (SVDQuant)", []string{".qweight", ".wscales"}},
	{"weights with a scale for every block of a matrix", []string{".weight_scale_inv"}},
	{"weights with two scales for every block of a matrix (NVFP4)", []string{".weight_scale_2"}},
	{"a ControlNet", []string{"controlnet_"}},
	{"a ControlNet", []string{"input_hint_block.0."}},
	{"an IP-Adapter", []string{"ip_adapter."}},
	{"a textual inversion", []string{"string_to_param"}},
	{"FLUX.1 Redux, which reads pictures for FLUX.1", []string{"^redux_up."}},
	{"Stable Cascade", []string{"effnet_mapper."}},
	{"Stable Diffusion XL", []string{"conditioner.embedders.1."}},
	{"Stable Diffusion XL", []string{"label_emb.0.0.weight", "input_blocks.0.0.weight"}},
	{"Stable Diffusion XL", []string{"^add_embedding.linear_1.", "^down_blocks."}},
	{"Stable Diffusion 2", []string{"^cond_stage_model.model."}},
	{"Stable Diffusion 1", []string{"^cond_stage_model.transformer."}},
	{"Stable Diffusion 1 or 2", []string{"input_blocks.0.0.weight", "middle_block.1."}},
	{"Stable Diffusion 1 or 2", []string{"^down_blocks.0.attentions.0.transformer_blocks.0.attn2.", "^time_embedding.linear_1."}},
	{"Chroma", []string{"distilled_guidance_layer."}},
	{"FLUX.2", []string{"double_stream_modulation_img."}},
	{"Qwen-Image", []string{"transformer_blocks.0.img_mod.1.", "txt_norm."}},
	{"Wan", []string{"blocks.0.cross_attn.norm_k.", "time_projection.1."}},
	{"Wan", []string{"condition_embedder.time_proj.", "blocks.0.attn2."}},
	{"HunyuanVideo", []string{"txt_in.individual_token_refiner."}},
	{"HunyuanVideo", []string{"context_embedder.token_refiner."}},
	{"LTX-Video", []string{"patchify_proj.", "adaln_single."}},
	{"LTX-Video", []string{"^proj_in.", "caption_projection.linear_1.", "^scale_shift_table"}},
	{"PixArt", []string{"t_block.1.", "y_embedder.y_proj."}},
	{"PixArt", []string{"adaln_single.", "^pos_embed.proj."}},
	{"AuraFlow", []string{"double_layers.0.attn.w1q."}},
	{"AuraFlow", []string{"joint_transformer_blocks.0."}},
	{"Lumina 2 or Z-Image", []string{"cap_embedder.0.", "noise_refiner.0."}},
	{"UMT5, the text encoder of Wan", []string{"encoder.block.1.layer.0.SelfAttention.relative_attention_bias."}},
	{"UMT5, the text encoder of Wan", []string{"^enc.blk.1.attn_rel_b."}},
	{"an autoencoder with a convolution before its decoder, as those of Stable Diffusion 1, 2 and XL", []string{"post_quant_conv.", "decoder.mid.attn_1."}},
	{"an autoencoder with a convolution before its decoder, as those of Stable Diffusion 1, 2 and XL", []string{"post_quant_conv.", "decoder.mid_block.attentions.0.group_norm."}},
	{"the autoencoder of Wan 2.2, whose stages have shortcuts", []string{"decoder.upsamples.0.upsamples."}},
	{"the autoencoder of Wan 2.2, whose stages have shortcuts", []string{"decoder.norm_out.gamma", "decoder.up_blocks.0.upsampler."}},
	{"a language model (Qwen, …) whose attention has biases", []string{"model.layers.0.self_attn.q_proj.bias"}},
	{"a language model (Qwen, …) whose attention has biases", []string{"^blk.0.attn_q.bias"}},
	{"a language model (Qwen, Gemma, …) whose attention has norms", []string{"model.layers.0.self_attn.q_norm."}},
	{"a language model (Qwen, Gemma, …) whose attention has norms", []string{"^blk.0.attn_q_norm."}},
	{"a language model (Gemma, …) with norms behind its layers", []string{"model.layers.0.pre_feedforward_layernorm."}},
	{"a language model (Gemma, …) with norms behind its layers", []string{"^blk.0.post_attention_norm."}},
}

// others are known files that look like nothing that is supported.
var others = []signature{
	{"the image encoder of CLIP", []string{"vision_model."}},
	{"OpenCLIP under its own names", []string{"transformer.resblocks.0.attn.in_proj_weight"}},
	{"a language model (Qwen, Gemma, Phi, …) that is not made as Llama is", []string{"layers.0.self_attn.qkv_proj."}},
	{"a language model (Qwen, Gemma, Phi, …) that is not made as Llama is", []string{"language_model.layers.0."}},
	{"a language model (Qwen, Gemma, Phi, …) that is not made as Llama is", []string{"language_model.model.layers.0."}},
	{"a language model (Qwen, Gemma, Phi, …) that is not made as Llama is", []string{"^blk.0.attn_qkv."}},
	{"the encoder of TAESD, of which only the decoder draws", []string{"^0.weight", "^1.conv.0."}},
	{"a program that enlarges pictures", []string{"RDB1.conv1."}},
	{"a video autoencoder", []string{"decoder.conv_in.conv."}},
	{"a textual inversion", []string{"^emb_params"}},
}

// fits reports whether a signature fits the names of a unit.
func (s signature) fits(u *unit) bool {
	for _, mark := range s.marks {
		start, begins := strings.CutPrefix(mark, "^")
		found := false
		for _, name := range u.names {
			if found = begins && strings.HasPrefix(name, start) || !begins && strings.Contains(name, mark); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// refuseKnown refuses a unit that one of the signatures fits (ModelUnsupported).
func refuseKnown(u *unit, table []signature) error {
	for _, s := range table {
		if s.fits(u) {
			return fault.New(fault.ModelUnsupported, "%s is known but not supported: %s", shown(u.label), s.title)
		}
	}
	return nil
}
