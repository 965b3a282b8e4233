package shell

import (
	"fmt"

	"undertone/wasm/page/app"
	"undertone/wasm/page/ui"
	"undertone/wasm/page/words"
)

// Edition says at the foot of the page what this is: the version of the program,
// the model, and under which terms its weights may be used.
type Edition struct{ program, model, terms ui.Element }

// NewEdition takes over its place in the footer.
func NewEdition() *Edition {
	v := &Edition{program: ui.El("p", nil), model: ui.El("p", nil), terms: ui.El("p", nil)}
	ui.Append(ui.ByID("edition"), v.program, v.model, v.terms)
	return v
}

// version is that of the program, which the site's build writes into index.html.
func version() string {
	return ui.Document.Call("querySelector", `meta[name="version"]`).Get("content").String()
}

// Render draws it.
func (v *Edition) Render(s *app.State) {
	ui.SetText(v.program, fmt.Sprintf(words.Text.EditionVersion, version()))
	if s.Model == nil {
		return
	}
	if o := s.Offers[s.Offer]; o.Own() {
		ui.SetText(v.model, fmt.Sprintf(words.Text.EditionOwn, s.Model.Title, s.Model.Model, s.Model.Bits, words.Count(s.Model.Weights())))
		ui.SetText(v.terms, words.Text.EditionOwnTerms)
		return
	}
	ui.SetText(v.model, fmt.Sprintf(words.Text.EditionModel, s.Model.Title, s.Model.Revision, s.Model.Bits, words.Count(s.Model.Weights())))
	ui.SetText(v.terms, fmt.Sprintf(words.Text.EditionTerms, s.Model.Licenses.Weights, s.Model.Licenses.Data))
}
