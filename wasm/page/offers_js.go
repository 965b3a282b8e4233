package page

import (
	"fmt"
	"strings"
)

// readModels reads the description of every model, which are small, so that the page
// can say what a press of Load would download. The first is what the page proposes.
func (a *app) readModels(addresses string) {
	var list []offer
	var failed error
	for i, address := range strings.Fields(addresses) {
		m, err := a.describe(address)
		if err != nil {
			if i == 0 {
				failed = err
			}
			continue
		}
		list = append(list, offer{address, m})
	}
	a.update(func(s *state) {
		if len(list) == 0 {
			s.problem = &problem{code: "manifest-invalid", message: fmt.Sprintf(say.ModelMissing, failed), advice: say.ReloadPage}
			return
		}
		s.offers = list
		a.choose(0)
		typed := s.form.prompt
		if s.form = newForm(s.model); typed != "" {
			s.form.prompt = typed
		}
	})
}

// choose takes another model for the next loading.
func (a *app) choose(i int) {
	a.state.offer, a.state.model, a.model = i, a.state.offers[i].model, a.state.offers[i].address
}

// weightsView offers the precisions of the weights with their sizes, where there
// are several: before loading, and later to load others.
type weightsView struct {
	app     *app
	name    string
	box     element
	row     element
	buttons []element
	after   bool
}

func newWeights(a *app, name string, after bool) *weightsView {
	v := &weightsView{app: a, name: name, after: after, row: el("div", attrs{"class": "segments", "role": "radiogroup", "aria-label": &say.Weights})}
	v.box = el("div", attrs{"class": "field weights", "hidden": ""}, el("p", attrs{"class": "label"}, &say.Weights), v.row)
	return v
}

func (v *weightsView) render(s *state) {
	wanted := waiting
	if v.after {
		wanted = ready
	}
	show(v.box, len(s.offers) > 1 && s.phase == wanted)
	for i := len(v.buttons); i < len(s.offers); i++ {
		m := s.offers[i].model
		text := el("span", nil)
		follow(&say.WeightsBits, func(t string) { setText(text, fmt.Sprintf(t, m.Bits, bytesText(m.Bytes))) })
		v.buttons = append(v.buttons, radio(v.row, v.name, fmt.Sprint(i), text, func() {
			v.app.update(func(*state) { v.app.choose(i) })
			if v.after {
				v.app.load(map[bool]string{true: "cpu", false: "auto"}[s.info.Backend == "cpu"])
			}
		}))
	}
	if len(v.buttons) > 0 {
		v.buttons[s.offer].Set("checked", true)
	}
}

// edition says at the foot of the page what this is: the version of the program,
// the model, and under which terms its weights may be used.
type edition struct{ program, model, terms element }

func newEdition() *edition {
	v := &edition{program: el("p", nil), model: el("p", nil), terms: el("p", nil)}
	add(byID("edition"), v.program, v.model, v.terms)
	return v
}

// version is that of the program, which the site's build writes into index.html.
func version() string {
	return document.Call("querySelector", `meta[name="version"]`).Get("content").String()
}

func (v *edition) render(s *state) {
	setText(v.program, fmt.Sprintf(say.EditionVersion, version()))
	if s.model == nil {
		return
	}
	setText(v.model, fmt.Sprintf(say.EditionModel, s.model.Title, s.model.Revision, s.model.Bits, countText(s.model.parameters())))
	setText(v.terms, fmt.Sprintf(say.EditionTerms, s.model.Licenses.Weights, s.model.Licenses.Data))
}
