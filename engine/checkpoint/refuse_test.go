package checkpoint

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// one is a file of tensors of no size that matters.
func one(name string, names ...string) File {
	var tensors []shaped
	for _, n := range names {
		tensors = append(tensors, shaped{n, "F16", []int{4, 4}})
	}
	return zeros(name, tensors...)
}

// Other models, and what is no model, are refused each with its own sentence.
func TestKnownButNotSupported(t *testing.T) {
	for title, names := range map[string][]string{
		"a LoRA": {"transformer.transformer_blocks.0.attn.to_q.lora_A.weight", "transformer.transformer_blocks.0.attn.to_q.lora_B.weight"},
		"a LoRA, which changes another model and is none by itself": {"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight"},
		"a LyCORIS adapter":        {"lora_unet_x.hada_w1_a"},
		"Stable Diffusion XL":      {"model.diffusion_model.input_blocks.0.0.weight", "conditioner.embedders.1.model.ln_final.bias", "first_stage_model.decoder.conv_in.weight"},
		": Stable Diffusion 1":     {"model.diffusion_model.input_blocks.0.0.weight", "cond_stage_model.transformer.text_model.final_layer_norm.bias"},
		"Stable Diffusion 2":       {"model.diffusion_model.input_blocks.0.0.weight", "cond_stage_model.model.ln_final.bias"},
		"Chroma":                   {"distilled_guidance_layer.in_proj.bias", "img_in.weight", "double_blocks.0.img_attn.qkv.weight"},
		"FLUX.2":                   {"double_stream_modulation_img.lin.weight", "img_in.weight"},
		"Qwen-Image":               {"transformer_blocks.0.img_mod.1.weight", "txt_norm.weight"},
		"Wan":                      {"blocks.0.cross_attn.norm_k.weight", "time_projection.1.bias"},
		"HunyuanVideo":             {"txt_in.individual_token_refiner.blocks.0.norm1.bias", "double_blocks.0.img_attn_qkv.weight"},
		"UMT5":                     {"encoder.block.0.layer.0.SelfAttention.q.weight", "encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight"},
		"4 bits by bitsandbytes":   {"img_in.weight", "img_in.weight.quant_state.bitsandbytes__nf4"},
		"a scale for every block":  {"img_in.weight", "img_in.weight_scale_inv"},
		"NVFP4":                    {"img_in.weight", "img_in.weight_scale", "img_in.weight_scale_2"},
		"a convolution before its": {"decoder.conv_in.weight", "post_quant_conv.weight", "decoder.mid.attn_1.q.weight"},
		"an autoencoder with a convolution before its decoder": {"decoder.conv_in.weight", "post_quant_conv.weight", "decoder.mid_block.attentions.0.group_norm.weight"},
		"the autoencoder of Wan 2.2":                           {"conv2.weight", "decoder.conv1.weight", "decoder.upsamples.0.upsamples.0.residual.2.weight"},
		"the image encoder of CLIP":                            {"vision_model.post_layernorm.weight"},
		"whose attention has biases":                           {"model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.q_proj.bias"},
		"whose attention has norms":                            {"model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.q_norm.weight"},
		"with norms behind its layers":                         {"model.layers.0.self_attn.q_proj.weight", "model.layers.0.pre_feedforward_layernorm.weight"},
		"that is not made as Llama is":                         {"model.layers.0.self_attn.qkv_proj.weight", "model.layers.0.mlp.gate_up_proj.weight"},
		"(Qwen, …) whose attention has b":                      {"blk.0.attn_q.weight", "blk.0.attn_q.bias"},
		"the encoder of TAESD":                                 {"0.weight", "1.conv.0.weight"},
		"a ControlNet":                                         {"controlnet_blocks.0.weight", "x_embedder.weight"},
		"OpenCLIP under its own names":                         {"transformer.resblocks.0.attn.in_proj_weight"},
		"looked for FLUX.1, Stable Diffu":                      {"one", "two", "three", "four"},
	} {
		_, err := Identify([]File{one("some.safetensors", names...)})
		if !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(fmt.Sprint(err), title) || !strings.Contains(fmt.Sprint(err), "some.safetensors") {
			t.Errorf("%s: %v", title, err)
		}
	}
	_, err := Identify([]File{one("some.safetensors", "one", "two", "three", "four")})
	if want := `some.safetensors has 4 tensors, the first of which are ["four" "one" "three"]; looked for`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// No signature fits what is supported.
func TestSignaturesLeaveTheSupportedAlone(t *testing.T) {
	for _, l := range layouts() {
		for _, prefix := range l.prefixes {
			u := &unit{}
			for _, r := range l.rows {
				for _, p := range r.from {
					for n := range 3 {
						u.names = append(u.names, prefix+p.name(numbers{n: n, last: 2}))
					}
				}
			}
			for _, s := range append(append([]signature{}, foreign...), others...) {
				if s.fits(u) && !(l.kind == "tiny" && strings.HasPrefix(s.title, "the encoder of TAESD")) {
					t.Errorf("%s (%s, prefix %q) is taken for %s", l.title, l.kind, prefix, s.title)
				}
			}
		}
	}
}

// Parts that do not belong together, or are there twice.
func TestMixedParts(t *testing.T) {
	dev := zeros("dev.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	medium := zeros("medium.safetensors", of(t, "sd3", sd3Of(24, 24, 192, 0, ""), "", "F16")...)
	g := zeros("g.safetensors", of(t, "clip", publishedG(), "", "F16")...)
	ae := zeros("ae.safetensors", of(t, "kl", grey(autoencoder(1, 0)), "", "F32")...)
	tiny := zeros("tiny.safetensors", tinyOriginal(t, "")...)
	narrow := autoencoder(1, 0)
	narrow.LatentChannels = 4
	four := grey(narrow)
	for i := range four.Preview.Weight {
		four.Preview.Weight[i] = make([]float64, 4)
	}
	xl := zeros("xl.safetensors", of(t, "kl", four, "", "F32")...)
	odd := publishedL()
	odd.HiddenSize, odd.NumHeads = 1024, 16
	fill := of(t, "flux", fluxOf(19, 38, true), "", "BF16")
	for i := range fill {
		if fill[i].name == "img_in.weight" {
			fill[i].shape = []int{3072, 384}
		}
	}
	for _, c := range []struct {
		says  string
		files []File
		code  fault.Code
	}{
		{"g.safetensors is CLIP (clip_g), which FLUX.1 in dev.safetensors does not read", []File{dev, g}, fault.PartsMixed},
		{"two networks for one place, FLUX.1 in dev.safetensors and Stable Diffusion 3 in medium.safetensors", []File{dev, medium}, fault.PartsMixed},
		{"two networks for one place, AutoencoderKL in ae.safetensors and TAESD in tiny.safetensors", []File{dev, ae, tiny}, fault.PartsMixed},
		{"two networks for one place, CLIP in g.safetensors and CLIP in g.safetensors", []File{g, g}, fault.PartsMixed},
		{"the decoder in xl.safetensors reads a latent of 4 channels, FLUX.1 in dev.safetensors makes one of 16", []File{dev, xl}, fault.PartsMixed},
		{"h.safetensors is a CLIP 1024 wide", []File{zeros("h.safetensors", of(t, "clip", odd, "", "F16")...)}, fault.ModelUnsupported},
		{"its image tokens have 384 channels and its velocity 64", []File{zeros("fill.safetensors", fill...)}, fault.ModelUnsupported},
		{"no file was given", nil, fault.ModelUnsupported},
		{"there is no weight file among 1 files", []File{textFile("config.json", "{}")}, fault.WeightsNone},
	} {
		if _, err := Identify(c.files); !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %s", err, c.says)
		}
	}
	if _, err := Identify([]File{medium, g}); err != nil {
		t.Error(err)
	}
}

// A 16-channel decoder is told by its config.json or its name. Where neither tells, it is
// the transformer's family that says how the latent is scaled.
func TestDecodersOfOthers(t *testing.T) {
	dev := zeros("dev.safetensors", of(t, "flux", fluxOf(19, 38, true), "", "BF16")...)
	medium := zeros("medium.safetensors", of(t, "sd3", sd3Of(24, 24, 192, 0, ""), "", "F16")...)
	kl := func(name string) File {
		return zeros(name, of(t, "kl", grey(autoencoder(1, 0)), "", "F16")...)
	}
	tiny := func(name string) File { return zeros(name, tinyOriginal(t, "")...) }
	told := func(config string) File { return textFile("vae/config.json", config) }
	for _, c := range []struct {
		transformer File
		decoder     []File
		scaling     float64 // 0: refused
	}{
		{dev, []File{kl("x.safetensors")}, 0.3611},
		{medium, []File{kl("x.safetensors")}, 1.5305},
		{dev, []File{kl("ae.safetensors")}, 0.3611},
		{medium, []File{kl("ae.safetensors")}, 0},
		{medium, []File{kl("vae.safetensors")}, 1.5305},
		{medium, []File{kl("models/VAE/Flux_vae_bf16.safetensors")}, 0},
		{dev, []File{kl("sd3_vae.safetensors")}, 0},
		{dev, []File{kl("sd3/flux-vae.safetensors")}, 0.3611}, // a folder says nothing
		{dev, []File{kl("sd3-or-flux.safetensors")}, 0.3611},
		{dev, []File{tiny("taef1_decoder.safetensors")}, 1},
		{medium, []File{tiny("taef1_decoder.safetensors")}, 0},
		{medium, []File{tiny("taesd3_decoder.safetensors")}, 1},
		{dev, []File{tiny("taesd3_decoder.safetensors")}, 0},
		{dev, []File{kl("vae/d.safetensors"), told(`{"scaling_factor":1.5305,"shift_factor":0.0609}`)}, 0},
		{medium, []File{kl("vae/ae.safetensors"), told(`{"scaling_factor":1.5305,"shift_factor":0.0609}`)}, 1.5305},
		{medium, []File{kl("vae/ae.safetensors"), told(`{"scaling_factor":1.2}`)}, 1.2},
	} {
		f, err := Identify(append([]File{c.transformer}, c.decoder...))
		if c.scaling == 0 {
			if !fault.Is(err, fault.PartsMixed) || !strings.Contains(err.Error(), "the decoder in "+c.decoder[0].Name+" is that of ") {
				t.Errorf("%s with %s: %v", c.transformer.Name, c.decoder[0].Name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s with %s: %v", c.transformer.Name, c.decoder[0].Name, err)
			continue
		}
		var got struct {
			Scaling float64 `json:"scaling_factor"`
		}
		if err := json.Unmarshal(f.part(t, weights.RoleDecoder, "").Config, &got); err != nil || got.Scaling != c.scaling {
			t.Errorf("%s with %s: scaling factor %g, want %g (%v)", c.transformer.Name, c.decoder[0].Name, got.Scaling, c.scaling, err)
		}
	}
}

// Files that are damaged or incomplete say which one, and keep their own fault.
func TestIncompleteFiles(t *testing.T) {
	whole := of(t, "flux", fluxOf(19, 38, true), "", "BF16")
	file := zeros("dev.safetensors", whole...)
	cut := file.Source.(sparse)
	cut.size /= 2
	for _, c := range []struct {
		code fault.Code
		says string
		file File
	}{
		{fault.WeightsTruncated, "cut.safetensors cannot be used: tensor", File{"cut.safetensors", cut}},
		{fault.NotWeights, "page.safetensors cannot be used: the file begins with", textFile("page.safetensors", "<!DOCTYPE html><html>")},
		{fault.WeightsMissing, `less.safetensors has no tensor "single_blocks.37.linear2.weight", which every FLUX.1 has`, zeros("less.safetensors", without(whole, "single_blocks.37.linear2.weight")...)},
		{fault.WeightsMissing, `less.safetensors has no tensor "double_blocks.7.`, zeros("less.safetensors", without(whole, "double_blocks.7.")...)},
	} {
		if _, err := Identify([]File{c.file}); !fault.Is(err, c.code) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %s", err, c.says)
		}
	}
}

// without leaves out the tensors whose names contain a word.
func without(all []shaped, word string) (out []shaped) {
	for _, x := range all {
		if !strings.Contains(x.name, word) {
			out = append(out, x)
		}
	}
	return out
}
