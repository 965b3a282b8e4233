package shell

import (
	"slices"
	"strings"
	"time"
)

// announcements decides what screen readers are told, and when: one message in five
// seconds at most, of which remarks are never lost and progress is only the latest. Faults are
// not among them; they are alerts.
type announcements struct {
	heard    []string // the remarks as they stood last
	waiting  []string // remarks to be said
	progress string   // what runs now, "" for nothing
	since    time.Time
	said     time.Time
}

// quiet is the least time between two messages, and how long something must have been
// running before its progress is told: a quick picture is announced when it is done.
const quiet = 5 * time.Second

// hear takes in how far something is and the page's remarks, each always in its place.
func (v *announcements) hear(now time.Time, progress string, remarks ...string) {
	if v.progress == "" {
		v.since = now
	}
	v.progress = progress
	v.heard = append(v.heard, make([]string, max(0, len(remarks)-len(v.heard)))...)
	for i, text := range remarks {
		if text != v.heard[i] && text != "" && !slices.Contains(v.waiting, text) {
			v.waiting = append(v.waiting, text)
		}
		v.heard[i] = text
	}
}

// next is what is to be said now, or nothing, and in how long to ask again, or never.
func (v *announcements) next(now time.Time) (text string, wait time.Duration) {
	at := v.said.Add(quiet)
	switch {
	case len(v.waiting) > 0:
		text = strings.Join(v.waiting, " ")
	case v.progress != "":
		text = v.progress
		if from := v.since.Add(quiet); from.After(at) {
			at = from
		}
	default:
		return "", 0
	}
	if now.Before(at) {
		return "", at.Sub(now)
	}
	v.waiting, v.said = nil, now
	return text, 0
}
