package engine

import "time"

// stopwatch takes the times of the parts of one picture, from outside: the parts
// themselves know nothing of it.
type stopwatch struct{ lap time.Time }

func newStopwatch() *stopwatch { return &stopwatch{time.Now()} }

// add adds the time since the last call to a part.
func (w *stopwatch) add(ms *float64) {
	now := time.Now()
	*ms += milliseconds(now.Sub(w.lap))
	w.lap = now
}

// skip leaves the time since the last call out of every part.
func (w *stopwatch) skip() { w.lap = time.Now() }

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }
