package page

import (
	"fmt"
	"time"
)

// alert says what went wrong and what to do about it; the last picture stays.
type alert struct {
	region, box, what, advice, detail element
	reload                            element // where nothing else helps
	shown                             *problem
}

func newAlert(a *app, stage element) *alert {
	v := &alert{what: el("p", attrs{"class": "strong"}), advice: el("p", nil), detail: el("p", attrs{"class": "muted code"})}
	dismiss := iconButton("quiet square", "close", &say.Dismiss, func() { a.update(func(s *state) { s.problem = nil }) })
	v.reload = button("secondary", &say.Reload, reload)
	v.reload.SetID("reload")
	v.box = el("div", attrs{"class": "alert", "hidden": ""}, el("div", nil, v.what, v.advice, v.detail, v.reload), dismiss)
	// The region is there from the start: what appears inside it is read aloud.
	v.region = el("div", attrs{"id": "alert", "role": "alert"}, v.box)
	stage.Call("prepend", v.region.Value)
	return v
}

func (v *alert) render(s *state) {
	show(v.box, s.problem != nil)
	if p := s.problem; p != nil {
		what, advice, detail := p.told()
		setText(v.what, sentence(what))
		setText(v.advice, advice)
		setText(v.detail, detail)
		show(v.reload, p.reloads())
	}
	if s.problem != nil && s.problem != v.shown {
		v.region.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
	v.shown = s.problem
}

// status names the device in the header and tells screen readers what happens. All
// that the page has to say is said in one place, and not faster than it can be heard:
// regions of their own would speak into each other.
type status struct {
	device, kind, adapter, live element
	speech                      speech
	timer                       *time.Timer // while something waits to be said
}

func newStatus() *status {
	v := &status{device: byID("device"), kind: el("span", nil), adapter: el("span", nil), live: byID("live")}
	add(v.device, v.kind, v.adapter)
	return v
}

func (v *status) render(s *state) {
	kind, adapter, cpu := say.DeviceGPU, s.info.Adapter, s.info.Backend == "cpu"
	switch {
	case cpu:
		kind, adapter = say.DeviceCPU, ""
	case s.info.Software:
		kind = say.DeviceSoft
	}
	setText(v.kind, kind)
	setText(v.adapter, adapter)
	show(v.adapter, adapter != "")
	setFlag(v.device, "data-slow", cpu || s.info.Software)
	show(v.device, s.info.Backend != "")

	progress := ""
	switch {
	case s.working() && s.running.step > 0:
		progress = fmt.Sprintf(say.Working, s.running.step, s.running.steps)
	case s.phase == loading && s.load.stage == "download":
		progress = fmt.Sprintf(say.Percent, 100*s.load.fraction())
	}
	now := time.Now()
	v.speech.hear(now, progress, s.remarks()...)
	v.speak(now)
}

// speak says what may be said now, and comes back for the rest.
func (v *status) speak(now time.Time) {
	text, wait := v.speech.next(now)
	if text != "" {
		v.live.SetTextContent(text) // even where it is the same: it happened again
	}
	if wait > 0 && v.timer == nil {
		v.timer = time.AfterFunc(wait, func() {
			v.timer = nil
			v.speak(time.Now())
		})
	}
}
