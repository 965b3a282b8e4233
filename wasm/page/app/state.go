package app

import (
	"slices"

	"undertone/engine/fault"
	"undertone/engine/recipe"
)

// Phase is what the page is doing.
type Phase int

const (
	Waiting    Phase = iota // for Load to be pressed
	Loading                 // the model
	Ready                   // for Generate
	Generating              // pictures, until the queue is empty
)

// Device tells whether pictures can be made on the GPU.
type Device struct {
	Known  bool
	WebGPU bool
	Reason Reason // when WebGPU is false
	// CPUSpeed is how many floating-point operations of a picture the CPU does in a
	// second, 0 until it is estimated, which is done only where there is no WebGPU.
	CPUSpeed float64
}

// Seconds is how long the CPU takes for a model's first picture.
func (d Device) Seconds(m *Model) float64 { return m.FLOPs / d.CPUSpeed }

// Reason is why there is no WebGPU.
type Reason int

const (
	NoWebGPU Reason = iota
	NoAdapter
	Insecure
)

// State is what several features show or change.
type State struct {
	Model  *Model  // nil until it is described
	Offers []Offer // the site's, then a person's own
	Offer  int     // the chosen one
	Device Device
	Phase  Phase
	Load   Progress
	// Resting says that the engine was given to others: what is asked for next loads it again.
	Resting bool
	Loaded  Loaded
	Form    Form
	Tab     string // id of the view that the stage shows: "picture", "compare", …
	Live    Live

	Running  Running    // the picture that is being made
	Picture  *Picture   // the last one that was asked for
	Pictures []*Picture // all of the last press, Picture among them
	Problem  *Problem   // of the last thing that was tried
	Shared   bool       // a link filled in the form, with no model loaded: loading one draws the picture
	Note     string     // a plain remark about it
	Remark   string     // what became of the last copy, link or file; under the picture
}

// Purpose is what a picture is made for, "" while none is made: views show the progress
// of their own. Features have purposes beside these.
type Purpose string

const (
	ForPicture Purpose = "picture" // Generate was pressed
	ForLive    Purpose = "live"    // the controls moved
)

// Running is how far the picture is that is being made.
type Running struct {
	Why         Purpose
	Aside       bool // see Job
	Recipe      Recipe
	Step, Steps int
	Preview     any // an ImageData, which only views look into; nil before the first
}

// Replaces reports whether the picture takes the place of the shown one.
func (r Running) Replaces() bool { return r.Why == ForPicture || r.Why == ForLive }

// Working reports whether something runs that the page shows as work. A picture
// that follows the controls quickly is none: it would flicker.
func (s *State) Working() bool {
	return s.Phase == Generating && !(s.Running.Why == ForLive && s.Live.Smooth())
}

// Drawing reports whether that work is a picture which takes the place of the shown one.
func (s *State) Drawing() bool {
	return s.Working() && s.Running.Replaces()
}

// Undrawn reports whether the form describes another picture than the one that is shown
// or being made. One that follows the controls quickly is always a moment behind them, and an
// edit that asks for nothing leads to none.
func (s *State) Undrawn() bool {
	r := s.Form.Made()
	run := s.Running
	if r.Returns() || run.Why == ForLive && s.Live.Smooth() || run.Replaces() && run.Recipe.Same(r) {
		return false
	}
	return (s.Picture != nil || run.Why != "") && !slices.ContainsFunc(s.Pictures, func(p *Picture) bool { return p.Recipe.Same(r) })
}

// Busy reports whether a reload would interrupt something.
func (s *State) Busy() bool { return s.Phase == Loading || s.Phase == Generating }

// Say says what was just taken over, in the place of what was wrong with what was given before.
func (s *State) Say(note string) {
	s.Note = note
	if s.Problem != nil && (s.Problem.Code == string(fault.PictureInvalid) || s.Problem.Code == string(fault.RequestInvalid)) {
		s.Problem = nil
	}
}

// Show makes a picture the one that is shown.
func (s *State) Show(p *Picture) { s.Picture, s.Pictures = p, []*Picture{p} }

// Loaded is what the API says about a loaded model and its device.
type Loaded struct {
	Backend   string
	Adapter   string
	Software  bool   // an emulated GPU
	Choice    string // why the API chose this device, where it compared two; in English
	Precision string
	Storage   string          // code of what was wrong with keeping the weights, or ""
	Words     map[string]bool // all that the model knows; nil before it is loaded
	Plan      string          // of kernels, on which the bytes of a picture depend
	Address   string          // of published files that are kept
	Tuning    Tuning
}

// Tuning is what the API says of the search for a GPU's fastest kernels.
type Tuning struct {
	State    string   // "none", "due", "running" or "done"; "" where there is no such search
	Used     bool     // by the loaded model
	Shapes   int      // there are
	Measured []string // those that were, with what is taken where that is not the usual kernel
	Faster   int      // of Measured, where another kernel is
	Ms       float64
}

// Named reports whether the CPU computes because somebody wanted it, not because it is
// the faster of two devices.
func (l Loaded) Named() bool { return l.Backend == "cpu" && l.Choice == "" }

// Picture is a finished picture.
type Picture struct {
	Recipe   Recipe            // what it was made from
	Image    any               // an ImageData
	Result   any               // the API's result; nil when it was read from a file
	File     any               // that file, a Blob
	Saved    int               // its number in the gallery; 0 when it was never there, Saving while it is written
	Previews []any             // an ImageData after every step, nil where there was none
	Notices  []string          // what the engine has to say about it
	Back     bool              // it was there before a reload
	Own      bool              // it was made with a person's own model, which no link can carry
	Address  string            // of the model that it was made with (Offer), "" where that is not known
	Geometry []recipe.Geometry // one for every direction
	recipe.Timings
}

// Reference is the picture that this one was edited from, as a picture; nil where it was
// made from words alone, or that picture is not there.
func (p *Picture) Reference() *Picture {
	if p == nil || p.Recipe.Reference == nil || p.Recipe.Missing() {
		return nil
	}
	return p.Recipe.Reference.picture()
}

// Saving stands for the number of a picture that is being written to the gallery.
const Saving = -1
