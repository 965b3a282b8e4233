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
		setText(v.what, p.message)
		setText(v.advice, p.advice)
		setText(v.detail, fmt.Sprintf(say.Code, p.code))
		show(v.reload, p.reloads())
	}
	if s.problem != nil && s.problem != v.shown {
		v.region.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
	v.shown = s.problem
}

// status names the device in the header and tells screen readers what happens.
type status struct {
	device, live element
	said         time.Time
}

func newStatus() *status {
	return &status{
		device: byID("device"),
		live:   byID("live"),
	}
}

// quiet is how long the live region keeps silent after a message about progress.
const quiet = 5 * time.Second

func (v *status) render(s *state) {
	switch {
	case s.info.Backend == "cpu":
		setText(v.device, say.DeviceCPU)
	case s.info.Software:
		setText(v.device, fmt.Sprintf(say.DeviceSoft, s.info.Adapter))
	default:
		setText(v.device, fmt.Sprintf(say.DeviceGPU, s.info.Adapter))
	}
	show(v.device, s.info.Backend != "")

	says := s.note
	progress := false
	switch {
	case s.working() && s.running.step > 0:
		says, progress = fmt.Sprintf(say.Working, s.running.step, s.running.steps), true
	case s.phase == loading && s.load.stage == "download":
		says, progress = fmt.Sprintf(say.Percent, 100*s.load.fraction()), true
	}
	if says == v.live.TextContent() || progress && time.Since(v.said) < quiet {
		return
	}
	v.said = time.Now()
	setText(v.live, says)
}
