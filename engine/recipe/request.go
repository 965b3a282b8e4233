package recipe

import (
	"math"
	"slices"

	"undertone/engine/fault"
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
	Prompt   string  `json:"prompt"` // empty: unconditional
	Seed     uint32  `json:"seed"`
	Steps    int     `json:"steps"`
	Size     Size    `json:"size"` // one of the model's
	CFG      float64 `json:"cfg"`  // 1: off; models with an embedded guidance scale read it instead
	Guidance []Term  `json:"guidance"`
	// GuidanceRows says what the unconditional pass of classifier-free guidance gets of
	// Guidance; empty: the same as the other pass.
	GuidanceRows guidance.Rows `json:"guidanceRows,omitempty"`
	// Reference, if not nil, is the picture to edit, and Prompt the instruction; an empty
	// one gives the reference back.
	Reference *Reference `json:"reference,omitempty"`
	// Ablate, if not nil, takes something of the prompt away.
	Ablate  *Ablation `json:"ablate,omitempty"`
	Preview bool      `json:"preview"` // small pictures with the step events
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
	// Random puts a random direction of the same length in the place of the one between
	// the prompts. The picture's seed decides which.
	Random bool `json:"random,omitempty"`
}

// Weights are those of every block (fault.GuidanceInvalid).
func (t Term) Weights(blocks int) ([]float32, error) {
	w, err := t.Schedule.Weights(t.Weight, blocks)
	if err != nil {
		return nil, fault.Wrap(err, fault.GuidanceInvalid, "the schedule of %.40q does not fit the model's %d blocks", t.Positive, blocks)
	}
	return w, nil
}

// Check refuses what the model cannot do, naming the value and the limit.
func (r Request) Check(l Limits) error {
	if err := CheckPrompt(r.Prompt); err != nil {
		return err
	}
	if r.Steps < max(1, l.MinSteps) || r.Steps > l.MaxSteps {
		return fault.New(fault.StepsRange, "%d steps, this model takes %d to %d", r.Steps, max(1, l.MinSteps), l.MaxSteps)
	}
	if !slices.Contains(l.Sizes, r.Size) {
		return fault.New(fault.SizeUnsupported, "size %v, this model makes %v", r.Size, l.Sizes)
	}
	if !(r.CFG >= 0 && r.CFG <= MaxCFG) {
		return fault.New(fault.CFGRange, "a guidance scale of %g, supported 0 to %d", r.CFG, MaxCFG)
	}
	if err := r.GuidanceRows.Check(); err != nil {
		return fault.Wrap(err, fault.GuidanceInvalid, "the guidance rows %.40q are not known", r.GuidanceRows)
	}
	if err := r.Reference.check(l); err != nil {
		return err
	}
	if err := r.Ablate.Check(); err != nil {
		return err
	}
	if len(r.Guidance) > MaxTerms {
		return fault.New(fault.GuidanceInvalid, "%d directions, at most %d", len(r.Guidance), MaxTerms)
	}
	for _, t := range r.Guidance {
		for _, p := range []string{t.Positive, t.Negative} {
			if err := CheckPrompt(p); err != nil {
				return err
			}
		}
		for _, w := range []float64{t.Weight, t.Head} {
			if !(math.Abs(w) <= MaxWeight) {
				return fault.New(fault.GuidanceInvalid, "a guidance weight of %g, supported -%d to %d", w, MaxWeight, MaxWeight)
			}
		}
		if _, err := t.Weights(l.Blocks); err != nil {
			return err
		}
	}
	return nil
}
