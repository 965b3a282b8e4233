package conform

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"undertone/engine"
	"undertone/engine/fault"
)

// family is a kind of network.
type family struct {
	prefix string // of its names
	// open loads a network and returns what compares one case with it. The weights stay
	// until they are closed, behind the last case.
	open func(r *run, w *network) (func(c *check) error, error)
	// diffusers reads weights under the names of diffusers; nil: nothing does yet.
	diffusers reader
}

// families are those that are compared. The loaders of decoders know both namings
// themselves.
var families = []family{
	{"flux", openFlux, nil},
	{"sd3", openSD3, nil},
	{"clip_", openCLIP, nil},
	{"t5", openT5, nil},
	{"vae_kl", openKL, engine.NewUploader},
	{"taef1", openTiny, engine.NewUploader},
}

func findFamily(name string) (family, error) {
	for _, f := range families {
		if name != "" && strings.HasPrefix(name, f.prefix) {
			return f, nil
		}
	}
	return family{}, fault.New(fault.ModelUnsupported, "the family %.64q is not supported", name)
}

// network compares a family's network under every naming that is there and read.
func (r *run) network() error {
	f, err := findFamily(r.desc.Family)
	if err != nil {
		return err
	}
	if err := r.naming(f, ".safetensors", engine.NewUploader); err != nil {
		return err
	}
	const other = ".diffusers.safetensors"
	if _, err := os.Stat(r.path(other)); err != nil {
		return nil
	}
	if f.diffusers == nil {
		r.report.Unread = append(r.report.Unread, r.path(other))
		return nil
	}
	r.label = r.base + ".diffusers"
	return r.naming(f, other, f.diffusers)
}

func (r *run) naming(f family, ending string, read reader) error {
	w, err := r.upload(r.path(ending), read)
	if err != nil {
		return err
	}
	defer w.close()
	check, err := f.open(r, w)
	if err != nil {
		return err
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
