package checkpoint

import (
	"encoding/json"
	"strings"
)

// Names of text encoders, by which transformers find them.
const (
	clipL = "clip_l"
	clipG = "clip_g"
	t5    = "t5"
	llama = "llama"
)

// family is what the shapes of a transformer do not tell of the model around it.
type family struct {
	title    string
	names    []string  // words in the names of its files; ^: at the beginning
	encoders []encoder // in the order in which the transformer reads them
	latent   latent
	variants []variant // the first that fits
}

// encoder is a text encoder that a family reads.
type encoder struct {
	name        string
	width       int  // of CLIP, which tells the two apart
	optional    bool // pictures can be made without it
	penultimate bool // its states before the last layer are read
	projected   bool // its pooled vector goes through text_projection
	masked      bool // of T5: padding is left out of attention
	zeroed      bool // of T5: the states of padding are zeros
	pad         int  // −1: the end of the text
	what        Missing
}

// latent is how a decoder reads a family's latent.
type latent struct {
	scaling, shift float64
	colours        [][3]float64 // of every channel, in red, green and blue from −1 to 1
	mean           [3]float64
}

// variant is one model of a family. Shapes tell some apart, the names of files and the
// file's own metadata the others.
type variant struct {
	title  string
	fits   func(config) bool
	word   string // in a name, where the shapes do not tell; "" else
	tokens int    // T5's, for one prompt
	Settings
}

func (v variant) is(c config, names string) bool {
	return v.fits(c) && (v.word == "" || strings.Contains(names, v.word))
}

// The schedules of published scheduler_config.json, in the words of engine/sample.
const (
	scheduleFlow    = `{"kind":"flow"}`
	scheduleDynamic = `{"kind":"flow","dynamic":{"base":0.5,"max":1.15,"tokens":[256,4096]}}`
	scheduleSD3     = `{"kind":"flow","shift":3,"list":"sd3"}`
	scheduleFast    = `{"kind":"flow","shift":3,"list":"sd3","sampler":"lcm"}`
	scheduleFull    = `{"kind":"flow","shift":3,"list":"unipc","sampler":"unipc"}`
	scheduleDev     = `{"kind":"flow","shift":6,"list":"sd3","sampler":"lcm"}`
	scheduleEDM     = `{"kind":"edm"}`
	scheduleFew     = `{"kind":"edm","sampler":"lcm","sigmas":[0.9876543209876543,0.782608695652174,0.6089779462736373,0.40617577197149643]}`
)

func guided(c config) bool { return c["guidance_embed"] == true }
func depths(c config, double, single int) bool {
	return c["depth"] == double && c["depth_single_blocks"] == single
}
func dual(c config) bool { return len(c["dual_attention_layers"].([]int)) > 0 }

// Where people have the parts: ComfyUI's folders and the names of its own examples.
var (
	needCLIPL   = Missing{What: "the text encoder CLIP-L", File: "clip_l.safetensors", Where: "ComfyUI/models/text_encoders"}
	needCLIPG   = Missing{What: "the text encoder CLIP-G", File: "clip_g.safetensors", Where: "ComfyUI/models/text_encoders"}
	needT5      = Missing{What: "the text encoder T5 v1.1 XXL", File: "t5xxl_fp16.safetensors", Where: "ComfyUI/models/text_encoders"}
	needFluxVAE = Missing{What: "the decoder of FLUX.1", File: "ae.safetensors", Where: "ComfyUI/models/vae"}
	needSD3VAE  = Missing{What: "the decoder of Stable Diffusion 3", File: "diffusion_pytorch_model.safetensors", Where: "vae/ of the model's diffusers folder"}
	needLlama   = Missing{What: "the text encoder Llama 3.1 8B Instruct", File: "llama_3.1_8b_instruct_fp8_scaled.safetensors", Where: "ComfyUI/models/text_encoders"}
	needOldT5   = Missing{What: "the text encoder T5 11B", File: "oldt5_xxl_fp16.safetensors", Where: "ComfyUI/models/text_encoders"}
	needWanVAE  = Missing{What: "the decoder of Wan 2.1", File: "wan_2.1_vae.safetensors", Where: "ComfyUI/models/vae"}
	needDiT     = Missing{What: "the transformer", File: "flux1-dev.safetensors or sd3.5_medium.safetensors", Where: "ComfyUI/models/diffusion_models"}
)

