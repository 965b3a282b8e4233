package dit

import (
	"slices"
	"strings"
	"testing"

	"undertone/engine/fault"
)

// FLUX takes its tokens and its vector from one text encoder or from two.
func TestFluxFits(t *testing.T) {
	f := &Flux{FluxConfig: FluxConfig{InChannels: 64, VecDim: 768, ContextDim: 4096, Hidden: 3072}}
	both := Encoder{"both", 77, 4096, 768, 1}
	for name, c := range map[string]struct {
		encoders []Encoder
		channels int
		tokens   int
		pooled   string
		says     string // of the refusal
	}{
		"CLIP-L and T5":   {[]Encoder{clipL, t5}, 16, 256, "clip_l", ""},
		"T5 first":        {[]Encoder{t5, clipL}, 16, 256, "clip_l", ""},
		"one":             {[]Encoder{both}, 16, 77, "both", ""},
		"of two, the T5":  {[]Encoder{both, t5}, 16, 256, "both", ""},
		"none":            {nil, 16, 0, "", "tokens of 4096 and a vector of 768"},
		"CLIP-L alone":    {[]Encoder{clipL}, 16, 0, "", "clip_l of 768 and 768; the transformer reads tokens of 4096"},
		"T5 alone":        {[]Encoder{t5}, 16, 0, "", "t5 of 4096 and 0; the transformer reads"},
		"one too many":    {[]Encoder{clipL, clipG, t5}, 16, 0, "", `reads nothing of the text encoder "clip_g"`},
		"CLIP-L twice":    {[]Encoder{clipL, clipL, t5}, 16, 0, "", `reads nothing of the text encoder "clip_l"`},
		"another decoder": {[]Encoder{clipL, t5}, 4, 0, "", "tokens of 16 channels, the transformer's have 64"},
	} {
		r, err := f.Fit(Parts{c.encoders, c.channels})
		switch {
		case c.says != "":
			if !fault.Is(err, fault.ModelUnsupported) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, wanted it to say %q", name, err, c.says)
			}
		case err != nil || r.Tokens != c.tokens || r.Width != 3072 || (r.First == "t5") != (c.tokens == 256) || !slices.Equal(r.Pooled, []string{c.pooled}):
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}
