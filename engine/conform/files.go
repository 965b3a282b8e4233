package conform

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"undertone/engine/fault"
	"undertone/engine/weights"
)

// maxJSON bounds a JSON in bytes; those of the reference files have up to 45,000.
const maxJSON = 16 << 20

// description is PREFIX.json.
type description struct {
	Family    string
	Config    json.RawMessage
	Cases     json.RawMessage
	Schedules map[string]json.RawMessage
	// Of T5's tokenizer: its file, with what is said of it behind a colon, and the length
	// that ids are cut to.
	Model     string
	MaxLength int `json:"max_length"`
	// Of Cosmos: the width that its adapter reads, and whose network the files of a sampler
	// or of a training speak of.
	PooledDim int    `json:"pooled_dim"`
	WeightsOf string `json:"weights_of"`
	// Of the training of an adapter: the order of its tensors in grad_norms.
	GradNorms []string `json:"grad_norm_order"`
	// Of a pipeline: its name and those of the networks beside it.
	Pipeline, Transformer, VAE string
}

// caseDescription is what a JSON says of one case, as far as it is more than the
// tensors tell.
type caseDescription struct {
	Form   string
	Sigma  *float64 // before it was rounded to float32
	Blocks []string
	Guided map[string]struct {
		W    []float64
		Head float64
	}
	Scheduler json.RawMessage // of a pipeline
	raw       json.RawMessage // what is no object, and says something of all cases
}

// UnmarshalJSON reads an object, and keeps anything else as it is.
func (d *caseDescription) UnmarshalJSON(data []byte) error {
	if !isObject(data) {
		d.raw = bytes.Clone(data)
		return nil
	}
	type plain caseDescription
	return json.Unmarshal(data, (*plain)(d))
}

func describe(name string) (d description, err error) {
	f, err := os.Open(name)
	if err != nil {
		return d, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxJSON+1))
	if err != nil {
		return d, err
	}
	if len(data) > maxJSON {
		return d, fault.New(fault.RequestInvalid, "%s has over %d bytes, the limit for a description", name, maxJSON)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return d, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// cases reads what is said of every case.
func (d description) cases() (map[string]caseDescription, error) {
	var out map[string]caseDescription
	if err := json.Unmarshal(d.Cases, &out); err != nil {
		return nil, fmt.Errorf("its cases are not understood: %w", err)
	}
	return out, nil
}

// tokenizer says whether this is the description of a tokenizer: its cases are a list.
func (d description) tokenizer() bool {
	return d.Family == "" && d.Pipeline == "" && bytes.HasPrefix(bytes.TrimSpace(d.Cases), []byte("["))
}

// tensors is a file of tensors that remembers which of them were asked for.
type tensors struct {
	src   *weights.FileSource
	index *weights.Index
	asked map[string]bool
}

func openTensors(name string) (*tensors, error) {
	src, err := weights.OpenFile(name)
	if err != nil {
		return nil, err
	}
	index, err := weights.Parse(src)
	if err != nil {
		src.Close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &tensors{src, index, map[string]bool{}}, nil
}

func (x *tensors) close() { x.src.Close() }

func (x *tensors) has(name string) bool {
	_, ok := x.index.Lookup(name)
	return ok
}

// get reads a tensor and its shape.
func (x *tensors) get(name string) ([]float32, []int, error) {
	t, ok := x.index.Lookup(name)
	if !ok {
		return nil, nil, fmt.Errorf("%s is missing", name)
	}
	x.asked[name] = true
	data, err := weights.ReadFloat32(x.src, t)
	return data, t.Shape, err
}

// names lists the cases of the file and of its description. A tensor that belongs to
// no case stands for one of its own, which then fails.
func (x *tensors) names(described map[string]caseDescription) []string {
	all := map[string]bool{}
	for name := range described {
		all[name] = true
	}
	for _, t := range x.index.Tensors {
		name, _ := splitName(t.Name)
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// splitName takes "case0.in.latent" apart: "case0" and "in.latent".
func splitName(tensor string) (name, what string) {
	for _, side := range []string{"in.", "out."} {
		if i := strings.Index(tensor, "."+side); i >= 0 {
			return tensor[:i], tensor[i+1:]
		}
	}
	return tensor, ""
}
