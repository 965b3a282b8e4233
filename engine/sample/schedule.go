package sample

import (
	"math"

	"undertone/engine/fault"
)

// Schedule describes how a model's flow is integrated; see the package. Its JSON may
// stand in a model's manifest. FLUX.1 schnell is {"kind": "flow"}; FLUX.1 dev
//
//	{"kind": "flow", "dynamic": {"base": 0.5, "max": 1.15, "tokens": [256, 4096]}}
//
// SD3 and SD3.5 {"kind": "flow", "shift": 3, "list": "sd3"}; HiDream-I1 Fast the same
// with "sampler": "lcm", and Full {"kind": "flow", "shift": 3, "list": "unipc", "sampler":
// "unipc"}; Cosmos-Predict2 {"kind": "edm"} as diffusers runs it, and with "sampler": "ab2" as
// its publisher does.
type Schedule struct {
	Kind    string    `json:"kind"`              // "flow", or "edm": Karras' times (see Karras) as those of a flow
	Shift   float64   `json:"shift,omitempty"`   // s; 0 means 1, which changes nothing
	Dynamic *Dynamic  `json:"dynamic,omitempty"` // in place of Shift
	List    string    `json:"list,omitempty"`    // "flux" (also ""), "sd3" or "unipc"
	Given   []float64 `json:"sigmas,omitempty"`  // in place of List: before the shift, without the last 0
	Sampler string    `json:"sampler,omitempty"` // "euler" (also ""), "lcm", "ab2" or "unipc"
}

// Dynamic is a shift e^mu that depends on the number of image tokens: mu is Base at
// Tokens[0] of them, Max at Tokens[1], and on the straight line through both before,
// between and beyond.
type Dynamic struct {
	Base   float64 `json:"base"`
	Max    float64 `json:"max"`
	Tokens [2]int  `json:"tokens"`
}

func (d Dynamic) mu(tokens int) float64 {
	slope := (d.Max - d.Base) / float64(d.Tokens[1]-d.Tokens[0])
	return d.Base + float64(tokens-d.Tokens[0])*slope
}

// The bounds of what Validate accepts.
const (
	minShift, maxShift = 0.01, 100.0
	maxMu              = 8.0     // at Dynamic.Tokens: e^8 is a shift of 2981
	maxTokens          = 1 << 20 // a picture of 16,384 × 16,384 pixels has as many
	maxReach           = 300.0   // of mu at any number of tokens, so that e^mu is a finite number
	maxGiven           = 1000
)

// Validate refuses a schedule that cannot be computed or says two things at once: with
// fault.ModelUnsupported where a word is not known, else with fault.ManifestInvalid.
func (s Schedule) Validate() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.ManifestInvalid, "schedule: "+format, args...)
	}
	for _, w := range []struct {
		field, word string
		known       []string
	}{{"kind", s.Kind, []string{"flow", "edm"}}, {"list", s.List, []string{"", "flux", "sd3", "unipc"}}, {"sampler", s.Sampler, []string{"", "euler", "lcm", "ab2", "unipc"}}} {
		if err := oneOf(w.field, w.word, w.known); err != nil {
			return err
		}
	}
	if s.Kind == "edm" && (s.Shift != 0 || s.Dynamic != nil || s.List != "") {
		return wrong("kind %q has no shift, no dynamic and no list; leave them out", s.Kind)
	}
	if s.Sampler == "ab2" && s.Kind != "edm" || s.Sampler == "unipc" && s.Kind != "flow" {
		return wrong("sampler %q is not one of kind %q: ab2 is of edm, unipc of flow", s.Sampler, s.Kind)
	}
	if s.Shift != 0 && !(s.Shift >= minShift && s.Shift <= maxShift) {
		return wrong("shift is %g, supported %g to %g", s.Shift, minShift, maxShift)
	}
	if d := s.Dynamic; d != nil {
		switch {
		case s.Shift != 0:
			return wrong("shift %g and dynamic are both given; leave one out", s.Shift)
		case s.List == "sd3":
			return wrong("list %q and dynamic are both given; that list ends in a σ that a fixed shift has shifted", s.List)
		case !(math.Abs(d.Base) <= maxMu) || !(math.Abs(d.Max) <= maxMu):
			return wrong("dynamic goes from mu %g to %g, supported %g to %g", d.Base, d.Max, -maxMu, maxMu)
		case d.Tokens[0] < 1 || d.Tokens[1] <= d.Tokens[0] || d.Tokens[1] > maxTokens:
			return wrong("dynamic.tokens are %d and %d, wanted two rising numbers of 1 to %d", d.Tokens[0], d.Tokens[1], maxTokens)
		case !(math.Abs(d.mu(1)) <= maxReach) || !(math.Abs(d.mu(maxTokens)) <= maxReach):
			return wrong("dynamic reaches mu %.4g at %d tokens, supported up to %g", d.mu(maxTokens), maxTokens, maxReach)
		}
	}
	if s.Given != nil && s.List != "" {
		return wrong("list %q and sigmas are both given; leave one out", s.List)
	}
	if n := len(s.Given); n > maxGiven || s.Given != nil && n == 0 {
		return wrong("%d sigmas, supported 1 to %d", n, maxGiven)
	}
	above := 1.0
	for i, v := range s.Given {
		if !(v > 0 && v <= above) || i > 0 && v == above {
			return wrong("sigmas[%d] is %g; they fall from at most 1, and the last 0 is not written", i, v)
		}
		above = v
	}
	return nil
}

