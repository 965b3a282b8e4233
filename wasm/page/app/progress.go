package app

import (
	"math"
	"time"

	"undertone/wasm/page/words"
)

// Progress is how far loading is.
type Progress struct {
	Stage       string
	Done, Total int64
	Stored      int64  // of done, what was on this device already
	Before      int    // pages that have the device before this one, in StageTurn
	Retry       int    // number of the attempt
	Wait        string // "offline", "tab", or nothing
	Device      string // on which the model is loaded: "auto" or "cpu"
	Meter       Meter
}

// Fraction is between 0 and 1.
func (p Progress) Fraction() float64 {
	if p.Total <= 0 {
		return 0
	}
	return math.Min(1, float64(p.Done)/float64(p.Total))
}

// Starts says which device starts: of "auto", WebGPU, whether there is a GPU under it or not.
func (p Progress) Starts() string {
	if p.Device == "cpu" {
		return words.Text.StageCPU
	}
	return words.Text.StageDevice
}

// Meter measures the speed of a download over its last seconds, so that the time
// left follows the line as it is now.
type Meter struct{ samples []sample }

// A time.Time in what views hold would bring with it all that writes dates.
type sample struct {
	at   int64 // in milliseconds
	done int64
}

// window is how far back the meter looks.
const window = 3 * time.Second

// Add takes in how much has arrived by now.
func (m *Meter) Add(at time.Time, done int64) {
	m.samples = append(m.samples, sample{at.UnixMilli(), done})
	for len(m.samples) > 2 && at.UnixMilli()-m.samples[1].at >= window.Milliseconds() {
		m.samples = m.samples[1:]
	}
}

// Speed is in bytes per second, 0 while too little is known.
func (m *Meter) Speed() float64 {
	if len(m.samples) < 2 {
		return 0
	}
	a, b := m.samples[0], m.samples[len(m.samples)-1]
	took := b.at - a.at
	if took < 200 || b.done <= a.done {
		return 0
	}
	return float64(b.done-a.done) * 1000 / float64(took)
}
