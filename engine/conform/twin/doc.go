// Package twin reads weight files that are told as other names of another file's tensors. A
// network that was published under two namings is so kept once:
//
//	{"of": "flux.safetensors", "tensors": {
//	  "transformer_blocks.0.attn.to_k.weight": "double_blocks.0.img_attn.qkv.weight[48:96]",
//	  "norm_out.linear.bias": "final.bias[48:96]+final.bias[0:48]"}}
//
// A tensor is one of that file, which lies beside, or rows of it, one run after the other.
package twin
