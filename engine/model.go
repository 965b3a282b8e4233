package engine

import (
	"fmt"
	"maps"
	"slices"

	"undertone/engine/dit"
	"undertone/engine/fault"
	"undertone/engine/op"
	"undertone/engine/text"
	"undertone/engine/vae"
	"undertone/engine/weights"
)

// TextEncoder turns token ids into token states and, of some kinds, a pooled vector.
type TextEncoder interface {
	Shape() text.Shape
	// Encode records token ids → token states and, where there is one, a pooled vector.
	Encode(l *op.List, p text.Pass)
	// Tokenizer makes the tokenizer that belongs to it out of its files (see text.ReadTokenizer).
	Tokenizer(files ...[]byte) (*text.Tokenizer, error)
}

// Transformer predicts the velocity of a latent. It owns its streams, and reads
// the text encoders' outputs by their names.
type Transformer interface {
	Shape() dit.Shape
	// Fit checks what it is put together with (fault.ModelUnsupported), and says what
	// it takes of the text encoders.
	Fit(dit.Parts) (dit.Reading, error)
	// Context records the token states of all encoders, in the order of Fit's parts →
	// context [T, D], once per prompt.
	Context(l *op.List, states []dit.States, out *op.Tensor)
	// Psi records ψ: pooled [n, Pooled], nil where Pooled is 0, → out [n, Vector].
	Psi(l *op.List, pooled, out *op.Tensor)
	// Time is what Tau reads of one time (1 noise … 0 data) or guidance scale, [Time].
	Time(t float64) []float32
	// Tau records τ: times and, where the shape has EmbedsGuidance, scales [n, Time] → out [n, Vector].
	Tau(l *op.List, times, scales, out *op.Tensor)
	// Modulate records yhat [n, (Blocks+1)·Vector], the head's last → mods [n, Modulation].
	Modulate(l *op.List, yhat, mods *op.Tensor)
	// Parts lists what lies in a row of modulation, in its order.
	Parts() []dit.Part
	// Positions is the table of the context's tokens and rows × cols image tokens, or
	// nothing where the positions are weights, which Velocity finds by itself.
	Positions(context, rows, cols int) (table []float32, width int)
	// Velocity records one pass and returns the velocity [S, Channels], noise − data.
	Velocity(l *op.List, p dit.Pass) *op.Tensor
	// Maps begins to record attention maps beside a pass, whose BeforeAttention it returns.
	Maps(l *op.List, m dit.Maps) func(block int, qkv []*op.Tensor)
}

// Decoder draws a latent.
type Decoder interface {
	Shape() vae.Shape
	// Strips is how many strips Draw needs for a latent of h × w pixels so that no
	// tensor has more than limit bytes, where a limit is known (not 0).
	Strips(h, w int, limit int64) int
	// Draw records z [h·w, Channels] → out [1, H·W] U32, pixels of four bytes.
	Draw(l *op.List, z *op.Tensor, h, w, strips int, out *op.Tensor)
	// LinearPreview records z [h·w, Channels] → mean colours [h·w, 3] in [0, 1].
	LinearPreview(l *op.List, z *op.Tensor) *op.Tensor
}

// Encoder makes a latent of a picture.
type Encoder interface {
	Shape() vae.Shape
	// Encode records pixels [H·W, 3] in [0, 1] → z [h·w, Channels], scaled as Draw and
	// the transformer read it. out may be nil.
	Encode(l *op.List, pixels *op.Tensor, height, width int, out *op.Tensor) *op.Tensor
}

// What a model can be made of: kind → loader. This is the only place that lists
// them: a new family is one file in dit and one row here.
var (
	textEncoders = map[string]loader[TextEncoder]{"clip": with[TextEncoder](text.LoadCLIP), "t5": with[TextEncoder](text.LoadT5), "llama": with[TextEncoder](text.LoadLlama)}
	transformers = map[string]loader[Transformer]{"flux": with[Transformer](dit.LoadFlux), "sd3": with[Transformer](dit.LoadSD3), "hidream": with[Transformer](dit.LoadHiDream), "cosmos": with[Transformer](dit.LoadCosmos)}
	decoders     = map[string]loader[Decoder]{"tiny": with[Decoder](vae.LoadTiny), "kl": with[Decoder](vae.LoadKL), "causal3d": with[Decoder](vae.LoadCausal3D)}
	encoders     = map[string]loader[Encoder]{"tiny": with[Encoder](vae.LoadTinyEncoder)}
)

// loader reads a component's configuration from the manifest and asks for its weights.
type loader[Part any] func(c weights.Component, w op.Weights) (Part, error)

// with makes a family's own loader, which takes its own configuration, one of the table.
func with[Part, Config, Model any](load func(Config, op.Weights) (Model, error)) loader[Part] {
	return func(c weights.Component, w op.Weights) (part Part, err error) {
		var config Config
		if err := weights.Decode(c.Config, fmt.Sprintf("the configuration of the %v", c), &config); err != nil {
			return part, err
		}
		m, err := load(config, w)
		if err != nil {
			return part, err
		}
		return any(m).(Part), nil
	}
}

// find looks a component's kind up in its row of the table.
func find[Part any](table map[string]loader[Part], c weights.Component) (loader[Part], error) {
	if load, ok := table[c.Kind]; ok {
		return load, nil
	}
	return nil, fault.New(fault.ModelUnsupported, "the %v is of the kind %.64q, supported: %v", c, c.Kind, slices.Sorted(maps.Keys(table)))
}

// build makes one component with the loader of its kind.
func build[Part any](table map[string]loader[Part], c weights.Component, w op.Weights) (part Part, err error) {
	load, err := find(table, c)
	if err != nil {
		return part, err
	}
	return load(c, w)
}
