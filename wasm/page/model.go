package page

import (
	"encoding/json"
	"errors"

	"undertone/engine/weights"
	"undertone/guidance"
)

// model is what the page reads of model.json before anything is loaded: what it
// may offer, and what a download would cost.
type model struct {
	Title    string `json:"title"`
	Revision string `json:"revision"`
	Licenses struct {
		Weights string `json:"weights"`
		Data    string `json:"data"`
	} `json:"licenses"`
	Files []struct {
		Role  string `json:"role"`
		Bytes int64  `json:"bytes"`
	} `json:"files"`
	DiT struct {
		Hidden   int     `json:"hidden_size"`
		MLPRatio float64 `json:"mlp_ratio"`
		Double   int     `json:"depth"`
		Single   int     `json:"depth_single_blocks"`
	} `json:"dit"`
	Text struct {
		Hidden int `json:"hidden_size"`
		Layers int `json:"num_layers"`
		MLP    int `json:"intermediate_size"`
		Length int `json:"max_length"`
	} `json:"text"`
	VAE struct {
		Channels  int `json:"latent_channels"`
		Downscale int `json:"downscale"`
		Stages    []struct {
			Channels int `json:"channels"`
			Blocks   int `json:"blocks"`
		} `json:"stages"`
	} `json:"vae"`
	Defaults struct {
		Steps  int     `json:"steps"`
		Size   int     `json:"size"`
		Seed   uint32  `json:"seed"`
		CFG    float64 `json:"cfg"`
		Prompt string  `json:"prompt"`
	} `json:"defaults"`
	Sizes       []int              `json:"sizes"`
	MaxSteps    int                `json:"max_steps"`
	Presets     []guidance.Preset  `json:"presets"`
	Understands weights.Vocabulary `json:"understands"`
	Examples    []string           `json:"examples"`
}

// parseModel reads model.json for the page. The engine checks it in full when it
// is loaded; here only what would make the page nonsense is refused.
func parseModel(data []byte) (*model, error) {
	var m model
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	switch {
	case len(m.Files) == 0 || m.bytes() <= 0:
		return nil, errors.New("it lists no files")
	case m.blocks() < 1 || m.blocks() > 1024:
		return nil, errors.New("its number of blocks is out of range")
	case m.Defaults.Steps < 1 || m.Defaults.Size < 1 || m.MaxSteps < 1 || m.MaxSteps > 1000:
		return nil, errors.New("its steps or size are out of range")
	}
	return &m, nil
}

// bytes is what loading downloads.
func (m *model) bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}

func (m *model) blocks() int { return m.DiT.Double + m.DiT.Single }

// flops is the arithmetic of one picture with guidance, in floating-point
// operations: every weight of a matrix is used once per token (a multiplication
// and an addition), attention twice per pair of tokens, a convolution's weights
// once per pixel.
func (m *model) flops(size, steps int) float64 {
	d, mlp := float64(m.DiT.Hidden), float64(m.DiT.Hidden)*m.DiT.MLPRatio
	side := float64(size) / float64(2*max(1, m.VAE.Downscale))
	image, words := side*side, float64(m.Text.Length)
	tokens := image + words
	matrices := 4*d*d + 2*d*mlp // of a stream of a double block, and of a single block
	step := 2 * float64(m.blocks()) * (tokens*matrices + 2*tokens*tokens*d)

	c, f := float64(m.Text.Hidden), float64(m.Text.MLP)
	encode := 3 * 2 * float64(m.Text.Layers) * words * (4*c*c + 2*c*f + 2*words*c)

	pixels := float64(size*size) / float64(max(1, m.VAE.Downscale*m.VAE.Downscale))
	from, decode := float64(m.VAE.Channels), 0.0
	for i, s := range m.VAE.Stages {
		to := float64(s.Channels)
		if i > 0 {
			pixels *= 4
		}
		decode += 2 * 9 * pixels * (from*to + 3*float64(s.Blocks)*to*to)
		from = to
	}
	decode += 2 * 9 * pixels * from * 3
	return encode + float64(steps)*step + decode
}
