package page

import "slices"

// live decides how pictures follow the controls. What a device can do is
// measured, never guessed, and people may decide otherwise.
type live struct {
	mode   liveMode
	recent []float64 // milliseconds of the last pictures, the newest last
}

// liveMode is what people chose.
type liveMode string

const (
	liveAuto   liveMode = "auto"   // as the measurement says
	liveAlways liveMode = "always" // while the controls move, however slow that is
	liveOff    liveMode = "off"    // only Generate makes pictures
)

// pace is when pictures follow.
type pace int

const (
	never   pace = iota
	release      // when a control is let go
	moving       // while it moves
)

// quick is the longest time, in milliseconds, in which a picture is made that
// follows a moving control: beyond it the hand is ahead of the eye.
const quick = 150

// measured takes the time of a finished picture into account. The first picture
// of its kind compiles kernels, which says nothing about the next, nor does one
// that was looked at.
func (l *live) measured(t timings) {
	if t.ProbeMs > 0 {
		return
	}
	const kept = 5
	l.recent = append(l.recent, t.TotalMs-t.PrepareMs)
	if len(l.recent) > kept {
		l.recent = slices.Clone(l.recent[len(l.recent)-kept:])
	}
}

// median is the middle of the last times, 0 before the first picture.
func (l live) median() float64 {
	if len(l.recent) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l.recent))
	return sorted[len(sorted)/2]
}

func (l live) pace() pace {
	switch {
	case l.mode == liveOff || len(l.recent) == 0:
		return never
	case l.mode == liveAlways || l.median() < quick:
		return moving
	}
	return release
}

// smooth reports whether pictures come so quickly that the page should not show
// each of them as work: a bar that appears and vanishes would flicker.
func (l live) smooth() bool { return l.pace() == moving && l.median() < 3*quick }
