package shell

import (
	"fmt"
	"strings"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Loader takes over the button and the line of text that index.html shows from
// the first moment, and adds progress, cancel, and what to do without WebGPU.
type Loader struct {
	load, note   ui.Element
	welcome      ui.Element
	heading      ui.Element
	intro        ui.Element
	app          *app.App
	storage      *Storage
	updates      *Updates
	bar          ui.Element
	line         ui.Element
	cancel       ui.Element
	trouble      ui.Element
	why, advice  ui.Element
	cpu, cpuNote ui.Element
	models       *Models
	open         ui.Element // opens files of a person's own
}

// NewLoader takes over the welcome of index.html.
func NewLoader(a *app.App, storage *Storage, updates *Updates, open ui.Element) *Loader {
	v := &Loader{
		app:     a,
		storage: storage,
		updates: updates,
		open:    open,
		load:    ui.ByID("load"),
		note:    ui.ByID("load-note"),
		welcome: ui.ByID("welcome"),
		heading: ui.ByID("heading"),
		intro:   ui.ByID("intro"),
		bar:     ui.El("progress", ui.Attrs{{"max", "1"}, {"aria-label", &words.Text.StageDownload}, {"hidden", ""}}),
		line:    ui.El("p", ui.Attrs{{"class", "progress-line"}, {"hidden", ""}}),
		cancel:  ui.Button("quiet", &words.Text.Cancel, func() { a.Stop() }),
		why:     ui.El("p", ui.Attrs{{"class", "strong"}}),
		advice:  ui.El("p", nil),
		cpu:     ui.Button("secondary", &words.Text.OfferCPU, func() { a.Start("cpu") }),
		cpuNote: ui.El("p", ui.Attrs{{"class", "muted"}}),
	}
	v.models = NewModels(a, "weights-before", false)
	v.cancel.SetID("cancel")
	v.cpu.SetID("load-cpu")
	v.trouble = ui.El("div", ui.Attrs{{"id", "no-webgpu"}, {"class", "trouble"}, {"hidden", ""}}, v.why, v.advice, v.cpu, v.cpuNote)
	ui.On(v.load, "click", func(ui.Event) { a.Start("auto") })
	v.load.Call("before", v.trouble.Value)
	v.load.Call("after", v.open.Value)
	ui.Append(v.welcome, v.models.Box, v.bar, v.line, v.cancel)
	return v
}

// Render draws it.
func (v *Loader) Render(s *app.State) {
	missing := s.Device.Known && !s.Device.WebGPU
	v.models.Render(s)
	ui.Show(v.open, s.Phase == app.Waiting)
	ui.Show(v.load, s.Phase == app.Waiting && !missing)
	ui.Show(v.note, s.Phase == app.Waiting && !missing)
	ui.SetFlag(v.load, "disabled", s.Model == nil || !s.Device.Known)
	if s.Model == nil {
		if s.Problem != nil {
			what, _, _ := s.Problem.Texts()
			ui.SetText(v.note, what)
		}
	} else {
		v.renderShared(s)
		switch here, all := v.storage.Here(s); {
		case here < all && v.updates.network.offline:
			ui.SetText(v.note, words.Text.OfflineLoad)
		case here == 0:
			ui.SetText(v.note, words.Text.LoadNote)
		case here < all:
			ui.SetText(v.note, fmt.Sprintf(words.Text.PartHere, words.Bytes(here), words.Bytes(all)))
		default:
			ui.SetText(v.note, words.Text.AllHere)
		}
	}
	ui.Show(v.trouble, s.Phase == app.Waiting && missing)
	if missing {
		v.renderTrouble(s)
	}
	ui.Show(v.bar, s.Phase == app.Loading)
	ui.Show(v.line, s.Phase == app.Loading)
	ui.Show(v.cancel, s.Phase == app.Loading)
	if s.Phase == app.Loading {
		v.renderProgress(s.Load)
	}
}

// renderShared says what the button does, and, to whoever came by a link, what of.
func (v *Loader) renderShared(s *app.State) {
	intro, heading := words.Text.Intro, words.Text.Heading
	if s.Shared {
		intro = words.Text.SharedIntro
		if s.Form.Missing() {
			intro = words.Text.FromLinkEdit
		}
		if named := sharedName(s.Form.Steered(), s.Model); named != "" {
			heading = named
		}
	}
	text := words.Text.Load
	if here, all := v.storage.Here(s); here < all {
		text = fmt.Sprintf(words.Text.LoadSize, words.Bytes(s.Model.Bytes))
	}
	ui.SetText(v.load, text)
	ui.SetText(v.heading, heading)
	ui.SetText(v.intro, intro)
	ui.SetFlag(v.welcome, "data-shared", s.Shared)
}

// sharedName names a picture that is not made yet: its words, and what leads it.
func sharedName(r app.Recipe, m *app.Model) (name string) {
	if r.Prompt != "" {
		name = "“" + r.Prompt + "”"
	}
	if r.Reference != nil {
		name = fmt.Sprintf(words.Text.EditLabel, name)
	}
	for _, t := range r.Acting() {
		if of := m.TermName(t); name == "" {
			name = of
		} else {
			name = fmt.Sprintf(words.Text.GalleryOf, name, of)
		}
	}
	return name
}

func (v *Loader) renderTrouble(s *app.State) {
	ui.SetText(v.why, map[app.Reason]string{app.NoWebGPU: words.Text.NoWebGPU, app.NoAdapter: words.Text.NoAdapter, app.Insecure: words.Text.Insecure}[s.Device.Reason])
	ui.SetText(v.advice, help(js.Global().Get("navigator").Get("userAgent").String(), s.Device.Reason))
	ui.SetFlag(v.cpu, "disabled", s.Model == nil)
	if s.Model == nil || s.Device.CPUSpeed == 0 {
		ui.SetText(v.cpuNote, words.Text.MeasuringCPU)
		return
	}
	load := words.Text.AllHere
	if here, all := v.storage.Here(s); here < all {
		load = fmt.Sprintf(words.Text.DownloadCPU, words.Bytes(s.Model.Bytes))
	}
	ui.SetText(v.cpuNote, words.Join(fmt.Sprintf(words.Text.EstimateCPU, words.Duration(s.Device.Seconds(s.Model))), load))
}

func (v *Loader) renderProgress(p app.Progress) {
	switch p.Stage {
	case "download":
		v.bar.Set("value", p.Fraction())
		parts := []string{words.Text.StageDownload, fmt.Sprintf(words.Text.Downloaded, words.Bytes(p.Done), words.Bytes(p.Total))}
		if speed := p.Meter.Speed(); speed > 0 {
			parts = append(parts, fmt.Sprintf(words.Text.Speed, words.Bytes(int64(speed))))
			if left := float64(p.Total-p.Done) / speed; left >= 1 {
				parts = append(parts, fmt.Sprintf(words.Text.TimeLeft, words.Duration(left)))
			}
		}
		switch {
		case p.Wait == "offline":
			parts = append(parts, words.Text.WaitOffline)
		case p.Wait == "tab":
			parts = append(parts, words.Text.WaitTab)
		case p.Retry > 1:
			parts = append(parts, fmt.Sprintf(words.Text.Retrying, p.Retry))
		}
		ui.SetText(v.line, strings.Join(parts, " · "))
	case "save":
		v.bar.Set("value", p.Fraction())
		ui.SetText(v.line, words.Text.StageSave+" · "+fmt.Sprintf(words.Text.Downloaded, words.Bytes(p.Done), words.Bytes(p.Total)))
	case "describe":
		v.bar.RemoveAttribute("value")
		ui.SetText(v.line, words.Text.StageDescribe)
	case app.StageTurn:
		v.bar.RemoveAttribute("value")
		ui.SetText(v.line, fmt.Sprintf(words.Text.WaitTurn, p.Before))
	case "prepare":
		v.bar.RemoveAttribute("value") // no end in sight: the bar moves by itself
		ui.SetText(v.line, words.Text.StagePrepare)
	default:
		v.bar.RemoveAttribute("value")
		ui.SetText(v.line, p.Starts())
	}
}
