// Package page is the page of Undertone: small views over one state. A view
// builds its elements once, and render brings them in line with the state; what
// people do changes the state through app.update, which renders all views. The
// page makes pictures through the public JavaScript API only.
package page

import "fmt"

// phase is what the page is doing.
type phase int

const (
	waiting    phase = iota // for Load to be pressed
	loading                 // the model
	ready                   // for Generate
	generating              // pictures, until the queue is empty
)

// device tells whether pictures can be made on the GPU.
type device struct {
	known  bool
	webgpu bool
	reason reason // when webgpu is false
	// cpuSpeed is how many floating-point operations the CPU does in a second, 0
	// until it is measured, which is done only where there is no WebGPU.
	cpuSpeed float64
}

// reason is why there is no WebGPU.
type reason int

const (
	noWebGPU reason = iota
	noAdapter
	insecure
)

// problem is a fault as people see it.
type problem struct {
	code, message, advice string
	spoken                bool // message and advice are in the page's language
}

// readable is a fault that the page itself found in a file or a drop, as a sentence in
// its language.
type readable string

func (r readable) Error() string { return string(r) }

// told is what happened, what to do about it, and what is only of use in a report. The
// engine speaks English: where the page's language has words of its own for the fault,
// the engine's sentence, which has the numbers, stands among the details.
func (p *problem) told() (what, advice, detail string) {
	detail = fmt.Sprintf(say.Code, p.code)
	if ours, ok := say.Faults[p.code]; ok && !p.spoken {
		return ours.What, ours.Advice, detail + " · " + p.message
	}
	return p.message, p.advice, detail
}

// ended reports whether the model has to be loaded again after the fault.
func (p *problem) ended() bool {
	return p.code == "worker-failed" || p.code == "protocol-mismatch" || p.code == "closed"
}

// reloads reports whether loading the page anew helps after the fault. After gpu-gone
// it does not: Chromium gives the GPU back to the browser's own reload button only.
func (p *problem) reloads() bool {
	return p.code == "worker-failed" || p.code == "protocol-mismatch"
}

// state is everything that is shown.
type state struct {
	model  *model  // nil until model.json is read
	offers []offer // all precisions of it
	offer  int     // the chosen one
	device device
	phase  phase
	load   progress
	info   info
	form   form
	pane   string // id of the view that the stage shows: "picture", "compare", …
	live   live
	panes  panesState

	running  running    // the picture that is being made
	left     int        // pictures in the queue after it
	picture  *picture   // the last one that was asked for
	pictures []*picture // all of the last press, picture among them
	problem  *problem   // of the last thing that was tried
	note     string     // a plain remark about it

	network network
	kept    keptWeights
}

// purpose is what a picture is made for: views show the progress of their own.
type purpose int

const (
	none       purpose = iota
	forPicture         // Generate was pressed
	forLive            // the controls moved
	forCompare         // the same without guidance
	forSweep           // a contact sheet
	forSteps           // the same, to look at its steps
	forProbe           // how it works
)

// running is how far the picture is that is being made.
type running struct {
	why         purpose // none: no picture is being made
	recipe      recipe
	step, steps int
	preview     any // an ImageData, which only the views look into; nil before the first
}

// working reports whether something runs that the page shows as work. A picture
// that follows the controls quickly is none: it would flicker.
func (s *state) working() bool {
	return s.phase == generating && !(s.running.why == forLive && s.live.smooth())
}

// info is what the API says about a loaded model.
type info struct {
	Backend   string
	Adapter   string
	Software  bool // an emulated GPU
	Precision string
	Storage   string          // code of what was wrong with keeping the weights, or ""
	words     map[string]bool // all that the model knows; nil before it is loaded
	Plan      string          // of kernels, on which the bytes of a picture depend
}

// picture is a finished picture.
type picture struct {
	recipe   recipe     // what it was made from
	image    any        // an ImageData
	result   any        // the API's result; nil when it was read from a file
	file     any        // that file, a Blob
	kept     int        // its number in the gallery; 0 when it was never there, keeping while it is written
	previews []any      // an ImageData after every step, nil where there was none
	notices  []string   // what the engine has to say about it
	geometry []geometry // one for every direction
	timings
}

// geometry is how a direction lies to the prompt's own vector.
type geometry struct {
	NormY        float64   `json:"normY"`
	NormDelta    float64   `json:"normDelta"`
	AngleDegrees float64   `json:"angleDegrees"`
	Weights      []float64 `json:"weights"` // one per block
}

// timings are in milliseconds.
type timings struct {
	TextMs       float64   `json:"textMs"`
	GuidanceMs   float64   `json:"guidanceMs"`
	PrepareMs    float64   `json:"prepareMs"`
	ModulationMs float64   `json:"modulationMs"`
	StepsMs      []float64 `json:"stepsMs"`
	DecodeMs     float64   `json:"decodeMs"`
	ProbeMs      float64   `json:"probeMs"` // looking on, within TotalMs
	TotalMs      float64   `json:"totalMs"`
}
