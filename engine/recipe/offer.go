package recipe

import (
	"fmt"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/tinyjson"
	"undertone/guidance"
)

// Description is what a model.json offers and what it takes, known before anything is
// loaded (engine.Describe). Site builders write it beside the model.json as
// DescriptionName.
type Description struct {
	Model       string           `json:"model"`
	Title       string           `json:"title"`
	Family      string           `json:"family"`
	Revision    string           `json:"revision"`
	Licenses    Licenses         `json:"licenses"`
	Parameters  Counts           `json:"parameters"`
	Bytes       int64            `json:"bytes"` // of all files but the encoder's: what a person has to download
	Files       map[string]int64 `json:"files"` // bytes by role: "dit", "text", "vae", "tokenizer", "encoder"
	Bits        int              `json:"bits"`  // that the transformer spends on a weight, without its scales
	Blocks      Blocks           `json:"blocks"`
	Sizes       []Size           `json:"sizes"`
	Steps       int              `json:"steps"` // the default
	MaxSteps    int              `json:"maxSteps"`
	Defaults    Defaults         `json:"defaults"`
	Presets     []Preset         `json:"presets"`
	SteersHead  bool             `json:"steersHead"` // directions steer the output head as strongly as the blocks where nobody says
	Understands Vocabulary       `json:"understands"`
	Examples    []string         `json:"examples"`
	FLOPs       float64          `json:"flops"`  // of the first picture with one direction of guidance
	Memory      int64            `json:"memory"` // bytes that it takes at its peak, weights included
	Judge       *Judge           `json:"judge,omitempty"`
	Edits       *Edits           `json:"edits,omitempty"` // nil for a model that makes pictures from words alone
}

// Edits is what reference pictures take of a model that reads them.
type Edits struct {
	Bytes  int64   `json:"bytes"`  // to download before the first of them
	FLOPs  float64 `json:"flops"`  // of an edit with the settings of the first picture
	Memory int64   `json:"memory"` // bytes that it takes at its peak, weights included
}

// DescriptionName is what a description's file is called, beside its model.json.
const DescriptionName = "description.json"

// ParseDescription reads a description and checks what programs count on: that there
// are blocks, sizes and steps to choose among, and that every preset has a schedule
// (fault.ManifestInvalid). What it does not know is of a later version and does no harm.
func ParseDescription(text []byte) (d Description, err error) {
	if err := tinyjson.Unmarshal(text, &d); err != nil {
		return d, fault.Wrap(err, fault.ManifestInvalid, "the model's description is malformed")
	}
	return d, d.Check()
}

// Check refuses a description that nothing could be offered of (fault.ManifestInvalid).
func (d Description) Check() error {
	if n := d.Blocks.Double + d.Blocks.Single; d.Blocks.Double < 0 || d.Blocks.Single < 0 || n < 1 || n > guidance.MaxBlocks {
		return fault.New(fault.ManifestInvalid, "the model has %d double and %d single blocks, possible are 1 to %d together", d.Blocks.Double, d.Blocks.Single, guidance.MaxBlocks)
	}
	if d.Model == "" {
		return fault.New(fault.ManifestInvalid, "the model has no name")
	}
	if !slices.Contains(d.Sizes, d.Defaults.Size) || slices.ContainsFunc(d.Sizes, func(s Size) bool { return s.Width < 1 || s.Height < 1 }) {
		return fault.New(fault.ManifestInvalid, "the model makes the sizes %v, by default %v", d.Sizes, d.Defaults.Size)
	}
	for _, n := range []int{d.Defaults.Steps, d.Defaults.For(true)} {
		if n < 1 || n > d.MaxSteps {
			return fault.New(fault.ManifestInvalid, "%d steps by default, possible are 1 to %d", n, d.MaxSteps)
		}
	}
	for _, p := range d.Presets {
		if _, err := p.Term(); err != nil {
			return err
		}
	}
	return nil
}

// Limits are what requests of the model must be within.
func (d Description) Limits() Limits {
	return Limits{MaxSteps: d.MaxSteps, Sizes: d.Sizes, Blocks: d.Blocks.Double + d.Blocks.Single, Edits: d.Edits != nil}
}

