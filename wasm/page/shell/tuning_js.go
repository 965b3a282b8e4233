package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Tuning tells of the search for the GPU's fastest kernels, and turns it off.
type Tuning struct{ on, said ui.Element }

// NewTuning puts it at the end of an element.
func NewTuning(a *app.App, parent ui.Element) *Tuning {
	v := &Tuning{on: ui.El("input", ui.Attrs{{"type", "checkbox"}, {"id", "tune"}}), said: ui.El("p", ui.Attrs{{"id", "tuning-said"}})}
	a.Untuned = ui.Recall("tune") == "off"
	v.on.Set("checked", !a.Untuned)
	ui.On(v.on, "change", func(ui.Event) {
		a.Untuned = !v.on.Get("checked").Bool()
		ui.Remember("tune", map[bool]string{true: "off", false: ""}[a.Untuned])
	})
	box := ui.El("details", ui.Attrs{{"class", "storage"}}, ui.El("summary", nil, &words.Text.Tuning),
		ui.El("p", ui.Attrs{{"class", "muted"}}, &words.Text.TuningHint),
		ui.El("label", ui.Attrs{{"class", "check"}}, v.on, ui.El("span", nil, &words.Text.TuningOn)), v.said)
	box.SetID("tuning")
	ui.Append(parent, box)
	return v
}

// Render draws it.
func (v *Tuning) Render(s *app.State) {
	t, text := s.Loaded.Tuning, words.Text.TuningNone
	switch t.State {
	case "due":
		text = words.Text.TuningDue
	case "running":
		text = words.Text.TuningRunning
	case "done":
		text = fmt.Sprintf(words.Text.TuningDone, len(t.Measured), t.Shapes, t.Faster)
	}
	ui.SetText(v.said, text)
}
