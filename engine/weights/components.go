package weights

import (
	"encoding/json"

	"undertone/engine/fault"
)

// Roles of components.
const (
	RoleText        = "text"        // a text encoder, with its tokenizer
	RoleTransformer = "transformer" // predicts the velocity
	RoleDecoder     = "decoder"     // draws the latent
)

// Component is one network of a model.
type Component struct {
	Role      string          // RoleText, RoleTransformer or RoleDecoder
	Name      string          // of a text encoder, by which a transformer finds it
	Kind      string          // which loader understands Config: "flux", "clip", "tiny"
	Config    json.RawMessage // the loader's own
	File      string          // the role of its weight file
	Tokenizer string          // the role of a text encoder's tokenizer
}

// Components lists a model's networks: text encoders, the transformer, the decoder
// (fault.ManifestInvalid where a configuration does not name its kind).
func (m *Manifest) Components() ([]Component, error) {
	var text struct{ Layout string }
	var vae struct{ Kind string }
	if err := json.Unmarshal(m.Text, &text); err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "model.json's text is malformed")
	}
	if err := json.Unmarshal(m.VAE, &vae); err != nil {
		return nil, fault.Wrap(err, fault.ManifestInvalid, "model.json's vae is malformed")
	}
	return []Component{
		{Role: RoleText, Name: text.Layout, Kind: text.Layout, Config: m.Text, File: "text", Tokenizer: "tokenizer"},
		{Role: RoleTransformer, Kind: m.Family, Config: m.DiT, File: "dit"},
		{Role: RoleDecoder, Kind: vae.Kind, Config: m.VAE, File: "vae"},
	}, nil
}
