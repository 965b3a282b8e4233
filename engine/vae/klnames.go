package vae

import "undertone/engine/op"

// klNames are the names of an AutoencoderKL's decoder in one kind of published file.
type klNames struct {
	in, out, norm string
	mid           [2]string
	attn          string
	attnNorm      string    // under attn
	project       [4]string // q, k, v, out under attn
	block, up     string    // of stage %d, residual block %d; of stage %d
	shortcut      string    // under a residual block
	fromEnd       bool      // stages are counted from the picture's resolution down

	prefix string // of all names, see klPrefixes
}

// klLayouts are the original layout and that of diffusers.
var klLayouts = []klNames{
	{
		in: "decoder.conv_in", out: "decoder.conv_out", norm: "decoder.norm_out",
		mid:  [2]string{"decoder.mid.block_1", "decoder.mid.block_2"},
		attn: "decoder.mid.attn_1", attnNorm: "norm", project: [4]string{"q", "k", "v", "proj_out"},
		block: "decoder.up.%d.block.%d", up: "decoder.up.%d.upsample.conv", shortcut: "nin_shortcut", fromEnd: true,
	}, {
		in: "decoder.conv_in", out: "decoder.conv_out", norm: "decoder.conv_norm_out",
		mid:  [2]string{"decoder.mid_block.resnets.0", "decoder.mid_block.resnets.1"},
		attn: "decoder.mid_block.attentions.0", attnNorm: "group_norm", project: [4]string{"to_q", "to_k", "to_v", "to_out.0"},
		block: "decoder.up_blocks.%d.resnets.%d", up: "decoder.up_blocks.%d.upsamplers.0.conv", shortcut: "conv_shortcut",
	},
}

// klPrefixes are those of a file of the autoencoder alone, and of files that hold a
// whole model.
var klPrefixes = []string{"", "first_stage_model."}

// findKLNames tells the layout by the name of the last norm, which no two share; the
// first is what a file without any is asked for.
func findKLNames(weights op.Weights) klNames {
	for _, prefix := range klPrefixes {
		for _, n := range klLayouts {
			if weights.Has(prefix + n.norm + ".weight") {
				n.prefix = prefix
				return n
			}
		}
	}
	return klLayouts[0]
}

// number is how a stage is called that runs as the i-th, when the last to run is.
func (n klNames) number(i, last int) int {
	if n.fromEnd {
		return last - i
	}
	return i
}
