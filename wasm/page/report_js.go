package page

import (
	"fmt"
	"strings"
	"time"
)

// toolbar lies under the picture: how long it took, and what can be done with it.
type toolbar struct {
	bar     element
	times   element
	notices element
	save    element
}

func newToolbar(a *app) *toolbar {
	v := &toolbar{times: el("p", attrs{"id": "times", "class": "muted"}), notices: el("p", attrs{"id": "notices", "role": "status"})}
	v.save = iconButton("secondary", "save", &say.Save, a.save)
	v.save.SetID("save")
	v.bar = el("div", attrs{"class": "toolbar", "hidden": ""}, el("div", attrs{"class": "said"}, v.notices, v.times), el("div", attrs{"class": "buttons"}, v.save))
	return v
}

func (v *toolbar) render(s *state) {
	show(v.bar, s.picture != nil)
	if s.picture == nil {
		return
	}
	setText(v.times, timesText(s.picture))
	setText(v.notices, strings.Join(s.picture.notices, " "))
	setFlag(v.save, "disabled", s.working())
}

func timesText(p *picture) string {
	steps := 0.0
	for _, ms := range p.StepsMs {
		steps += ms
	}
	text := fmt.Sprintf(say.Times, millisText(p.TotalMs), millisText(p.TextMs), millisText(p.GuidanceMs), millisText(p.ModulationMs),
		len(p.StepsMs), millisText(steps), millisText(p.DecodeMs))
	if p.PrepareMs > p.TotalMs/20 {
		text += fmt.Sprintf(say.Prepared, millisText(p.PrepareMs))
	}
	return text
}

// alert says what went wrong and what to do about it; the last picture stays.
type alert struct {
	region, box, what, advice, detail element
	shown                             *problem
}

func newAlert(a *app, stage element) *alert {
	v := &alert{what: el("p", attrs{"class": "strong"}), advice: el("p", nil), detail: el("p", attrs{"class": "muted code"})}
	dismiss := iconButton("quiet square", "close", &say.Dismiss, func() { a.update(func(s *state) { s.problem = nil }) })
	v.box = el("div", attrs{"class": "alert", "hidden": ""}, el("div", nil, v.what, v.advice, v.detail), dismiss)
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
