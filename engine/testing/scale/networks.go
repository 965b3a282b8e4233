package scale

import (
	"slices"
	"strings"

	"undertone/engine/dit"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
)

// Network is one network of a model, in a file of its own.
type Network struct {
	File         string                 // its usual name
	Architecture string                 // of a GGUF file
	Linear       op.DType               // of matrices whose rows are whole blocks; F16 or BF16: of all, in safetensors
	Load         func(op.Weights) error // the engine's loader
	Rename       func(string) string    // of tensors; nil where a loader asks for the published names
	Side, Middle int                    // of the square table of positions, and of what a loader takes from its middle
	Width        int                    // of its rows
}

// Unread is how many bytes of a network's tensors its loader does not take.
func (n Network) Unread() int64 {
	return int64(n.Side*n.Side-n.Middle*n.Middle) * int64(n.Width) * 2
}

// Model is a whole model.
type Model []Network

// Files makes the files of all networks.
func (m Model) Files() (files []*File, err error) {
	for _, n := range m {
		f, err := n.Make()
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

// Make makes the network's file. Tensors lie in the order of their names, which is not that
// in which they are read.
func (n Network) Make() (*File, error) {
	r := &recorder{network: n}
	if err := n.Load(r); err != nil {
		return nil, err
	}
	slices.SortFunc(r.tensors, func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	if !n.Linear.Quantized() {
		return Safetensors(n.File+".safetensors", r.tensors), nil
	}
	return GGUF(n.File+".gguf", n.Architecture, r.tensors), nil
}

// recorder is an op.Weights that notes what a loader asks for.
type recorder struct {
	network Network
	tensors []Tensor
}

func (r *recorder) Has(string) bool { return true }

func (r *recorder) Constant(string, op.Use, int, int, []float32) *op.Tensor { return nil }

func (r *recorder) Get(name string, use op.Use, rows, cols int) *op.Tensor {
	linear := r.network.Linear
	full, vector := linear, linear
	if linear.Quantized() {
		full, vector = op.F16, op.F32
	}
	t := Tensor{name, full, []int{rows, cols}}
	switch {
	case use == op.UseMiddle:
		t.Shape = []int{1, r.network.Side * r.network.Side, cols}
	case use == op.UseConv3x3:
		t.Shape = []int{rows, cols / 9, 3, 3}
	case use == op.UseFrame0:
		t.Shape = []int{rows, cols / 9, 3, 3, 3}
	case use > op.UseFrame0: // the same tensor again
		return nil
	case r.network.Architecture == "sd3" && name == "x_embedder.proj.weight": // a convolution whose kernel is as large as its stride
		t.Shape = []int{rows, cols / 4, 2, 2}
	case use == op.UseVector && rows == 1:
		t.DType, t.Shape = vector, []int{cols}
	case use == op.UseMatrix:
		if elems, _ := linear.Block(); cols%elems == 0 {
			t.DType = linear
		}
	}
	if r.network.Rename != nil {
		t.Name = r.network.Rename(name)
	}
	r.tensors = append(r.tensors, t)
	return nil
}

// CLIPL is the text encoder CLIP-L, with so many layers; 12 as published.
func CLIPL(linear op.DType, layers int) Network {
	return clip("clip_l", linear, text.Config{HiddenSize: 768, NumLayers: layers, NumHeads: 12, Intermediate: 3072, Activation: "quick_gelu"})
}

// ProjectedL is CLIP-L with its projection, which HiDream-I1 reads.
func ProjectedL(linear op.DType) Network {
	return clip("clip_l_hidream", linear, text.Config{HiddenSize: 768, NumLayers: 12, NumHeads: 12, Intermediate: 3072, Activation: "quick_gelu", Projection: 768})
}

// CLIPG is the text encoder CLIP-G, with so many layers; 32 as published.
func CLIPG(linear op.DType, layers int) Network {
	return clip("clip_g", linear, text.Config{HiddenSize: 1280, NumLayers: layers, NumHeads: 20, Intermediate: 5120, Activation: "gelu", Projection: 1280})
}

func clip(name string, linear op.DType, c text.Config) Network {
	c.VocabSize, c.MaxLength, c.BOS, c.EOS = 49408, 77, 49406, 49407
	return Network{File: name, Architecture: "clip", Linear: linear, Load: func(w op.Weights) error {
		_, err := text.LoadCLIP(c, w)
		return err
	}}
}

// T5 is the text encoder T5 v1.1 XXL.
func T5(linear op.DType) Network {
	c := text.T5Config{VocabSize: 32128, Width: 4096, HeadDim: 64, MLP: 10240, NumLayers: 24, NumHeads: 64, MaxLength: 512, EOS: 1}
	return Network{File: "t5xxl", Architecture: "t5encoder", Linear: linear, Load: func(w op.Weights) error {
		_, err := text.LoadT5(c, w)
		return err
	}}
}

// LlamaT5 is T5 as llama.cpp names it, in GGUF.
func LlamaT5(linear op.DType) Network {
	n := T5(linear)
	n.File, n.Rename = "t5-v1_1-xxl-encoder", llamaNames.Replace
	return n
}

var llamaNames = strings.NewReplacer(
	"shared.", "token_embd.", "encoder.final_layer_norm.", "enc.output_norm.", "encoder.block.", "enc.blk.",
	"layer.0.SelfAttention.relative_attention_bias.", "attn_rel_b.", "layer.0.SelfAttention.", "attn_", "layer.0.layer_norm.", "attn_norm.",
	"layer.1.layer_norm.", "ffn_norm.", "layer.1.DenseReluDense.wi_0.", "ffn_gate.", "layer.1.DenseReluDense.wi_1.", "ffn_up.", "layer.1.DenseReluDense.wo.", "ffn_down.",
)

// KL is the decoder AutoencoderKL of 16 latent channels; channels are 128, 256, 512, 512
// as published, from the picture's resolution down.
func KL(channels ...int) Network {
	row := make([]float64, 16)
	c := vae.KLConfig{LatentChannels: 16, Channels: channels, Layers: 2, Groups: 32, ScalingFactor: 1,
		Preview: vae.Preview{Weight: [][]float64{row, row, row}, Bias: make([]float64, 3)}}
	return Network{File: "vae", Linear: op.F16, Load: func(w op.Weights) error {
		_, err := vae.LoadKL(c, w)
		return err
	}}
}

// Flux is a transformer of FLUX.1's widths; 19 and 38 blocks as published.
func Flux(linear op.DType, double, single int, guided bool) Network {
	c := dit.FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072, MLPRatio: 4, Heads: 24, Depth: double, DepthSingle: single,
		AxesDim: []int{16, 56, 56}, Theta: 10000, QKVBias: true, GuidanceEmbed: guided, Activation: "gelu_tanh"}
	n := Network{File: "flux1-schnell", Architecture: "flux", Linear: linear, Load: func(w op.Weights) error {
		_, err := dit.LoadFlux(c, w)
		return err
	}}
	if guided {
		n.File = "flux1-dev"
	}
	return n
}

// SD35 is the transformer of a Stable Diffusion 3.5, of so many blocks in so many heads of
// 64, with a table of positions of this side; dual of the blocks have a second attention.
// Of the published sides, 192 and 384, the middle is read.
func SD35(file string, linear op.DType, blocks, heads, dual, side int) Network {
	c := dit.SD3Config{InChannels: 16, Layers: blocks, Heads: heads, HeadDim: 64, ContextDim: 4096, PooledDim: 2048, Side: side, Sample: 128, Dual: []int{}, QKNorm: "rms_norm"}
	for i := range dual {
		c.Dual = append(c.Dual, i)
	}
	return Network{File: file, Architecture: "sd3", Linear: linear, Side: side, Middle: min(side, c.Sample/2), Width: 64 * heads, Load: func(w op.Weights) error {
		_, err := dit.LoadSD3(c, w)
		return err
	}}
}

// HiDream is the transformer of HiDream-I1; 16 and 32 blocks as published.
func HiDream(linear op.DType, double, single int) Network {
	c := dit.HiDreamConfig{InChannels: 16, Layers: double, Single: single, HeadDim: 128, Heads: 20, Captions: []int{4096, 4096}, PooledDim: 2048,
		Experts: 4, Active: 2, AxesDim: []int{64, 32, 32}, Resolution: []int{128, 128}, LlamaLayers: make([]int, double+single)}
	return Network{File: "hidream_i1_fast", Architecture: "hidream", Linear: linear, Load: func(w op.Weights) error {
		_, err := dit.LoadHiDream(c, w)
		return err
	}}
}

// Cosmos is the transformer of a Cosmos-Predict2 of so many blocks and heads of this width.
func Cosmos(linear op.DType, blocks, heads, head int) Network {
	c := dit.CosmosConfig{InChannels: 16, Heads: heads, HeadDim: head, Layers: blocks, MLPRatio: 4, ContextDim: 1024, LoRA: 256,
		MaxSize: []int{128, 240, 240}, RopeScale: []float64{1, 4, 4}, PaddingMask: true}
	return Network{File: "cosmos_predict2_t2i", Architecture: "cosmos", Linear: linear, Load: func(w op.Weights) error {
		_, err := dit.LoadCosmos(c, w)
		return err
	}}
}

// Llama is the text encoder Llama 3.1 8B.
func Llama(linear op.DType) Network {
	c := text.LlamaConfig{VocabSize: 128256, Width: 4096, NumLayers: 32, NumHeads: 32, KVHeads: 8, HeadDim: 128, MLP: 14336, Eps: 1e-5, RopeTheta: 500000, MaxLength: 128}
	return Network{File: "llama_3.1_8b_instruct", Architecture: "llama", Linear: linear, Load: func(w op.Weights) error {
		_, err := text.LoadLlama(c, w)
		return err
	}}
}

// FirstT5 is the text encoder T5 1.0 11B.
func FirstT5(linear op.DType) Network {
	c := text.T5Config{VocabSize: 32128, Width: 1024, HeadDim: 128, MLP: 65536, NumLayers: 24, NumHeads: 128, MaxLength: 512, EOS: 1, FeedForward: "relu"}
	return Network{File: "oldt5_xxl", Architecture: "t5encoder", Linear: linear, Load: func(w op.Weights) error {
		_, err := text.LoadT5(c, w)
		return err
	}}
}

// Wan is the decoder of Wan 2.1.
func Wan() Network {
	row := make([]float64, 16)
	c := vae.Causal3DConfig{LatentChannels: 16, Channels: 96, Multiples: []int{1, 2, 4, 4}, Layers: 2, HalvesTime: []bool{false, true, true},
		Mean: row, Deviation: slices.Repeat([]float64{1}, 16), Preview: vae.Preview{Weight: [][]float64{row, row, row}, Bias: make([]float64, 3)}}
	return Network{File: "wan_2.1_vae", Linear: op.F16, Load: func(w op.Weights) error {
		_, err := vae.LoadCausal3D(c, w)
		return err
	}}
}

// SD35Medium is Stable Diffusion 3.5 medium without T5.
func SD35Medium(linear op.DType) Model {
	return Model{CLIPL(linear, 12), CLIPG(linear, 32), SD35("sd3.5_medium", linear, 24, 24, 13, 384), KL(128, 256, 512, 512)}
}

// FluxSchnell is FLUX.1 schnell.
func FluxSchnell(linear op.DType) Model {
	return Model{CLIPL(linear, 12), T5(linear), Flux(linear, 19, 38, false), KL(128, 256, 512, 512)}
}
