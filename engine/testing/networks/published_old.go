package networks

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"undertone/engine/op"
)

// Published compares with what the libraries that the models were published with
// (diffusers and transformers) compute in float64 from small random weights under
// the published names: these files share no line with this project's own networks,
// in Go or in Python.
func Published(t *testing.T, be op.Backend, lim Limits) {
	for _, name := range []string{"flux_schnell", "flux_dev", "sd3_medium", "sd35_medium", "sd35_large"} {
		t.Run(name, func(t *testing.T) {
			p := openPublished(t, name)
			f := p.transformer(be)
			for n := range p.json.Cases {
				t.Run(n, func(t *testing.T) { p.pass(t, be, f, n, lim.Published) })
			}
		})
	}
	for _, name := range []string{"clip_l", "clip_g", "clip_l_projected"} {
		t.Run(name, func(t *testing.T) { publishedCLIP(t, be, openPublished(t, name), lim.Published) })
	}
	t.Run("t5", func(t *testing.T) { publishedT5(t, be, openPublished(t, "t5"), lim.Published) })
	t.Run("taef1", func(t *testing.T) {
		bothLayouts(t, "taef1", func(t *testing.T, p *published) {
			p.tinyPicture(be, p.tiny(be), "case0", p.cases.get("case0.in.latent"), lim.Published)
		})
	})
	t.Run("vae_kl", func(t *testing.T) {
		bothLayouts(t, "vae_kl", func(t *testing.T, p *published) {
			m := p.kl(be)
			for name := range p.json.Cases {
				p.klCase(be, m, name, lim.Published)
			}
		})
	})
	t.Run("e2e_flux_schnell", func(t *testing.T) {
		p := openPublished(t, "flux_schnell")
		e := openCases(t, "e2e_flux_schnell")
		f := p.transformer(be)
		e.trajectory(be, f, "plain", lim.Published)
		e.trajectory(be, f, "guided", lim.Published)
	})
	t.Run("e2e_sd3", func(t *testing.T) {
		p := openPublished(t, "sd3_medium")
		e := openCases(t, "e2e_sd3")
		f := p.transformer(be)
		for _, name := range []string{"plain", "guided", "cfg", "cfg_guided_both", "cfg_guided_cond_only"} {
			e.trajectory(be, f, name, lim.Published)
		}
	})
	t.Run("e2e_flux_dev", func(t *testing.T) {
		e := openCases(t, "e2e_flux_dev")
		latent := e.trajectory(be, openPublished(t, "flux_dev").transformer(be), "plain", lim.Published)
		p := openPublished(t, "taef1")
		m := p.tiny(be)
		p.cases = e.cases
		p.tinyPicture(be, m, "plain", latent, lim.Published)
	})
}

// published is one family: its weights under the published names, and its cases.
type published struct {
	weights *golden // nil where a file has cases only
	cases   *golden
	json    publishedJSON
}

type publishedJSON struct {
	Family string `json:"family"`
	Config struct {
		// The transformer's, in the words of diffusers.
		InChannels    int    `json:"in_channels"`
		Double        int    `json:"num_layers"`
		Single        int    `json:"num_single_layers"`
		HeadDim       int    `json:"attention_head_dim"`
		Axes          []int  `json:"axes_dims_rope"`
		GuidanceEmbed bool   `json:"guidance_embeds"`
		Context       int    `json:"joint_attention_dim"`
		Pooled        int    `json:"pooled_projection_dim"`
		Side          int    `json:"pos_embed_max_size"`
		Dual          []int  `json:"dual_attention_layers"`
		QKNorm        string `json:"qk_norm"`
		Heads         int    `json:"num_attention_heads"` // also the text encoder's, in those of transformers:
		Vocabulary    int    `json:"vocab_size"`
		Hidden        int    `json:"hidden_size"`
		Layers        int    `json:"num_hidden_layers"`
		MLP           int    `json:"intermediate_size"`
		Act           string `json:"hidden_act"`
		Length        int    `json:"max_position_embeddings"`
		Projection    int    `json:"projection_dim"`
		// T5's, of which num_layers stands above.
		Width     int `json:"d_model"`
		HeadWidth int `json:"d_kv"`
		T5MLP     int `json:"d_ff"`
		T5Heads   int `json:"num_heads"`
		// A decoder's: of both kinds, of the tiny one, of AutoencoderKL.
		LatentChannels int     `json:"latent_channels"`
		Scaling        float64 `json:"scaling_factor"`
		Shift          float64 `json:"shift_factor"`
		TinyChannels   []int   `json:"decoder_block_out_channels"`
		TinyBlocks     []int   `json:"num_decoder_blocks"`
		KLChannels     []int   `json:"block_out_channels"`
		KLLayers       int     `json:"layers_per_block"`
		KLGroups       int     `json:"norm_num_groups"`
	} `json:"config"`
	Cases map[string]struct {
		Blocks []string `json:"blocks"`
		Sigma  float64  `json:"sigma"` // of a single pass
	} `json:"cases"`
}

func publishedFile(t *testing.T, name string) string {
	return filepath.Join(root(t), "engine", "testdata", "published", name)
}

func openPublished(t *testing.T, name string) *published {
	t.Helper()
	p := openCases(t, name)
	p.weights = openFile(t, name, publishedFile(t, name+".safetensors"))
	return p
}

func openCases(t *testing.T, name string) *published {
	t.Helper()
	p := &published{cases: openFile(t, name, publishedFile(t, name+".cases.safetensors"))}
	data, err := os.ReadFile(publishedFile(t, name+".json"))
	if err == nil {
		err = json.Unmarshal(data, &p.json)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}
