package how

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"undertone/wasm/page/app"
	"undertone/wasm/page/words"
)

// added is what guidance adds to the pooled vector, in a few words.
func added(r app.Recipe, m *app.Model) string {
	const most = 18 // characters of a name that have room in the drawing
	short := func(name string, most int) string {
		if utf8.RuneCountInString(name) > most {
			name = string([]rune(name)[:most-1]) + "…"
		}
		return name
	}
	switch t := r.Acting(); {
	case !r.Finite():
		return "…" // a field is being typed in
	case len(t) == 0:
		return words.Text.PlainLabel
	case len(t) == 1:
		return fmt.Sprintf("%s × %s", words.Signed(t[0].Weight), short(m.TermName(t[0]), most))
	default:
		var names []string
		for _, g := range t {
			names = append(names, m.TermName(g))
		}
		return short(strings.Join(names, " + "), most+4) // a weight's room too
	}
}

// pushes are how strongly guidance turns every block: the weights of all directions there,
// without their signs, added up. A schedule that does not fit the model adds nothing.
func pushes(r app.Recipe, blocks int) []float64 {
	sum := make([]float64, blocks)
	for _, t := range r.Acting() {
		list, err := t.Schedule.Weights(t.Weight, blocks)
		if err != nil {
			continue
		}
		for i, w := range list {
			sum[i] += math.Abs(float64(w))
		}
	}
	return sum
}

// bars draws numbers of at least 0 as bars on a line from left to right, of at most that
// height: the path of an SVG. The scale ends at 4, or at what is larger.
func bars(list []float64, left, right, line, height float64) string {
	top := 4.0
	for _, x := range list {
		top = math.Max(top, x)
	}
	each := (right - left) / float64(len(list))
	var path strings.Builder
	for i, x := range list {
		fmt.Fprintf(&path, "M%.1f %.1fv%.1fh%.1fV%.1fz", left+(float64(i)+.12)*each, line, -math.Max(1, height*x/top), .76*each, line)
	}
	return path.String()
}
