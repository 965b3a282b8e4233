package conform

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"undertone/engine"
	"undertone/engine/checkpoint"
	"undertone/engine/conform/twin"
	"undertone/engine/fault"
	"undertone/engine/op"
)

// family is a kind of network.
type family struct {
	prefix string // of its names
	// open loads a network and returns what compares one case with it. The weights stay
	// until they are closed, behind the last case.
	open func(r *run, w *network) (func(c *check) error, error)
	flat bool                // one case, see flatCase
	read func(r *run) reader // of its files under both names; nil: engine.NewUploader
}

// families are those that are compared.
var families = []family{
	{prefix: "flux", open: openFlux},
	{prefix: "sd3", open: openSD3},
	{prefix: "hidream", open: openHiDream},
	{prefix: "clip_", open: openCLIP},
	{prefix: "t5", open: openT5},
	{prefix: "llama", open: openLlama},
	{prefix: "vae_kl", open: openKL},
	{prefix: "taef1", open: openTiny},
	{prefix: "cosmos_", open: openCosmos, flat: true, read: func(r *run) reader { return r.renamed }},
	{prefix: "wan_vae", open: openWanVAE, flat: true},
}

func findFamily(name string) (family, error) {
	for _, f := range families {
		if name != "" && strings.HasPrefix(name, f.prefix) {
			return f, nil
		}
	}
	return family{}, fault.New(fault.ModelUnsupported, "the family %.64q is not supported", name)
}

// network compares a family's network under every naming that is there.
func (r *run) network() error {
	f, err := findFamily(r.desc.Family)
	if err != nil {
		return err
	}
	r.flat = f.flat
	if f.flat {
		return r.bothNames(f)
	}
	if err := r.naming(f, ".safetensors", engine.NewUploader); err != nil {
		return err
	}
	data, err := twin.Of(r.path(""))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	r.label = r.base + ".diffusers"
	w, err := r.uploadFrom(inMemory{bytes.NewReader(data)}, r.renamed)
	if err != nil {
		return err
	}
	return r.compare(f, w)
}

// inMemory is a weight file that lies nowhere.
type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// renamed reads a published file under any names that are known.
func (r *run) renamed(ctx context.Context, be op.Backend, src op.Source) (*engine.Uploader, error) {
	p, err := r.identified(src)
	if err != nil {
		return nil, err
	}
	return engine.NewIndexUploader(ctx, be, p.Index, p.Source), nil
}

// identified tells a published network by its names, as one that lies beside the config.json
// of a diffusers folder.
func (r *run) identified(src op.Source) (p checkpoint.Part, err error) {
	found, err := checkpoint.Identify([]checkpoint.File{
		{Name: "network/diffusion_pytorch_model.safetensors", Source: src},
		{Name: "network/config.json", Source: bytes.NewReader(r.desc.Config)},
	})
	if err != nil {
		return p, err
	}
	if len(found.Parts) != 1 {
		return p, fault.New(fault.ModelUnsupported, "the file holds %d networks, expected 1", len(found.Parts))
	}
	return found.Parts[0], nil
}

func (r *run) naming(f family, ending string, read reader) error {
	w, err := r.upload(r.path(ending), read)
	if err != nil {
		return err
	}
	return r.compare(f, w)
}

// compare compares every case with a network, which it closes.
func (r *run) compare(f family, w *network) error {
	defer w.close()
	check, err := f.open(r, w)
	if err != nil {
		return err
	}
	if f.flat {
		return r.flatCase(check)
	}
	return r.eachCase(check)
}

// configure reads the configuration of a network.
func (d description) configure(into any) error {
	if err := json.Unmarshal(d.Config, into); err != nil {
		return fmt.Errorf("its config is not understood: %w", err)
	}
	return nil
}

// beside is the run of another prefix in the same folder, without its cases.
func (r *run) beside(name string) (*run, error) {
	other := *r
	other.base = name
	var err error
	other.desc, err = describe(other.path(".json"))
	return &other, err
}