// families by the kind of their transformer. Steps and guidance are those of the
// publishers' examples; FLUX.1's T5 reads 256 tokens for schnell and 512 for dev.
// Scaling and shift are those of the published vae/config.json; of Cosmos, whose decoder
// has a mean and a deviation of every channel, they change nothing. The colours are the
// linear approximation that ComfyUI shows previews with (comfy/latent_formats.py).
var families = map[string]family{
	"flux": {
		title: "FLUX.1",
		names: []string{"flux", "taef1", "^ae."},
		encoders: []encoder{
			{name: clipL, width: 768, pad: -1, what: needCLIPL},
			{name: t5, what: needT5},
		},
		latent: latent{0.3611, 0.1159, [][3]float64{
			{-0.0346, 0.0244, 0.0681}, {0.0034, 0.0210, 0.0687}, {0.0275, -0.0668, -0.0433}, {-0.0174, 0.0160, 0.0617},
			{0.0859, 0.0721, 0.0329}, {0.0004, 0.0383, 0.0115}, {0.0405, 0.0861, 0.0915}, {-0.0236, -0.0185, -0.0259},
			{-0.0245, 0.0250, 0.1180}, {0.1008, 0.0755, -0.0421}, {-0.0515, 0.0201, 0.0011}, {0.0428, -0.0012, -0.0036},
			{0.0817, 0.0765, 0.0749}, {-0.1264, -0.0522, -0.1103}, {-0.0280, -0.0881, -0.0499}, {-0.1262, -0.0982, -0.0778},
		}, [3]float64{-0.0329, -0.0718, -0.0851}},
		variants: []variant{
			{title: "FLUX.1 Kontext", fits: guided, word: "kontext", tokens: 512, Settings: Settings{28, 1, 2.5, json.RawMessage(scheduleDynamic)}},
			{title: "FLUX.1 dev", fits: func(c config) bool { return guided(c) && depths(c, 19, 38) }, tokens: 512, Settings: Settings{28, 1, 3.5, json.RawMessage(scheduleDynamic)}},
			{title: "FLUX.1 of other depths, with guidance as dev", fits: guided, tokens: 512, Settings: Settings{28, 1, 3.5, json.RawMessage(scheduleDynamic)}},
			{title: "FLUX.1 schnell", fits: func(c config) bool { return depths(c, 19, 38) }, tokens: 256, Settings: Settings{4, 1, 0, json.RawMessage(scheduleFlow)}},
			{title: "FLUX.1 of other depths, without guidance as schnell", fits: func(config) bool { return true }, tokens: 256, Settings: Settings{4, 1, 0, json.RawMessage(scheduleFlow)}},
		},
	},
	"sd3": {
		title: "Stable Diffusion 3",
		names: []string{"sd3", "stable-diffusion-3", "stable_diffusion_3", "stable diffusion 3"},
		encoders: []encoder{
			{name: clipL, width: 768, pad: -1, penultimate: true, what: needCLIPL},
			{name: clipG, width: 1280, pad: 0, penultimate: true, projected: true, what: needCLIPG},
			{name: t5, optional: true, what: needT5},
		},
		latent: latent{1.5305, 0.0609, [][3]float64{
			{-0.0922, -0.0175, 0.0749}, {0.0311, 0.0633, 0.0954}, {0.1994, 0.0927, 0.0458}, {0.0856, 0.0339, 0.0902},
			{0.0587, 0.0272, -0.0496}, {-0.0006, 0.1104, 0.0309}, {0.0978, 0.0306, 0.0427}, {-0.0042, 0.1038, 0.1358},
			{-0.0194, 0.0020, 0.0669}, {-0.0488, 0.0130, -0.0268}, {0.0922, 0.0988, 0.0951}, {-0.0278, 0.0524, -0.0542},
			{0.0332, 0.0456, 0.0895}, {-0.0069, -0.0030, -0.0810}, {-0.0596, -0.0465, -0.0293}, {-0.1448, -0.1463, -0.1189},
		}, [3]float64{0.2394, 0.2135, 0.1925}},
		variants: []variant{
			{title: "Stable Diffusion 3.5 medium turbo", fits: dual, word: "turbo", tokens: 256, Settings: Settings{8, 1, 0, json.RawMessage(scheduleSD3)}},
			{title: "Stable Diffusion 3.5 medium", fits: dual, tokens: 256, Settings: Settings{40, 4.5, 0, json.RawMessage(scheduleSD3)}},
			{title: "Stable Diffusion 3.5 large turbo", fits: func(c config) bool { return c["qk_norm"] != "" }, word: "turbo", tokens: 256, Settings: Settings{4, 1, 0, json.RawMessage(scheduleSD3)}},
			{title: "Stable Diffusion 3.5 large", fits: func(c config) bool { return c["qk_norm"] != "" }, tokens: 256, Settings: Settings{28, 3.5, 0, json.RawMessage(scheduleSD3)}},
			{title: "Stable Diffusion 3 medium", fits: func(config) bool { return true }, tokens: 256, Settings: Settings{28, 7, 0, json.RawMessage(scheduleSD3)}},
		},
	},
	"hidream": {
		title: "HiDream-I1",
		encoders: []encoder{
			{name: clipL, width: 768, pad: -1, projected: true, what: needCLIPL},
			{name: clipG, width: 1280, pad: 0, projected: true, what: needCLIPG},
			{name: t5, masked: true, what: needT5},
			{name: llama, what: needLlama},
		},
		variants: []variant{
			{title: "HiDream-I1 Full", fits: func(config) bool { return true }, word: "full", tokens: 128, Settings: Settings{50, 5, 0, json.RawMessage(scheduleFull)}},
			{title: "HiDream-I1 Dev", fits: func(config) bool { return true }, word: "dev", tokens: 128, Settings: Settings{28, 1, 0, json.RawMessage(scheduleDev)}},
			{title: "HiDream-I1 Fast", fits: func(config) bool { return true }, tokens: 128, Settings: Settings{16, 1, 0, json.RawMessage(scheduleFast)}},
		},
	},
	"cosmos": {
		title: "Cosmos-Predict",
		latent: latent{1, 0, [][3]float64{
			{-0.1299, -0.1692, 0.2932}, {0.0671, 0.0406, 0.0442}, {0.3568, 0.2548, 0.1747}, {0.0372, 0.2344, 0.1420},
			{0.0313, 0.0189, -0.0328}, {0.0296, -0.0956, -0.0665}, {-0.3477, -0.4059, -0.2925}, {0.0166, 0.1902, 0.1975},
			{-0.0412, 0.0267, -0.1364}, {-0.1293, 0.0740, 0.1636}, {0.0680, 0.3019, 0.1128}, {0.0032, 0.0581, 0.0639},
			{-0.1251, 0.0927, 0.1699}, {0.0060, -0.0633, 0.0005}, {0.3477, 0.2275, 0.2950}, {0.1984, 0.0913, 0.1861},
		}, [3]float64{-0.1835, -0.0868, -0.3360}},
		encoders: []encoder{{name: t5, masked: true, zeroed: true, what: needOldT5}},
		variants: []variant{
			{title: "Cosmos-Predict2 of few steps", fits: func(config) bool { return true }, word: "distilled", tokens: 512, Settings: Settings{4, 1, 0, json.RawMessage(scheduleFew)}},
			{title: "Cosmos-Predict2", fits: func(config) bool { return true }, tokens: 512, Settings: Settings{35, 8, 0, json.RawMessage(scheduleEDM)}},
		},
	},
}

// HiDream-I1 has the decoder of FLUX.1.
func init() {
	hidream := families["hidream"]
	hidream.latent = families["flux"].latent
	families["hidream"] = hidream
}

// clips are the two CLIPs by their width: the activation of OpenAI's, which shapes do
// not tell, is not that of OpenCLIP's.
var clips = []struct {
	name, activation string
	width            int
}{{clipL, "quick_gelu", 768}, {clipG, "gelu", 1280}}

// preview is the quick look at a latent, in the words of the decoders' configuration:
// colours from 0 to 1. Latents of other channels are shown grey.
func (l latent) preview(channels int) config {
	weight, bias := [3][]float64{}, [3]float64{}
	for i := range 3 {
		weight[i], bias[i] = make([]float64, channels), 0.5
		if channels != len(l.colours) {
			continue
		}
		bias[i] = (l.mean[i] + 1) / 2
		for c, rgb := range l.colours {
			weight[i][c] = rgb[i] / 2
		}
	}
	return config{"weight": weight, "bias": bias}
}
