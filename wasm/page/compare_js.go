package page

import "fmt"

// compare shows the picture beside the same without guidance.
type compare struct {
	app           *app
	box           element
	guided, plain *easel
	made          *picture // without guidance
	of            *picture // the picture that made belongs to, or is being made for
}

func newCompare(a *app) *compare {
	v := &compare{app: a, guided: newEasel(), plain: newEasel()}
	v.box = el("div", attrs{"class": "pair"}, v.guided.figure, v.plain.figure)
	return v
}

func (v *compare) panel() element { return v.box }

// render asks for the picture without guidance when it is missing.
func (v *compare) render(s *state) {
	if s.picture != nil && s.picture != v.of && s.phase == ready {
		v.of, v.made = s.picture, nil
		v.app.enqueue(job{recipe: s.picture.recipe.plain(), why: forCompare, done: func(_ *state, p *picture) { v.made = p }})
	}
	v.guided.render(s.picture, s, s.running.why == forPicture)
	v.plain.render(v.made, s, s.running.why == forCompare)
	if s.picture != nil {
		weight := "0"
		if t := s.picture.recipe.acting(); len(t) > 0 {
			weight = numberText(t[0].weight)
		}
		v.guided.caption(fmt.Sprintf(say.GuidedLabel, weight))
		v.plain.caption(say.PlainLabel)
	}
}
