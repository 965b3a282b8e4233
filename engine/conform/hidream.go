package conform

import (
	"fmt"

	"undertone/engine"
	"undertone/engine/dit"
)

// hidreamConfig is that of a HiDream-I1 in the words of diffusers.
type hidreamConfig struct {
	Patch       int `json:"patch_size"`
	OutChannels int `json:"out_channels"`
	dit.HiDreamConfig
}

func openHiDream(r *run, w *network) (func(c *check) error, error) {
	h, err := loadHiDream(r, w)
	if err != nil {
		return nil, err
	}
	// As diffusers gets it ("latent") a picture that is not square is padded; the same
	// network on its tokens alone ("tokens") is what programs without padding compute.
	ofForm := func(form string, rows, cols int) (engine.Transformer, error) {
		other := *h
		switch form {
		case "latent":
		case "tokens":
			other.Unpadded = true
		default:
			return nil, fmt.Errorf("the form %.64q is not understood", form)
		}
		return &other, nil
	}
	return transformer{Transformer: h, exact: true, ofForm: ofForm}.check, nil
}

func loadHiDream(r *run, w *network) (*dit.HiDream, error) {
	var c hidreamConfig
	if err := r.desc.configure(&c); err != nil {
		return nil, err
	}
	if c.Patch != 2 || c.OutChannels != 0 && c.OutChannels != c.InChannels {
		return nil, fmt.Errorf("patch_size %d, out_channels %d; supported 2 and as many as in_channels %d", c.Patch, c.OutChannels, c.InChannels)
	}
	h, err := dit.LoadHiDream(c.HiDreamConfig, w)
	return loaded(w, h, err)
}

// hidreamTexts are the states of T5 and of Llama's layers, beside a pooled vector of both
// CLIPs.
func (c *check) hidreamTexts(pooled int) []engine.Encoded {
	t5, t5Shape := c.shaped("t5", 2)
	llama, shape := c.shaped("llama", 3)
	return []engine.Encoded{
		{Encoder: dit.Encoder{Name: "pooled", Pooled: pooled}},
		{Encoder: dit.Encoder{Name: "t5", Tokens: t5Shape[0], Width: t5Shape[1]}, States: t5},
		{Encoder: dit.Encoder{Name: "llama", Tokens: shape[1], Width: shape[2], States: shape[0]}, States: llama},
	}
}
