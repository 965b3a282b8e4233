package networks

import (
	"path/filepath"
	"testing"

	"undertone/engine/conform"
	"undertone/engine/op"
)

// Published compares with what the libraries that the models were published with
// (diffusers and transformers) compute in float64 from small random weights under
// the published names: these files share no line with this project's own networks,
// in Go or in Python.
func Published(t *testing.T, be op.Backend, lim Limits) {
	folder := filepath.Join(root(t), "engine", "testdata", "published")
	prefixes := []string{
		"flux_dev", "flux_kontext", "sd3_medium", "sd35_medium", "sd35_large",
		"hidream", "clip_l", "clip_g", "t5", "llama", "taef1", "vae_kl",
		"cosmos_predict2", "train_cosmos_adapter", "wan_vae", "e2e_sd3", "e2e_flux_dev", "schedulers",
	}
	if lim == CPU { // many passes of networks that are compared already
		prefixes = append(prefixes, "cosmos_published_sampler", "e2e_hidream")
	}
	for _, prefix := range prefixes {
		t.Run(prefix, func(t *testing.T) {
			report, err := conform.Run(background(), be, filepath.Join(folder, prefix), conform.Options{Limit: lim.Published})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range report.Results {
				if r.OK {
					t.Log(r)
				} else {
					t.Error(r)
				}
			}
		})
	}
}
