package shell

import (
	"fmt"
	"strings"
	"time"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// announcer tells screen readers what happens. All that the page has to say is said in
// one place, and not faster than it can be heard: regions of their own would speak into
// each other.
type announcer struct {
	region ui.Element
	queue  announcements
	timer  *time.Timer     // while something waits to be said
	more   []func() string // what other features have to say
}

// NewAnnouncer announces what the state says, and what more says, each "" for nothing.
func NewAnnouncer(a *app.App, more ...func() string) {
	v := &announcer{region: ui.ByID("live"), more: more}
	a.React(v.react)
}

// remarks are what the page has to say besides progress and faults, as it stands there,
// each always in its place.
func (v *announcer) remarks(s *app.State) []string {
	notices := ""
	if s.Picture != nil {
		notices = strings.Join(s.Picture.Notices, " ")
	}
	list := []string{s.Note, notices, s.Remark}
	for _, say := range v.more {
		list = append(list, say())
	}
	return list
}

func (v *announcer) react(s *app.State) {
	progress := ""
	switch {
	case s.Working() && s.Running.Step > 0:
		progress = fmt.Sprintf(words.Text.Working, s.Running.Step, s.Running.Steps)
	case s.Phase == app.Loading && s.Load.Stage == "download":
		progress = fmt.Sprintf(words.Text.Percent, 100*s.Load.Fraction())
	}
	v.queue.hear(time.Now(), progress, v.remarks(s)...)
	v.speakIn(0)
}

// speakIn says in a while what may be said then, and comes back for the rest. Also what may
// be said at once has a turn of its own: behind the drawing of the page it would be heard
// late, and what follows it too soon.
func (v *announcer) speakIn(wait time.Duration) {
	if v.timer != nil {
		v.timer.Stop()
	}
	v.timer = time.AfterFunc(wait, func() {
		v.timer = nil
		text, wait := v.queue.next(time.Now())
		if text != "" {
			v.region.SetTextContent(text) // even where it is the same: it happened again
			v.queue.said = time.Now()     // not before it is there to be heard
		}
		if wait > 0 {
			v.speakIn(wait)
		}
	})
}
