package stage

import (
	"fmt"
	"syscall/js"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// figure is one picture with its caption.
type figure struct {
	ui.Canvas
	figure ui.Element
	text   ui.Element
	bar    ui.Element
}

func newFigure() *figure {
	e := &figure{
		Canvas: ui.NewCanvas(),
		text:   ui.El("figcaption", ui.Attrs{{"hidden", ""}}),
		bar:    ui.El("div", ui.Attrs{{"class", "bar"}, {"aria-hidden", "true"}}),
	}
	e.figure = ui.El("figure", ui.Attrs{{"class", "picture"}, {"hidden", ""}}, e.Canvas.Element, e.bar, e.text)
	return e
}

// render shows the preview while the picture is made, and otherwise the last
// finished one, which also stays until the first preview is there.
func (e *figure) render(p *app.Picture, s *app.State, working bool) {
	ui.Show(e.figure, p != nil || working)
	ui.SetFlag(e.figure, "data-working", working)
	ui.Show(e.bar, working)
	run := s.Running
	if working {
		e.bar.Style().SetProperty("--done", fmt.Sprintf("%.3f", float64(run.Step)/float64(max(1, run.Steps))), "")
	}
	preview, ok := run.Preview.(js.Value)
	switch {
	case working && ok:
		ui.SetAttr(e.Canvas.Element, "aria-label", fmt.Sprintf(words.Text.PreviewLabel, run.Step, run.Steps))
		e.Draw(preview, false)
	case p != nil:
		ui.SetAttr(e.Canvas.Element, "aria-label", label(p))
		e.Draw(p.Image.(js.Value), true)
	case working:
		ui.SetAttr(e.Canvas.Element, "aria-label", words.Text.ReadingPrompt)
	}
}

// label is what a picture is called where it cannot be seen.
func label(p *app.Picture) string {
	of := words.Text.PictureLabel
	if p.Recipe.Reference != nil {
		of = words.Text.EditLabel
	}
	return fmt.Sprintf(of, p.Recipe.Prompt)
}

func (e *figure) caption(text string) {
	ui.SetText(e.text, text)
	ui.Show(e.text, text != "")
}