// oneOf refuses a word that is not known.
func oneOf(field, word string, known []string) error {
	for _, k := range known {
		if word == k {
			return nil
		}
	}
	if known[0] == "" {
		known = known[1:]
	}
	return fault.New(fault.ModelUnsupported, "schedule: %s %q, supported: %q", field, word, known)
}

// FixedSteps is how many steps the schedule has where it lists its σ, and 0 where any
// number may be asked for.
func (s Schedule) FixedSteps() int { return len(s.Given) }

// Start is what the noise that a picture begins with is multiplied by: with edm it begins
// at the first time, behind which there is a picture of zeros.
func (s Schedule) Start(sigmas []float64) float64 {
	if s.Kind == "edm" {
		return sigmas[0]
	}
	return 1
}

// Stochastic says that steps add fresh noise (see Step.Noise).
func (s Schedule) Stochastic() bool { return s.Sampler == "lcm" }

// Sigmas returns the times of a picture of so many image tokens, from noise to data
// and ending with 0: steps+1 of them, or FixedSteps()+1 where the schedule lists its σ.
// It is meant for a schedule that Validate accepts and for steps ≥ 1.
func (s Schedule) Sigmas(steps, tokens int) []float64 {
	shift := s.shift(tokens)
	bend := func(t float64) float64 { return shift * t / (1 + (shift-1)*t) }
	if n := s.FixedSteps(); n > 0 {
		steps = n
	}
	out := make([]float64, steps+1) // the last stays 0
	if s.Kind == "edm" && s.Given == nil {
		for i, sigma := range Karras(steps, false) {
			out[i] = sigma / (1 + sigma)
		}
		return out
	}
	for i := range steps {
		var t float64
		switch {
		case s.Given != nil:
			t = s.Given[i]
		case s.List == "sd3":
			t = 1
			if i > 0 {
				t = 1 + (bend(0.001)-1)*float64(i)/float64(steps-1)
			}
		case s.List == "unipc":
			t = 0.999 * (1 - float64(i)/float64(steps))
		default:
			t = 1 - float64(i)/float64(steps)
		}
		out[i] = bend(t)
	}
	return out
}

// shift is s of the package's formulas.
func (s Schedule) shift(tokens int) float64 {
	switch {
	case s.Dynamic != nil:
		return math.Exp(s.Dynamic.mu(tokens))
	case s.Shift == 0:
		return 1
	}
	return s.Shift
}

// Step is how a latent goes on, as three factors: x ← X·x + V·v + Noise·ε, where v is
// the velocity and ε is standard normal noise (StepNoise). Noise is 0 in every step of
// a sampler that is not stochastic and in the last step of one that is.
type Step struct{ X, V, Noise float64 }

// Step is the step from σ to the next of Sigmas.
func (s Schedule) Step(sigma, next float64) Step {
	if s.Stochastic() {
		return Step{X: 1 - next, V: -(1 - next) * sigma, Noise: next}
	}
	return Step{X: 1, V: next - sigma}
}
