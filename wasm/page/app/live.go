package app

import (
	"slices"

	"undertone/engine/recipe"
)

// Live decides how pictures follow the controls. What a device can do is
// measured, never guessed, and people may decide otherwise.
type Live struct {
	Mode   LiveMode
	Recent []float64 // milliseconds of the last pictures, the newest last
}

// LiveMode is what people chose.
type LiveMode string

const (
	LiveAuto   LiveMode = "auto"   // as the measurement says
	LiveAlways LiveMode = "always" // while the controls move, however slow that is
	LiveOff    LiveMode = "off"    // only Generate makes pictures
)

// Pace is when pictures follow.
type Pace int

const (
	Never   Pace = iota
	Release      // when a control is let go
	Moving       // while it moves
)

// Quick is the longest time, in milliseconds, in which a picture is made that
// follows a moving control, so that more than two a second do: beyond it the hand is
// ahead of the eye.
const Quick = 450

// Measured takes the time of a finished picture into account. The first picture
// of its kind compiles kernels, which says nothing about the next, nor does one
// that was looked at.
func (l *Live) Measured(t recipe.Timings) {
	if t.ProbeMs > 0 {
		return
	}
	const kept = 5
	l.Recent = append(l.Recent, t.TotalMs-t.PrepareMs)
	if len(l.Recent) > kept {
		l.Recent = slices.Clone(l.Recent[len(l.Recent)-kept:])
	}
}

// Median is the middle of the last times, 0 before the first picture.
func (l Live) Median() float64 {
	for _, x := range l.Recent {
		less, equal := 0, 0
		for _, y := range l.Recent {
			if y < x {
				less++
			} else if y == x {
				equal++
			}
		}
		if middle := len(l.Recent) / 2; less <= middle && middle < less+equal {
			return x
		}
	}
	return 0
}

// Pace is when pictures follow on this device.
func (l Live) Pace() Pace {
	switch {
	case l.Mode == LiveOff || len(l.Recent) == 0:
		return Never
	case l.Mode == LiveAlways || l.Median() < Quick:
		return Moving
	}
	return Release
}

// Smooth reports whether pictures come so quickly that the page should not show
// each of them as work: a bar that appears and vanishes would flicker.
func (l Live) Smooth() bool { return l.Pace() == Moving && l.Median() < Quick }
