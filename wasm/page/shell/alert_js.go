package shell

import (
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Alert says what went wrong and what to do about it; the last picture stays.
type Alert struct {
	region, box, what, advice, detail ui.Element
	reload                            ui.Element // where nothing else helps
	shown                             *app.Problem
}

// NewAlert puts it at the head of an element.
func NewAlert(a *app.App, stage ui.Element) *Alert {
	v := &Alert{what: ui.El("p", ui.Attrs{{"class", "strong"}}), advice: ui.El("p", nil), detail: ui.El("p", ui.Attrs{{"class", "muted code"}, {"translate", "no"}})}
	dismiss := ui.IconButton("quiet square", "close", &words.Text.Dismiss, func() { a.Update(func(s *app.State) { s.Problem = nil }) })
	v.reload = ui.Button("secondary", &words.Text.Reload, func() { js.Global().Get("location").Call("reload") })
	v.reload.SetID("reload")
	v.box = ui.El("div", ui.Attrs{{"class", "alert"}, {"hidden", ""}}, ui.El("div", nil, v.what, v.advice, v.reload,
		ui.El("details", nil, ui.El("summary", nil, &words.Text.FaultDetails), v.detail)), dismiss)
	// The region is there from the start: what appears inside it is read aloud.
	v.region = ui.El("div", ui.Attrs{{"id", "alert"}, {"role", "alert"}}, v.box)
	stage.Call("prepend", v.region.Value)
	return v
}

// Render draws it.
func (v *Alert) Render(s *app.State) {
	ui.Show(v.box, s.Problem != nil)
	if p := s.Problem; p != nil {
		what, advice, detail := p.Texts()
		ui.SetText(v.what, words.Sentence(what))
		ui.SetText(v.advice, advice)
		ui.SetText(v.detail, detail)
		ui.Show(v.reload, p.Reloads())
	}
	if s.Problem != nil && s.Problem != v.shown {
		v.region.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
	v.shown = s.Problem
}
