package page

import (
	"fmt"
	"strings"
	"syscall/js"

	"honnef.co/go/js/dom/v2"
)

// loader takes over the button and the line of text that index.html shows from
// the first moment, and adds progress, cancel, and what to do without WebGPU.
type loader struct {
	load, note   element
	app          *app
	bar          element
	line         element
	cancel       element
	trouble      element
	why, advice  element
	cpu, cpuNote element
	weights      *weightsView
}

func newLoader(a *app) *loader {
	v := &loader{
		app:     a,
		load:    byID("load"),
		note:    byID("load-note"),
		bar:     el("progress", attrs{"max": "1", "aria-label": &say.StageDownload, "hidden": ""}),
		line:    el("p", attrs{"class": "progress-line", "hidden": ""}),
		cancel:  button("quiet", &say.Cancel, a.stop),
		why:     el("p", attrs{"class": "strong"}),
		advice:  el("p", nil),
		cpu:     button("secondary", &say.OfferCPU, func() { a.load("cpu") }),
		cpuNote: el("p", attrs{"class": "muted"}),
	}
	v.weights = newWeights(a, "weights-before", false)
	v.cancel.SetID("cancel")
	v.cpu.SetID("load-cpu")
	v.trouble = el("div", attrs{"id": "no-webgpu", "class": "trouble", "hidden": ""}, v.why, v.advice, v.cpu, v.cpuNote)
	on(v.load, "click", func(dom.Event) { a.load("auto") })
	v.load.Call("before", v.trouble.Value, v.weights.box.Value)
	add(byID("welcome"), v.bar, v.line, v.cancel)
	return v
}

func (v *loader) render(s *state) {
	missing := s.device.known && !s.device.webgpu
	v.weights.render(s)
	show(v.load, s.phase == waiting && !missing)
	show(v.note, s.phase == waiting && !missing)
	setFlag(v.load, "disabled", s.model == nil || !s.device.known)
	if s.model == nil {
		if s.problem != nil {
			what, _, _ := s.problem.told()
			setText(v.note, what)
		}
	} else {
		setText(v.load, fmt.Sprintf(say.LoadSize, bytesText(s.model.Bytes)))
		switch here, all := v.app.here(s), s.model.Bytes; {
		case here < all && s.network.offline:
			setText(v.note, say.OfflineLoad)
		case here == 0:
			setText(v.note, say.LoadNote)
		case here < all:
			setText(v.note, fmt.Sprintf(say.PartHere, bytesText(here), bytesText(all)))
		default:
			setText(v.note, say.AllHere)
		}
	}
	show(v.trouble, s.phase == waiting && missing)
	if missing {
		v.renderTrouble(s)
	}
	show(v.bar, s.phase == loading)
	show(v.line, s.phase == loading)
	show(v.cancel, s.phase == loading)
	if s.phase == loading {
		v.renderProgress(s.load)
	}
}

func (v *loader) renderTrouble(s *state) {
	setText(v.why, map[reason]string{noWebGPU: say.NoWebGPU, noAdapter: say.NoAdapter, insecure: say.Insecure}[s.device.reason])
	setText(v.advice, help(js.Global().Get("navigator").Get("userAgent").String(), s.device.reason))
	setFlag(v.cpu, "disabled", s.model == nil)
	if s.model == nil || s.device.cpuSpeed == 0 {
		setText(v.cpuNote, say.MeasuringCPU)
		return
	}
	seconds := s.model.FLOPs / (s.device.cpuSpeed * cpuShare)
	setText(v.cpuNote, fmt.Sprintf(say.EstimateCPU, durationText(seconds), bytesText(s.model.Bytes)))
}

func (v *loader) renderProgress(p progress) {
	switch p.stage {
	case "download":
		v.bar.Set("value", p.fraction())
		parts := []string{say.StageDownload, fmt.Sprintf(say.Downloaded, bytesText(p.done), bytesText(p.total))}
		if speed := p.meter.speed(); speed > 0 {
			parts = append(parts, fmt.Sprintf(say.Speed, bytesText(int64(speed))))
			if left := float64(p.total-p.done) / speed; left >= 1 {
				parts = append(parts, fmt.Sprintf(say.TimeLeft, durationText(left)))
			}
		}
		switch {
		case p.wait == "offline":
			parts = append(parts, say.WaitOffline)
		case p.wait == "tab":
			parts = append(parts, say.WaitTab)
		case p.retry > 1:
			parts = append(parts, fmt.Sprintf(say.Retrying, p.retry))
		}
		setText(v.line, strings.Join(parts, " · "))
	case "prepare":
		v.bar.RemoveAttribute("value") // no end in sight: the bar moves by itself
		setText(v.line, say.StagePrepare)
	default:
		v.bar.RemoveAttribute("value")
		setText(v.line, say.StageDevice)
	}
}
