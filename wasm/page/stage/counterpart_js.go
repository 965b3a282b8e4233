package stage

import "undertone/wasm/page/app"

// Plain makes the twin without guidance of the picture that is shown, for the views that
// show both.
type Plain struct {
	counterpart
	app *app.App
}

// NewPlain has none yet.
func NewPlain(a *app.App) *Plain { return &Plain{app: a} }

// forCompare is the purpose of a picture without guidance.
const forCompare app.Purpose = "compare"

// ask makes the twin when it is missing, once.
func (v *Plain) ask(s *app.State) {
	p := s.Picture
	if p == nil || !p.Recipe.Guides() || v.of(p) != nil || s.Phase != app.Ready || v.failed(s) {
		return
	}
	v.asked = p.Recipe.Plain()
	v.app.Enqueue(app.Job{Recipe: v.asked, Why: forCompare, Aside: true, Done: func(s *app.State, p *app.Picture) {
		if p != nil {
			v.plain = p
		}
	}})
}

// failed reports whether the twin was asked for, and did not come.
func (v *Plain) failed(s *app.State) bool {
	return s.Phase == app.Ready && v.of(s.Picture) == nil && v.asked.Same(s.Picture.Recipe.Plain())
}

// again asks once more.
func (v *Plain) again() {
	v.app.Update(func(*app.State) { v.asked = app.Recipe{} })
	if v.app.State.Phase == app.Waiting {
		v.app.Enqueue() // says that a model is needed
	}
}
