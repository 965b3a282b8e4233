package checkpoint

import "fmt"

// klGroups are those of an AutoencoderKL's norms, which shapes do not tell.
const klGroups = 32

func readKL(r *reading) config {
	stages := r.count("decoder.up.")
	channels := make([]int, stages)
	for i := range channels {
		channels[i] = r.dim(parsePattern("decoder.up.{N}.block.0.conv1.weight").name(numbers{n: i}), 0, 4)
	}
	return config{
		"latent_channels": r.dim("decoder.conv_in.weight", 1, 4), "block_out_channels": channels,
		"layers_per_block": r.count("decoder.up.0.block.") - 1, "norm_num_groups": klGroups,
	}
}

// readTiny walks through the numbered layers: a convolution, then stages of blocks,
// between them a convolution without bias behind a layer that enlarges.
func readTiny(r *reading) config {
	type stage struct {
		Channels int `json:"channels"`
		Blocks   int `json:"blocks"`
	}
	name := func(suffix string, n int) string { return parsePattern("{N}" + suffix).name(numbers{n: n}) }
	stages := []stage{{Channels: r.dim("1.weight", 0, 4)}}
	for n, end := 2, r.count(""); n < end; n++ {
		now := &stages[len(stages)-1]
		switch {
		case r.has(name(".conv.0.weight", n)):
			now.Blocks++
		case r.has(name(".weight", n)) && !r.has(name(".bias", n)):
			stages = append(stages, stage{Channels: r.dim(name(".weight", n), 0, 4)})
		}
	}
	return config{"latent_channels": r.dim("1.weight", 1, 4), "downscale": 1 << (min(len(stages), 30) - 1), "stages": stages}
}

// The mean and the deviation of every channel of Wan 2.1's latent, by its vae/config.json.
var (
	wanMean = []float64{-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921}
	wanStd  = []float64{2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.916}
)

// readCausal3D walks through the stages, under either naming: blocks, and behind all but
// the last stage what doubles the side and perhaps the frames.
func readCausal3D(r *reading) config {
	first := "decoder.conv1.weight"
	type stage struct {
		channels, blocks int
		time             bool
	}
	stages := []stage{{}}
	if r.has("decoder.conv_in.weight") {
		first = "decoder.conv_in.weight"
		stages = nil
		for n := range r.count("decoder.up_blocks.") {
			at := fmt.Sprintf("decoder.up_blocks.%d.", n)
			stages = append(stages, stage{r.dim(at+"resnets.0.conv1.weight", 0, 5), r.count(at + "resnets."), r.has(at + "upsamplers.0.time_conv.weight")})
		}
	} else {
		for n := range r.count("decoder.upsamples.") {
			at, now := fmt.Sprintf("decoder.upsamples.%d.", n), &stages[len(stages)-1]
			if r.has(at + "resample.1.weight") {
				now.time = r.has(at + "time_conv.weight")
				stages = append(stages, stage{})
				continue
			}
			now.channels = r.dim(at+"residual.2.weight", 0, 5)
			now.blocks++
		}
	}
	last := len(stages) - 1
	base := max(stages[last].channels, 1)
	multiples, halves := make([]int, len(stages)), make([]bool, last)
	for i, s := range stages {
		multiples[last-i] = s.channels / base
		if i < last {
			halves[last-1-i] = s.time
		}
		if s.channels%base != 0 || s.blocks != stages[0].blocks {
			r.unsupported("stage %d of its decoder has %d blocks of %d channels, the first %d and the last %d channels; supported are as many blocks and multiples of the last", i, s.blocks, s.channels, stages[0].blocks, base)
		}
	}
	c := config{"z_dim": r.dim(first, 1, 5), "base_dim": base, "dim_mult": multiples, "num_res_blocks": stages[0].blocks - 1, "temperal_downsample": halves}
	if c["z_dim"] == len(wanMean) {
		c["latents_mean"], c["latents_std"] = wanMean, wanStd
	}
	return c
}
