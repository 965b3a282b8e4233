// Package page is the page of Undertone: small views over one state. A view
// builds its elements once, and render brings them in line with the state; what
// people do changes the state through app.update, which renders all views. The
// page makes pictures through the public JavaScript API only.
package page

import (
	"math"
	"slices"

	"undertone/guidance"
)

// phase is what the page is doing.
type phase int

const (
	waiting    phase = iota // for Load to be pressed
	loading                 // the model
	ready                   // for Generate
	generating              // a picture
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
}

// ended reports whether the model has to be loaded again after the fault.
func (p *problem) ended() bool {
	return p.code == "worker-failed" || p.code == "protocol-mismatch" || p.code == "closed"
}

// state is everything that is shown.
type state struct {
	model  *model // nil until model.json is read
	device device
	phase  phase
	load   progress
	info   info
	form   form

	step, steps int  // of the picture that is being made
	comparing   bool // it is the picture without guidance
	preview     any  // an ImageData, which only the stage looks into; nil before the first
	picture     *picture
	plain       *picture // the same without guidance, when it was asked for
	problem     *problem // of the last thing that was tried
	note        string   // a plain remark about it
}

// info is what the API says about a loaded model.
type info struct {
	Backend  string
	Adapter  string
	Software bool // an emulated GPU
}

// picture is a finished picture.
type picture struct {
	form    form     // what it was made from
	image   any      // an ImageData
	result  any      // the API's result
	notices []string // what the engine has to say about it
	timings
}

// timings are in milliseconds.
type timings struct {
	TextMs       float64   `json:"textMs"`
	GuidanceMs   float64   `json:"guidanceMs"`
	PrepareMs    float64   `json:"prepareMs"`
	ModulationMs float64   `json:"modulationMs"`
	StepsMs      []float64 `json:"stepsMs"`
	DecodeMs     float64   `json:"decodeMs"`
	TotalMs      float64   `json:"totalMs"`
}

// form is what the controls say. Numbers that people type are kept as they are,
// even when they are out of range: the API names the range.
type form struct {
	prompt   string
	seed     float64
	locked   bool // Generate keeps the seed
	steps    float64
	size     int
	guided   bool
	preset   string // id of the chosen preset, "" for words of one's own
	positive string
	negative string
	weight   float64
	head     float64
	schedule guidance.Schedule
}

// newForm is the form as the model's maker would fill it in.
func newForm(m *model) form {
	f := form{
		prompt: m.Defaults.Prompt,
		seed:   float64(m.Defaults.Seed),
		locked: true,
		steps:  float64(m.Defaults.Steps),
		size:   m.Defaults.Size,
	}
	if len(m.Presets) > 0 {
		f.choose(m.Presets[0])
	} else {
		f.schedule = guidance.Schedule{Kind: "constant"}
		f.weight = 1
	}
	return f
}

// choose fills in a preset and switches guidance on.
func (f *form) choose(p guidance.Preset) {
	f.guided = true
	f.preset, f.positive, f.negative = p.ID, p.Positive, p.Negative
	f.weight, f.head, f.schedule = p.Weight, p.Head, p.Schedule
}

// kind changes the schedule's kind and gives it a range that means something in
// a model of that many blocks.
func (f *form) kind(kind string, blocks int) {
	if kind == f.schedule.Kind {
		return
	}
	f.schedule = guidance.Schedule{Kind: kind}
	switch kind {
	case "step":
		f.schedule.Start = min(1, blocks-1)
	case "window":
		f.schedule.Start = min(1, blocks-1)
		f.schedule.End = max(f.schedule.Start, blocks-2)
	}
}

// request is what the API's generate is asked for.
func (f form) request() map[string]any {
	r := map[string]any{"prompt": f.prompt, "seed": f.seed, "steps": f.steps, "size": f.size, "guidance": []any{}}
	if f.guided {
		r["guidance"] = []any{map[string]any{
			"positive": f.positive, "negative": f.negative,
			"weight": f.weight, "head": f.head, "schedule": scheduleValue(f.schedule),
		}}
	}
	return r
}

// scheduleValue is a schedule as the API takes it: only the fields of its kind.
func scheduleValue(s guidance.Schedule) map[string]any {
	v := map[string]any{"kind": s.Kind}
	if s.Of != 0 {
		v["of"] = s.Of
	}
	switch s.Kind {
	case "step":
		v["start"] = s.Start
	case "window":
		v["start"], v["end"] = s.Start, s.End
	case "bumps":
		v["centers"], v["width"] = numbers(s.Centers), s.Width
	case "intervals":
		var list []any
		for _, i := range s.Intervals {
			list = append(list, map[string]any{"from": i.From, "to": i.To, "weight": i.Weight})
		}
		v["intervals"] = list
	case "table":
		v["table"] = numbers(s.Table)
	}
	return v
}

func numbers(x []float64) []any {
	list := make([]any, len(x))
	for i, v := range x {
		list[i] = v
	}
	return list
}

// same reports whether two forms make the same picture.
func (f form) same(g form) bool {
	if f.prompt != g.prompt || f.seed != g.seed || f.steps != g.steps || f.size != g.size || f.guides() != g.guides() {
		return false
	}
	return !f.guides() || f.positive == g.positive && f.negative == g.negative && f.weight == g.weight && f.head == g.head &&
		equalSchedules(f.schedule, g.schedule)
}

// guides reports whether guidance changes the picture.
func (f form) guides() bool { return f.guided && (f.weight != 0 || f.head != 0) }

func equalSchedules(a, b guidance.Schedule) bool {
	return a.Kind == b.Kind && a.Start == b.Start && a.End == b.End && a.Of == b.Of && a.Width == b.Width &&
		slices.Equal(a.Centers, b.Centers) && slices.Equal(a.Intervals, b.Intervals) && slices.Equal(a.Table, b.Table)
}

// plain is the same form without guidance.
func (f form) plain() form {
	f.guided = false
	return f
}

// curve is the weight of every block, for drawing; nil when the schedule is out
// of range, which the API will say.
func (f form) curve(blocks int) []float32 {
	if math.IsNaN(f.weight) || blocks < 1 {
		return nil
	}
	w, err := f.schedule.Weights(f.weight, blocks)
	if err != nil {
		return nil
	}
	return w
}
