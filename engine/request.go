package engine

import (
	"fmt"
	"math"
	"slices"

	"undertone/engine/fault"
	"undertone/engine/text"
	"undertone/engine/weights"
	"undertone/guidance"
)

// Limits of a request. The paper finds artifacts from a weight of 8 on.
const (
	MaxCFG    = 30
	MaxWeight = guidance.MaxWeight
	MaxTerms  = 8
)

// Request asks for a picture.
type Request struct {
	Prompt   string       `json:"prompt"` // empty: unconditional
	Seed     uint32       `json:"seed"`
	Steps    int          `json:"steps"`
	Size     weights.Size `json:"size"` // one of the model's
	CFG      float64      `json:"cfg"`  // 1: off; models with an embedded guidance scale read it instead
	Guidance []Term       `json:"guidance"`
	Preview  bool         `json:"preview"` // small pictures with the step events
	// Probe, if not nil, asks to look on: Result.Probe.
	Probe *ProbeRequest `json:"probe,omitempty"`
}

// Term is one direction of modulation guidance: from the negative prompt to the
// positive one, with a weight for every block, and one for the output head.
type Term struct {
	Positive string            `json:"positive"`
	Negative string            `json:"negative"`
	Weight   float64           `json:"weight"`
	Head     float64           `json:"head"`
	Schedule guidance.Schedule `json:"schedule"`
}

// weights are those of every block.
func (t Term) weights(blocks int) ([]float32, error) {
	w, err := t.Schedule.Weights(t.Weight, blocks)
	if err != nil {
		return nil, fault.Wrap(err, fault.GuidanceInvalid, "the schedule of %.40q does not fit the model's %d blocks", t.Positive, blocks)
	}
	return w, nil
}

// check refuses what the model cannot do, naming the value and the limit.
func (r Request) check(m weights.Manifest, blocks int) error {
	if err := text.CheckPrompt(r.Prompt); err != nil {
		return err
	}
	if r.Steps < 1 || r.Steps > m.MaxSteps {
		return fault.New(fault.StepsRange, "%d steps, this model takes 1 to %d", r.Steps, m.MaxSteps)
	}
	if !slices.Contains(m.Sizes, r.Size) {
		return fault.New(fault.SizeUnsupported, "size %v, this model makes %v", r.Size, m.Sizes)
	}
	if !(r.CFG >= 0 && r.CFG <= MaxCFG) {
		return fault.New(fault.CFGRange, "a guidance scale of %g, supported 0 to %d", r.CFG, MaxCFG)
	}
	if len(r.Guidance) > MaxTerms {
		return fault.New(fault.GuidanceInvalid, "%d directions, at most %d", len(r.Guidance), MaxTerms)
	}
	for _, t := range r.Guidance {
		for _, p := range []string{t.Positive, t.Negative} {
			if err := text.CheckPrompt(p); err != nil {
				return err
			}
		}
		for _, w := range []float64{t.Weight, t.Head} {
			if !(math.Abs(w) <= MaxWeight) {
				return fault.New(fault.GuidanceInvalid, "a guidance weight of %g, supported -%d to %d", w, MaxWeight, MaxWeight)
			}
		}
		if _, err := t.weights(blocks); err != nil {
			return err
		}
	}
	return nil
}

// StepEvent tells that a step is done.
type StepEvent struct {
	Step    int    `json:"step"` // 1 … Steps
	Steps   int    `json:"steps"`
	Preview *Image `json:"-"` // nil unless Request.Preview
}

// Image is a picture of four bytes per pixel: red, green, blue, 255.
type Image struct {
	W, H int
	RGBA []byte
}

// Result is a finished picture and how it came about.
type Result struct {
	Image      *Image     `json:"-"`
	Latent     []float32  `json:"-"` // [height·width, channels], what the decoder was given
	Seed       uint32     `json:"seed"`
	Timings    Timings    `json:"timings"`
	Parameters Parameters `json:"parameters"`
	Dispatches int        `json:"dispatches"`         // kernel launches per step
	Notices    []string   `json:"notices,omitempty"`  // what a person should know, in sentences
	Geometry   []Geometry `json:"geometry,omitempty"` // one for each direction
	Probe      *Probe     `json:"probe,omitempty"`    // nil unless Request.Probe
}

