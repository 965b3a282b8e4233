package stage

import (
	"fmt"
	"slices"
	"strings"

	"undertone/engine/recipe"
	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// comparison is how two pictures are compared.
type comparison struct {
	pair   bool         // side by side; else one over the other, with a divider
	at     float64      // where the divider is, 0 … 1
	held   *app.Picture // what stays on the left; nil for the twin without guidance
	exact  bool         // a pixel of the pictures is one of the page
	across float64      // what is then seen of larger pictures: 0, the left, to 1
	down   float64      // 0, the top, to 1
}

// captions say in what two pictures differ: of each its own settings.
func captions(left, right app.Recipe, m *app.Model) (l, r string) {
	var of [2][]string
	add := func(differ bool, text func(r app.Recipe) string) {
		if differ {
			of[0], of[1] = append(of[0], text(left)), append(of[1], text(right))
		}
	}
	add(left.Prompt != right.Prompt, func(r app.Recipe) string { return "“" + r.Prompt + "”" })
	guided := func(r app.Recipe) string { return guidedText(r, m) }
	add(!slices.EqualFunc(left.Acting(), right.Acting(), sameStrength), guided)
	add(left.Seed != right.Seed, func(r app.Recipe) string { return fmt.Sprintf("%s %.0f", words.Text.Seed, r.Seed) })
	add(left.Steps != right.Steps, func(r app.Recipe) string { return fmt.Sprintf("%s %.0f", words.Text.Steps, r.Steps) })
	add(left.Size != right.Size, func(r app.Recipe) string { return words.Size(r.Size) })
	add(left.CFG != right.CFG, func(r app.Recipe) string { return "CFG " + words.Number(r.CFG) })
	add(len(of[0]) == 0, guided) // the same settings, or another schedule
	return strings.Join(of[0], " · "), strings.Join(of[1], " · ")
}

func sameStrength(t, u recipe.Term) bool {
	return t.Positive == u.Positive && t.Negative == u.Negative && t.Weight == u.Weight && t.Head == u.Head
}

// guidedText names what leads a picture, and how strongly.
func guidedText(r app.Recipe, m *app.Model) string {
	switch t := r.Acting(); {
	case len(t) == 0:
		return words.Text.PlainLabel
	case len(t) > 1 || m == nil:
		return fmt.Sprintf(words.Text.GuidedMany, len(t))
	default:
		return fmt.Sprintf("%s · %s", m.TermName(t[0]), words.Signed(t[0].Weight))
	}
}