// Request is the picture that the model proposes, without guidance.
func (d Description) Request() Request {
	return Request{Prompt: d.Defaults.Prompt, Seed: d.Defaults.Seed, Steps: d.Defaults.Steps, Size: d.Defaults.Size, CFG: d.Defaults.CFG}
}

// Info describes a loaded model and the machine that it is on.
type Info struct {
	Description
	Precision string   `json:"precision"`
	Backend   string   `json:"backend"`
	Adapter   string   `json:"adapter"`
	Software  bool     `json:"software"`
	Features  []string `json:"features"`
	Plan      string   `json:"plan"`
	Words     []string `json:"words"` // all that the tokenizer knows
}

// Blocks counts the transformer's blocks by kind, in the order they run.
type Blocks struct {
	Double int `json:"double"`
	Single int `json:"single"`
}

func (b Blocks) String() string { return fmt.Sprintf("%d double, %d single", b.Double, b.Single) }

// Counts counts the weights of the transformer, of all text encoders together and of
// the decoder.
type Counts struct {
	DiT  int64 `json:"dit"`
	Text int64 `json:"text"`
	VAE  int64 `json:"vae"`
}

// All counts the weights of all of them.
func (c Counts) All() int64 { return c.DiT + c.Text + c.VAE }

// Licenses name the terms of the weights and of the data they were trained on.
type Licenses struct {
	Weights string `json:"weights"`
	Data    string `json:"data"`
}

// Defaults are the settings of the first picture.
type Defaults struct {
	Steps  int     `json:"steps"`
	Size   Size    `json:"size"`
	CFG    float64 `json:"cfg"`
	Seed   uint32  `json:"seed"`
	Prompt string  `json:"prompt"`
	// EditSteps is how many steps an edit takes, where those are not Steps.
	EditSteps int `json:"edit_steps,omitempty"`
}

// For is how many steps a request takes that names none; edit: one with a picture to edit.
func (d Defaults) For(edit bool) int {
	if edit && d.EditSteps > 0 {
		return d.EditSteps
	}
	return d.Steps
}

// Preset is a ready-made guidance direction. Schedule is guidance.Schedule as JSON;
// without one, ParseManifest sets that of all blocks alike.
// Range, where it is given, holds the lowest and the highest weight that still
// make clean pictures.
type Preset struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	Positive string       `json:"positive"`
	Negative string       `json:"negative"`
	Weight   float64      `json:"weight"`
	Head     float64      `json:"head"`
	Range    []float64    `json:"range,omitempty"`
	Schedule tinyjson.Raw `json:"schedule,omitempty"`
}

// Term is the direction that the preset proposes (fault.ManifestInvalid where its
// schedule is none, or has a field that no schedule has).
func (p Preset) Term() (Term, error) {
	t := Term{Positive: p.Positive, Negative: p.Negative, Weight: p.Weight, Head: p.Head}
	if err := tinyjson.UnmarshalKnown(p.Schedule, &t.Schedule); err != nil {
		return t, fault.Wrap(err, fault.ManifestInvalid, "the schedule of preset %s is malformed", p.ID)
	}
	return t, nil
}

// Vocabulary lists the words a model was trained on, for people.
type Vocabulary struct {
	Objects   []string `json:"objects"`
	Colours   []string `json:"colours"`
	Counts    []string `json:"counts"`
	Places    []string `json:"places"`
	Styles    []string `json:"styles"`
	Quality   []string `json:"quality"`
	Relations []string `json:"relations"`
	// Near are everyday words that the model does not know, by the word of its own that
	// comes nearest and can stand in the same place of a sentence.
	Near map[string][]string `json:"near,omitempty"`
	// Uncoloured are objects that keep their own colours, whatever the prompt says.
	Uncoloured []string `json:"uncoloured,omitempty"`
	// Keep is the instruction that leaves a reference picture as it is, of a model that edits:
	// what directions of edits start from.
	Keep string `json:"keep,omitempty"`
}