// Timings are wall-clock milliseconds of the parts of one picture. Every part is
// waited for, so that the numbers are of work done, not of work submitted. When
// nobody listens to steps and they are quick, StepsMs holds one number, which is
// of the modulation and all steps together.
type Timings struct {
	TextMs          float64   `json:"textMs"`            // prompt → tokens, pooled, ψ; τ of the steps
	GuidanceMs      float64   `json:"guidanceMs"`        // ψ of the directions' prompts, blend
	PrepareMs       float64   `json:"prepareMs"`         // noise; compiling, on the first picture of its kind
	ModulationMs    float64   `json:"modulationMs"`      // shift, scale and gate of every block and step
	StepsMs         []float64 `json:"stepsMs"`           // each step, without its preview
	EncodeMsPerStep float64   `json:"encodeMsPerStep"`   // of a step, the CPU's share until it is submitted
	DecodeMs        float64   `json:"decodeMs"`          // latent → pixels, read back
	ProbeMs         float64   `json:"probeMs,omitempty"` // looking on, which is in TotalMs and in no other part
	TotalMs         float64   `json:"totalMs"`
}

// Parameters are everything that makes the same picture again.
type Parameters struct {
	Request
	Model     string `json:"model"`
	Revision  string `json:"revision"`
	Precision string `json:"precision"` // of the transformer's weights
	Backend   string `json:"backend"`
	Plan      string `json:"plan"` // the chosen kernel variants: pictures are identical under one plan
}

// Geometry is how a direction lies to the prompt's own vector.
type Geometry struct {
	guidance.Geometry
	Weights []float32 `json:"weights"` // one per block
}

func (e *Engine) parameters(req Request) Parameters {
	info := e.be.Info()
	req.Guidance, req.Probe = slices.Clone(req.Guidance), nil
	return Parameters{Request: req, Model: e.manifest.Name, Revision: e.manifest.Revision, Precision: e.precision, Backend: info.Backend, Plan: info.Plan}
}

// Defaults is the request that model.json proposes, without guidance.
func (e *Engine) Defaults() Request {
	d := e.manifest.Defaults
	return Request{Prompt: d.Prompt, Seed: d.Seed, Steps: d.Steps, Size: d.Size, CFG: d.CFG}
}

// Info describes the model and the machine to people and to the page.
type Info struct {
	Model       string             `json:"model"`
	Title       string             `json:"title"`
	Family      string             `json:"family"`
	Revision    string             `json:"revision"`
	Licenses    weights.Licenses   `json:"licenses"`
	Parameters  weights.Parameters `json:"parameters"`
	Precision   string             `json:"precision"`
	Bytes       int64              `json:"bytes"` // of all files
	Backend     string             `json:"backend"`
	Adapter     string             `json:"adapter"`
	Software    bool               `json:"software"`
	Features    []string           `json:"features"`
	Plan        string             `json:"plan"`
	Blocks      Blocks             `json:"blocks"`
	Sizes       []weights.Size     `json:"sizes"`
	Steps       int                `json:"steps"` // the default
	MaxSteps    int                `json:"maxSteps"`
	Defaults    weights.Defaults   `json:"defaults"`
	Presets     []weights.Preset   `json:"presets"`
	Understands weights.Vocabulary `json:"understands"`
	Words       []string           `json:"words"` // all that the tokenizer knows
	Examples    []string           `json:"examples"`
}

// Blocks counts the transformer's blocks by kind, in the order they run.
type Blocks struct {
	Double int `json:"double"`
	Single int `json:"single"`
}

func countBlocks(kinds []string) (b Blocks) {
	for _, k := range kinds {
		if k == "double" {
			b.Double++
		} else {
			b.Single++
		}
	}
	return b
}

// Info describes the loaded model.
func (e *Engine) Info() Info {
	m, be := e.manifest, e.be.Info()
	return Info{
		Model: m.Name, Title: m.Title, Family: m.Family, Revision: m.Revision,
		Licenses: m.Licenses, Parameters: m.Parameters, Precision: e.precision, Bytes: m.Bytes(),
		Backend: be.Backend, Adapter: be.Adapter, Software: be.Software, Features: be.Features, Plan: be.Plan,
		Blocks: countBlocks(e.transformer.Shape().Blocks),
		Sizes:  m.Sizes, Steps: m.Defaults.Steps, MaxSteps: m.MaxSteps, Defaults: m.Defaults,
		Presets: m.Presets, Understands: m.Understands, Words: e.conditioner.readers[0].tokenizer.Vocabulary(), Examples: m.Examples,
	}
}

func (b Blocks) String() string { return fmt.Sprintf("%d double, %d single", b.Double, b.Single) }
