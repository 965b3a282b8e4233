package recipe

import "undertone/guidance"

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

// What notices of a Result begin with. Whoever shows them in another language cuts it off.
const (
	NoticeUnknown = "words this model does not know: "                                         // then the words
	NoticeCropped = "to fit the picture's shape, the reference picture was cut: "              // then "16 pixels left and right"
	NoticeTooLong = "the end of a prompt was left out, because this model reads no more than " // then "77 tokens: " and its beginning
)

// Timings are wall-clock milliseconds of the parts of one picture. Every part is
// waited for, so that the numbers are of work done, not of work submitted. When
// nobody listens to steps and they are quick, StepsMs holds one number, which is
// of the modulation and all steps together.
type Timings struct {
	TextMs          float64   `json:"textMs"`            // prompt → tokens, pooled, ψ; τ of the steps
	GuidanceMs      float64   `json:"guidanceMs"`        // ψ of the directions' prompts, blend
	PrepareMs       float64   `json:"prepareMs"`         // noise; the reference picture; compiling, and loading the encoder, on the first of their kind
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

// ProbeRequest asks to look on while a picture is made. The picture stays the
// same, to the last bit; every step is computed a second time for the looking.
type ProbeRequest struct {
	// Word is the token, as numbered in Probe.Tokens, whose attention is wanted;
	// nil: all of them, as far as a head is wide.
	Word *int `json:"word,omitempty"`
}

// Probe is what was seen. With classifier-free guidance it is of the branch that
// has the prompt.
type Probe struct {
	Tokens     []Token      `json:"tokens"`     // what the text encoder read, padding left out
	Padding    int          `json:"padding"`    // how many tokens of padding follow
	Times      []float64    `json:"times"`      // t before each step and after the last: 1 noise … 0 picture
	NormY      []float64    `json:"normY"`      // ‖y(p, t)‖ at every step
	Blocks     []Vectors    `json:"blocks"`     // in the order they run, the output head last
	Modulation []Modulation `json:"modulation"` // in the order of the blocks

	// Attention [steps, blocks, len(Words), Rows·Cols] is what each cell of the
	// picture gives to a token, of the 1 it has for all tokens of text and picture,
	// averaged over the heads.
	Attention []float32 `json:"-"`
	Words     []int     `json:"words"` // which tokens Attention is of
	Rows      int       `json:"rows"`
	Cols      int       `json:"cols"`

	// Latents [steps+1] are x_t as the linear preview draws it: noise, then what
	// each step has left.
	Latents []*Image `json:"-"`
}

// Token is one token of the prompt.
type Token struct {
	ID   uint32 `json:"id"`
	Text string `json:"text"` // empty for start and end
	Kind string `json:"kind"` // "start", "word", "unknown" or "end"
}

// Vectors is what guidance made of y for one block.
type Vectors struct {
	Kind         string    `json:"kind"`         // "double", "single" or "head"
	Norm         []float64 `json:"norm"`         // ‖ŷ‖ at every step
	AngleDegrees []float64 `json:"angleDegrees"` // between y and ŷ, at every step
	NormShift    float64   `json:"normShift"`    // ‖Σ w·δ‖, the same at every step
}

// Modulation is the lengths of shift, scale and gate in one place of a block.
type Modulation struct {
	Block int       `json:"block"` // Blocks() for the output head
	Part  string    `json:"part"`  // see dit.Part
	Shift []float64 `json:"shift"` // at every step
	Scale []float64 `json:"scale"`
	Gate  []float64 `json:"gate,omitempty"` // none at the head
}
